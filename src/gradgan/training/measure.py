"""What is measured beside training, in evaluation mode, so that a run does not depend on how often it is logged."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..core.checks import scores_of
from ..core.gradients import input_gradient, latent_gradient, norm
from ..core.scene import Scene
from . import signs
from .objective import Player
from .state import Numbers, State


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


def critic_numbers(scene: Scene) -> Numbers:
    """Scores and slopes of the critic after its update, at the batch it was updated on, and what they are worth.

    Evaluation mode keeps BatchNorm's statistics and spectral norm's vectors where they were.
    """
    with evaluating(scene.network("critic"), scene.network("generator")):
        real, real_slope = input_gradient(scene.critic, scene.real)
        fake, fake_slope = input_gradient(scene.critic, scene.fake)
        latent_slope = latent_gradient(lambda x: scene.critic(x).sigmoid(), scene.generator, scene.z)
    numbers = {
        "critic/score_real": real.mean(),
        "critic/score_fake": fake.mean(),
        "critic/told": signs.told(real, fake),
        "generator/pull": signs.pull(scene.loss, real, fake),
        "slope/real": norm(real_slope).mean(),
        "slope/fake": norm(fake_slope).mean(),
        "slope/latent": norm(latent_slope).mean(),
    }
    return {name: value.detach() for name, value in numbers.items()}


def vital_signs(state: State, scene: Scene) -> Numbers:
    """Diversity of the generated batch, the generator's unrest, and the critic's memory where samples are held out."""
    numbers: Numbers = {}
    with torch.no_grad(), evaluating(scene.network("critic"), scene.network("generator"), state.generator):
        if len(scene.real) > 1:
            fake = scene.generator(scene.z)
            averaged = state.generator(scene.z) if scene.labels is None else state.generator(scene.z, scene.labels)
            numbers |= signs.diversity(scene.real, fake)
            numbers["generator/unrest"] = signs.unrest(scene.real, fake, averaged)
        if state.held_out is not None:
            kept, labels = state.held_out.batch(state.step, len(scene.real))
            critic = scene.network("critic")
            scores = critic(kept) if scene.labels is None else critic(kept, labels)
            scores = scores_of(scores, len(kept), caller="critic").float()
            numbers["critic/score_held_out"] = scores.mean()
            numbers["critic/memory"] = signs.told(scene.critic(scene.real), scores)
    return numbers


def forces(player: Player, scene: Scene, *, progress: float) -> Numbers:
    """How hard each penalty pulls at its payer's parameters, beside the payer's loss.

        force = P / (P + L),  P = ||weight x schedule x grad_theta mean penalty||,  L = ||grad_theta mean loss||

    0: it does nothing; 1/2: it pulls as hard as the loss; 1: the loss is swamped. A lazy penalty is measured whether or
    not it is due, by what it pays on average. Its chance comes from a stream of its own, the same at every call.
    """
    paid = [term for term in player.terms if term.weight > 0]
    if player.loss is None or not paid:
        return {}
    again = scene.again()
    again.rng = torch.Generator(scene.real.device).manual_seed(0)
    parameters = list(scene.parameters(player.name))
    with evaluating(*scene.networks.values()), torch.enable_grad():
        beside = _length(player.loss(again).mean(), parameters)
        numbers = {}
        for term in paid:
            value = (term.factor(progress) / term.every) * term.penalty.on(again).mean()
            length = _length(value, parameters)
            numbers[f"force/{player.name}/{term.name}"] = torch.where(length == 0, length, length / (length + beside))
    return numbers


def _length(value: Tensor, parameters: list[nn.Parameter]) -> Tensor:
    """||d value / d parameters||, 0 where the value does not depend on them."""
    if not value.requires_grad:
        return torch.zeros((), device=value.device)
    found = torch.autograd.grad(value, parameters, allow_unused=True, retain_graph=True)
    return torch.nn.utils.get_total_norm([gradient for gradient in found if gradient is not None])
