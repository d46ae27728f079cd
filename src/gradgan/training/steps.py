"""One update of one player, and one round of all of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ..core.gradients import input_gradient, latent_gradient, norm
from ..core.scene import LossLike, Scene
from .objective import Player
from .schedules import Schedule
from .state import State

Numbers: TypeAlias = dict[str, Tensor]
"""What a round measured, by the names of the glossary; tensors, so that nobody waits for the device."""

LatentSource: TypeAlias = Callable[..., Tensor]


def objective(player: Player, scene: Scene, *, step: int, progress: float) -> tuple[Tensor | None, Numbers]:
    """What the player minimises in this scene, and each part of it before its weight."""
    total: Tensor | None = None
    numbers: Numbers = {}
    if player.loss is not None:
        total = player.loss(scene).mean()
        numbers[f"{player.name}/loss"] = total.detach()
    for term in player.terms:
        if term.due(step):
            value = term.penalty.on(scene).mean()
            numbers[f"{player.name}/{term.name}"] = value.detach()
            paid = term.factor(progress) * value
            total = paid if total is None else total + paid
    return total, numbers


def update(state: State, player: Player, scene: Scene, *, progress: float, measure: bool) -> Numbers:
    """One gradient step of one player, on its own parameters only."""
    total, numbers = objective(player, scene, step=state.step, progress=progress)
    parameters = state.parameters[player.name]
    optimiser = state.optimisers[player.name]
    optimiser.zero_grad(set_to_none=True)
    if total is not None and total.requires_grad:
        # `inputs` keeps the gradient out of the other players' parameters, and saves its cost.
        total.backward(inputs=[p for p in parameters if p.requires_grad])
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
) -> Numbers:
    """Every player moves, in order, `player.steps` times; then the average follows and the step counts up.

    Each critic update sees a fresh batch; the players after it see the last one, with fresh latents.
    """
    if rates is not None:
        state.scale_rates(rates(progress))
    numbers: Numbers = {}
    real = labels = None
    for player in players:
        for _ in range(player.steps):
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
            )
            numbers |= update(state, player, scene, progress=progress, measure=measure)
            if measure and player.name == "critic":
                numbers |= critic_numbers(scene)
    state.average.update_parameters(state.networks["generator"])
    state.step += 1
    return numbers


def critic_numbers(scene: Scene) -> Numbers:
    """Mean scores and slopes of the critic after its update, at the batch it was updated on.

    In evaluation mode: measuring must not move BatchNorm's statistics or spectral norm's vectors, else a run would
    depend on how often it is logged.
    """
    with evaluating(scene.network("critic"), scene.network("generator")):
        return _critic_numbers(scene)


@contextmanager
def evaluating(*networks: nn.Module) -> Iterator[None]:
    """Evaluation mode within; every module's own mode is restored."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    try:
        for network in networks:
            network.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


def _critic_numbers(scene: Scene) -> Numbers:
    real, real_slope = input_gradient(scene.critic, scene.real)
    fake, fake_slope = input_gradient(scene.critic, scene.fake)
    latent_slope = latent_gradient(lambda x: scene.critic(x).sigmoid(), scene.generator, scene.z)
    numbers: dict[str, Any] = {
        "critic/score_real": real.mean(),
        "critic/score_fake": fake.mean(),
        "slope/real": norm(real_slope).mean(),
        "slope/fake": norm(fake_slope).mean(),
        "slope/latent": norm(latent_slope).mean(),
    }
    return {name: value.detach() for name, value in numbers.items()}
