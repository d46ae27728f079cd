"""The compiled route gives the gradient of the usual code, trains, and refuses what it cannot take."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gradgan import losses
from gradgan.core.checks import GradganError
from gradgan.engine import critic_backward
from gradgan.experiment import build, configure


def run(*words: str, folder: Path) -> str:
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_part_of_the_step_is_that_of_the_usual_code(tmp_path: Path) -> None:
    assert run(str(Path(__file__).with_name("compiled_cases.py")), folder=tmp_path).split() == ["equal"]


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on a processor")
def test_a_compiled_run_follows_the_eager_one(tmp_path: Path) -> None:
    lines = {}
    for name, words in (("compiled", ["--compile"]), ("eager", [])):
        small = ["--set", "critic.widths=[8]", "generator.widths=[8]", "batch=4", "log.every=1", "sample.every=9"]
        run("-m", "gradgan", "train", "digits", "--steps", "2", "--out", str(tmp_path / name), *words, *small,
            folder=tmp_path)  # fmt: skip
        lines[name] = [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
    for ours, theirs in zip(lines["compiled"], lines["eager"], strict=True):
        for number in ("critic/loss", "critic/r1", "critic/gradient_norm", "generator/loss", "generator/gradient_norm"):
            assert ours["numbers"][number] == pytest.approx(theirs["numbers"][number], rel=1e-4), number


def test_parametrised_weights_are_refused_by_name() -> None:
    critic = nn.Sequential(spectral_norm(nn.Linear(2, 1)))
    with pytest.raises(GradganError, match=r"critic\.0.*parametrised.*engine='auto'"):
        critic_backward(critic, torch.ones(2, 2), torch.ones(2, 2), loss=losses.relativistic, engine="compiled")


def test_a_callable_is_refused() -> None:
    with pytest.raises(GradganError, match=r"nn\.Module, got function"):
        critic_backward(lambda x: x.sum(1), torch.ones(2, 2), torch.ones(2, 2), loss=losses.relativistic,
                        engine="compiled")  # fmt: skip


def test_it_is_refused_before_the_first_step() -> None:
    with pytest.raises(GradganError, match="parametrised"):
        build(configure("digits", settings=["compile=true", "critic.spectral_norm=true"]))
