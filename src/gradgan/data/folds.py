"""K-fold cross-validation: a data set without one of its folds, which it knows as its held-out part."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ..core.checks import GradganError
from .dataset import Dataset
from .held_out import part_of


def without_fold(whole: Dataset, fold: int, folds: int) -> Dataset:
    """All samples but those of one fold, to learn from; `held_out` is that fold, and not the data set's own.

    The order is drawn once, from a seed of its own, so that fold k of K is the same for everybody. A data set of drawn
    points is cut as files are: its folds are fresh samples of one another. Raises GradganError for fewer than two
    folds and for more folds than samples.
    """
    check_folds(whole, folds)
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(0))
    held_out = torch.arange(len(whole)) % folds == fold
    return replace(part_of(whole, order[~held_out]), held_out=partial(_fold, whole, order[held_out]))


def check_folds(whole: Dataset, folds: int) -> None:
    """Refuse folds that the samples cannot fill."""
    if folds < 2:
        raise GradganError(f"folds must be at least 2, one to judge by and one to learn from, got {folds}.")
    if folds > len(whole):
        raise GradganError(f"folds must be at most {len(whole)}, the samples of {whole.name!r}, got {folds}.")


def _fold(whole: Dataset, chosen: Tensor) -> Dataset:
    return replace(part_of(whole, chosen), held_out=None)
