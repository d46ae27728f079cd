"""Workers: every job ends once, a killed worker's job is tried again, and no worker outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradgan.core.pool import Job, run_jobs

WORKER = """
import os, signal, sys, time, weakref
from pathlib import Path
from gradgan.core.errors import GradganError
from gradgan.core.worker import serve

CYCLES = []

class Cycle:
    def __init__(self):
        self.own = self

def work(words, tell):
    print("noise on standard output")
    what = words["what"]
    if what == "square":
        tell({"pid": os.getpid()})
        return {"square": words["x"] ** 2}
    if what == "cycle":
        before = [ref() is not None for ref in CYCLES]
        CYCLES.append(weakref.ref(Cycle()))
        return {"living": sum(before)}
    if what == "refuse":
        raise GradganError("cannot be done")
    if what == "die once" and not Path(words["mark"]).exists():
        Path(words["mark"]).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "die":
        sys.exit(3)
    if what == "sleep":
        Path(words["mark"]).write_text(str(os.getpid()))
        time.sleep(60)
    return {}

serve(work)
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    (tmp_path / "a_worker_for_tests.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "a_worker_for_tests"


def test_every_job_ends_once_and_tells_meanwhile(module, tmp_path):
    jobs = (Job(str(x), {"what": "square", "x": x}) for x in range(6))
    messages = list(run_jobs(jobs, module=module, workers=2, log=tmp_path / "log"))
    done = {m.job: m.words["square"] for m in messages if m.kind == "done"}
    assert done == {str(x): x * x for x in range(6)}
    told = [m for m in messages if m.kind == "told"]
    assert len(told) == 6 and len({m.words["pid"] for m in told}) <= 2, "workers live on from job to job"
    assert (tmp_path / "log").read_text().count("noise") == 6


def test_what_a_job_leaves_behind_is_freed_before_the_next(module, tmp_path):
    """Networks and batches hang in cycles, which Python frees when it likes: a worker grew by gigabytes meanwhile."""
    jobs = (Job(str(k), {"what": "cycle"}) for k in range(4))
    messages = list(run_jobs(jobs, module=module, workers=1, log=tmp_path / "log"))
    assert [m.words["living"] for m in messages if m.kind == "done"] == [0] * 4


def test_a_worker_that_dies_is_replaced_and_its_job_tried_once_more(module, tmp_path):
    jobs = [
        Job("once", {"what": "die once", "mark": str(tmp_path / "mark")}),
        Job("always", {"what": "die"}),
        Job("refused", {"what": "refuse"}),
        Job("fine", {"what": "square", "x": 3}),
    ]
    ends = {m.job: m for m in run_jobs(jobs, module=module, workers=1, log=tmp_path / "log") if m.kind != "told"}
    assert {name: m.kind for name, m in ends.items()} == {
        "once": "done", "always": "failed", "refused": "failed", "fine": "done",
    }  # fmt: skip
    assert "ended with code 3 twice" in ends["always"].words["reason"]
    assert ends["refused"].words["reason"] == "cannot be done"


def test_an_error_of_the_jobs_maker_is_raised_after_what_runs(module, tmp_path):
    def jobs():
        yield Job("fine", {"what": "square", "x": 2})
        raise RuntimeError("no more")

    seen = []
    with pytest.raises(RuntimeError, match="no more"):
        seen.extend(run_jobs(jobs(), module=module, workers=1, log=tmp_path / "log"))
        pytest.fail("it was not raised")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose parent was killed waits for init, which a container may lack.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]


def wait_for(what, seconds: float = 150.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


def test_leaving_early_ends_the_workers(module, tmp_path):
    mark = tmp_path / "mark"
    jobs = [Job("quick", {"what": "square", "x": 1}), Job("slow", {"what": "sleep", "mark": str(mark)})]
    messages = run_jobs(jobs, module=module, workers=1, log=tmp_path / "log")
    assert next(messages).kind == "told"
    wait_for(mark.exists)
    messages.close()
    wait_for(lambda: not alive(int(mark.read_text() or 0)), 10)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the orphan in /proc")
def test_a_worker_dies_with_its_parent(module, tmp_path):
    mark = tmp_path / "mark"
    parent = (
        "from gradgan.core.pool import Job, run_jobs; from pathlib import Path; "
        f"list(run_jobs([Job('slow', {{'what': 'sleep', 'mark': {str(mark)!r}}})], "
        f"module='a_worker_for_tests', workers=1, log=Path({str(tmp_path / 'log')!r})))"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    wait_for(lambda: mark.exists() and mark.read_text() != "")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not alive(int(mark.read_text())), 10)
