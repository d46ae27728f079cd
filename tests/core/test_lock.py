"""One process writes to a run folder; the second is told who does; a killed one leaves no lock behind."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from gradgan.core.errors import GradganError
from gradgan.core.lock import Lock
from gradgan.core.record import RunFolder

HOLD = """
import sys, time
from gradgan.core.record import RunFolder
run = RunFolder.create(sys.argv[1], config_yaml="a: 1", resume=True)
print("held", flush=True)
time.sleep(60)
"""


def test_the_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path):
    out = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        before = {p: p.read_bytes() for p in out.iterdir()}
        with pytest.raises(GradganError, match=rf"is being written by process {holder.pid} on '") as caught:
            RunFolder.create(out, config_yaml="a: 1", resume=True)
        assert "\n" not in str(caught.value) and "choose another --out" in str(caught.value)
        assert {p: p.read_bytes() for p in out.iterdir()} == before
        RunFolder.open(out).info()  # reading needs no lock
        holder.send_signal(signal.SIGKILL)
    assert (out / ".lock").exists()
    with RunFolder.create(out, config_yaml="a: 1", resume=True):
        pass
    assert not (out / ".lock").exists()


def test_a_lock_is_taken_again_after_it_was_given_back(tmp_path):
    for _ in range(3):
        Lock(tmp_path).release()
    held = Lock(tmp_path)
    with pytest.raises(GradganError, match=f"process {os.getpid()}"):
        Lock(tmp_path)
    (tmp_path / ".lock").write_text("{")
    with pytest.raises(GradganError, match="another process"):
        Lock(tmp_path)
    held.release()
    held.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("why", ["no flock", "not on this file system"])
def test_where_flock_is_not_to_be_had_it_is_said(tmp_path, monkeypatch, caplog, why):
    def refuse(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    if why == "no flock":
        monkeypatch.setattr("gradgan.core.lock.fcntl", None)
    else:
        monkeypatch.setattr("gradgan.core.lock.fcntl.flock", refuse)
    Lock(tmp_path).release()
    assert "cannot be locked" in caplog.text


def test_a_run_that_could_not_begin_gives_the_folder_back(tmp_path, monkeypatch):
    with RunFolder.create(tmp_path / "run", config_yaml="a: 1"):
        pass
    (tmp_path / "run" / "run.json").write_text("broken")
    with pytest.raises(GradganError, match="not JSON"):
        RunFolder.create(tmp_path / "run", config_yaml="a: 1", resume=True)
    Lock(tmp_path / "run").release()


def test_a_run_cut_off_before_its_config_was_written_begins_again(tmp_path):
    RunFolder.create(tmp_path / "run", config_yaml="a: 1").close()
    (tmp_path / "run" / "config.yaml").unlink()
    with RunFolder.create(tmp_path / "run", config_yaml="b: 1") as run:
        assert run.config_text() == "b: 1"
