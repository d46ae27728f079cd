"""Mean and covariance of features in float64, of all samples and without each block of them."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean (d,) and unbiased covariance (d, d), float64."""

    mean: Tensor
    covariance: Tensor

    @staticmethod
    def of(x: Tensor) -> "Moments":
        """Of features (n, d), n >= 2."""
        x = x.double()
        mean = x.mean(0)
        centred = x - mean
        return Moments(mean, centred.T @ centred / (len(x) - 1))

    @cached_property
    def root(self) -> Tensor:
        """R (d, r) with R Rᵀ = covariance and r its rank, from its eigenvectors.

        Directions that hold nothing but rounding are left out, so that fewer samples than dimensions are no trouble.
        """
        values, vectors = torch.linalg.eigh(self.covariance)
        kept = values > values[-1].clamp(min=0) * len(values) * torch.finfo(torch.float64).eps
        return vectors[:, kept] * values[kept].sqrt()


def without_each_block(x: Tensor, blocks: int) -> list[Moments]:
    """The moments of x (n, d) without each of `blocks` equal blocks in turn; what does not divide stays in all.

    Each is a subtraction from the sums of the whole, after centring, so that nothing is lost to cancellation.
    """
    x = x.double()
    centre = x.mean(0)
    x = x - centre
    size = len(x) // blocks
    total, n = x.T @ x, len(x) - size
    found = []
    for block in x[: size * blocks].split(size):
        mean = -block.sum(0) / n  # the centred sum of the whole is 0
        found.append(Moments(centre + mean, (total - block.T @ block - n * torch.outer(mean, mean)) / (n - 1)))
    return found
