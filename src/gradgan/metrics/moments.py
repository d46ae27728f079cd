"""Mean and covariance of features in float64, of all samples and without each block of them."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

EPS = torch.finfo(torch.float64).eps
_STRIP = 256
"""Columns of a symmetric product computed at a time."""


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
        return Moments(mean, gram(x - mean) / (len(x) - 1))

    @cached_property
    def root(self) -> Tensor:
        """R (d, r) with R Rᵀ = covariance: its Cholesky factor, r = d, where it has one, a tenth of eigenvectors' cost.

        With fewer samples than dimensions it has none: then R is of r eigenvectors, r the rank, and directions that
        hold nothing but rounding are left out. Which of the roots it is does not matter to a Fréchet distance.
        """
        factor, failed_at = torch.linalg.cholesky_ex(self.covariance)
        if not failed_at:
            return factor
        values, vectors = torch.linalg.eigh(self.covariance)
        kept = values > values[-1].clamp(min=0) * len(values) * EPS
        return vectors[:, kept] * values[kept].sqrt()

    def same_as(self, other: "Moments", n: int) -> bool:
        """Do both differ by no more than rounding makes of the moments of one set of n samples, summed in two orders?

        A sum of n terms is off by up to n eps of its terms' sizes. Those of S_ij add up to at most sqrt(S_ii S_jj), so
        a covariance is off by n eps tr S in Frobenius norm; a mean by n eps sqrt(|m|^2 + tr S).
        """
        spread, off = self.covariance.trace() + other.covariance.trace(), n * EPS
        size = (self.mean.square().sum() + other.mean.square().sum() + spread).sqrt()
        means, covariances = (self.mean - other.mean).norm(), (self.covariance - other.covariance).norm()
        return bool(means <= 2 * off * size) and bool(covariances <= off * spread)


def gram(x: Tensor) -> Tensor:
    """xᵀx (d, d) of x (n, d), of which little more than the half above the diagonal is computed."""
    d = x.shape[1]
    found = x.new_empty(d, d)
    for start in range(0, d, _STRIP):
        stop = min(start + _STRIP, d)
        strip = x[:, start:stop].T @ x[:, start:]
        found[start:stop, start:] = strip
        found[start:, start:stop] = strip.T
    return found


def by_blocks(x: Tensor, blocks: int) -> tuple[Moments, list[Moments]]:
    """The moments of x (n, d), and those without each of `blocks` equal blocks; what does not divide stays in all.

    Each is a subtraction from the sums of the whole, after centring, so that nothing is lost to cancellation; the
    products of the blocks make up those of the whole.
    """
    x = x.double()
    centre = x.mean(0)
    x = x - centre
    size = len(x) // blocks
    parts, over = x[: size * blocks].split(size), x[size * blocks :]
    grams = [gram(part) for part in parts]
    total, n = gram(over), len(x) - size
    for own in grams:
        total += own
    without = []
    for part, own in zip(parts, grams, strict=True):
        mean = -part.sum(0) / n  # the centred sum of the whole is 0
        # In the block's own product, which nobody needs any more: ten matrices, not twenty.
        rest = own.neg_().add_(total).addr_(mean, mean, alpha=-n).div_(n - 1)
        without.append(Moments(centre + mean, rest))
    return Moments(centre, total / (len(x) - 1)), without
