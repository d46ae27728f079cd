"""Statistics over a few seeds: means with intervals, paired differences, ranks in which ties are ties. No torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from .errors import GradganError

_ENUMERATED = 5
"""Up to so many values, every resample there is; beyond, a fixed number of drawn ones."""
_DRAWN = 10_000


@dataclass(frozen=True)
class Interval:
    """A mean over n values with its 95% interval, and the standard deviation of the values."""

    mean: float
    low: float
    high: float
    sd: float
    n: int

    def contains(self, value: float) -> bool:
        """Is the value within, ends included?"""
        return self.low <= value <= self.high


def interval(
    values: Sequence[float], *, within: tuple[float, float] = (-math.inf, math.inf), grain: float = 0.0
) -> Interval:
    """Mean and 95% interval of independent values, one for each seed; `within` bounds where the true mean can be.

    `grain`: the values are whole multiples of it, as counts are of 1. Such rounding has a variance of grain^2 / 12,
    which is added to theirs: a few equal counts do not say that the next one will be equal too.

    The bootstrap's percentiles, expanded for few values (Hesterberg 2015, arXiv:1411.5279), and never narrower than
    Student's t: the first follows a skew, the second knows how little three values say. The same values give the same
    interval. One value has an unbounded interval. Raises GradganError for no values and for ones not finite.
    """
    x = np.asarray(values, float)
    if x.ndim != 1 or len(x) == 0 or not np.isfinite(x).all():
        raise GradganError(f"an interval wants one finite number or more, got {list(values)}.")
    n, mean = len(x), float(x.mean())
    if n == 1:
        return Interval(mean, *within, math.nan, 1)
    if (x == x[0]).all() and not grain:
        return Interval(float(x[0]), float(x[0]), float(x[0]), 0.0, n)
    from scipy.special import ndtr, stdtrit

    sd = float(x.std(ddof=1))
    t = float(stdtrit(n - 1, 0.975))
    share = float(ndtr(-t * math.sqrt(n / (n - 1))))
    low, high = np.quantile(x[_resamples(n)].mean(axis=1), [share, 1 - share])
    half = t * math.sqrt((sd**2 + grain**2 / 12) / n)
    low, high = min(float(low), mean - half), max(float(high), mean + half)
    return Interval(mean, max(low, within[0]), min(high, within[1]), sd, n)


@lru_cache(maxsize=32)
def _resamples(n: int) -> np.ndarray:
    """Indices of resamples with replacement, (how many, n)."""
    if n <= _ENUMERATED:
        return np.array(list(product(range(n), repeat=n)))
    return np.random.default_rng(0).integers(n, size=(_DRAWN, n))


def paired_difference(
    values: Mapping[int, float], baseline: Mapping[int, float], *, grain: float = 0.0
) -> Interval | None:
    """The interval of value - baseline over the seeds that both have; None where they share none. `grain`: of both."""
    shared = [values[seed] - baseline[seed] for seed in values if seed in baseline]
    # Both are rounded, so their variances add.
    return interval(shared, grain=math.sqrt(2) * grain) if shared else None


@dataclass(frozen=True)
class Rank:
    """Where one of several stands."""

    best: int
    """1 + how many others are better beyond the interval of the paired difference."""
    worst: int
    """How many there are, less those that it is better than; so best to worst are the ranks it may have."""
    place: int
    """By the mean, from 1 on: the order to show them in."""

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"


def ranks(
    values: Mapping[str, Mapping[int, float]],
    *,
    higher_is_better: bool,
    lost: Mapping[str, tuple[int, ...]] | None = None,
    grain: float = 0.0,
) -> dict[str, Rank]:
    """The rank of each name by its values, one for each seed; who has no value has no rank.

    Seeds that scatter leave much open, so a rank is a range: `best` alone would put a name that nothing can be said of
    first. `lost`: how many runs of each name came to nothing, as one count or several, the first matters most. Whoever
    lost fewer is better: the seeds that are left must not speak for the lost ones. `grain`: see `interval`.
    """
    known = {name: own for name, own in values.items() if own}
    losses = lost or dict.fromkeys(known, ())

    def beats(one: str, other: str) -> bool:
        if losses[one] != losses[other]:
            return losses[one] < losses[other]
        difference = paired_difference(known[one], known[other], grain=grain)
        if difference is None:
            return False
        return difference.low > 0 if higher_is_better else difference.high < 0

    def order(name: str) -> tuple[tuple[int, ...], float]:
        mean = sum(known[name].values()) / len(known[name])
        return losses[name], -mean if higher_is_better else mean

    won = {name: {other for other in known if other != name and beats(name, other)} for name in known}
    return {
        name: Rank(1 + sum(name in others for others in won.values()), len(known) - len(won[name]), place)
        for place, name in enumerate(sorted(known, key=order), 1)
    }
