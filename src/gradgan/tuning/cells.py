"""The runs of one trial, side by side in memory: each learns from all folds but one and is judged against that one."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ..core.checks import NonFiniteError
from ..core.record import RunFolder
from ..data import Dataset, without_fold
from ..experiment import Config, Evaluator, Run, build, complete
from ..experiment.build import dataset_of
from ..experiment.own_features import are_asked, named_features
from ..experiment.play import play
from ..training.hooks import finite_or_nan
from .objective import Objective, beside, collapsed, objective_of


class Bench:
    """The data of a study, cut into folds, and what measures against each; what is costly of them is made once."""

    def __init__(self, config: Config, folds: int, metric: str | None) -> None:
        """Raises GradganError for folds that the data cannot fill and metrics that it cannot serve."""
        self.config = config
        self.folds = folds
        self.whole = dataset_of(complete(config))
        self.objective: Objective = objective_of(metric, self.whole)
        self._metrics = beside(self.objective, self.whole)
        said = complete(config).evaluate
        self._own = [named_features(said, self.whole)] if are_asked(said, self._metrics) else []
        self.dataset = lru_cache(None)(self._dataset)
        self.evaluator = lru_cache(None)(self._evaluator)

    def fits(self, config: Config) -> bool:
        """Is it the data of this config too?"""
        return complete(config).data == complete(self.config).data

    def _dataset(self, fold: int) -> Dataset:
        return without_fold(self.whole, fold, self.folds)

    def _evaluator(self, fold: int) -> Evaluator:
        samples = self.config.evaluate.samples
        return Evaluator(self.dataset(fold), self._metrics, samples=samples, features=self._own)


@dataclass
class CellRecord:
    """What one run of a trial came to."""

    fold: int
    seed: int
    looks: dict[int, float] = field(default_factory=dict)
    """The objective by step."""
    numbers: dict[str, float] = field(default_factory=dict)
    """The metrics at its last look."""
    steps: int = 0
    diverged: str = ""
    """How it stopped being numbers; else empty."""
    collapsed: bool = False
    """Did its last look find fewer than half of the modes or classes?"""


class Cell:
    """One run of a trial. It writes nothing: what is worth keeping goes to the study's storage."""

    def __init__(self, config: Config, bench: Bench, fold: int, seed: int) -> None:
        """Build it; raises GradganError for a config that cannot be trained."""
        torch.manual_seed(seed)
        self._experiment = build(replace(config, seed=seed), dataset=bench.dataset(fold))
        # A run is drawn from through its folder's object, which touches no disk until something is written.
        self._run = Run(RunFolder(Path(os.devnull)), self._experiment)
        self._bench = bench
        self.record = CellRecord(fold, seed)

    def advance(self, step: int) -> float:
        """Train to this step and judge; raises NonFiniteError once weights, samples or metrics are no numbers."""
        state = play(self._experiment, until=step)
        self.record.steps = state.step
        for name, own in state.parameters.items():
            if not math.isfinite(float(finite_or_nan(own))):
                raise NonFiniteError(f"{name}'s weights were not finite at step {step}")
        drawn = self._run.drawn()
        evaluator = self._bench.evaluator(self.record.fold)
        found = evaluator.measure(replace(drawn, draw=lambda n: _finite(drawn.draw(n), step)))
        self.record.numbers = {name: estimate.value for name, estimate in found.items()}
        value = self._bench.objective(self.record.numbers)
        if math.isfinite(value):
            self.record.looks[step] = value
        self.record.collapsed = collapsed(self.record.numbers, self._bench.whole.classes)
        return value


def _finite(samples: Tensor, step: int) -> Tensor:
    if not bool(samples.isfinite().all()):
        raise NonFiniteError(f"the generator's samples were not finite at step {step}")
    return samples


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: `complete`, `pruned` or `diverged`, and what the search minimises."""

    end: str
    loss: float
    cells: list[CellRecord]

    @property
    def steps(self) -> int:
        """Steps of all its runs together."""
        return sum(cell.steps for cell in self.cells)


Report = Callable[[int, float], bool]
"""Called at each look (from 1 on) with the mean of the runs; should the trial be pruned?"""


def run_trial(
    config: Config, bench: Bench, places: Sequence[tuple[int, int]], *, looks: int, report: Report
) -> Outcome:
    """Train all runs of a point side by side, from look to look, so that it is known early what they are worth.

    A run that diverges ends the trial: what fails on one fold or seed is no choice.
    """
    cells = [Cell(config, bench, fold, seed) for fold, seed in places]
    loss = math.inf
    for look in range(1, looks + 1):
        losses = []
        for cell in cells:
            try:
                losses.append(bench.objective.loss(cell.advance(config.steps * look // looks)))
            except NonFiniteError as error:
                cell.record.diverged = str(error)
                return Outcome("diverged", math.inf, [each.record for each in cells])
        loss = math.fsum(losses) / len(losses)
        if report(look, loss) and look < looks:
            return Outcome("pruned", loss, [each.record for each in cells])
    return Outcome("complete", loss, [cell.record for cell in cells])
