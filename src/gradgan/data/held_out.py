"""Real samples that nobody learned from: the data set's own, or a fixed fifth of what there is."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..core.checks import GradganError
from .dataset import Dataset, to_scale

_SHARE = 5


@dataclass(frozen=True, eq=False)
class Part:
    """Samples of a data set, all or those at some indices; pictures that are mapped from a file stay there."""

    whole: Dataset
    chosen: Tensor | None = None

    def __len__(self) -> int:
        return len(self.whole) if self.chosen is None else len(self.chosen)

    def stored(self, index: slice | Tensor) -> Tensor:
        """Samples as they are stored."""
        return self.whole.samples[index if self.chosen is None else self.chosen[index]]

    def scaled(self, index: slice | Tensor) -> Tensor:
        """Samples as networks see them."""
        return to_scale(self.stored(index), self.whole.scale)

    @property
    def labels(self) -> Tensor | None:
        """The classes of all of them, where they have any."""
        labels = self.whole.labels
        return labels if labels is None or self.chosen is None else labels[self.chosen]


@dataclass(frozen=True)
class RealParts:
    """The two sides of every comparison with real data."""

    training: Part
    held_out: Part
    unseen: bool
    """Was `held_out` kept from the generator? Without a held-out part of its own, a data set is cut in two for the
    comparison, and the generator has learned from both."""


def split_off(whole: Dataset, part: str) -> Dataset:
    """Four fifths of a data set to learn from, which know the rest as their held-out part; or that last fifth.

    The order is drawn once, from a seed of its own, so that the split never changes. Raises GradganError for fewer
    than ten samples.
    """
    learned, kept = _cut(whole)
    if part == "train":
        return replace(part_of(whole, learned), held_out=partial(split_off, whole, "test"))
    return replace(part_of(whole, kept), held_out=None)


def _cut(whole: Dataset) -> tuple[Tensor, Tensor]:
    """Indices of four fifths of the samples, and of the rest."""
    if len(whole) < 2 * _SHARE:
        raise GradganError(
            f"data set {whole.name!r}: wanted at least {2 * _SHARE} samples, a fifth of which is held out to measure "
            f"with, got {len(whole)}. Give more."
        )
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(0))
    cut = len(whole) - len(whole) // _SHARE
    return order[:cut], order[cut:]


def part_of(whole: Dataset, chosen: Tensor) -> Dataset:
    """The samples at these indices (k,), with their labels."""
    labels = None if whole.labels is None else whole.labels[chosen]
    return replace(whole, samples=whole.samples[chosen], labels=labels)


def real_parts(dataset: Dataset, kept: Tensor | None = None) -> RealParts:
    """Training and held-out samples of a data set; where it has none that are held out, those at the indices `kept`
    (k,), which the run kept from learning; without such, the cut of `split_off`."""
    if dataset.held_out is not None:
        return RealParts(Part(dataset), Part(dataset.held_out()), unseen=True)
    if kept is not None:
        learned = torch.ones(len(dataset), dtype=torch.bool)
        learned[kept] = False
        return RealParts(Part(dataset, learned.nonzero()[:, 0]), Part(dataset, kept), unseen=True)
    learned, kept = _cut(dataset)
    return RealParts(Part(dataset, learned), Part(dataset, kept), unseen=False)
