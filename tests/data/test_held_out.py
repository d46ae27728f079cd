"""Held-out samples: of the same source, never among those that are learned from, always the same ones."""

import pytest
import torch

from gradgan.core.checks import GradganError
from gradgan.data import DATASETS, Dataset, Part, real_parts, split_off

IMAGES = Dataset(
    "own", torch.arange(23 * 4).remainder(256).to(torch.uint8).reshape(23, 1, 2, 2), None, 0, "images", "unit"
)


def rows(part: Part | Dataset) -> set[tuple]:
    samples = part.samples if isinstance(part, Dataset) else part.stored(slice(None))
    return {tuple(row) for row in samples.flatten(1).tolist()}


@pytest.mark.parametrize("name", ["ring", "grid", "spiral"])
def test_points_are_drawn_afresh_from_the_same_source(name):
    parts = real_parts(DATASETS.make(name, samples=500))
    assert parts.unseen
    assert not rows(parts.training) & rows(parts.held_out)
    assert len(parts.held_out) == 500
    assert torch.equal(
        parts.held_out.whole.samples, real_parts(DATASETS.make(name, samples=500)).held_out.whole.samples
    )


def test_digits_can_be_split_for_good():
    train, test, whole = (DATASETS.make("digits", split=split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(whole)) == (1438, 359, 1797)
    parts = real_parts(train)
    assert parts.unseen and torch.equal(parts.held_out.stored(slice(None)), test.samples)
    assert torch.equal(parts.held_out.labels, test.labels)


def test_without_a_held_out_part_a_fifth_is_cut_off_and_that_is_said():
    parts = real_parts(IMAGES)
    assert not parts.unseen
    assert (len(parts.training), len(parts.held_out)) == (19, 4)
    assert rows(parts.training) | rows(parts.held_out) == rows(IMAGES)


@pytest.mark.parametrize("kept", [None, torch.tensor([3, 20, 4])])
def test_parts_of_a_data_set_are_not_copied(kept):
    parts = real_parts(IMAGES, kept)
    assert all(part.whole is IMAGES for part in (parts.training, parts.held_out))
    some = torch.tensor([2, 0])
    chosen = parts.held_out.chosen[some]
    assert torch.equal(parts.held_out.stored(some), IMAGES.samples[chosen])
    assert torch.equal(parts.held_out.scaled(some), IMAGES.scaled(chosen))


def test_too_few_samples_are_refused():
    with pytest.raises(GradganError, match="at least 10 samples"):
        split_off(Dataset("few", IMAGES.samples[:9], None, 0, "images", "unit"), "train")


def test_a_slip_in_the_split_of_digits_is_answered():
    with pytest.raises(GradganError, match="'train'"):
        DATASETS.make("digits", split="trian")


@pytest.mark.mnist
def test_mnist_has_its_test_part(mnist_path):
    parts = real_parts(DATASETS.make("mnist", path=str(mnist_path)))
    assert parts.unseen and (len(parts.training), len(parts.held_out)) == (60_000, 10_000)
    assert DATASETS.make("mnist", path=str(mnist_path), split="test").held_out is None
