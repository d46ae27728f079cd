"""Short versions of the two scripts beside this file: a killed run, and a checkpoint on a disk that fails."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from faulty_disk import FAULTS, FaultyDisk, PowerCut
from torch import nn

from gradgan.core.errors import GradganError
from gradgan.core.record import RunFolder
from gradgan.training import checkpoint
from gradgan.training.hooks import Save
from gradgan.training.state import State

CONFIG = "system: r3gan\n"


class Small(State):
    """A state that knows at which step it was saved."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.weight = nn.Parameter(torch.full((3, 2), float(step)))
        self.parameters = {"critic": [self.weight]}

    def state_dict(self) -> dict:
        return {"step": self.step, "weight": self.weight}


def save(run: RunFolder, step: int) -> None:
    run.log(step, step / 10, {"x": float(step)})
    Save(run, every=1, keep=1).save(Small(step))


def meet(folder: Path, n: int | None, fault: str) -> tuple[list[str], str]:
    """Save step 1, then step 2 with the n-th call failing: the calls made, and what was told."""
    with RunFolder.create(folder, config_yaml=CONFIG) as run:
        save(run, 1)
        told = ""
        with FaultyDisk(folder, n, fault).failing() as disk:
            try:
                save(run, 2)
                run.close()
            except (GradganError, PowerCut) as error:
                told = str(error) or "power cut"
    return disk.calls, told


def test_after_any_fault_a_valid_checkpoint_remains_and_the_next_start_works(tmp_path):
    calls, told = meet(tmp_path / "counted", None, "no space")
    assert not told
    assert {"open", "write", "fsync", "replace", "unlink"} <= set(calls)
    for n, call in enumerate(calls):
        for fault in FAULTS:
            folder = tmp_path / f"{n}_{fault}"
            _, told = meet(folder, n, fault)
            assert "\n" not in told, told
            if fault == "short" and call == "write":
                assert not told, "a short write is no error"
            saved = [checkpoint.load(path) for _, path in RunFolder.open(folder).checkpoints()]
            assert saved, (n, call, fault)
            assert all(bool((one["weight"] == one["step"]).all()) for one in saved)
            with RunFolder.create(folder, config_yaml=CONFIG, resume=True) as again:
                again.rewind(saved[-1]["step"])
                assert [entry.step for entry in again.entries()] == list(range(1, saved[-1]["step"] + 1))
                save(again, 3)
            assert not list(folder.rglob("*.part")) and not (folder / ".lock").exists()
            assert checkpoint.load(again.checkpoints()[-1][1])["step"] == 3


@pytest.mark.parametrize("case", ["7"])
def test_a_killed_run_is_the_unbroken_one(tmp_path, case):
    script = Path(__file__).with_name("kill_and_resume.py")
    words = [sys.executable, str(script), "--out", str(tmp_path), "--first", case, "--cases", "1"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 bitwise equal" in done.stdout
