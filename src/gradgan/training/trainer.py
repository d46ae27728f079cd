"""The trainer: play rounds until the steps are done, and call the hooks. It knows no loss, penalty or network."""

import time
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from ..core.checks import GradganError
from ..core.scene import LossLike
from ..engine import Engine
from .hooks import Hook
from .objective import Player
from .schedules import Schedule
from .state import State
from .steps import LatentSource, Networks, Precision, play_round


def fit(
    state: State,
    players: Sequence[Player],
    loss: LossLike,
    *,
    steps: int,
    until: int | None = None,
    hooks: Sequence[Hook] = (),
    latents: LatentSource | None = None,
    rates: Schedule | None = None,
    conditional: bool = False,
    engine: Engine = "auto",
    precision: Precision = "float32",
    compile: bool = False,
) -> State:
    """Train until `state.step == steps`, or pause at `until`. A step is one round: the critic's updates, then everybody
    else's one.

    Penalties are paid on the steps where step % every == 0; schedules see step / steps. `compile`: the critic's step
    and the other players' losses go through torch.compile, whatever `engine` says; terms that differentiate twice do
    not.
    """
    if steps < state.step:
        raise GradganError(f"the run stands at step {state.step} already, wanted {steps}. Give more steps to go on.")
    engine = "compiled" if compile else engine
    compiled = compiled_networks(state.networks) if compile else None
    started = time.perf_counter() - state.seconds
    while state.step < (steps if until is None else min(until, steps)):
        measure = any(hook.wants_numbers(state.step + 1) for hook in hooks)
        numbers = play_round(
            state,
            players,
            loss,
            progress=state.step / steps,
            latents=latents,
            rates=rates,
            conditional=conditional,
            measure=measure,
            engine=engine,
            precision=precision,
            compiled=compiled,
        )
        state.seconds = time.perf_counter() - started
        for hook in hooks:
            hook(state, numbers)
    return state


def compiled_networks(networks: Networks) -> Networks:
    """The same weights behind torch.compile, each network at its first call."""
    return {name: cast(nn.Module, torch.compile(network)) for name, network in networks.items()}
