"""Who runs a trial, and whether he is still alive: a process by its place, number and birth; elsewhere, by its beat."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BEAT = 30.0
"""Seconds between two signs of life that a running trial leaves in the storage."""
SILENCE = 300.0
"""A trial of another machine whose sign of life has not changed for so many seconds, by our clock, is lost."""


def place() -> str:
    """This machine, since it was started, as far as its process numbers reach."""
    return "/".join([socket.gethostname(), _read("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")])


def owner(job: str) -> dict[str, Any]:
    """This process, as it is noted with the trial that it runs; `job` is what it was given to do."""
    return {"job": job, "place": place(), "pid": os.getpid(), "born": _born(os.getpid())}


def is_gone(holder: Mapping[str, Any]) -> bool:
    """Is it a process of this machine that has ended? Of others nothing is known here."""
    if holder.get("place") != place():
        return False
    return _born(int(holder["pid"])) != holder["born"]


def _born(pid: int) -> str:
    """When a process was started, in the kernel's ticks, so that a number given out again is told apart; "" if none."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if fields:
        return "" if fields[0] in "ZX" else fields[19]
    try:  # not Linux
        os.kill(pid, 0)
    except OSError:
        return ""
    return "alive"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


@contextmanager
def beating(beat: Callable[[float], None]) -> Iterator[None]:
    """Call `beat(time)` now and every BEAT seconds within, from a thread of its own."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(BEAT):
            beat(time.time())

    beat(time.time())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Silence:
    """Which trials of other machines have been silent too long. Only our own clock counts: theirs may be wrong."""

    def __init__(self, limit: float = SILENCE) -> None:
        """`limit`: seconds."""
        self._limit = limit
        self._heard: dict[int, tuple[object, float]] = {}

    def __call__(self, number: int, beat: object) -> bool:
        """Has trial `number`, whose last sign of life is `beat`, been silent for longer than the limit?"""
        known = self._heard.get(number)
        if known is None or known[0] != beat:
            self._heard[number] = (beat, time.monotonic())
            return False
        return time.monotonic() - known[1] > self._limit
