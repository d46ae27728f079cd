"""How runs are judged by metrics: which there are, which way each is better, and what is called collapsed."""

import math

from ..core.errors import unknown_name
from .metric import METRICS

COVERAGE = ("modes", "classes")
"""Metrics that count what was found; a run whose last look found fewer than half of what there is has collapsed."""

_SHARES = ("high_quality", "mixture_distance", "precision", "recall", "coverage", "memorisation")
_ANY = ("kid",)
"""Unbiased, so it may be below 0 by chance."""


def judges(number: str) -> bool:
    """Is the number, NAME or NAME/FEATURES, a metric that says what is better?"""
    name = number.partition("/")[0]
    return name in METRICS and METRICS[name].facts["better"] != "neither"


def refuse_unknown(metric: str) -> None:
    """Raise GradganError for what is no metric that judges."""
    if not judges(metric):
        raise unknown_name("metric", metric, filter(judges, METRICS))


def better(metric: str) -> str:
    """Which way is better: lower, higher or nearer (to its best)."""
    return METRICS[metric.partition("/")[0]].facts["better"]


def range_of(metric: str | None, classes: int = 0) -> tuple[float, float]:
    """Between which values a metric's mean can lie; of other numbers nothing is known. `classes`: how many modes or
    classes there are, 0 where that is not known."""
    name = (metric or "").partition("/")[0]
    if name not in METRICS or name in _ANY:
        return -math.inf, math.inf
    if name in COVERAGE and classes:
        return 0.0, float(classes)
    return (0.0, 1.0) if name in _SHARES else (0.0, math.inf)


def grain_of(metric: str | None) -> float:
    """What a metric's values are whole multiples of: 1 of counts, 0 of those that take any value."""
    return 1.0 if (metric or "").partition("/")[0] in COVERAGE else 0.0
