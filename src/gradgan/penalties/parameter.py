"""Penalties on parameter gradients: GP-GAN's, and consensus optimisation's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..core.checks import GradganError
from ..core.gradients import parameter_gradient
from ..core.scene import Scene
from ..core.types import Scalar
from .penalty import PENALTIES, Of, ParameterPenalty, one_of, parameters_of, squared_length


@PENALTIES.add(name="gp_gan", paper="GP-GAN", on_linear=lambda slope: slope**2 / 16, unit="probability²/parameter²")
def make_gp_gan(of: Of = "probability") -> ParameterPenalty:
    """GP-GAN: the squared norm of the gradient of the mean probability by the payer's own parameters.

        critic pays    ||grad_thetaD E P(x)||^2                                weight = lambda
        generator pays ||grad_thetaG E P(G(z))||^2

    Over all parameters together, of the batch mean: one value per batch. `of="score"` takes D instead of P.
    On a linear critic D = w.x at w = 0 its value is ||E x||^2 / 16.    Source: system 3 of docs/systems.md.
    """
    one_of(of, ("probability", "score"), what="gp_gan.of")
    return ParameterPenalty("gp_gan", payers=("critic", "generator"), of=of)


@dataclass(frozen=True)
class ConsensusPenalty:
    """Half the squared norm of the game's whole vector field; `penalty(losses, parameters)` in anybody's loop."""

    name: str = "consensus"
    payers: tuple[str, ...] = ("critic", "generator")
    per_sample: ClassVar[bool] = False

    def __call__(self, losses: tuple[Scalar, ...], parameters: "tuple[torch.nn.Module | list[Tensor], ...]") -> Scalar:
        """1/2 sum_k ||grad of losses[k] by parameters[k]||^2: one loss and one network or list of parameters per
        player. Raises GradganError for more of the ones than of the others."""
        for what, given in (("losses", losses), ("parameters", parameters)):
            if not isinstance(given, tuple | list):
                raise GradganError(
                    f"consensus: {what} must be a tuple with one entry per player, got {type(given).__name__}. "
                    "Write consensus((critic_loss, generator_loss), (critic, generator))."
                )
        if len(losses) != len(parameters):
            raise GradganError(
                f"consensus: got {len(losses)} losses and parameters of {len(parameters)} players, wanted as many. "
                "Write consensus((critic_loss, generator_loss), (critic, generator))."
            )
        pairs = zip(losses, parameters, strict=True)
        return _half_squares(parameter_gradient(loss, parameters_of(own), caller=self.name) for loss, own in pairs)

    def on(self, scene: Scene) -> Scalar:
        """The value in a training step; both losses are recomputed with the graph through both networks."""
        real = scene.real_scores
        fake = scene.critic(scene.generator(scene.z))
        losses = {
            "critic": scene.loss.critic(real, fake).mean(),
            "generator": scene.loss.generator(real, fake).mean(),
        }
        return _half_squares(scene.parameter_gradients(losses, caller=self.name))


def _half_squares(gradients: Iterable[tuple[Tensor, ...]]) -> Scalar:
    """1/2 sum_k ||g_k||^2 for the gradient of each player."""
    return torch.stack([squared_length(gradient) for gradient in gradients]).sum() / 2


@PENALTIES.add(name="consensus", paper="arXiv:1705.10461", on_linear=lambda slope: slope**2 / 8, unit="nat²/parameter²")
def make_consensus() -> ConsensusPenalty:
    """Consensus optimisation: each player pays for half the squared norm of both players' loss gradients.

        consensus = 1/2 (||grad_thetaD L_D||^2 + ||grad_thetaG L_G||^2)       weight = the paper's gamma

    One value per batch. On the Dirac-GAN with critic slope psi at theta = 0: psi^2 / 8.
    Paper: Mescheder et al. 2017, arXiv:1705.10461, eq. 9.
    """
    return ConsensusPenalty()


gp_gan = make_gp_gan()
consensus = make_consensus()
