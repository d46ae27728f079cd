"""Folds: each sample is held out once, and nobody learns from what he is judged by."""

import pytest
import torch

from gradgan.core.errors import GradganError
from gradgan.data import DATASETS, without_fold


def rows(x: torch.Tensor) -> set[tuple]:
    return {tuple(row) for row in x.tolist()}


def test_the_folds_share_nothing_and_are_the_whole_together():
    whole = DATASETS.make("ring", samples=103)
    seen: list[tuple] = []
    for fold in range(4):
        learned = without_fold(whole, fold, 4)
        assert learned.held_out is not None
        held_out = learned.held_out()
        assert not rows(learned.samples) & rows(held_out.samples)
        assert rows(learned.samples) | rows(held_out.samples) == rows(whole.samples)
        assert len(held_out) in (25, 26) and held_out.held_out is None
        assert learned.labels is not None and len(learned.labels) == len(learned)
        seen += list(rows(held_out.samples))
    assert len(seen) == 103 and len(set(seen)) == 103


def test_a_fold_is_the_same_for_everybody_and_hides_the_data_sets_own_test_part():
    digits = DATASETS.make("digits", split="train")
    one, other = without_fold(digits, 1, 3), without_fold(digits, 1, 3)
    assert torch.equal(one.samples, other.samples)
    assert one.held_out is not None and digits.held_out is not None
    assert len(one.held_out()) + len(one) == len(digits)


@pytest.mark.parametrize(("folds", "told"), [(1, "at least 2"), (0, "at least 2"), (104, "at most 103")])
def test_folds_that_cannot_be(folds, told):
    with pytest.raises(GradganError, match=told):
        without_fold(DATASETS.make("ring", samples=103), 0, folds)
