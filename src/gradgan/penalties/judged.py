"""Penalties set by a third player Q, the gradient optimisation network (GON), that judges the critic's gradients."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as fn

from ..core.checks import scores_of, separate_samples
from ..core.gradients import input_gradient, sample_gradient
from ..core.scene import Scene
from ..core.types import Samples, Scores
from .penalty import PENALTIES

GON = "gon"
"""The third player's name: the key of its network, its optimiser and its numbers."""


def critic_field(scene: Scene, x: Samples, *, through: bool = False) -> Samples:
    """g(x) = grad_x D(x), the critic's gradient field; constant unless `through`, then it can be followed along x."""
    # The scene's critic is a function, in which layers cannot be looked for.
    separate_samples(scene.network("critic"), caller="gc_gan")
    _, field = input_gradient(scene.critic, x, through=through, caller="gc_gan")
    return field if through else field.detach()


def judged(scene: Scene, field: Samples) -> Scores:
    """q(field), the third player's score of a gradient field."""
    return scores_of(scene.network(GON)(field), len(field), caller=GON)


@dataclass(frozen=True)
class GonPublished:
    """The printed reading: the generator is told to make gradients that Q says 1 to, and Q is told to say 1 always."""

    name: str = "gon_published"
    payers: tuple[str, ...] = ("critic", "generator")
    per_sample: ClassVar[bool] = True

    def on(self, scene: Scene) -> Scores:
        """softplus(-q(g(G(z)))) for the generator; for the critic softplus(-q(g(x))), constant as printed."""
        if scene.payer == "critic":
            with torch.no_grad():
                return fn.softplus(-judged(scene, critic_field(scene, scene.real)))
        return fn.softplus(-judged(scene, critic_field(scene, scene.fake, through=True)))

    def judge_loss(self, scene: Scene) -> Scores:
        """What Q minimises: -softplus(q(g(G(z)))) - softplus(q(g(x))), unbounded below as q grows."""
        fake = judged(scene, critic_field(scene, scene.fake))
        real = judged(scene, critic_field(scene, scene.real))
        return -fn.softplus(fake) - fn.softplus(real)


@dataclass(frozen=True)
class GonMatching:
    """The sound reading: Q is a critic of gradient fields, and the generator makes fake fields look like real ones."""

    name: str = "gon_matching"
    payers: tuple[str, ...] = ("generator",)
    per_sample: ClassVar[bool] = True

    def on(self, scene: Scene) -> Scores:
        """softplus(-q(g(G(z)))): reaches the generator only through a critic whose slope varies (SiLU, softplus)."""
        return fn.softplus(-judged(scene, critic_field(scene, scene.fake, through=True)))

    def judge_loss(self, scene: Scene) -> Scores:
        """What Q minimises: softplus(-q(g(x))) + softplus(q(g(G(z))))."""
        real = judged(scene, critic_field(scene, scene.real))
        fake = judged(scene, critic_field(scene, scene.fake))
        return fn.softplus(-real) + fn.softplus(fake)


@dataclass(frozen=True)
class GonSynthetic:
    """Q predicts the generator's gradient at a sample; the generator follows a blend of the true and predicted one."""

    name: str = "gon_synthetic"
    payers: tuple[str, ...] = ("generator",)
    per_sample: ClassVar[bool] = True

    def on(self, scene: Scene) -> Scores:
        """<Q(x) - grad_x L(x), x> with the bracket's left side held fixed, x = G(z), L the generator's loss.

        Its gradient by x is Q(x) - grad_x L(x): added with weight a to L, the generator follows (1 - a) true + a Q.
        """
        separate_samples(scene.network("critic"), caller="gc_gan")
        true = sample_gradient(scene.generator_loss(), scene.fake)
        with torch.no_grad():
            ahead = scene.network(GON)(scene.fake) - true
        return (ahead * scene.fake).flatten(1).sum(1)

    def judge_loss(self, scene: Scene) -> Scores:
        """What Q minimises: ||Q(x) - grad_x L(x)||^2 at x = G(z)."""
        separate_samples(scene.network("critic"), caller="gc_gan")
        with torch.enable_grad():
            fake = scene.fake.detach().requires_grad_(True)
            real = scene.real_scores.detach() if scene.loss.needs_real else None
            values = scene.loss.generator(real, scene.critic(fake))
            target = sample_gradient(values, fake)
        return (scene.network(GON)(fake.detach()) - target).square().flatten(1).sum(1)


@PENALTIES.add(name="gon_published", paper="GC-GAN", on_linear=lambda slope: math.log(2), unit="nat", judge="critic")
def make_gon_published() -> GonPublished:
    """GC-GAN as printed: the generator pays softplus(-q(g(G(z)))), while Q is pushed to say 1 everywhere.

        g(x) = grad_x D(x), q = Q's score; Q minimises -softplus(q(g(G(z)))) - softplus(q(g(x)))
        weight = what multiplies it in the generator's loss, 1 as printed

    Q's loss has no minimum and its judgement soon carries nothing: see docs/systems.md. At q = 0 the value is log 2.
    Source: system 5 of docs/systems.md, published.
    """
    return GonPublished()


@PENALTIES.add(name="gon_matching", paper="GC-GAN", on_linear=lambda slope: math.log(2), unit="nat", judge="critic")
def make_gon_matching() -> GonMatching:
    """GC-GAN, matching: the generator pays softplus(-q(g(G(z)))), Q tells real from fake gradient fields.

        g(x) = grad_x D(x); Q minimises softplus(-q(g(x))) + softplus(q(g(G(z))))
        weight = what multiplies it in the generator's loss

    Needs a smooth critic: with ReLU-like ones g is piecewise constant and no gradient reaches G. At q = 0: log 2.
    Source: system 5 of docs/systems.md, matching.
    """
    return GonMatching()


@PENALTIES.add(name="gon_synthetic", paper="arXiv:1608.05343", on_linear=lambda slope: 0.0, unit="nat", judge="field")
def make_gon_synthetic() -> GonSynthetic:
    """GC-GAN, synthetic: the generator follows (1 - weight) times its true gradient plus weight times Q's prediction.

        Q minimises ||Q(x) - grad_x L(x)||^2 at x = G(z); weight = a in [0, 1]

    The value itself is only a carrier of that gradient. At D = 0 and Q = 0 with x across the slope it is 0.
    Sources: system 5 of docs/systems.md, synthetic; cf. Jaderberg et al. 2016, arXiv:1608.05343.
    """
    return GonSynthetic()
