"""A run of two processes: killed and started again by torchrun, then taken up by one; one message, one folder."""

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import torch

import gradgan
from gradgan.cli import main
from gradgan.core.checks import GradganError
from gradgan.core.world import World
from gradgan.experiment import build, configure
from gradgan.training import checkpoint

from .rank_that_dies import SETTINGS

_DYING = Path(__file__).with_name("rank_that_dies.py")
# No threads but those asked after, and a process that aborts says where.
_QUIET = os.environ | {f"{pool}_NUM_THREADS": "1" for pool in ("OMP", "OPENBLAS", "MKL")} | {"PYTHONFAULTHANDLER": "1"}


@pytest.fixture(scope="module")
def restarted(tmp_path_factory):
    """The folder of a run whose second process was killed once, and what was printed."""
    out = tmp_path_factory.mktemp("ranks") / "run"
    command = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1"]
    job = subprocess.run(
        [sys.executable, "-m", *command, _DYING, out], env=_QUIET, capture_output=True, text=True, timeout=200
    )
    assert job.returncode == 0, job.stderr
    return out, job.stderr


def test_a_killed_rank_is_told_once_and_torchrun_goes_on_from_the_last_checkpoint(restarted):
    out, printed = restarted
    assert "THREADS ARE LEFT" not in printed
    told = [line for line in printed.splitlines() if line.startswith("gradgan:")]
    assert len(told) == 1, printed
    assert "another process of this job has died or cannot be reached" in told[0] and "--resume" in told[0]
    run = gradgan.Run.load(out)
    assert run.step == 40 and run.folder.info()["status"] == "finished"


def test_a_survivor_s_error_ends_python_without_threads_that_wait_for_it(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, _DYING, tmp_path / "run"]
    second = subprocess.Popen(command, env=_QUIET | place | {"RANK": "1"}, stderr=subprocess.DEVNULL)
    first = subprocess.run(command, env=_QUIET | place | {"RANK": "0"}, stderr=subprocess.PIPE, text=True, timeout=200)
    assert second.wait(timeout=200) == -signal.SIGKILL
    assert first.returncode == 1 and "LostRankError: another process of this job has died" in first.stderr
    assert "THREADS ARE LEFT" not in first.stderr


def test_one_process_goes_on_where_two_stood(restarted, tmp_path):
    out, _ = restarted
    whole = gradgan.train("ring", steps=50, settings=SETTINGS, out=tmp_path / "whole")
    parts = gradgan.train("ring", steps=50, settings=SETTINGS, out=out, resume=True)
    for mine, other in zip(parts.generator.parameters(), whole.generator.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    saved, wanted = (checkpoint.load(run.folder.checkpoints()[-1][1]) for run in (parts, whole))
    assert saved["batches"].pop("rng").equal(wanted["batches"].pop("rng")) and saved["batches"] == wanted["batches"]
    for name in ("latent", "data", "penalty"):
        assert (name in wanted["streams"]) == (name in saved["streams"])
        assert name not in wanted["streams"] or saved["streams"][name].equal(wanted["streams"][name])


def test_other_commands_are_refused_under_torchrun(monkeypatch, capsys):
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    # Nobody keeps a store there, so whoever has something to tell tells it.
    monkeypatch.setattr("gradgan.training.parallel._TELLING", timedelta(milliseconds=200))
    with pytest.raises(SystemExit) as left:
        main(["parts"])
    assert left.value.code == 2
    assert "started 2 processes for gradgan parts; only `train`" in capsys.readouterr().err


def test_batches_and_halves_that_cannot_be_shared_are_refused():
    with pytest.raises(GradganError, match=r"batch=10 is shared by 4 .* of 4\. Use batch=8 or batch=12"):
        build(configure("ring", settings=["batch=10"]), World(0, 4))
    with pytest.raises(GradganError, match="multiple of 8 "):
        build(configure("ring", settings=["batch=12", "variational.on=true"]), World(0, 4))
