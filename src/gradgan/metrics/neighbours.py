"""Metrics of nearest neighbours in feature space: precision, recall, density, coverage; and a test for copies."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..core.checks import GradganError
from .estimate import BLOCKS, Estimate, jackknife, mean, share
from .metric import METRICS, FeatureInput, Metric

_HELD = 20_000_000
"""Entries of a distance matrix that are held at once: 160 MB."""
_SOME = 10_000


@METRICS.add(paper="arXiv:1904.06991", needs="features", best=None, better="higher")
def precision(k: int = 3) -> Metric:
    """Precision: the share of generated samples within the balls around held-out ones, as far as their k-th neighbour.

    Falls with bad samples, and says nothing of lost modes. Error: binomial, the balls taken as given.
    Shapes: FeatureInput. Paper: Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 1-2.
    """
    return Metric("precision", lambda given: share(_balls_around_real(given, k) > 0))


@METRICS.add(paper="arXiv:1904.06991", needs="features", best=None, better="higher")
def recall(k: int = 3) -> Metric:
    """Recall: the share of held-out samples within the balls around generated ones, as far as their k-th neighbour.

    Falls with lost modes; a few samples far out raise it, for their balls are large. Error: by blocks (jackknife over
    tenths of the generated samples), which sees that those few decide; up to twice too large; nan below 20 samples.
    Shapes: FeatureInput. Paper: Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 1-2.
    """
    return Metric("recall", lambda given: _recall(given, k))


@METRICS.add(paper="arXiv:2002.09797", needs="features", best=1.0, better="nearer")
def density(k: int = 5) -> Metric:
    """Density: how many balls of held-out samples a generated one lies in, over k; 1 for the data's own distribution.

    Above 1 where samples crowd into the data's densest places; one outlier among the real ones hardly moves it.
    Error: of the mean over generated samples. Shapes: FeatureInput. Paper: Naeem et al. 2020, arXiv:2002.09797, sec. 3.
    """
    return Metric("density", lambda given: mean(_balls_around_real(given, k) / k))


@METRICS.add(paper="arXiv:2002.09797", needs="features", best=None, better="higher")
def coverage(k: int = 5) -> Metric:
    """Coverage: the share of held-out samples whose ball, as far as their k-th neighbour, holds a generated one.

    1 - 2^-k for the data's own distribution with equal numbers of samples. Error: by blocks (jackknife over tenths of
    the generated samples), up to twice too large; nan below 20 samples.
    Shapes: FeatureInput. Paper: Naeem et al. 2020, arXiv:2002.09797, sec. 3.
    """
    return Metric("coverage", lambda given: _coverage(given, k))


@METRICS.add(paper="arXiv:2004.05675", needs="features", best=0.5, better="nearer")
def memorisation() -> Metric:
    """Memorisation: how often a generated sample is nearer to the training set than a held-out real one is.

        P(d(generated, training) < d(held-out, training)) + 1/2 P(equal),   d = distance to the nearest

    of all training samples, not only of those that other metrics look at: a copy of another would pass for new.
    0.5 without memorisation, 1 for copies; below 0.5 the samples are merely worse than real ones. Error: DeLong's, of
    both sets of samples. Shapes: FeatureInput. Paper: Meehan et al. 2020, arXiv:2004.05675, sec. 2.
    """
    return Metric("memorisation", _memorisation)


def radii(x: Tensor, k: int) -> Tensor:
    """Distance of each of x (n, d) to its k-th nearest other, (n,), float64."""
    if not 1 <= k < len(x):
        raise GradganError(f"k must lie in 1..{len(x) - 1}, the other samples, got {k}. Give more samples or less k.")
    # The nearest of all is the sample itself, at distance 0.
    return torch.cat([rows.kthvalue(k + 1, dim=1).values for rows in _distances(x, x)])


def _real_radii(given: FeatureInput, k: int) -> Tensor:
    # Kept beside the real features: three metrics ask for them, at every look.
    return given.real.remember(f"radii of {k}", lambda: radii(given.real.held_out, k))


def _balls_around_real(given: FeatureInput, k: int) -> Tensor:
    return _balls_around(given.real.held_out, _real_radii(given, k), given.generated)


def _balls_around(centres: Tensor, reach: Tensor, points: Tensor) -> Tensor:
    """In how many balls around the centres, each of its own radius, each point lies, (points,)."""
    return torch.cat([(rows <= reach).sum(1) for rows in _distances(points, centres)])


def _recall(given: FeatureInput, k: int) -> Estimate:
    """Found in the balls of all generated samples, and in those of all but each block, whose radii are others."""
    held_out, generated = given.real.held_out, given.generated
    block = _blocks(len(generated))
    reach = radii(generated, k)
    if block is None or k >= len(generated) - block.bincount().max():
        return jackknife(_share_within(held_out, generated, reach), [])
    without = _radii_without(generated, k, block)
    return jackknife(
        _share_within(held_out, generated, reach), [_share_within(held_out, generated, one) for one in without]
    )


def _share_within(points: Tensor, centres: Tensor, reach: Tensor) -> float:
    return float((_balls_around(centres, reach, points) > 0).double().mean())


def _radii_without(x: Tensor, k: int, block: Tensor) -> Tensor:
    """`radii` of x (n, d) among all samples but those of each block, (blocks, n); -inf for those of the block."""
    count = int(block.max()) + 1
    found = x.new_empty(count, len(x), dtype=torch.float64)
    start = 0
    for rows in _distances(x, x):
        own = slice(start, start := start + len(rows))
        # So many of the nearest, with the sample itself, that k + 1 nearly always remain without any one block.
        near = rows.topk(min(len(x), 3 * (k + 1)), largest=False)
        for b in range(count):
            left = (block[near.indices] != b).cumsum(1)
            found[b, own] = near.values.gather(1, (left <= k).sum(1, keepdim=True).clamp(max=left.shape[1] - 1))[:, 0]
            short = left[:, -1] <= k
            if short.any():
                found[b, own][short] = rows[short][:, block != b].kthvalue(k + 1, dim=1).values
    return found.masked_fill_(block == torch.arange(count)[:, None], -torch.inf)


def _coverage(given: FeatureInput, k: int) -> Estimate:
    """Balls that hold a generated sample, and that still do without each block of them."""
    reach = _real_radii(given, k)
    block = _blocks(len(given.generated))
    held, start = [], 0
    for rows in _distances(given.real.held_out, given.generated):
        within = rows <= reach[start : (start := start + len(rows)), None]
        parts = [within] if block is None else within.split(block.bincount().tolist(), dim=1)
        held.append(torch.stack([part.any(1) for part in parts]))
    by_block = torch.cat(held, dim=1)
    blocks = [] if block is None else range(len(by_block))
    whole = float(by_block.any(0).double().mean())
    return jackknife(whole, [float((by_block.sum(0) > by_block[b]).double().mean()) for b in blocks])


def _blocks(n: int) -> Tensor | None:
    """The number of the tenth that each of n samples belongs to, (n,); None for too few."""
    return torch.arange(n) * BLOCKS // n if n >= 2 * BLOCKS else None


def _to_nearest(points: Tensor, others: Tensor) -> Tensor:
    """Distance of each point to its nearest among the others, (points,), float64; of a copy exactly 0."""
    least = points.new_full((len(points),), torch.inf, dtype=torch.float64)
    nearest = torch.zeros(len(points), dtype=torch.int64)
    start = 0
    # Some of the others at a time: there may be many more of them than fit into memory twice.
    for some in others.split(_SOME):
        found = [rows.min(1) for rows in _distances(points, some)]
        values, indices = (torch.cat([one[i] for one in found]) for i in range(2))
        nearest = torch.where(values < least, indices + start, nearest)
        least = torch.minimum(least, values)
        start += len(some)
    # Products, by which the nearest was found, leave a copy some 1e-7 away, so that equals would not be told as equal.
    return (points.double() - others[nearest].double()).norm(dim=1)


def _distances(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """Blocks of rows of the distance matrix (n, m), float64: by products, float32 would lose near neighbours."""
    y = y.double()
    for rows in x.double().split(max(1, _HELD // len(y))):
        yield torch.cdist(rows, y)


def _memorisation(given: FeatureInput) -> Estimate:
    real = given.real
    generated = _to_nearest(given.generated, real.learned)
    held_out = real.remember("held-out to training", lambda: _to_nearest(real.held_out, real.learned))
    nearer = _placement(generated, held_out)
    farther = 1 - _placement(held_out, generated)
    variance = nearer.var() / len(nearer) + farther.var() / len(farther)
    return Estimate(1 - float(nearer.mean()), math.sqrt(float(variance)), "samples")


def _placement(x: Tensor, among: Tensor) -> Tensor:
    """The share of `among` below each of x, ties counted half."""
    ordered = among.sort().values
    below = torch.searchsorted(ordered, x, right=False) + torch.searchsorted(ordered, x, right=True)
    return below.double() / (2 * len(among))
