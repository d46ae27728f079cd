"""How steep the networks are: slopes of the critic by the sample, sensitivity of the generator to its latent."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.checks import GradganError, same_shape
from ..core.gradients import input_gradient, norm
from ..core.types import Critic
from .estimate import Estimate, binomial_errors, mean
from .metric import METRICS, CriticInput, GeneratorInput, Metric

_STREAM = 0
"""Seed of what is drawn here: the same points for every critic."""
_BATCH = 256
_STEP = 0.01
"""Of the latent, to either side: the derivative to about 1e-4 in float32. Forward-mode differentiation would be exact,
but not every layer has it."""


@dataclass(frozen=True)
class SlopeHistogram:
    """Counts of ||grad_x D(x)|| between `edges`, one more than there are counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    errors: tuple[float, ...]
    """Of the counts, one standard error each, binomial; a bin that is empty may yet be filled."""


def slope_histogram(critic: Critic, x: Tensor, *, bins: int = 20) -> SlopeHistogram:
    """How the critic's slopes at x (n, *event) are spread, from 0 to the largest, in equal bins; score/unit.

    Raises GradganError where one is no finite number.
    """
    slopes = _slopes(critic, x)
    if not bool(slopes.isfinite().all()):
        broken = int((~slopes.isfinite()).sum())
        raise GradganError(f"{broken} of {len(x)} slopes are not finite: the critic or the samples are broken.")
    return _binned(slopes, bins, float(slopes.max()))


def slope_histograms(given: CriticInput, *, bins: int = 30) -> dict[str, SlopeHistogram]:
    """`slope_histogram` at the real samples, at the generated ones, and between them, all in the same bins.

    A place where a slope is no finite number, as a diverged critic's, has none.
    """
    labels = () if given.labels is None else (given.labels,)
    places = {"real": given.real, "fake": given.fake, "between": _between(given)}
    found = {place: _slopes(given.critic, x, *labels) for place, x in places.items()}
    found = {place: slopes for place, slopes in found.items() if bool(slopes.isfinite().all())}
    largest = max((float(slopes.max()) for slopes in found.values()), default=0.0)
    return {place: _binned(slopes, bins, largest) for place, slopes in found.items()}


def _binned(slopes: Tensor, bins: int, largest: float) -> SlopeHistogram:
    counts, edges = np.histogram(slopes.cpu().numpy(), bins=bins, range=(0.0, largest or 1.0))
    errors = len(slopes) * binomial_errors(counts, len(slopes))
    return SlopeHistogram(tuple(map(float, edges)), tuple(map(int, counts)), tuple(map(float, errors)))


@METRICS.add(paper="arXiv:1704.00028", needs="critic", best=None, better="neither", on_linear=lambda slope: slope)
def critic_slope() -> Metric:
    """Critic slope: mean ||grad_x D(x)|| at points drawn between real and generated samples, score/unit.

    The WGAN-GP's penalty wants 1 there. Error: of the mean over points.
    Shapes: CriticInput. Paper: Gulrajani et al. 2017, arXiv:1704.00028, sec. 4.
    """
    return Metric("critic_slope", lambda given: mean(_slopes_between(given)))


@METRICS.add(paper="arXiv:1805.10965", needs="critic", best=None, better="neither", on_linear=lambda slope: slope)
def critic_lipschitz() -> Metric:
    """Local Lipschitz estimate: the steepest slope of the critic seen between real and generated samples, score/unit.

    The largest of ||grad_x D(x)|| over points drawn between them: a lower bound of the Lipschitz constant, and the
    tighter the more points. Error: bootstrap over points (rough, as for every maximum).
    Shapes: CriticInput. Paper: Virmaux & Scaman 2018, arXiv:1805.10965, sec. 2 (the gradient's norm bounds it).
    """
    return Metric("critic_lipschitz", lambda given: _largest(_slopes_between(given)))


@METRICS.add(paper="arXiv:1802.08768", needs="generator", best=None, better="neither", on_linear=lambda slope: slope)
def latent_sensitivity() -> Metric:
    """Latent sensitivity: root mean square of ||J_G(z) v|| over latents z and unit vectors v, unit/latent.

    How far a sample moves for a step of 1 of its latent; J is the generator's Jacobian, and the mean over v gives
    ||J||_F / sqrt(width of z). Near 0: the generator no longer listens to its latent. Error: of the mean square over
    latents, halved as the root does. Shapes: GeneratorInput. Paper: Odena et al. 2018, arXiv:1802.08768, sec. 2.
    """
    return Metric("latent_sensitivity", _sensitivity)


def _slopes(critic: Critic, x: Tensor, *labels: Tensor) -> Tensor:
    parts = zip(x.split(_BATCH), *(own.split(_BATCH) for own in labels), strict=True)
    return torch.cat([norm(input_gradient(_bound(critic, *own), part)[1]).detach() for part, *own in parts])


def _bound(critic: Critic, *labels: Tensor) -> Critic:
    return lambda x: critic(x, *labels)


def _slopes_between(given: CriticInput) -> Tensor:
    return _slopes(given.critic, _between(given), *(() if given.labels is None else (given.labels,)))


def _between(given: CriticInput) -> Tensor:
    """Points at a uniform place on the lines from real to generated samples, always the same ones."""
    same_shape(given.real, given.fake, caller="critic metrics")
    rng = torch.Generator().manual_seed(_STREAM)
    t = torch.rand(len(given.real), generator=rng).to(given.real).reshape(-1, *[1] * (given.real.ndim - 1))
    return given.real + t * (given.fake - given.real)


def _largest(slopes: Tensor) -> Estimate:
    values = slopes.double().cpu().numpy()
    drawn = np.random.default_rng(_STREAM).choice(values, size=(200, len(values)))
    return Estimate(float(values.max()), float(drawn.max(1).std(ddof=1)), "bootstrap")


def _sensitivity(given: GeneratorInput) -> Estimate:
    rng = torch.Generator().manual_seed(_STREAM)
    v = torch.randn(given.latents.shape, generator=rng).to(given.latents)
    v = v / v.norm(dim=1, keepdim=True)
    with torch.no_grad():
        ahead, behind = (given.generator(given.latents + step * _STEP * v) for step in (1, -1))
    moved = (ahead - behind).double() / (2 * _STEP)
    square = mean(moved.flatten(1).square().sum(1))
    root = square.value**0.5
    return Estimate(root, square.error / (2 * root) if root > 0 else 0.0, "samples")
