"""Mode coverage on mixtures of known centres: modes found, high-quality share, reverse KL; and one number for all."""

from functools import cache

import numpy as np
import torch

from .counts import found, kl_to
from .estimate import Estimate, of_counts, share
from .metric import METRICS, Metric, MixtureInput

_PAPER = "arXiv:1712.04086"
_RADIUS = 3.0
"""In standard deviations: a sample is good within it, PacGAN's protocol."""


@METRICS.add(paper=_PAPER, needs="mixture", best=None, better="higher")
def modes() -> Metric:
    """Modes: how many of a mixture's centres at least one sample lies within 3 spreads of.

    Error: bootstrap, in closed form (how easily a mode with few samples would have been missed).
    Shapes: MixtureInput. Paper: Lin et al. 2018 (PacGAN), arXiv:1712.04086, sec. 4.1.
    """
    return Metric("modes", lambda given: found(mode_counts(given)))


@METRICS.add(paper=_PAPER, needs="mixture", best=None, better="higher")
def high_quality() -> Metric:
    """High quality: the share of samples within 3 spreads of a mode; alone it rewards collapse.

    The data themselves have P(chi^2_d < 9), 0.9889 in the plane. Error: binomial.
    Shapes: MixtureInput. Paper: Lin et al. 2018 (PacGAN), arXiv:1712.04086, sec. 4.1.
    """
    return Metric("high_quality", lambda given: share(_nearest(given)[1]))


@METRICS.add(paper=_PAPER, needs="mixture", best=0.0, better="lower")
def reverse_kl() -> Metric:
    """Reverse KL: of the good samples' shares per mode from equal shares, nats; 0 is best, log(modes) the worst.

    Without any good sample it is log(modes). Error: bootstrap of the counts.
    Shapes: MixtureInput. Paper: Lin et al. 2018 (PacGAN), arXiv:1712.04086, sec. 4.1.
    """
    return Metric("reverse_kl", lambda given: kl_to(mode_counts(given), _equal(len(given.centres))))


@METRICS.add(paper="gradgan", needs="mixture", best=0.0, better="lower")
def mixture_distance() -> Metric:
    """Mixture distance: total variation between the samples' shares per mode, bad samples apart, and the data's own.

        1/2 sum_j |share_j - q/m| + 1/2 |bad - (1 - q)|,   q = P(chi^2_d < 9)

    Lost modes, unequal modes and bad samples all raise it, so it can judge alone, which none of the other three can:
    0 is best (about sqrt(m / n) / 2 by chance), 1 the worst. Error: bootstrap of the counts. Shapes: MixtureInput.
    """
    return Metric("mixture_distance", _mixture_distance)


def mode_counts(given: MixtureInput) -> np.ndarray:
    """How many good samples lie nearest to each centre, (m,)."""
    nearest, good = _nearest(given)
    return torch.bincount(nearest[good], minlength=len(given.centres)).cpu().numpy()


def _nearest(given: MixtureInput) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest centre of each sample, and whether it is near enough."""
    distance, nearest = torch.cdist(given.samples.double(), given.centres.to(given.samples).double()).min(dim=1)
    return nearest, distance <= _RADIUS * given.spread


def _mixture_distance(given: MixtureInput) -> Estimate:
    m = len(given.centres)
    good = _share_within(given.centres.shape[1])
    wanted = np.append(_equal(m) * good, 1 - good)
    counts = mode_counts(given)
    counts = np.append(counts, len(given.samples) - counts.sum())
    return of_counts(lambda these: float(np.abs(these / these.sum() - wanted).sum() / 2), counts)


def _equal(m: int) -> np.ndarray:
    return np.full(m, 1 / m)


@cache
def _share_within(d: int) -> float:
    """P(|e| < 3) for e ~ N(0, I) in d dimensions."""
    half = torch.tensor([d / 2, _RADIUS**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))
