"""Stacked MNIST: three digits in one image, their classes in one number, drawn by seed from the real files."""

import pytest
import torch

from gradgan.core.checks import GradganError
from gradgan.data import DATASETS, Dataset, digits, mnist, stacked_mnist
from gradgan.testing import check_dataset


@pytest.mark.mnist
def test_every_channel_is_a_digit_of_the_class_that_its_label_says(mnist_path):
    data, single = stacked_mnist(mnist_path, samples=200, split="test"), mnist(mnist_path, split="test")
    known = {image.numpy().tobytes(): label for image, label in zip(single.samples, single.labels, strict=True)}
    for image, label, channels in zip(data.samples, data.labels, data.channel_labels, strict=True):
        a, b, c = (int(known[channel.numpy().tobytes()]) for channel in image)
        assert (int(label), channels.tolist()) == (100 * a + 10 * b + c, [a, b, c])


@pytest.mark.mnist
def test_is_a_data_set_with_a_thousand_modes(mnist_path):
    # A seed with which so few show each of the thousand classes.
    facts = DATASETS["stacked_mnist"].facts
    check_dataset(stacked_mnist, facts, path=str(mnist_path), samples=6_500, seed=7, split="test")
    data = stacked_mnist(mnist_path, samples=50, seed=1)
    assert (data.event, data.classes, data.channel_classes) == ((3, 28, 28), 1000, 10)
    assert not torch.equal(data.samples, stacked_mnist(mnist_path, samples=50, seed=2).samples)


@pytest.mark.parametrize(("option", "value"), [("samples", 0), ("seed", -1)])
def test_bad_numbers_are_refused_before_any_file_is_read(option, value):
    with pytest.raises(GradganError, match=f"stacked_mnist.{option} must .* got {value}"):
        stacked_mnist("nowhere", **{option: value})


def test_classes_by_channel_must_make_the_classes():
    images, labels = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 7])
    data = Dataset("t", images, labels, 8, kind="images", scale="unit", channel_classes=2)
    assert data.channel_labels.tolist() == [[0, 0, 0], [1, 1, 1]]
    with pytest.raises(GradganError, match="2 classes in each of 3 channels make 8 classes, got 10"):
        Dataset("t", images, labels, 10, kind="images", scale="unit", channel_classes=2)
    with pytest.raises(GradganError, match="no classes by channel"):
        _ = digits().channel_labels
