"""VAE-GAN: an encoder joins any system as a player and gives half of the latents of every step.

encoder:   kl E KL(q(z|x) || N(0, I)) + reconstruction E ||phi(x) - phi(G(z))||^2 / k,   z ~ q(z|x)
generator: its system's loss, on prior and posterior latents alike, + the same reconstruction
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from ..core.checks import GradganError, finite
from ..core.rng import normal
from ..core.scene import Scene
from ..core.types import Labels, Latents, Samples, Scores
from ..training.objective import Player, Term
from .system import Extra, System

Of = Literal["samples", "features"]


def variational(system: System, *, reconstruction: float = 1.0, kl: float = 0.1, of: Of = "samples") -> System:
    """The system with an encoder as a third player (Larsen et al. 2016, arXiv:1512.09300).

    The first half of each step's latents stays the prior's, the second half is drawn from q(z|x) of that half of the
    real batch, so every loss and penalty of the system sees both. `of="features"` measures the reconstruction in the
    critic's penultimate features, as the paper does; `of="samples"` in the samples themselves.
    """
    if any(extra.player.name == "encoder" for extra in system.extras):
        raise GradganError(f"system {system.name!r} has an encoder already.")
    if of not in ("samples", "features"):
        raise GradganError(f"variational.of must be samples or features, got {of!r}.")
    finite(reconstruction, what="variational.reconstruction", minimum=0)
    finite(kl, what="variational.kl", minimum=0)
    rebuild = Term(Reconstruction(of), weight=reconstruction)
    encoder = Player("encoder", None, (rebuild, Term(Divergence(), weight=kl)))
    return replace(
        system,
        terms=(*system.terms, rebuild),
        extras=(*system.extras, Extra(encoder, "encoder")),
        latents=posterior_half,
    )


def encode(encoder: nn.Module, x: Samples, labels: Labels | None) -> tuple[Tensor, Tensor]:
    """Mean and log variance of q(z|x), the latter kept within [-10, 10] so that its exponential stays finite."""
    mean, log_variance = encoder(x) if labels is None else encoder(x, labels)
    return mean, log_variance.clamp(-10.0, 10.0)


def posterior_half(networks: Mapping[str, nn.Module], real: Samples, labels: Labels | None, z: Latents) -> Tensor:
    """Prior latents for the first half of the batch, q(z|x)'s for the second; z is the noise of both."""
    half = len(z) // 2
    with torch.no_grad():
        mean, log_variance = encode(networks["encoder"], real[half:], None if labels is None else labels[half:])
        return torch.cat([z[:half], mean + (log_variance / 2).exp() * z[half:]])


def features_of(critic: nn.Module) -> Callable[[Samples], Tensor]:
    """The critic's penultimate features as a function."""
    features = getattr(critic, "features", None)
    if not callable(features):
        raise GradganError(
            f"variational.of=features wants a critic with a method features(x), {type(critic).__name__} has none. "
            "Give it one, or use variational.of=samples."
        )
    return cast("Callable[[Samples], Tensor]", features)


@dataclass(frozen=True)
class Reconstruction:
    """Mean squared error of G(z), z ~ q(z|x), against x, per sample."""

    of: Of = "samples"
    name: str = "reconstruction"
    payers: tuple[str, ...] = ("generator", "encoder")
    per_sample: ClassVar[bool] = False

    def on(self, scene: Scene) -> Scores:
        """The error of every sample of the real batch; the noise is the step's prior noise, drawn again."""
        mean, log_variance = encode(scene.network("encoder"), scene.real, scene.labels)
        noise = normal(mean.shape, rng=scene.rng, like=mean)
        rebuilt = scene.generator(mean + (log_variance / 2).exp() * noise)
        if self.of == "features":
            features = features_of(scene.network("critic"))
            return (features(rebuilt) - features(scene.real)).square().flatten(1).mean(1)
        return (rebuilt - scene.real).square().flatten(1).mean(1)


@dataclass(frozen=True)
class Divergence:
    """KL(q(z|x) || N(0, I)) per latent dimension: 1/2 mean_k (mean^2 + variance - 1 - log variance)."""

    name: str = "kl"
    payers: tuple[str, ...] = ("encoder",)
    per_sample: ClassVar[bool] = False

    def on(self, scene: Scene) -> Scores:
        """The divergence of every sample of the real batch."""
        mean, log_variance = encode(scene.network("encoder"), scene.real, scene.labels)
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(1)
