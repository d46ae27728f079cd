"""Kernel inception distance: squared maximum mean discrepancy of features under a cubic kernel, without bias."""

import torch
from torch import Tensor

from .estimate import Estimate, over_blocks
from .metric import METRICS, FeatureInput, Metric

_BLOCK = 1000
_FEWEST = 5
"""Blocks: smaller ones rather than fewer, so that there is a spread to look at."""


@METRICS.add(paper="arXiv:1801.01401", needs="features", best=0.0, better="lower")
def kid() -> Metric:
    """KID: squared maximum mean discrepancy between generated and held-out features under a cubic kernel.

        k(x, y) = (x . y / d + 1)^3,   mean k(x, x') + mean k(y, y') - 2 mean k(x, y), no sample with itself

    Without bias, so it may fall below 0 and may be compared between different numbers of samples. The mean over blocks
    of 1000 (fewer where there are fewer than 5000) that share no sample; error: by those blocks.
    Shapes: FeatureInput. Paper: Bińkowski et al. 2018, arXiv:1801.01401, sec. 4.
    """
    return Metric("kid", _kid)


def squared_mmd(x: Tensor, y: Tensor) -> float:
    """The unbiased estimate of two sets (n, d) and (m, d), n and m at least 2."""
    x, y = x.double(), y.double()
    within = sum(_off_diagonal_mean(_cubic(z, z)) for z in (x, y))
    return float(within - 2 * _cubic(x, y).mean())


def _cubic(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _off_diagonal_mean(kernel: Tensor) -> Tensor:
    n = len(kernel)
    return (kernel.sum() - kernel.trace()) / (n * (n - 1))


def _kid(given: FeatureInput) -> Estimate:
    x, y = given.generated, given.real.held_out
    n = min(len(x), len(y))
    size = max(2, min(_BLOCK, n // _FEWEST))
    # Both in an order of their own: data sets may come sorted by class, and a block should be like the whole.
    x, y = (z[torch.randperm(len(z), generator=torch.Generator().manual_seed(0)).to(z.device)] for z in (x, y))
    return over_blocks([squared_mmd(x[i : i + size], y[i : i + size]) for i in range(0, n - size + 1, size)])
