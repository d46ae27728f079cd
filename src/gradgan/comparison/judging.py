"""How a comparison judges by metrics: which there are, which way each is better, and what it calls collapsed."""

import math
from collections.abc import Mapping

KNOWN: Mapping[str, str] = {"reverse_kl": "lower", "modes": "higher", "high_quality": "higher", "classes": "higher"}
"""Which way is better, by the metric's name."""

RANGES: Mapping[str, tuple[float, float]] = {"high_quality": (0.0, 1.0)}
"""Between which values a metric lies; above 0 where it is not named here."""

COVERAGE = ("modes", "classes")
"""Metrics that count what was found; a run whose last look found fewer than half of what there is has collapsed."""


def range_of(metric: str | None) -> tuple[float, float]:
    """Between which values a metric's mean can lie; other numbers can be anything."""
    return (-math.inf, math.inf) if metric is None else RANGES.get(metric, (0.0, math.inf))


def merit(metric: str, value: float) -> float:
    """The value such that more is better."""
    return value if KNOWN[metric] == "higher" else -value
