"""Hooks: what happens beside the training, every so many rounds; the trainer knows none of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..core.checks import GradganError, all_finite, shown
from ..core.files import writing
from ..core.record import RunFolder
from ..core.stopping import Stopping
from . import checkpoint
from .measure import evaluating
from .state import Numbers, State


@runtime_checkable
class Hook(Protocol):
    """Called after every round with the state (its step already counted up) and what the round measured."""

    def wants_numbers(self, step: int) -> bool:
        """Should the round that ends at this step be measured?"""
        ...

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Do it, if it is time."""
        ...


@dataclass(frozen=True)
class After:
    """A plain function as a hook: called after every round, with the numbers of those that are measured anyway."""

    call: Callable[[State, Numbers], object]

    def wants_numbers(self, step: int) -> bool:
        """Never: a function has no say in it."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Call it."""
        self.call(state, numbers)


def hooks_from(given: object) -> tuple[Hook, ...]:
    """A list of hooks and plain functions as hooks. Raises GradganError for anything else in it, or no list."""
    if not isinstance(given, list | tuple):
        raise GradganError(f"hooks must be a list of functions (state, numbers), got {shown(given)}. Write [hook].")
    for hook in given:
        if not callable(hook) or isinstance(hook, type):
            raise GradganError(
                f"a hook must be a function (state, numbers), or an object that has wants_numbers(step) too, got "
                f"{shown(hook)}."
            )
    return tuple(hook if isinstance(hook, Hook) else After(hook) for hook in given)


@dataclass
class Log:
    """Writes the numbers every `every` rounds, lets `watch` look at them, and checks that all of them are finite.

    `mark` is the step and the seconds of the last logged one, from which `speed` is measured.
    """

    run: RunFolder
    every: int
    watch: Callable[[int, dict[str, float]], None] | None = None
    mark: tuple[int, float] | None = None

    def wants_numbers(self, step: int) -> bool:
        """On the steps that are logged."""
        return step % self.every == 0

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Log, or raise NonFiniteError, by name, once something is not a number any more."""
        if not self.wants_numbers(state.step):
            return
        values = {name: float(value) for name, value in numbers.items()}
        for name, optimiser in state.optimisers.items():
            values[f"lr/{name}"] = float(optimiser.param_groups[0]["lr"])
        if self.mark is not None:
            values["speed"] = (state.step - self.mark[0]) / max(state.seconds - self.mark[1], 1e-9)
        self.mark = (state.step, state.seconds)
        # The log first: the line that shows the illness is the one worth having.
        self.run.log(state.step, state.seconds, values)
        if self.watch is not None:
            self.watch(state.step, values)
        all_finite(numbers, step=state.step)


@dataclass
class Samples:
    """Draws a picture from the same latents (and labels) every `every` rounds, and at the start."""

    run: RunFolder
    every: int
    z: Tensor
    labels: Tensor | None
    picture: Callable[[Tensor], np.ndarray]

    def wants_numbers(self, step: int) -> bool:
        """Never: it only draws."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Draw, if it is time."""
        if state.step % self.every == 0:
            self.draw(state)

    def draw(self, state: State) -> None:
        """The averaged generator's samples at the fixed latents, saved under the current step."""
        self.run.save_grid(state.step, self.picture(generate(state.generator, self.z, self.labels)))


@dataclass
class Save:
    """Writes a checkpoint every `every` rounds.

    The last `keep` stay, each whose step `keep_every` divides, those at the steps `pinned`; and the best, with what was
    the best at each of these: a run that goes back needs the best until there.
    """

    run: RunFolder
    every: int
    keep: int = 2
    keep_every: int = 0
    pinned: Collection[int] = ()

    def wants_numbers(self, step: int) -> bool:
        """Never: it only saves."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Save, if it is time."""
        if state.step % self.every == 0:
            self.save(state)

    def save(self, state: State) -> Path:
        """Write the state now, after what was logged until now is on the disk; older checkpoints go once it is there.

        Raises NonFiniteError for weights that are not numbers: a sick state must not replace a healthy one.
        """
        weights = {f"{name}/weights": finite_or_nan(own) for name, own in state.parameters.items()}
        all_finite(weights, step=state.step)
        path = self.run.checkpoint_path(state.step)
        # A checkpoint promises that the log lies whole before it.
        self.run.sync()
        checkpoint.save(path, state.state_dict())
        self._retire()
        return path

    def _retire(self) -> None:
        with writing(self.run.path):
            others = [(step, path) for step, path in self.run.checkpoints() if step not in self.pinned]
            for step, old in others[: -self.keep]:
                if not self.keep_every or step % self.keep_every:
                    old.unlink(missing_ok=True)
            best = self.run.best_checkpoints()
            kept = [step for step, _ in self.run.checkpoints()]
            known = {max((step for step, _ in best if step <= until), default=None) for until in kept}
            for step, old in best[:-1]:
                if step not in known:
                    old.unlink(missing_ok=True)


@dataclass
class Halt:
    """Ends the run after the round in which somebody asked it to stop; the last of the hooks.

    At the last step it lets the run end by itself.
    """

    stopping: Stopping
    save: Save
    steps: int

    def wants_numbers(self, step: int) -> bool:
        """Never: it only ends."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Save, and raise Interrupted or Terminated."""
        if self.stopping.signal is not None and state.step < self.steps:
            self.save.save(state)
            raise self.stopping.error(
                f"stopped at step {state.step} of {self.steps}, which is saved. "
                "Go on with the same command and --resume."
            )


@dataclass
class Evaluate:
    """Measures the averaged generator every `every` rounds, logs the numbers, and keeps the best checkpoint.

    `measure` must draw from streams of its own, so that the run does not depend on how often it is measured. The best
    so far, by the number called `score`, is part of the state. One before it stays as long as there is a checkpoint at
    which it was the best (`Save`).
    """

    run: RunFolder
    every: int
    measure: Callable[[State], Mapping[str, float]]
    score: str
    better: Callable[[float, float], bool]

    def wants_numbers(self, step: int) -> bool:
        """Never: it looks at samples, not at the round."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Measure, if it is time."""
        if state.step % self.every:
            return
        values = dict(self.measure(state))
        self.run.log(state.step, state.seconds, values)
        value, before = values[self.score], state.best
        if before is None or before["name"] != self.score or self.better(value, before["value"]):
            state.best = {"name": self.score, "value": value, "step": state.step}
            path = self.run.best_path(state.step)
            checkpoint.save(path, state.state_dict())


@torch.no_grad()
def finite_or_nan(parameters: Sequence[Tensor]) -> Tensor:
    """0 where every parameter is finite, else NaN, without waiting for the device."""
    sound = torch.stack([parameter.isfinite().all() for parameter in parameters]).all()
    return torch.where(sound, 0.0, float("nan"))


@torch.no_grad()
def generate(generator: torch.nn.Module, z: Tensor, labels: Tensor | None = None, *, batch: int = 256) -> Tensor:
    """Samples in evaluation mode, in batches; the generator's mode is as before afterwards. A sample depends only on
    its own latent and label, so equal latents give equal samples."""
    if len(z) == 0:
        raise GradganError("sampling wants at least one latent, got none.")
    with evaluating(generator):
        parts = [
            generator(z[i : i + batch]) if labels is None else generator(z[i : i + batch], labels[i : i + batch])
            for i in range(0, len(z), batch)
        ]
        return torch.cat(parts)
