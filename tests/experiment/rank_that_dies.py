"""A training whose rank 1 is killed at step 25, unless torchrun has started it again: rank_that_dies.py OUT."""

import atexit
import os
import signal
import sys
import threading
import time
from pathlib import Path

import gradgan
from gradgan.core.launch import launched

SETTINGS = [
    "batch=16",
    "data.samples=64",
    "generator.widths=[8]",
    "critic.widths=[8]",
    "checkpoint.every=10",
    "lr.shape=constant",
]


class Dies:
    """Kill -9, from within: only what every rank asks its hooks reaches rank 1."""

    def wants_numbers(self, step: int) -> bool:
        place = launched()
        if step == 25 and place.rank == 1 and place.restart == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    def __call__(self, state, numbers) -> None:
        pass


def no_thread_beside_python() -> None:
    """Tell of threads that are left when Python ends: one that waits for it then aborts the process."""
    end, tasks = time.monotonic() + 5, Path("/proc/self/task")  # Linux
    while tasks.is_dir() and len(list(tasks.iterdir())) > threading.active_count():
        if time.monotonic() > end:  # a thread that was joined may take a moment to go
            print(f"THREADS ARE LEFT: {len(list(tasks.iterdir()))}", file=sys.stderr, flush=True)
            return
        time.sleep(0.05)


if __name__ == "__main__":
    atexit.register(no_thread_beside_python)  # before gradgan's own, so it is called after it
    gradgan.train("ring", steps=40, settings=SETTINGS, out=sys.argv[1], hooks=[Dies()])
