"""What a worker process does for a comparison: train one cell into its run folder, or go on with it."""

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.errors import NonFiniteError
from ..core.record import RunFolder
from ..core.rng import Streams
from ..core.worker import Tell, Words, serve
from ..experiment import Config, complete, train
from ..experiment.build import dataset_of
from ..experiment.evaluate import evaluate
from ..experiment.reading import from_yaml
from ..training.hooks import generate
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
        self.folder, self.config, self.every = RunFolder(path), config, every
        self.dataset = dataset_of(complete(config))

    def wants_numbers(self, step: int) -> bool:
        """Never: it draws samples of its own."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Take them, if it is time."""
        if state.step % self.every and state.step != self.config.steps:
            return
        streams = Streams(1, state.device)

        def draw(n: int) -> Tensor:
            labels = None
            if self.config.conditional:
                shape = (n,)
                labels = torch.randint(self.dataset.classes, shape, generator=streams["label"], device=state.device)
            z = torch.randn(n, self.config.latent, generator=streams["sample"], device=state.device)
            return generate(state.generator, z, labels)

        found = evaluate(self.dataset, draw)
        self.folder.log(state.step, state.seconds, {name: _value(estimate) for name, estimate in found.items()})
        self.folder.close()


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
