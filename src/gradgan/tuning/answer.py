"""From trials to an answer: the chosen value with its interval, what it gains over none and the default, the cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from ..core.statistics import Interval, interval, paired_difference
from ..experiment import Config
from ..metrics.judging import grain_of
from .objective import Objective
from .plan import Plan
from .space import Axis, Value, default_values, values_in
from .store import is_over

_DRAWN = 10_000


@dataclass(frozen=True)
class Trial:
    """One point that was tried, as people read it."""

    number: int
    kind: str
    """default, none, search, or retry (of a trial that was lost)."""
    settings: list[str]
    values: dict[str, Value] | None
    """By the axes' names; None for points that the space does not hold."""
    end: str
    """complete, pruned, diverged, failed or lost."""
    loss: float
    """What the search minimised."""
    cells: list[Mapping[str, Any]] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    """Processor time."""
    error: str = ""

    @property
    def finals(self) -> list[float]:
        """The objective of each run at its last look."""
        return [float(c["looks"][max(c["looks"], key=int)]) for c in self.cells if c["looks"]]

    @property
    def collapsed(self) -> int:
        """How many of its runs found fewer than half of the modes or classes."""
        return sum(bool(cell["collapsed"]) for cell in self.cells)


@dataclass(frozen=True)
class Answer:
    """What a study found out."""

    metric: str
    better: str
    axes: list[Axis]
    trials: list[Trial]
    runs: int
    """Runs of a whole trial: folds x seeds."""
    chosen: Trial | None
    """None where no trial came to its end with numbers."""
    value: Interval | None
    """The chosen trial's objective over its runs."""
    spread: dict[str, tuple[Value, Value] | dict[str, float]]
    """By axis: between which values 95% of the choices lie, had the folds and seeds been others; of a list, shares."""
    over_none: Interval | None
    """Chosen minus none, run by run; None where none was not tried, was chosen, or did not come to its end."""
    over_default: Interval | None
    verdict: str
    steps: int
    seconds: float
    unpruned: int
    """The steps that the same trials had taken without pruning."""


def answer_of(found: Sequence[FrozenTrial], plan: Plan, base: Config, objective: Objective) -> Answer:
    """The answer of a study's trials."""
    axes = plan.axes()
    trials = [_trial(one, axes, base) for one in found if is_over(one) or one.user_attrs.get("lost")]
    whole = [t for t in trials if t.end == "complete" and math.isfinite(t.loss)]
    chosen = min(whole, key=lambda t: t.loss, default=None)
    none, default = (next((t for t in whole if t.kind == kind), None) for kind in ("none", "default"))
    over_none, over_default = (_over(chosen, other, grain_of(objective.name)) for other in (none, default))
    full = len(plan.places()) * base.steps
    return Answer(
        metric=objective.name,
        better=objective.better,
        axes=axes,
        trials=trials,
        runs=len(plan.places()),
        chosen=chosen,
        value=interval(chosen.finals, within=objective.within, grain=grain_of(objective.name)) if chosen else None,
        spread=spread_of(whole, axes, objective),
        over_none=over_none,
        over_default=over_default,
        verdict=verdict_of(trials, chosen, over_none),
        steps=sum(t.steps for t in trials),
        seconds=sum(t.seconds for t in trials),
        unpruned=sum(full if t.end == "pruned" else t.steps for t in trials),
    )


def _trial(one: FrozenTrial, axes: Sequence[Axis], base: Config) -> Trial:
    facts = one.user_attrs
    kind = facts.get("kind", "retry" if "retry_of" in facts else "search")
    # A worker may die between writing its end and ending the trial: what the storage says of the trial decides.
    lost = one.state == TrialState.FAIL or "end" not in facts
    end = facts["end"] if not lost else "failed" if facts.get("error") else "lost"
    values = {axis.name: one.params[axis.name] for axis in axes} if one.params else None
    # The default lies in the space by its value, even where it was not drawn from it.
    values = default_values(axes, base) if values is None and kind == "default" else values
    loss = math.inf if one.state == TrialState.FAIL or one.value is None else float(one.value)
    if end == "complete" and one.state == TrialState.PRUNED and one.intermediate_values:
        loss = float(one.intermediate_values[max(one.intermediate_values)])
    return Trial(
        one.number, kind, list(facts.get("settings", [])), values, end, loss, list(facts.get("cells", [])),
        int(facts.get("steps", 0)), float(facts.get("seconds", 0.0)), str(facts.get("error", "")),
    )  # fmt: skip


def _over(chosen: Trial | None, other: Trial | None, grain: float) -> Interval | None:
    """The interval of the difference, run by run: both learned from the same folds with the same seeds."""
    if chosen is None or other is None or chosen is other:
        return None
    one, baseline = (dict(enumerate(trial.finals)) for trial in (chosen, other))
    return paired_difference(one, baseline, grain=grain)


def spread_of(
    whole: Sequence[Trial], axes: Sequence[Axis], objective: Objective
) -> dict[str, tuple[Value, Value] | dict[str, float]]:
    """Which value would have been chosen with other folds and seeds: the bootstrap over runs, of the choice itself.

    The same resample of runs judges every trial, none and a default outside the space among them, if it has a place
    on the axes at all. Percentiles of numbers, shares of what is listed.
    """
    placed = [(t, values_in(axes, t.settings) if t.values is None else t.values) for t in whole]
    known = [(t, place) for t, place in placed if place is not None]
    if not known:
        return {}
    losses = np.array([[objective.loss(value) for value in t.finals] for t, _ in known])
    runs = losses.shape[1]
    picks = np.random.default_rng(0).integers(runs, size=(_DRAWN, runs))
    best = losses[:, picks].mean(axis=2).argmin(axis=0)
    spread: dict[str, tuple[Value, Value] | dict[str, float]] = {}
    for axis in axes:
        values = [place[axis.name] for _, place in known]
        if axis.choices:
            shares = {str(choice): 0.0 for choice in axis.choices}
            for index, count in zip(*np.unique(best, return_counts=True), strict=True):
                shares[str(values[index])] = shares.get(str(values[index]), 0.0) + float(count) / len(best)
            spread[axis.name] = shares
        else:
            chosen = np.sort(np.asarray(values, float)[best])
            low, high = (float(chosen[int(share * (len(chosen) - 1))]) for share in (0.025, 0.975))
            spread[axis.name] = (low, high)
    return spread


def verdict_of(trials: Sequence[Trial], chosen: Trial | None, over_none: Interval | None) -> str:
    """The answer in one sentence."""
    if chosen is None:
        return "No trial came to its end with numbers; nothing is chosen."
    none = next((t for t in trials if t.kind == "none"), None)
    told = ", ".join(chosen.settings)
    if none is None:
        return f"Chosen: {told}."
    if chosen is none:
        return f"No weight beats none: {told}."
    if over_none is None:
        return f"Chosen: {told}. Without the penalty the run did not come to its end ({none.end})."
    if not over_none.contains(0.0) and chosen.loss < none.loss:
        return f"Chosen: {told}, better than none beyond the interval."
    return f"No weight beats none beyond the interval; the best of them is {told}."
