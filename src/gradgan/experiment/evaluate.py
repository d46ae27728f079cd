"""The metrics that a data set can serve: modes where its centres are known, classes where it has labels."""

from collections.abc import Callable
from math import prod

from torch import Tensor

from ..data import Dataset
from ..metrics import METRICS, Estimate, MixtureInput
from ..metrics.coverage_svm import class_coverage

_MODE_SAMPLES = 2500
_CLASS_SAMPLES = 1000
_CLASS_REAL = 10_000
"""How many real samples the classifier sees: enough for 97% on MNIST, seconds on one core."""
_CLASS_VALUES = 1024
"""The largest image that this classifier serves, in values."""
_MIXTURE = ("modes", "high_quality", "reverse_kl", "mixture_distance")


def evaluate(dataset: Dataset, draw: Callable[[int], Tensor]) -> dict[str, Estimate]:
    """Estimates by name; `draw(n)` gives n generated samples. Empty where no metric applies."""
    if dataset.modes is not None and dataset.spread:
        given = MixtureInput(draw(_MODE_SAMPLES), dataset.modes, dataset.spread)
        return {name: METRICS.make(name)(given) for name in _MIXTURE}
    if dataset.kind == "images" and dataset.labels is not None and prod(dataset.event) <= _CLASS_VALUES:
        real, labels = dataset.scaled(slice(_CLASS_REAL)), dataset.labels[:_CLASS_REAL]
        if len(labels.unique()) < 2:
            return {}
        seen = class_coverage(draw(_CLASS_SAMPLES), real, labels, classes=dataset.classes)
        return {name: Estimate(value, float("nan"), "samples") for name, value in seen.numbers().items()}
    return {}
