"""Real samples that nobody learned from: the data set's own, or a fixed fifth of what there is."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..core.checks import GradganError
from .dataset import Dataset

_SHARE = 5


@dataclass(frozen=True)
class RealParts:
    """The two sides of every comparison with real data."""

    training: Dataset
    held_out: Dataset
    unseen: bool
    """Was `held_out` kept from the generator? Without a held-out part of its own, a data set is cut in two for the
    comparison, and the generator has learned from both."""


def split_off(whole: Dataset, part: str) -> Dataset:
    """Four fifths of a data set to learn from, which know the rest as their held-out part; or that last fifth.

    The order is drawn once, from a seed of its own, so that the split never changes. Raises GradganError for fewer
    than ten samples.
    """
    if len(whole) < 2 * _SHARE:
        raise GradganError(f"data set {whole.name!r}: wanted at least {2 * _SHARE} samples to split, got {len(whole)}.")
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(0))
    cut = len(whole) - len(whole) // _SHARE
    if part == "train":
        return replace(part_of(whole, order[:cut]), held_out=partial(split_off, whole, "test"))
    return replace(part_of(whole, order[cut:]), held_out=None)


def part_of(whole: Dataset, chosen: Tensor) -> Dataset:
    """The samples at these indices (k,), with their labels."""
    labels = None if whole.labels is None else whole.labels[chosen]
    return replace(whole, samples=whole.samples[chosen], labels=labels)


def real_parts(dataset: Dataset, kept: Tensor | None = None) -> RealParts:
    """Training and held-out samples of a data set; where it has none that are held out, those at the indices `kept`
    (k,), which the run kept from learning; without such, the cut of `split_off`."""
    if dataset.held_out is not None:
        return RealParts(dataset, dataset.held_out(), unseen=True)
    if kept is not None:
        learned = torch.ones(len(dataset), dtype=torch.bool)
        learned[kept] = False
        return RealParts(part_of(dataset, learned.nonzero()[:, 0]), part_of(dataset, kept), unseen=True)
    training = split_off(dataset, "train")
    return RealParts(training, split_off(dataset, "test"), unseen=False)
