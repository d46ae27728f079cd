"""The metrics that a data set can serve: modes where its centres are known, classes where it has labels."""

from collections.abc import Callable
from math import prod

from torch import Tensor

from ..data import Dataset
from ..metrics import class_coverage, modes

_MODE_SAMPLES = 2500
_CLASS_SAMPLES = 1000
_CLASS_REAL = 10_000
"""How many real samples the classifier sees: enough for 97% on MNIST, seconds on one core."""
_CLASS_VALUES = 1024
"""The largest image that this classifier serves, in values."""


def evaluate(dataset: Dataset, draw: Callable[[int], Tensor]) -> dict[str, float]:
    """Numbers by name; `draw(n)` gives n generated samples. Empty where no metric applies."""
    if dataset.modes is not None and dataset.spread:
        return modes(draw(_MODE_SAMPLES), dataset.modes, spread=dataset.spread).numbers()
    if dataset.kind == "images" and dataset.labels is not None and prod(dataset.event) <= _CLASS_VALUES:
        real, labels = dataset.scaled(slice(_CLASS_REAL)), dataset.labels[:_CLASS_REAL]
        if len(labels.unique()) < 2:
            return {}
        return class_coverage(draw(_CLASS_SAMPLES), real, labels, classes=dataset.classes).numbers()
    return {}
