"""A training whose rank 1 is killed at step 25, unless torchrun has started it again: rank_that_dies.py OUT."""

import os
import signal
import sys
import threading
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


def threads_beside_python() -> list[str]:
    """What the process group's own threads are called; one that is left may abort the process at its end."""
    tasks = Path("/proc/self/task")  # Linux
    there = [(task / "comm").read_text().strip() for task in tasks.iterdir()] if tasks.is_dir() else []
    return there if len(there) > threading.active_count() else []


if __name__ == "__main__":
    gradgan.train("ring", steps=40, settings=SETTINGS, out=sys.argv[1], hooks=[Dies()])
    if left := threads_beside_python():
        sys.exit(f"threads are left after the training: {left}")
