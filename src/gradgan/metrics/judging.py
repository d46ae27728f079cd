"""How runs are judged by metrics: which there are, which way each is better, and what is called collapsed."""

import math

from ..core.errors import unknown_name
from .metric import METRICS

COVERAGE = ("modes", "classes")
"""Metrics that count what was found; a run whose last look found fewer than half of what there is has collapsed."""

_SHARES = ("high_quality", "mixture_distance", "precision", "recall", "coverage")
_ABOVE_ZERO = ("modes", "classes", "reverse_kl", "class_kl", "frechet", "frechet_ratio", "density")


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


def range_of(metric: str | None) -> tuple[float, float]:
    """Between which values a metric's mean can lie; of other numbers nothing is known."""
    name = (metric or "").partition("/")[0]
    if name in _SHARES:
        return 0.0, 1.0
    return (0.0, math.inf) if name in _ABOVE_ZERO else (-math.inf, math.inf)
