"""The number that is sought: a metric of the catalog, or a combination of some by name; never the training loss."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..core.catalog import Catalog
from ..core.errors import GradganError, unknown_name
from ..data import Dataset
from ..experiment import score_of
from ..metrics import METRICS, merit
from ..metrics.judging import COVERAGE, better, judges, range_of

COMBINATIONS = Catalog("combination of metrics", facts=("of",))
"""Numbers made of several metrics in the same features; more is better, from 0 to 1. Fact: `of`, their metrics."""

Numbers = Mapping[str, float]


@COMBINATIONS.add(paper="arXiv:1806.00035", of=("precision", "recall"))
def f1(precision: float, recall: float) -> float:
    """Harmonic mean of precision and recall: 2 P R / (P + R), 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


@COMBINATIONS.add(paper="arXiv:2002.09797", of=("density", "coverage"))
def density_coverage(density: float, coverage: float) -> float:
    """Geometric mean of density, counted up to 1, and coverage: sqrt(min(density, 1) x coverage)."""
    return math.sqrt(min(density, 1.0) * coverage)


@dataclass(frozen=True)
class Objective:
    """What a trial is judged by."""

    name: str
    metrics: tuple[str, ...]
    """The metrics to measure for it."""
    combine: Callable[[Numbers], float]
    better: str
    """Which way is better: lower, higher or nearer (to the metric's best)."""
    within: tuple[float, float] = (-math.inf, math.inf)
    """Where its mean can lie."""

    def __call__(self, numbers: Numbers) -> float:
        """The number as people read it."""
        return float(self.combine(numbers))

    def loss(self, value: float) -> float:
        """What the search minimises; infinite where the value is no number."""
        if not math.isfinite(value):
            return math.inf
        return -value if self.name.partition("/")[0] in COMBINATIONS else -merit(self.name, value)


def objective_of(name: str | None, dataset: Dataset) -> Objective:
    """The objective by name: a metric or combination, NAME or NAME/FEATURES; where none is named, the data's own score.

    Raises GradganError for what is neither, for training losses, and for metrics that do not say what is better.
    """
    name = name or score_of(dataset)
    first, slash, features = name.partition("/")
    if first in COMBINATIONS:
        of = tuple(f"{metric}{slash}{features}" for metric in COMBINATIONS[first].facts["of"])
        make = COMBINATIONS[first].make
        return Objective(name, of, lambda numbers: make(*(numbers[one] for one in of)), "higher", (0.0, 1.0))
    if not judges(name):
        if first not in METRICS:
            raise unknown_name("metric to judge by", first, [*filter(judges, METRICS), *COMBINATIONS])
        raise GradganError(f"--metric {name} describes and does not judge; take one that says what is better.")
    return Objective(name, (name,), lambda numbers: numbers[name], better(name), range_of(name))


def beside(objective: Objective, dataset: Dataset) -> tuple[str, ...]:
    """The metrics of a trial: the objective's, and what tells a collapse where the data can serve it cheaply."""
    if dataset.modes is not None and dataset.spread:
        return tuple(dict.fromkeys([*objective.metrics, "modes"]))
    if any(name.endswith("/classifier") for name in objective.metrics):
        return tuple(dict.fromkeys([*objective.metrics, "classes"]))
    return objective.metrics


def collapsed(numbers: Numbers, classes: int) -> bool:
    """Were fewer than half of the modes or classes found?"""
    return any(numbers[name] < classes / 2 for name in COVERAGE if name in numbers and classes)
