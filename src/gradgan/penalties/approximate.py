"""R1 and R2 by finite differences, for critics that cannot be differentiated twice."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.utils import parametrize

from ..core.checks import GradganError, batch_of, finite, same_kind, scores_of, separate_samples
from ..core.rng import normal
from ..core.scene import Scene
from ..core.types import Critic, Samples, Scores
from .centered import r1, r2
from .penalty import PENALTIES
from .points import Points, at_fake, at_real


@dataclass(frozen=True)
class ApproximatePenalty:
    """Half the squared difference of two scores a small random step apart, over the step's squared size.

        v(x) = 1/2 (D(x + sigma e) - D(x))^2 / sigma^2, e ~ N(0, I) per sample

    It needs first derivatives only, so it works where double backward does not: fused attention, compiled critics,
    reentrant checkpointing, FSDP2. With g = grad D and H the Hessian at x, the difference is
    sigma e.g + sigma^2/2 e'He + ..., and therefore

        E v   = 1/2 ||g||^2 + sigma^2/2 (((tr H)^2 + 2 ||H||_F^2) / 4 + g . grad tr H) + O(sigma^4)
        Var v = 1/2 ||g||^4 + O(sigma^2): a standard deviation of sqrt(2) times the value, for one sample and draw

    A critic with kinks has H = 0 almost everywhere, but steps across a kink make the mean over the data O(sigma) too
    low: by sigma/12 (jump of the slope)^2 E |e|^3 for each unit of the data's density there. docs/approximate.md
    has both measured. Each call costs two forwards and two backwards of the batch.
    """

    name: str
    at: Points
    sigma: float
    payers: tuple[str, ...] = ("critic",)
    per_sample: ClassVar[bool] = True

    def __call__(
        self, critic: Critic, real: Samples, fake: Samples | None = None, *, rng: torch.Generator | None = None
    ) -> Scores:
        """The penalty's value for each sample, from one draw.

        Both scores come from the same weights and the same dropout masks. Raises GradganError for batches of different
        shapes, a critic that mixes samples (BatchNorm: the step of one sample would move the scores of the others) or
        does not return one score per sample, and for a missing `fake` where it is needed.
        """
        batch_of(real, caller=self.name, what="real")
        if fake is not None:
            same_kind(real, fake, caller=self.name)
        separate_samples(critic, caller=self.name)
        x = self.at(real, fake, rng)
        step = self.sigma * normal(x.shape, rng=rng, like=x)
        here, there = self._scores(critic, x, x + step)
        return ((there - here) / self.sigma).square() / 2

    def _scores(self, critic: Critic, x: Samples, near: Samples) -> tuple[Scores, Scores]:
        """The scores of x and of what is near, float32 at least, so that nothing else than the step tells them apart.

        Divided by sigma, another dropout mask or one more power iteration of spectral norm would drown the slope.
        """
        with parametrize.cached():
            with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):
                here = scores_of(critic(x), len(x), caller=self.name)
            there = scores_of(critic(near), len(x), caller=self.name)
        half = here.dtype in (torch.bfloat16, torch.float16)
        return (here.float(), there.float()) if half else (here, there)

    def on(self, scene: Scene) -> Scores:
        """The value in a training step."""
        separate_samples(scene.network("critic"), caller=self.name)
        return self(scene.network("critic") if scene.labels is None else scene.critic,
                    scene.real, scene.fake, rng=scene.rng)  # fmt: skip


@PENALTIES.add(
    name="approximate_r1",
    paper="arXiv:2501.08316",
    on_linear=lambda slope: slope**2 / 2,
    unit="score²/unit²",
    estimates=r1,
)
def make_approximate_r1(sigma: float = 0.01) -> ApproximatePenalty:
    """Approximate R1: half the squared difference of scores a random step from each real sample, over the step's size.

        approximate_r1(x) = 1/2 (D(x + sigma e) - D(x))^2 / sigma^2, e ~ N(0, I)     weight = r1's gamma

    On average it is r1, because E (e.g)^2 = ||g||^2; one draw has a standard deviation of sqrt(2) times that. The paper
    charges lambda (D(x + sigma e) - D(x))^2 undivided: its lambda is 2 lambda sigma^2 here. `sigma` is in the data's
    unit. Scores that the critic computed in bfloat16 carry rounding of 0.004 |D| / sigma: keep it in float32.
    Use torch.nn.utils.parametrizations.spectral_norm: the older torch.nn.utils.spectral_norm changes the weights
    between the two calls.
    Shapes: real (n, *event) -> (n,).    Paper: Lin et al. 2025, arXiv:2501.08316.
    """
    return ApproximatePenalty("approximate_r1", at_real, _step(sigma, "approximate_r1"))


@PENALTIES.add(
    name="approximate_r2",
    paper="arXiv:2501.08316",
    on_linear=lambda slope: slope**2 / 2,
    unit="score²/unit²",
    estimates=r2,
)
def make_approximate_r2(sigma: float = 0.01) -> ApproximatePenalty:
    """Approximate R2: half the squared difference of scores a random step from each fake sample, over the step's size.

        approximate_r2(z) = 1/2 (D(x + sigma e) - D(x))^2 / sigma^2 at x = G(z), e ~ N(0, I)    weight = r2's gamma

    Paid by the critic only: the point is G(z) without its graph. Otherwise as approximate_r1.
    Shapes: fake (n, *event) -> (n,).    Paper: Lin et al. 2025, arXiv:2501.08316.
    """
    return ApproximatePenalty("approximate_r2", at_fake, _step(sigma, "approximate_r2"))


def _step(sigma: float, name: str) -> float:
    if finite(sigma, what=f"{name}.sigma", minimum=0) == 0:
        raise GradganError(f"{name}.sigma must be > 0, got 0. Where double backward works, use {name[-2:]} itself.")
    return float(sigma)


approximate_r1 = make_approximate_r1()
approximate_r2 = make_approximate_r2()
