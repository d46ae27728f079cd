"""Three workers on a real PostgreSQL, one of them killed every few trials: each finished trial is there, and once."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial, TrialState

import gradgan
from gradgan.core.pool import Message
from gradgan.tuning.store import is_over, open_study

from .killer import Killer

TRIALS = 12
WORDS: dict = {
    "over": ["r1.weight+r2.weight=1e-3..10"],
    "steps": 30,
    "looks": 3,
    "folds": 2,
    "trials": TRIALS,
    "settings": [
        "data.samples=600", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "ema=0.5", "evaluate.samples=200",
    ],
}  # fmt: skip


def trials_of(where: str, name: str) -> list[FrozenTrial]:
    with open_study(where, name) as study:
        return study.trials()


def program(name: str) -> str:
    """One of PostgreSQL's programs; in CI Debian's package is installed where there is none."""
    found = shutil.which(name) or next(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    if found is None and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        installed = subprocess.run(["apt-get", "install", "-y", "-q", "postgresql"], capture_output=True)
        if installed.returncode == 0:
            return program(name)
    if found is None:
        pytest.skip(f"no PostgreSQL here ({name} is missing): apt-get install postgresql")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of our own on a free port; its URL."""
    pytest.importorskip("psycopg", reason="no driver: pip install 'gradgan[postgresql]'")
    initdb, postgres = program("initdb"), program("postgres")
    # The server refuses to be root.
    user = None if os.geteuid() else "postgres"
    if user is not None:
        try:
            pwd.getpwnam(user)
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    with tempfile.TemporaryDirectory(prefix="gradgan-pg-") as name, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        made = subprocess.run(
            [initdb, "-A", "trust", "-U", "gradgan", "--no-sync", "-D", data],
            user=user,
            capture_output=True,
            cwd=folder,
        )
        if made.returncode:
            pytest.skip(f"initdb failed: {made.stderr.decode()[-200:]}")
        options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [postgres, "-D", data, *options, "-c", "fsync=off"], user=user, stderr=log, stdout=log, cwd=folder
            )
        try:
            wait_for(port, process)
            yield f"postgresql+psycopg://gradgan@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)


def wait_for(port: int, process: subprocess.Popen) -> None:
    import psycopg

    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=gradgan dbname=postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the server did not come up")


@pytest.mark.timeout(2400)  # torch starts a dozen times
def test_three_workers_one_killed_every_few_trials(server, tmp_path):
    out = tmp_path / "killed"
    told: dict[int, float] = {}
    killer = Killer(server, "killed", lambda killed: 3 * killed + 2)

    def watch(message: Message | str, over: int, trials: int) -> None:
        if not isinstance(message, Message):
            return
        words = message.words
        killer.start_once()
        if message.kind == "done" and words.get("end") in ("complete", "pruned"):
            assert words["trial"] not in told
            told[words["trial"]] = float(words["loss"])

    try:
        answer = gradgan.tune("ring", **WORDS, storage=server, workers=3, out=out, tell=watch)
    finally:
        killer.stop()
    killed = killer.killed
    assert len(killed) >= 3
    trials = trials_of(server, "killed")
    assert trials and not [t for t in trials if not t.state.is_finished()], "the study ends"
    over = [t for t in trials if is_over(t)]
    assert len(over) == TRIALS
    stored = {t.number: t.value for t in over if t.state != TrialState.FAIL}
    # A point outside the space is kept as pruned, with its last look for a value, which is its end.
    assert stored == pytest.approx(told)
    for number in killed:
        lost = next(t for t in trials if t.number == number)
        assert lost.state == TrialState.FAIL and lost.user_attrs["lost"]
        retries = [t for t in trials if t.user_attrs.get("retry_of") == number]
        assert len(retries) == (0 if lost.user_attrs["final"] else 1)
    assert sum(t.end == "lost" for t in answer.trials) == len(killed)


@pytest.mark.timeout(1200)
def test_the_same_command_elsewhere_joins(server, tmp_path):
    words = {**WORDS, "trials": 4}
    where = server.replace("gradgan@", "gradgan:secret@")
    first = gradgan.tune(
        "ring", **words, storage=where, workers=1, out=tmp_path / "here" / "joined", command=f"gradgan tune {where}"
    )
    written = [path.read_bytes() for path in (tmp_path / "here" / "joined").iterdir()]
    assert any(b"gradgan:***@" in text for text in written) and not any(b"secret" in text for text in written)
    other = gradgan.tune("ring", **words, storage=server, workers=1, out=tmp_path / "there" / "joined")
    assert other == first
    assert (tmp_path / "there" / "joined" / "report.html").is_file()
