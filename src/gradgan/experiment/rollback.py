"""Rollback: a run that falls ill goes back to the last checkpoint before it, and on with other numbers."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from typing import Any

from ..alarm import ILLNESSES, Remedy
from ..core.checks import GradganError, NonFiniteError, SickRunError
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
            if alarm.action != "rollback" or len(state.rollbacks) >= alarm.rollbacks:
                raise
            go_back(folder, experiment, error)


def go_back(folder: RunFolder, experiment: Experiment, error: SickRunError | NonFiniteError) -> None:
    """Restore the newest checkpoint from before the illness, with its remedy on top of those of earlier rollbacks.

    Raises SickRunError where none from before it is kept that can be read.
    """
    state = experiment.state
    illness, since = ("divergence", state.step) if isinstance(error, NonFiniteError) else (error.illness, error.since)
    number = len(state.rollbacks) + 1
    to, saved = _restored(folder, since, [rollback.to for rollback in state.rollbacks], device=str(state.device))
    if saved is None:
        kept = ", ".join(str(step) for step, _ in folder.checkpoints()) or "none"
        raise SickRunError(
            f"{error} It cannot go back: no checkpoint from step {since} or before is kept (kept: {kept}). A run that "
            "begins with alarm.action=rollback keeps the one of step 0.",
            illness=illness, since=since,
        ) from error  # fmt: skip
    remedy: Remedy = ILLNESSES[illness].facts["remedy"]
    rates = {name: remedy.critic_rate if name == "critic" else remedy.other_rates for name in state.optimisers}
    weights = dict.fromkeys(experiment.config.penalties, remedy.weights) if remedy.weights != 1.0 else {}
    rollbacks = [*state.rollbacks, Rollback(illness, since, state.step, to, rates, weights)]
    state.load_state_dict(saved)
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


def _restored(folder: RunFolder, since: int, used: Sequence[int], *, device: str) -> tuple[int, dict[str, Any] | None]:
    """The step to go back to and what its checkpoint holds; a broken one is passed over, loudly. (0, None): there is
    none."""
    kept = dict(folder.checkpoints())
    for step in targets([*kept], since, used=used):
        try:
            return step, checkpoint.load(kept[step], device=device)
        except GradganError as error:
            folder.set_aside(kept[step])
            logging.getLogger("gradgan").warning("%s IT IS PASSED OVER.", error)
    return 0, None


def targets(checkpoints: Collection[int], since: int, *, used: Collection[int]) -> list[int]:
    """The checkpoints at or before `since` in the order in which they are to be tried, the newest first.

    One that was gone back to is not tried again, for from there the run fell ill again: it may have been ill there
    already. Only where all were tried, the oldest is tried once more, with what its remedies have become. What was
    saved after the signs began is no way back.

    >>> targets([0, 500, 1000, 1500], 1200, used=[]), targets([0, 500, 1000], 1200, used=[1000])
    ([1000, 500, 0], [500, 0])
    >>> targets([0, 500], 1200, used=[0, 500]), targets([500], 400, used=[])
    ([0], [])
    """
    before = sorted((step for step in checkpoints if step <= since), reverse=True)
    return [step for step in before if step not in used] or before[-1:]
