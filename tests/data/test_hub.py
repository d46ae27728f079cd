"""Saved Hugging Face data sets, where `datasets` is installed; and what is said where it is not."""

import importlib.util
import shutil

import numpy as np
import pytest

from gradgan.core.checks import GradganError
from gradgan.data import images
from gradgan.data.pictures.picture import converted

from .picture_files import picture, write_tree

installed = pytest.mark.skipif(
    importlib.util.find_spec("datasets") is None, reason="datasets is not installed: pip install 'gradgan[hf]'"
)
MODES = ("RGB", "L", "RGBA")


def columns():
    return {"image": [picture(mode) for mode in MODES], "label": [1, 0, 1], "text": ["a", "b", "c"]}


@pytest.fixture
def hub():
    datasets = pytest.importorskip("datasets")
    kinds = {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=["cat", "dog"]),
        "text": datasets.Value("string"),
    }
    return datasets, datasets.Dataset.from_dict(columns(), features=datasets.Features(kinds))


@installed
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("parts", [False, True])
def test_its_pictures_and_classes(tmp_path, hub, parts):
    datasets, rows = hub
    saved = datasets.DatasetDict(train=rows, other=rows) if parts else rows
    saved.save_to_disk(str(tmp_path / "x"))
    data = images(tmp_path / "x", size=8)
    for pixels, mode in zip(data.samples, MODES, strict=True):
        assert np.array_equal(pixels, converted(picture(mode), 8, 3)[0])
    assert (data.labels.tolist(), data.class_names) == ([1, 0, 1], ("cat", "dog"))
    if parts:
        with pytest.raises(GradganError, match=r"unknown split of .* 'oter'\. Perhaps you meant 'other'"):
            images(tmp_path / "x", split="oter")
    else:
        with pytest.raises(GradganError, match="has no splits, got split='other'"):
            images(tmp_path / "x", split="other")


@installed
@pytest.mark.filterwarnings("default")
def test_a_copy_is_not_decoded_again_and_a_split_is_another_content(tmp_path, hub, monkeypatch, caplog):
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path / "cache"))
    datasets, rows = hub
    datasets.DatasetDict(train=rows, other=rows.select([0, 1])).save_to_disk(str(tmp_path / "x"))
    shutil.copytree(tmp_path / "x", tmp_path / "y")
    found = [len(images(tmp_path / place, split=split)) for split in ("train", "other") for place in "xy"]
    assert found == [3, 3, 2, 2]
    assert [record.message.split(" pictures")[0] for record in caplog.records] == ["decoding 3", "decoding 2"]


@installed
@pytest.mark.filterwarnings("default")
def test_columns_that_are_missing_and_paths_that_would_be_followed(tmp_path, hub, monkeypatch):
    datasets, rows = hub
    rows.remove_columns("image").save_to_disk(str(tmp_path / "x"))
    with pytest.raises(GradganError, match="0 columns of images"):
        images(tmp_path / "x")
    picture().save(tmp_path / "secret.png")
    paths = datasets.Dataset.from_dict({"image": [{"bytes": None, "path": str(tmp_path / "secret.png")}]})
    monkeypatch.setattr("gradgan.data.pictures.hub._loaded", lambda *_: paths.cast_column("image", datasets.Image()))
    write_tree(tmp_path / "y", {"state.json": b"{}"})
    with pytest.raises(GradganError, match=r"none of the 1 pictures .* holds no bytes, only a path"):
        images(tmp_path / "y")


@pytest.mark.parametrize("file", ["state.json", "dataset_dict.json"])
def test_broken_or_without_the_library(tmp_path, file):
    folder = write_tree(tmp_path / "x", {file: b"{", "a.png": b""})
    with pytest.raises(GradganError, match=r"gradgan\[hf\]|cannot be loaded as a saved data set") as error:
        images(folder)
    assert "\n" not in str(error.value)
