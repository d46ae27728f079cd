"""One update of one player, and one round of all of them."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ..core.gradients import laid_out_as
from ..core.scene import LossLike, Scene
from ..core.types import Labels, Latents, Samples
from ..engine import Engine, critic_backward
from .controls import steer, weights_now
from .measure import critic_numbers, forces, vital_signs
from .objective import Player
from .schedules import Schedule
from .signs import growth, sizes
from .state import Numbers, State

Precision = Literal["float32", "bfloat16"]

Networks: TypeAlias = Mapping[str, nn.Module]
"""Every player's network by name."""

LatentSource: TypeAlias = Callable[[Networks, Samples, Labels | None, Latents], Tensor]
"""Where a step's latents come from: (networks, real, labels, prior latents) -> latents."""


def objective(
    player: Player,
    scene: Scene,
    *,
    step: int,
    progress: float,
    precision: Precision = "float32",
    compiled: Networks | None = None,
) -> tuple[Tensor | None, Numbers]:
    """What the player minimises in this scene, and each part of it before its weight.

    The loss runs its networks in `precision`, and as `compiled` ones if they are given; the terms, which differentiate
    twice, run the scene's own in float32.
    """
    total: Tensor | None = None
    numbers: Numbers = {}
    if player.loss is not None:
        with autocast(scene.real.device, precision):
            total = player.loss(scene if compiled is None else scene.again(compiled)).mean()
        numbers[f"{player.name}/loss"] = total.detach()
    if precision != "float32":
        scene = scene.again()
    for term in player.terms:
        if term.due(step):
            value = term.penalty.on(scene).mean()
            numbers[f"{player.name}/{term.name}"] = value.detach()
            paid = term.factor(progress) * value
            total = paid if total is None else total + paid
    return total, numbers


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """bfloat16 products within, where asked for; weights, their gradients and the optimiser's state stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def update(
    state: State,
    player: Player,
    scene: Scene,
    *,
    progress: float,
    measure: bool,
    engine: Engine = "auto",
    precision: Precision = "float32",
    compiled: Networks | None = None,
) -> Numbers:
    """One gradient step of one player, on its own parameters only."""
    parameters = state.parameters[player.name]
    optimiser = state.optimisers[player.name]
    optimiser.zero_grad(set_to_none=True)
    numbers: Numbers = {}
    if player.loss is Scene.critic_loss:
        with autocast(scene.real.device, precision):
            player, numbers = through_engine(player, scene, step=state.step, progress=progress, engine=engine)
    total, others = objective(player, scene, step=state.step, progress=progress, precision=precision, compiled=compiled)
    numbers |= others
    if total is not None and total.requires_grad:
        # `inputs` keeps the gradient out of the other players' parameters, and saves its cost.
        backward(total, [p for p in parameters if p.requires_grad], compiled=compiled is not None)
    # The mean over the ranks is the global batch's gradient, whichever way each of them took.
    state.world.average_([p.grad for p in parameters if p.grad is not None])
    if player.clip_gradient is not None:
        length = torch.nn.utils.clip_grad_norm_(parameters, player.clip_gradient)
        numbers[f"{player.name}/gradient_norm"] = length
    elif measure:
        gradients = [p.grad for p in parameters if p.grad is not None]
        numbers[f"{player.name}/gradient_norm"] = torch.nn.utils.get_total_norm(gradients)
    optimiser.step()
    if player.clip_weights is not None:
        with torch.no_grad():
            for parameter in parameters:
                parameter.clamp_(-player.clip_weights, player.clip_weights)
    return numbers


def backward(total: Tensor, parameters: Sequence[Tensor], *, compiled: bool) -> None:
    """Add the gradient to `.grad`. Compiled code hands it over in a layout of its own, which torch warns of."""
    if not compiled:
        total.backward(inputs=parameters)
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "grad and param do not obey the gradient layout contract")
        total.backward(inputs=parameters)
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad = laid_out_as(parameter, parameter.grad)


def through_engine(
    player: Player, scene: Scene, *, step: int, progress: float, engine: Engine
) -> tuple[Player, Numbers]:
    """The critic's loss and its input-gradient penalties, by the engine; and the player with what is left to pay."""
    # What is said as points x profile is data, which the engine may differentiate as it sees fit.
    charged = tuple(t for t in player.terms if hasattr(t.penalty, "points") and hasattr(t.penalty, "profile"))
    parts = critic_backward(
        scene.network("critic"),
        scene.real,
        scene.fake,
        loss=scene.loss,
        terms=charged,
        labels=scene.labels,
        rng=scene.rng,
        engine=engine,
        step=step,
        progress=progress,
    )
    numbers = {f"{player.name}/loss": parts.loss}
    numbers |= {f"{player.name}/{name}": value for name, value in parts.penalties.items()}
    left = tuple(term for term in player.terms if term not in charged)
    return replace(player, loss=None, terms=left), numbers


def play_round(
    state: State,
    players: Sequence[Player],
    loss: LossLike,
    *,
    progress: float = 0.0,
    latents: LatentSource | None = None,
    rates: Schedule | None = None,
    conditional: bool = False,
    measure: bool = False,
    engine: Engine = "auto",
    precision: Precision = "float32",
    compiled: Networks | None = None,
) -> Numbers:
    """Every player moves, in order, `player.steps` times; then the average follows and the step counts up.

    Each critic update sees a fresh batch; the players after it see the last one, with fresh latents.
    """
    if rates is not None:
        state.scale_rates(rates(progress))
    numbers: Numbers = weights_now(state, players, progress) if measure else {}
    real = labels = judged = None
    for player in (player.reweighted(state.weights) for player in players):
        for turn in range(player.steps):
            if real is None or player.name == "critic":
                real, labels = next(state.batches)
            z = state.latents(len(real))
            given = labels if conditional else None
            if latents is not None:
                z = latents(state.networks, real, given, z)
            scene = Scene(
                payer=player.name,
                networks=state.networks,
                loss=loss,
                real=real,
                z=z,
                labels=given,
                rng=state.streams["penalty"],
                world=state.world,
            )
            numbers |= update(
                state, player, scene, progress=progress, measure=measure, engine=engine, precision=precision,
                compiled=compiled,
            )  # fmt: skip
            judged = scene if player.name == "critic" else judged
            if measure and turn == player.steps - 1:
                numbers |= measured(state, player, scene, progress=progress)
    state.average.update_parameters(state.networks["generator"])
    state.step += 1
    if judged is not None:
        steer(state, players, judged)
    return state.world.mean_numbers(numbers) if measure else numbers


def measured(state: State, player: Player, scene: Scene, *, progress: float) -> Numbers:
    """What is measured of a player after its last update of a round; of all of them together after the critic's."""
    numbers = forces(player, scene, progress=progress)
    now = sizes(state.parameters[player.name])
    numbers[f"{player.name}/growth"] = growth(now, state.first_sizes[player.name])
    if player.name == "critic":
        numbers |= critic_numbers(scene) | vital_signs(state, scene)
    return numbers
