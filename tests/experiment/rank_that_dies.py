"""A training whose rank 1 is killed at step 25, unless torchrun has started it again: rank_that_dies.py OUT."""

import os
import signal
import sys

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


if __name__ == "__main__":
    gradgan.train("ring", steps=40, settings=SETTINGS, out=sys.argv[1], hooks=[Dies()])
