"""Fréchet distance between Gaussians fitted to features, always beside what real data have between themselves."""

import math

import torch

from .estimate import BLOCKS, Estimate, jackknife
from .metric import METRICS, FeatureInput, Metric
from .moments import EPS, Moments, by_blocks

_PAPER = "arXiv:1706.08500"


def frechet_distance(one: Moments, other: Moments) -> float:
    """Squared Fréchet (2-Wasserstein) distance of two Gaussians, in the features' unit squared.

        |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S2^(1/2) S1 S2^(1/2))^(1/2)

    With S2 = R Rᵀ the last trace is the sum of the roots of the eigenvalues of Rᵀ S1 R, which is symmetric: a Cholesky
    factor and the eigenvalues of one symmetric matrix instead of the root of one that is not, which is slow and turns
    complex when a covariance is rank-deficient. All of it in float64; float32 is off in the third digit.
    Source: Dowson & Landau 1982, doi:10.1016/0047-259X(82)90077-X; as a metric of GANs Heusel et al. 2017,
    arXiv:1706.08500.
    """
    inner = other.root.T @ one.covariance @ other.root
    overlap = torch.linalg.eigvalsh(inner).clamp(min=0).sqrt().sum()
    traces = one.covariance.trace() + other.covariance.trace()
    found = (one.mean - other.mean).square().sum() + traces - 2 * overlap
    # A difference of sums of d terms, which add up to the traces: below d eps of them, or below 0, it is rounding.
    return float(found) if found > len(one.mean) * EPS * traces else 0.0


@METRICS.add(paper=_PAPER, needs="features", best=0.0, better="lower")
def frechet() -> Metric:
    """Fréchet distance: between Gaussians fitted to features of generated and of held-out real samples.

    Error: by blocks (jackknife over tenths of the generated samples). The value is biased upwards by about
    d^2 / samples, the more the fewer samples: compare equal numbers of samples only, and with the floor.
    Shapes: FeatureInput. Unit: the features' squared. Paper: Heusel et al. 2017, arXiv:1706.08500.
    """
    return Metric("frechet", _distance)


@METRICS.add(paper=_PAPER, needs="features", best=None, better="neither")
def frechet_floor() -> Metric:
    """Fréchet floor: the same distance between training and held-out real samples, what a perfect generator has.

    Error: by blocks of the training samples. It depends on the data and the number of samples alone.
    Shapes: FeatureInput. Unit: the features' squared. Paper: Heusel et al. 2017, arXiv:1706.08500.
    """
    return Metric("frechet_floor", _floor)


@METRICS.add(paper=_PAPER, needs="features", best=1.0, better="lower")
def frechet_ratio() -> Metric:
    """Fréchet ratio: Fréchet distance of the generated samples over that of the training ones, both to held-out ones.

        frechet(generated, held-out) / frechet(training, held-out)

    1: as near to the held-out samples as the training ones are. It has no unit and hardly depends on the scale of the
    features; give as many generated as training samples, so that both distances have the same bias. Error: by blocks,
    both relative errors together. nan where the floor is 0. Shapes: FeatureInput. Paper: arXiv:1706.08500.
    """
    return Metric("frechet_ratio", _ratio)


def _ratio(given: FeatureInput) -> Estimate:
    distance, floor = _distance(given), _floor(given)
    if floor.value == 0:
        return Estimate(math.nan, math.nan, "blocks")
    ratio = distance.value / floor.value
    return Estimate(ratio, math.hypot(distance.error, ratio * floor.error) / floor.value, "blocks")


def _distance(given: FeatureInput) -> Estimate:
    # Kept beside the generated features: the ratio asks for it too.
    return given.remember("frechet", lambda: _to_held_out(given.generated, given))


def _floor(given: FeatureInput) -> Estimate:
    # Kept beside the real features: every checkpoint is held against the same floor.
    return given.real.remember("frechet_floor", lambda: _to_held_out(given.real.training, given))


def _to_held_out(x: torch.Tensor, given: FeatureInput) -> Estimate:
    real = given.real.held_out_moments
    whole, without = by_blocks(x, BLOCKS) if len(x) >= 2 * BLOCKS else (Moments.of(x), [])
    # The root of an eigenvalue that should be 0 is that of its rounding, sqrt(eps) of the largest: the distance of
    # equal sets of low rank would be some 1e-9 of the trace. Their moments tell that they are equal.
    same = whole.same_as(real, max(len(x), len(given.real.held_out)))
    distance = 0.0 if same else frechet_distance(whole, real)
    return jackknife(distance, [frechet_distance(part, real) for part in without])
