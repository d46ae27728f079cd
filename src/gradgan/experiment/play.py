"""Playing an experiment's rounds: the one place where the trainer is told what the config says."""

from collections.abc import Sequence

from ..training.hooks import Hook
from ..training.state import State
from ..training.trainer import fit
from .build import Experiment, schedule_of
from .machine import precision_of


def play(
    experiment: Experiment, *, hooks: Sequence[Hook] = (), until: int | None = None, steps: int | None = None
) -> State:
    """Train to the last step, `steps` or else the config's, or pause at `until`; schedules see the whole run."""
    config = experiment.config
    return fit(
        experiment.state,
        experiment.players,
        experiment.system.loss,
        steps=config.steps if steps is None else steps,
        until=until,
        hooks=hooks,
        latents=experiment.system.latents,
        rates=schedule_of(config.lr),
        conditional=config.conditional,
        engine=config.engine,
        precision=precision_of(config),
        compile=config.compile,
    )
