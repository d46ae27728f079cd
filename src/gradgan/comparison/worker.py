"""What a worker process does for a comparison: train one cell into its run folder, or go on with it."""

import time

import torch

from ..core.errors import NonFiniteError
from ..core.worker import Tell, Words, serve
from ..experiment import train
from ..experiment.reading import from_yaml
from ..training.state import Numbers, State


def train_cell(words: Words, tell: Tell) -> Words:
    """Train the run of `config` (YAML) in `out`, on from its newest checkpoint.

    A run that diverges is an answer, not an error.
    """
    config = from_yaml(words["config"], source=words["out"])
    # A run must not depend on those before it in this process, whatever draws from torch's global stream.
    torch.manual_seed(config.seed)
    try:
        train(config, out=words["out"], resume=True, hooks=[_Tell(tell)])
    except NonFiniteError as error:
        return {"diverged": str(error)}
    return {}


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
