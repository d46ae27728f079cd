"""What one player's step sees: the batch, the networks with the labels bound, and what was computed from them, once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .checks import GradganError, scores_of
from .gradients import parameter_gradient
from .types import Labels, Latents, Samples, Scalar, Scores
from .world import World


@runtime_checkable
class LossLike(Protocol):
    """An adversarial loss as the scene needs it; `gradgan.losses.Loss` is one."""

    @property
    def needs_real(self) -> bool:
        """Does the generator's loss read the real samples' scores?"""
        ...

    def critic(self, real: Scores, fake: Scores) -> Scores:
        """The critic's loss per pair."""
        ...

    def generator(self, real: Scores | None, fake: Scores) -> Scores:
        """The generator's loss per sample."""
        ...


class Scene:
    """One step of one player.

    `payer` is the player whose parameters will receive the gradient. Players that make samples (the generator, and an
    encoder that learns through it) see `fake` with its graph; the others see it detached, made without a graph.
    """

    makers = ("generator", "encoder")

    def __init__(
        self,
        *,
        payer: str,
        networks: Mapping[str, nn.Module],
        loss: LossLike,
        real: Samples,
        z: Latents,
        labels: Labels | None = None,
        rng: torch.Generator | None = None,
        world: World | None = None,
    ) -> None:
        """`labels` are the real samples'; the fakes of the step are made for the same ones. `world`: the ranks that
        share the batch, of which `real`, `z` and `labels` are this one's part."""
        self.payer = payer
        self.networks = networks
        self.world = world or World()
        self.loss = loss_of_all(loss, self.world)
        self.real = real
        self.z = z
        self.labels = labels
        self.rng = rng

    def again(self, networks: Mapping[str, nn.Module] | None = None) -> "Scene":
        """The same scene with nothing computed yet, by these networks if they are given."""
        return Scene(
            payer=self.payer,
            networks=networks or self.networks,
            loss=self.loss,
            real=self.real,
            z=self.z,
            labels=self.labels,
            rng=self.rng,
            world=self.world,
        )

    def network(self, name: str) -> nn.Module:
        """The network of player `name`."""
        if name not in self.networks:
            raise GradganError(f"this system has no player {name!r}; it has {', '.join(self.networks)}.")
        return self.networks[name]

    def parameters(self, name: str) -> Iterable[nn.Parameter]:
        """The parameters of player `name`."""
        return self.network(name).parameters()

    def parameter_gradients(self, values: Mapping[str, Scalar], *, caller: str) -> list[tuple[Tensor, ...]]:
        """The gradient of each player's value, a mean over the batch, by that player's parameters, ready for a second
        backward. With several ranks it is the gradient of the mean over the global batch, on each of them."""
        own = [parameter_gradient(value, self.parameters(name), caller=caller) for name, value in values.items()]
        pieces = iter(self.world.mean([piece for gradient in own for piece in gradient]))
        return [tuple(next(pieces) for _ in gradient) for gradient in own]

    def critic(self, x: Samples) -> Scores:
        """The critic's scores of x, one per sample, for this batch's labels."""
        network = self.network("critic")
        scores = network(x) if self.labels is None else network(x, self.labels)
        return _wide(scores_of(scores, len(x), caller="critic"))

    def generator(self, z: Latents) -> Samples:
        """The generator's samples at z, for this batch's labels."""
        network = self.network("generator")
        return _wide(network(z) if self.labels is None else network(z, self.labels))

    @cached_property
    def fake(self) -> Samples:
        """G(z): with its graph for the players that make samples, without one for the others."""
        if self.payer in self.makers:
            return self.generator(self.z)
        with torch.no_grad():
            return self.generator(self.z)

    @cached_property
    def real_scores(self) -> Scores:
        """D(x) of the real batch."""
        return self.critic(self.real)

    @cached_property
    def fake_scores(self) -> Scores:
        """D(G(z)) of the step's latents."""
        return self.critic(self.fake)

    def critic_loss(self) -> Scores:
        """The critic's adversarial loss per pair."""
        return self.loss.critic(self.real_scores, self.fake_scores)

    def generator_loss(self) -> Scores:
        """The generator's adversarial loss per sample; real scores are computed only for losses that read them."""
        real = None
        if self.loss.needs_real:
            # Not self.real_scores: kept without its graph, it would silence a penalty that reads it later (consensus).
            with torch.no_grad():
                real = self.critic(self.real)
        return self.loss.generator(real, self.fake_scores)


@dataclass(frozen=True)
class LossOfAll:
    """A loss that compares each score with those of the whole batch, which several ranks share.

    Each value is given to the rank that owns its sample, in the graph of every rank's scores.
    """

    loss: LossLike
    world: World
    whole_batch: ClassVar[bool] = False

    @property
    def needs_real(self) -> bool:
        """As the loss says."""
        return self.loss.needs_real

    def critic(self, real: Scores, fake: Scores) -> Scores:
        """The critic's loss for this rank's pairs."""
        return self.loss.critic(self.world.gather(real), self.world.gather(fake))[self.world.part]

    def generator(self, real: Scores | None, fake: Scores) -> Scores:
        """The generator's loss for this rank's samples."""
        everywhere = None if real is None else self.world.gather(real)
        return self.loss.generator(everywhere, self.world.gather(fake))[self.world.part]


def loss_of_all(loss: LossLike, world: World) -> LossLike:
    """The loss as a scene of several ranks needs it; one that does not say `whole_batch` is given the whole batch."""
    return LossOfAll(loss, world) if world.size > 1 and getattr(loss, "whole_batch", True) else loss


def _wide(x: Tensor) -> Tensor:
    """What a network gave under autocast, in float32: losses and penalties are never computed in half precision."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


@runtime_checkable
class Penalty(Protocol):
    """What a penalty is to those who compose it: a value per sample (n,), or per batch (), without its weight."""

    per_sample: ClassVar[bool]
    """Does it look at each sample's own gradient, which a critic that mixes samples does not have?"""

    @property
    def name(self) -> str:
        """The key in its catalog, in configs and in logs."""
        ...

    @property
    def payers(self) -> tuple[str, ...]:
        """The players that pay for it unless told otherwise."""
        ...

    def on(self, scene: Scene) -> Scores | Scalar | Tensor:
        """The unweighted value in this scene."""
        ...
