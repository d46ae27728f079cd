"""A run on a folder of one's own pictures: one command, classes, broken files named, and fewer than a batch refused."""

import json
import logging

import numpy as np
import pytest
from PIL import Image

from gradgan import train
from gradgan.core.checks import GradganError
from gradgan.experiment import Run

MLP = ("generator.name=mlp_generator", "generator.widths=[8]", "critic.name=mlp_critic", "critic.widths=[8]")
SMALL = (*MLP, "latent=4", "batch=4", "data.size=8", "data.mirror=true", "threads=1")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(12):
        path = tmp_path / "pictures" / ("cats", "dogs")[k % 2] / f"{k}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20 + k, 30, 3), dtype=np.uint8)).save(path)
    (tmp_path / "pictures" / "cats" / "bad.jpg").write_bytes(b"words")
    return tmp_path / "pictures"


def test_one_command_names_the_broken_files_and_the_run_loads_again(folder, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    settings = [f"data.path={folder}", "conditional=true", *SMALL]
    train("images", steps=2, settings=settings, out=tmp_path / "run")
    said = "1 of 13 pictures cannot be read and are left out: cats/bad.jpg: not a PNG, JPEG or WebP file. All of them"
    assert any(said in record.getMessage() for record in caplog.records)
    listed = (tmp_path / "run" / "skipped.txt").read_text()
    assert listed == "cats/bad.jpg: not a PNG, JPEG or WebP file\n"
    data = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    assert (data["count"], data["event"], data["classes"]) == (12, [3, 8, 8], 2)
    assert Run.load(tmp_path / "run").sample(2, labels=[0, 1]).shape == (2, 3, 8, 8)


def test_fewer_pictures_than_a_batch(folder, tmp_path):
    with pytest.raises(GradganError, match=r"batch must lie in 1..12, .* got 64"):
        train("images", steps=1, settings=[f"data.path={folder}"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
