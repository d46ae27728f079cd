"""What a worker process does for a comparison: train one cell into its run folder, or go on with it."""

import time
from pathlib import Path
from typing import Any

import torch

from ..core.errors import NonFiniteError
from ..core.record import RunFolder
from ..core.worker import Tell, Words, serve
from ..experiment import Config, Run, build, train
from ..experiment.reading import from_yaml
from ..training.state import Numbers, State


def train_cell(words: Words, tell: Tell) -> Words:
    """Train the run of `config` (YAML) in `out`, on from its newest checkpoint, taking metrics every `every` steps.

    A run that diverges is an answer, not an error.
    """
    config = from_yaml(words["config"], source=words["out"])
    # A run must not depend on those before it in this process, whatever draws from torch's global stream.
    torch.manual_seed(config.seed)
    hooks = [_Look(Path(words["out"]), config, words["every"]), _Tell(tell)]
    try:
        train(config, out=words["out"], resume=True, hooks=hooks)
    except NonFiniteError as error:
        return {"diverged": str(error)}
    return {}


class _Look:
    """Logs the metrics of the averaged generator every so many steps and at the last."""

    def __init__(self, path: Path, config: Config, every: int) -> None:
        self.every, self.steps = every, config.steps
        # A run of its own to be measured, which takes over the average: the one that trains is not to be had here.
        self.run = Run(RunFolder(path), build(config))

    def wants_numbers(self, step: int) -> bool:
        """Never: it draws samples of its own."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Take them, if it is time."""
        if state.step % self.every and state.step != self.steps:
            return
        mine = self.run.experiment.state
        mine.average.load_state_dict(state.average.state_dict())
        mine.step = state.step
        found = {name: _value(estimate) for name, estimate in self.run.evaluate().items()}
        self.run.folder.log(state.step, state.seconds, found)
        self.run.folder.close()


def _value(estimate: Any) -> float:
    """Of an estimate with its error, or of a number alone."""
    return float(getattr(estimate, "value", estimate))


class _Tell:
    """Tells the parent the step, about once a second."""

    def __init__(self, tell: Tell) -> None:
        self.tell, self.last = tell, time.monotonic()

    def wants_numbers(self, step: int) -> bool:
        """It tells how far the run is, no more."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Tell, if it is time."""
        if time.monotonic() - self.last > 1:
            self.last = time.monotonic()
            self.tell({"step": state.step})


if __name__ == "__main__":
    serve(train_cell)
