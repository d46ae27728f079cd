"""Signals, broken checkpoints, a folder that goes away: the run is saved, passed over, told; and it goes on exactly."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from gradgan.core.errors import GradganError
from gradgan.core.stopping import Interrupted, Terminated
from gradgan.experiment import Run, train
from gradgan.experiment.sameness import differences

TINY = ["data.samples=300", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "log.every=2", "sample.every=4"]
WORDS = [*TINY, "checkpoint.every=2", "checkpoint.keep=3"]


class At:
    """A hook that does something after one step."""

    def __init__(self, step: int, act) -> None:
        self.step, self.act = step, act

    def wants_numbers(self, step: int) -> bool:
        return False

    def __call__(self, state, numbers) -> None:
        if state.step == self.step:
            self.act()


def ring(out: Path, steps: int = 10, **more) -> Run:
    return train("ring", steps=steps, settings=WORDS, out=out, **more)


@pytest.fixture(autouse=True)
def hears_ctrl_c():
    """A suite that a shell runs in the background inherits an ignored SIGINT, which training rightly leaves ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return ring(tmp_path_factory.mktemp("runs") / "whole").path


@pytest.mark.parametrize(
    ("number", "error", "code"), [(signal.SIGINT, Interrupted, 130), (signal.SIGTERM, Terminated, 143)]
)
def test_a_signal_finishes_the_step_saves_and_the_run_goes_on_exactly(tmp_path, whole, number, error, code):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(error, match="stopped at step 5 of 10, which is saved") as caught:
        ring(tmp_path / "run", hooks=[At(5, lambda: signal.raise_signal(number))])
    assert caught.value.exit_code == code
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    info = Run.load(tmp_path / "run").folder.info()
    assert info["status"] == "stopped" and "step 5" in info["message"]
    assert "stopped at step 5" in (tmp_path / "run" / "report.html").read_text()
    assert Run.load(tmp_path / "run").step == 5
    ring(tmp_path / "run", resume=True)
    assert differences(whole, tmp_path / "run") == []


class Dropout:
    """A hook that draws from torch's global generator in every step, as dropout does."""

    def __init__(self) -> None:
        self.drawn: list[float] = []

    def wants_numbers(self, step: int) -> bool:
        return False

    def __call__(self, state, numbers) -> None:
        self.drawn.append(torch.rand(()).item())


def test_the_global_generator_begins_with_the_runs_seed_and_goes_on_with_it(tmp_path):
    first, other, half, rest = (Dropout() for _ in range(4))
    torch.manual_seed(1)
    ring(tmp_path / "first", hooks=[first])
    torch.manual_seed(2)
    before = torch.get_rng_state()
    ring(tmp_path / "other", hooks=[other])
    assert torch.equal(torch.get_rng_state(), before), "the caller's is left alone"
    assert first.drawn == other.drawn and len(set(first.drawn)) == 10
    with pytest.raises(Interrupted):
        ring(tmp_path / "half", hooks=[half, At(5, lambda: signal.raise_signal(signal.SIGINT))])
    ring(tmp_path / "half", resume=True, hooks=[rest])
    # The step is saved before the hooks of the user draw, so only the even step's checkpoint holds all of them.
    assert half.drawn + rest.drawn == first.drawn
    ring(tmp_path / "seed", seed=1, hooks=[other])
    assert other.drawn[10:] != first.drawn


def test_the_second_signal_leaves_at_once_with_the_last_checkpoint(tmp_path, whole):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="at once"):
        ring(tmp_path / "run", hooks=[At(5, twice)])
    assert Run.load(tmp_path / "run").step == 4
    ring(tmp_path / "run", resume=True)
    assert differences(whole, tmp_path / "run") == []


def test_a_signal_in_the_last_step_leaves_a_run_that_is_only_to_be_measured(tmp_path, whole):
    with pytest.raises(Interrupted, match="after the last step"):
        ring(tmp_path / "run", hooks=[At(10, lambda: signal.raise_signal(signal.SIGINT))])
    ring(tmp_path / "run", resume=True)
    assert differences(whole, tmp_path / "run") == []
    ring(tmp_path / "run", resume=True)
    assert differences(whole, tmp_path / "run") == [], "a finished run is left as it is"


def test_in_another_thread_training_works_and_signals_are_left_alone(tmp_path, whole):
    seen = []
    hooks = [At(3, lambda: seen.append(signal.getsignal(signal.SIGTERM)))]
    thread = threading.Thread(target=lambda: ring(tmp_path / "run", hooks=hooks))
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
    assert differences(whole, tmp_path / "run") == []


def test_an_ignored_signal_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert ring(tmp_path / "run", hooks=[At(3, lambda: signal.raise_signal(signal.SIGINT))]).step == 10
    finally:
        signal.signal(signal.SIGINT, before)


def started(out: Path, *more: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "gradgan", "train", "ring", "--steps", "100000", "--out", str(out), "--resume"]
    words += ["--set", *WORDS, "log.every=1", "checkpoint.every=1000", *more]
    # Not the parent's handlers but its ignored signals would be inherited: see hears_ctrl_c.
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_leaves_with_130_and_143(tmp_path, number, code):
    out = tmp_path / "run"
    with started(out) as child:
        deadline = time.monotonic() + 150
        log = out / "log.jsonl"
        while not (log.exists() and log.stat().st_size):
            if time.monotonic() > deadline:
                child.kill()
                pytest.fail("no step was logged in time")
            time.sleep(0.05)
        child.send_signal(number)
        _, said = child.communicate(timeout=100)
    assert child.returncode == code, said
    assert "gradgan: stopped at step" in said and "--resume" in said and "Traceback" not in said
    assert Run.load(out).step > 0 and Run.load(out).folder.info()["status"] == "stopped"


@pytest.mark.parametrize("damage", ["torn", "one byte", "empty", "gone under a name"])
def test_the_newest_broken_checkpoint_is_passed_over_loudly(tmp_path, whole, caplog, damage):
    shutil.copytree(whole, tmp_path / "run")
    (_, older), (_, newest) = Run.load(tmp_path / "run").folder.checkpoints()[-2:]
    data = bytearray(newest.read_bytes())
    if damage == "one byte":
        data[-3] ^= 1
    newest.write_bytes({"torn": data[:-100], "one byte": data, "empty": b"", "gone under a name": b"x" * 500}[damage])
    assert Run.load(tmp_path / "run").step == 8
    assert "IS TAKEN UP AT STEP 8" in caplog.text and newest.name in caplog.text
    assert newest.exists(), "reading changes nothing"
    again = ring(tmp_path / "run", resume=True)
    assert again.step == 10 and older.exists()
    assert (newest.parent / (newest.name + ".broken")).exists()
    assert differences(whole, tmp_path / "run") == []


def test_if_every_checkpoint_is_broken_nothing_is_begun_anew(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(GradganError, match=r"step_00000010\.safetensors is not a readable checkpoint"):
        ring(tmp_path / "run", resume=True)


def test_a_run_folder_that_is_removed_ends_the_run_in_one_line(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(GradganError, match="cannot write") as caught:
        ring(out, hooks=[At(3, lambda: shutil.rmtree(out))])
    assert "\n" not in str(caught.value)
    assert not out.exists(), "half a folder would be in the way"


def test_a_disk_that_takes_nothing_any_more_is_one_error_and_the_checkpoint_stays(tmp_path, whole, monkeypatch):
    def full(file, data):
        raise OSError(30, os.strerror(30))

    with pytest.raises(GradganError, match="Read-only file system") as caught:
        ring(tmp_path / "run", hooks=[At(5, lambda: monkeypatch.setattr(os, "write", full))])
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert Run.load(tmp_path / "run").step == 4
    ring(tmp_path / "run", resume=True)
    assert differences(whole, tmp_path / "run") == []


def test_retention(tmp_path):
    words = ["checkpoint.keep=2", "checkpoint.keep_every=3", "checkpoint.every=1"]
    run = train("ring", steps=8, settings=[*TINY, *words], out=tmp_path / "run")
    assert [step for step, _ in run.folder.checkpoints()] == [3, 6, 7, 8]


def test_a_run_of_format_1_goes_on(tmp_path):
    shutil.copytree(Path(__file__).with_name("format_1"), tmp_path / "run")
    run = Run.load(tmp_path / "run")
    # What the gradgan that wrote it drew from it; another machine's arithmetic may differ in the last bits.
    wanted = torch.tensor([[-0.3085218667984009, -1.0024363994598389], [0.6987498998641968, -0.735198974609375]])
    torch.testing.assert_close(run.sample(2, seed=0), wanted)
    settings = ["batch=4", "latent=1", "data.samples=50", "generator.widths=[2]", "critic.widths=[2]"]
    settings += ["checkpoint.every=2", "checkpoint.keep=1", "log.every=2", "sample.every=100", "lr.shape=constant"]
    longer = train("ring", system="r3gan", steps=8, settings=settings, out=tmp_path / "run", resume=True)
    wanted = torch.tensor([[-0.30815789103507996, -1.0020309686660767], [0.6995790600776672, -0.7344830632209778]])
    torch.testing.assert_close(longer.sample(2, seed=0), wanted)
    assert [entry.step for entry in longer.log()] == [2, 4, 6, 8]
