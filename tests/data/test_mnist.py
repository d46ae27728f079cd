"""MNIST and IDX folders: what is missing is named, other content is refused, the real files are read where present."""

import os
from pathlib import Path

import pytest
import torch

from gradgan.core.checks import GradganError
from gradgan.data import DATASETS, idx, mnist
from gradgan.testing import check_dataset

from .idx_files import idx_bytes, pixels, write, write_folder

FOLDER = Path(os.environ.get("GRADGAN_MNIST", Path(__file__).parents[3] / "shared/data/mnist"))
real_mnist = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no MNIST files at {FOLDER}; set GRADGAN_MNIST=FOLDER")


@pytest.mark.parametrize("make", [mnist, idx])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_no_path_lists_the_files(make, split, prefix):
    with pytest.raises(GradganError, match=rf"{prefix}-images-idx3-ubyte and {prefix}-labels-idx1-ubyte") as error:
        make(split=split)
    assert "--set data.path=FOLDER" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("make", [mnist, idx])
def test_bad_folder(make, tmp_path):
    with pytest.raises(GradganError, match="does not exist"):
        make(tmp_path / "nowhere")
    file = write(tmp_path, "file", b"x")
    with pytest.raises(GradganError, match="is a file"):
        make(file)
    with pytest.raises(GradganError, match="has no train-images-idx3-ubyte"):
        make(tmp_path)


def test_mnist_needs_its_labels(tmp_path):
    write_folder(tmp_path, labels=False)
    with pytest.raises(GradganError, match="has no train-labels-idx1-ubyte"):
        mnist(tmp_path)


def test_unknown_words(tmp_path):
    write_folder(tmp_path)
    with pytest.raises(GradganError, match=r"unknown split of idx 'tain'. Perhaps you meant 'train'"):
        idx(tmp_path, split="tain")
    with pytest.raises(GradganError, match="unknown option of data set 'mnist' 'paht'"):
        DATASETS.make("mnist", paht="x")


def test_other_content_is_not_mnist(tmp_path):
    write_folder(tmp_path)
    with pytest.raises(GradganError, match=r"md5 .* wanted 6bbc9ace898e44ae57da46a324031adb.*'idx'"):
        mnist(tmp_path)


def test_counts_that_differ(tmp_path):
    write_folder(tmp_path)
    write(tmp_path, "train-labels-idx1-ubyte", idx_bytes(torch.zeros(4, dtype=torch.uint8)))
    with pytest.raises(GradganError, match="5 images and train-labels-idx1-ubyte 4 labels"):
        idx(tmp_path)


def test_images_of_any_size(tmp_path):
    write(tmp_path, "train-images-idx3-ubyte", idx_bytes(pixels(2, 9, 17)))
    assert idx(tmp_path, scale="unit").event == (1, 9, 17)


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("scale", ["symmetric", "unit"])
def test_idx_folder_is_a_data_set(tmp_path, labels, scale):
    write_folder(tmp_path, labels=labels)
    write(tmp_path, "train-images-idx3-ubyte", idx_bytes(torch.arange(20 * 13).remainder(256).reshape(5, 4, 13)))
    check_dataset(idx, DATASETS["idx"].facts, path=str(tmp_path), scale=scale)


@pytest.mark.mnist
@real_mnist
def test_mnist_is_a_data_set():
    check_dataset(mnist, DATASETS["mnist"].facts, path=str(FOLDER), split="test")


@pytest.mark.mnist
@real_mnist
@pytest.mark.parametrize(
    ("split", "n", "first"), [("train", 60_000, [5, 0, 4, 1, 9]), ("test", 10_000, [7, 2, 1, 0, 4])]
)
def test_the_real_files(split, n, first):
    data = mnist(FOLDER, split=split)
    assert (len(data), data.event, data.classes) == (n, (1, 28, 28), 10)
    assert data.labels is not None and data.labels[:5].tolist() == first
    assert data.samples.min() == 0 and data.samples.max() == 255
    assert torch.equal(idx(FOLDER, split=split).samples, data.samples)
    if split == "train":
        # The mean and deviation that everybody normalises MNIST with.
        unit = mnist(FOLDER, scale="unit").scaled(slice(None))
        assert unit.mean().item() == pytest.approx(0.1307, abs=1e-4)
        assert unit.std().item() == pytest.approx(0.3081, abs=1e-4)
