"""Rollback: a run that falls ill goes back to the last checkpoint before it, and on with other numbers."""

import logging
from collections.abc import Callable
from dataclasses import asdict

from ..alarm import ILLNESSES, Remedy
from ..core.checks import NonFiniteError, SickRunError
from ..core.record import RunFolder
from ..core.rolled_back import set_aside
from ..training import checkpoint
from ..training.state import Rollback, State
from .build import Experiment

KEPT = 5
"""Checkpoints that a run keeps at least if it may have to go back: the last one before an illness is not the last."""


def play_on(folder: RunFolder, experiment: Experiment, play: Callable[[], None]) -> None:
    """Play to the end. Where an alarm ends it, go back and play again, as often as the config allows."""
    alarm, state = experiment.config.alarm, experiment.state
    while True:
        try:
            return play()
        except (SickRunError, NonFiniteError) as error:
            if alarm.action != "rollback" or len(state.rollbacks) >= alarm.rollbacks or not folder.checkpoints():
                raise
            go_back(folder, experiment, error)


def go_back(folder: RunFolder, experiment: Experiment, error: SickRunError | NonFiniteError) -> None:
    """Restore the newest checkpoint from before the illness, with its remedy on top of those of earlier rollbacks."""
    state = experiment.state
    illness, since = ("divergence", state.step) if isinstance(error, NonFiniteError) else (error.illness, error.since)
    number = len(state.rollbacks) + 1
    before = dict(folder.checkpoints())
    to = target([*before], since, used=[rollback.to for rollback in state.rollbacks])
    remedy: Remedy = ILLNESSES[illness].facts["remedy"]
    rates = {name: remedy.critic_rate if name == "critic" else remedy.other_rates for name in state.optimisers}
    weights = dict.fromkeys(experiment.config.penalties, remedy.weights) if remedy.weights != 1.0 else {}
    rollbacks = [*state.rollbacks, Rollback(illness, since, state.step, to, rates, weights)]
    state.load_state_dict(checkpoint.load(before[to], device=str(state.device)))
    state.rollbacks = rollbacks
    set_aside(folder, to, number)
    list_rollbacks(folder, state)
    logging.getLogger("gradgan").warning(
        "rollback %d of %d: from step %d to %d; %s. What was logged between is in %s.",
        number, experiment.config.alarm.rollbacks, rollbacks[-1].left, to, remedy, f"rolled_back/{number}",
    )  # fmt: skip


def list_rollbacks(folder: RunFolder, state: State) -> None:
    """Let run.json list the rollbacks that the state knows of."""
    folder.update_info(rollbacks=[asdict(rollback) for rollback in state.rollbacks])


def target(checkpoints: list[int], since: int, *, used: list[int]) -> int:
    """The newest checkpoint at or before `since` that was not gone back to before; the oldest where there is none.

    From one that was tried the run fell ill again: it may have been ill there already.

    >>> target([0, 500, 1000, 1500], 1200, used=[]), target([0, 500, 1000], 1200, used=[1000])
    (1000, 500)
    """
    fitting = [step for step in checkpoints if step <= since and step not in used]
    return max(fitting, default=min(checkpoints))
