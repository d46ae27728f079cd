"""Held-out samples: nobody learns from them, and the same step sees the same ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.errors import GradganError
from gradgan.data import DATASETS, HeldOut, split


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@given(st.integers(2, 50), st.floats(0.1, 0.9))
def test_a_split_is_a_partition(samples, share):
    count = round(samples * share)
    if not 0 < count < samples:
        return
    learned, kept = split(samples, share, rng=rng())
    assert learned is not None and kept is not None and len(kept) == count
    assert sorted([*learned.tolist(), *kept.tolist()]) == list(range(samples))


def test_none_are_held_out_by_default_and_never_all():
    assert split(10, 0.0, rng=rng()) == (None, None)
    with pytest.raises(GradganError, match="nothing on one side"):
        split(10, 0.01, rng=rng())


def test_batches_go_round_by_step():
    dataset = DATASETS.make("ring", samples=20)
    held = HeldOut(dataset, torch.arange(10, 20))
    first, labels = held.batch(0, 4)
    assert torch.equal(first, dataset.samples[10:14]) and labels is not None and len(labels) == 4
    assert torch.equal(held.batch(1, 4).real, dataset.samples[14:18])
    assert torch.equal(held.batch(2, 4).real, dataset.samples[[18, 19, 10, 11]])
    assert len(held.batch(3, 64).real) == 10
