"""What a penalty is: data that says where x what x how, callable in anybody's loop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ..core.catalog import Catalog
from ..core.checks import GradganError, batch_of, same_kind, separate_samples
from ..core.gradients import input_gradient, latent_gradient, parameter_gradient, squared_norm
from ..core.scene import Scene
from ..core.types import Critic, Generator, Latents, Samples, Scalar, Scores
from .points import Points
from .profile import Profile

PENALTIES = Catalog("penalty", facts=("on_linear", "unit"))
"""Every penalty by name. Facts: `on_linear`, its value as a function of the slope of a linear critic (score 0 where the
probability matters); `unit`, the unit of its value."""

Of = Literal["score", "probability"]


@dataclass(frozen=True)
class InputGradientPenalty:
    """Score differentiated by sample, at `points`, charged by `profile`.

    Call it with any critic and samples of any shape: `penalty(critic, real, fake, rng=None) -> (n,)`, one unweighted
    value per sample. Only the critic's parameters can receive a gradient from it: points carry no graph.
    """

    name: str
    points: Points
    profile: Profile
    payers: tuple[str, ...] = ("critic",)
    per_sample: ClassVar[bool] = True

    def __call__(
        self, critic: Critic, real: Samples, fake: Samples | None = None, *, rng: torch.Generator | None = None
    ) -> Scores:
        """The penalty's value for each sample.

        Raises GradganError for batches of different shapes, a critic that mixes samples (BatchNorm) or that does not
        return one score per sample, and for a missing `fake` where the points need it.
        """
        batch_of(real, caller=self.name, what="real")
        if fake is not None:
            same_kind(real, fake, caller=self.name)
        _, gradient = input_gradient(critic, self.points(real, fake, rng), caller=self.name)
        return self.profile(gradient)

    def on(self, scene: Scene) -> Scores:
        """The value in a training step."""
        separate_samples(scene.network("critic"), caller=self.name)
        return self(scene.network("critic") if scene.labels is None else scene.critic,
                    scene.real, scene.fake, rng=scene.rng)  # fmt: skip


@dataclass(frozen=True)
class LatentPenalty:
    """The critic's probability (or score) of G(z) differentiated by the latent, squared norm times `sign`.

    `penalty(critic, generator, z) -> (n,)`. The gradient reaches the parameters of both networks; in a training step
    only the paying player's are kept.
    """

    name: str
    payers: tuple[str, ...]
    of: Of = "probability"
    sign: float = 1.0
    per_sample: ClassVar[bool] = True

    def __call__(self, critic: Critic, generator: Generator, z: Latents) -> Scores:
        """The penalty's value for each latent; raises GradganError for latents without a batch dimension."""
        # Before the sigmoid hides the layers in a function.
        separate_samples(critic, caller=self.name)
        separate_samples(generator, caller=self.name, who="generator")
        judge = probability_of(critic) if self.of == "probability" else critic
        return self.sign * squared_norm(latent_gradient(judge, generator, z, caller=self.name))

    def on(self, scene: Scene) -> Scores:
        """The value in a training step."""
        separate_samples(scene.network("critic"), caller=self.name)
        separate_samples(scene.network("generator"), caller=self.name, who="generator")
        return self(scene.critic, scene.generator, scene.z)


@dataclass(frozen=True)
class ParameterPenalty:
    """Squared norm of the gradient of the mean probability by the payer's own parameters; one value per batch.

    `penalty(value, parameters) -> ()` with any number `value` computed from `parameters`.
    """

    name: str
    payers: tuple[str, ...]
    of: Of = "probability"
    per_sample: ClassVar[bool] = False

    def __call__(self, value: Scalar, parameters: "torch.nn.Module | list[Tensor]") -> Scalar:
        """||grad_parameters value||^2 over all parameters together: () -> ()."""
        return squared_length(parameter_gradient(value, parameters_of(parameters), caller=self.name))

    def on(self, scene: Scene) -> Scalar:
        """The value in a training step: of E P(x) for the critic, of E P(G(z)) for the generator."""
        scores = scene.real_scores if scene.payer == "critic" else scene.fake_scores
        value = scores.sigmoid() if self.of == "probability" else scores
        (gradient,) = scene.parameter_gradients({scene.payer: value.mean()}, caller=self.name)
        return squared_length(gradient)


def squared_length(gradient: Sequence[Tensor]) -> Scalar:
    """||g||^2 over all parameters together: () for a gradient in any number of pieces."""
    return torch.stack([g.square().sum() for g in gradient]).sum()


def parameters_of(owner: "torch.nn.Module | Iterable[Tensor]") -> Iterable[Tensor]:
    """A network's parameters, or those that were given."""
    return owner.parameters() if isinstance(owner, torch.nn.Module) else owner


def probability_of(critic: Critic) -> Critic:
    """P = sigmoid(D), as a callable."""
    return lambda x: torch.sigmoid(critic(x))


def one_of(value: str, known: tuple[str, ...], *, what: str) -> None:
    """Refuse a word that is not among the known ones."""
    if value not in known:
        raise GradganError(f"{what} must be one of {', '.join(known)}, got {value!r}.")
