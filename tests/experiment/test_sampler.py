"""Samples of a run whose data are gone: the same ones, from the newest or best checkpoint that can be used."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from gradgan import Sampler
from gradgan.cli import main
from gradgan.core.errors import GradganError
from gradgan.experiment import Run, train

SMALL = ["batch=8", "generator.width=4", "critic.width=4", "data.size=8", "conditional=true", "evaluate.every=2"]


@pytest.fixture
def run(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(40):
        path = tmp_path / "pictures" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    settings = [f"data.path={tmp_path / 'pictures'}", "evaluate.metrics=[frechet_ratio/pixels]", *SMALL]
    return train("images", steps=4, settings=[*settings, "checkpoint.every=2"], out=tmp_path / "run")


def test_a_run_without_its_data_draws_the_same_samples(run, tmp_path, capsys):
    (_, first), (_, last) = run.folder.best_checkpoints()
    last.write_bytes(first.read_bytes())  # the best one, at step 2
    wanted = {labels: run.sample(6, seed=2, labels=labels) for labels in (None, (0, 1) * 3)}
    best = Run.load(run.path, best=True).sample(6)
    shutil.rmtree(tmp_path / "pictures")
    with pytest.raises(GradganError, match="pictures"):
        Run.load(run.path)
    sampler = Sampler.load(run.path)
    for labels, samples in wanted.items():
        assert torch.equal(sampler.sample(6, seed=2, labels=labels), samples)
    assert torch.equal(Sampler.load(run.path, best=True).sample(6), best)
    assert not torch.equal(best, sampler.sample(6))
    assert not sampler.generator.training and (sampler.classes, sampler.config.data.name) == (2, "images")
    with pytest.raises(GradganError, match="wanted one per sample, 6, got 1"):
        sampler.sample(6, labels=[0])
    main(["sample", str(run.path), "--out", str(tmp_path / "s.png"), "--label", "1"])
    assert (tmp_path / "s.png").is_file() and str(tmp_path / "s.png") in capsys.readouterr().out


def test_a_broken_checkpoint_is_passed_over_and_none_is_an_error(run, caplog):
    (_, older), (_, newer) = run.folder.checkpoints()
    newer.write_bytes(newer.read_bytes()[:500])
    assert torch.equal(Sampler.load(run.path).sample(3), Run.load(run.path).sample(3))
    assert "THE RUN IS TAKEN UP AT STEP 2 INSTEAD" in caplog.text
    older.unlink()
    with pytest.raises(GradganError, match="not a readable checkpoint"):
        Sampler.load(run.path)
    newer.unlink()
    with pytest.raises(GradganError, match="holds no checkpoint yet"):
        Sampler.load(run.path)


def test_what_run_json_must_say(run):
    path = run.path / "run.json"
    info = json.loads(path.read_text())
    for data, message in [
        ({"event": [1, 16, 16]}, "does not fit the run's config"),
        ({"event": [1, 10**6, 10**6]}, "conv_generator serves images"),
        ({"classes": 10**12}, "does not fit the run's config"),
        ({"event": []}, "does not say what was learned"),
        ({"classes": None}, "does not say what was learned"),
    ]:
        path.write_text(json.dumps({**info, "data": {**info["data"], **data}}))
        with pytest.raises(GradganError, match=message):
            Sampler.load(run.path)


def test_points_are_drawn_over_the_real_ones(tmp_path):
    run = train("ring", steps=2, settings=["batch=16", "data.samples=300"], out=tmp_path / "ring")
    sampler = Sampler.load(run.path)
    assert torch.equal(sampler.sample(5), run.sample(5)) and len(sampler.dataset) == 300
    main(["sample", str(run.path), "--out", str(tmp_path / "ring.png")])
    assert (tmp_path / "ring.png").is_file()
