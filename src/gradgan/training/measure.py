"""What is measured beside training, in evaluation mode, so that a run does not depend on how often it is logged."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from ..core.gradients import input_gradient, latent_gradient, norm
from ..core.scene import Scene
from .state import Numbers


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
    """Mean scores and slopes of the critic after its update, at the batch it was updated on.

    Evaluation mode keeps BatchNorm's statistics and spectral norm's vectors where they were.
    """
    with evaluating(scene.network("critic"), scene.network("generator")):
        real, real_slope = input_gradient(scene.critic, scene.real)
        fake, fake_slope = input_gradient(scene.critic, scene.fake)
        latent_slope = latent_gradient(lambda x: scene.critic(x).sigmoid(), scene.generator, scene.z)
    numbers = {
        "critic/score_real": real.mean(),
        "critic/score_fake": fake.mean(),
        "slope/real": norm(real_slope).mean(),
        "slope/fake": norm(fake_slope).mean(),
        "slope/latent": norm(latent_slope).mean(),
    }
    return {name: value.detach() for name, value in numbers.items()}
