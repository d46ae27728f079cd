"""Fréchet distance: Gaussians of known distance, equal and rank-deficient sets, and torchmetrics beside it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from gradgan.core.checks import GradganError
from gradgan.metrics import METRICS, FeatureInput, Moments, RealFeatures, frechet_distance
from gradgan.metrics.moments import by_blocks, gram


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(d: int, rank: int, seed: int) -> Tensor:
    factor = normal(d, rank, seed=seed)
    return factor @ factor.T


def reference(one: Moments, other: Moments) -> float:
    """The textbook's way: eigenvalues of the product of the covariances, which is not symmetric."""
    overlap = torch.linalg.eigvals(one.covariance @ other.covariance).real.clamp(min=0).sqrt().sum()
    mean = (one.mean - other.mean).square().sum()
    return float(mean + one.covariance.trace() + other.covariance.trace() - 2 * overlap)


def measured(name: str, generated: Tensor, held_out: Tensor, training: Tensor):
    return METRICS.make(name)(FeatureInput(generated, RealFeatures(held_out, training)))


@given(shift=st.floats(-5, 5), one=st.floats(0.1, 4), other=st.floats(0.1, 4), d=st.integers(1, 6))
def test_gaussians_of_known_distance(shift, one, other, d):
    eye = torch.eye(d, dtype=torch.float64)
    a = Moments(torch.zeros(d, dtype=torch.float64), one**2 * eye)
    b = Moments(torch.full((d,), shift, dtype=torch.float64), other**2 * eye)
    assert frechet_distance(a, b) == pytest.approx(d * shift**2 + d * (one - other) ** 2, abs=1e-9)


@given(ranks=st.tuples(st.integers(1, 7), st.integers(1, 7)), seed=st.integers(0, 99))
def test_any_rank_agrees_with_the_textbook_and_either_way_round(ranks, seed):
    a, b = (Moments(normal(7, seed=seed + i), covariance(7, rank, seed + i)) for i, rank in enumerate(ranks))
    assert frechet_distance(a, b) == pytest.approx(reference(a, b), abs=1e-5)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), abs=1e-5)


def test_equal_sets_have_distance_0_also_with_fewer_samples_than_dimensions():
    for n in (5, 50):
        x = normal(n, 20)
        assert frechet_distance(Moments.of(x), Moments.of(x)) == pytest.approx(0, abs=1e-6)


def test_sets_in_directions_of_their_own():
    # Along different axes nothing overlaps: both variances are paid in full.
    one, other = torch.zeros(30, 4), torch.zeros(30, 4)
    one[:, 0], other[:, 1] = normal(30), normal(30, seed=1)
    a, b = Moments.of(one), Moments.of(other)
    wanted = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace()
    assert frechet_distance(a, b) == pytest.approx(float(wanted), abs=1e-12)


def test_one_point_has_no_spread():
    a, b = Moments.of(torch.ones(9, 3)), Moments.of(normal(50, 3))
    assert frechet_distance(a, b) == pytest.approx(reference(a, b), abs=1e-9)
    assert frechet_distance(a, a) == 0


class Features(nn.Module):
    """Stands where torchmetrics wants an Inception network."""

    num_features = 8

    def forward(self, x: Tensor) -> Tensor:
        return x.float().flatten(1)[:, :8] / 16


def test_torchmetrics_gives_the_same():
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.randint(256, (200, 3, 4, 4), generator=rng, dtype=torch.uint8) for _ in range(2))
    fake = fake // 2
    theirs = FrechetInceptionDistance(feature=Features())
    theirs.set_dtype(torch.float64)
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    ours = frechet_distance(*(Moments.of(Features()(x)) for x in (real, fake)))
    assert ours == pytest.approx(float(theirs.compute()), rel=1e-4)


def test_moments_of_the_whole_and_without_each_block_are_those_of_the_samples():
    x = normal(47, 3) + 1000
    whole, without = by_blocks(x, 4)
    assert len(without) == 4
    rests = [torch.cat((x[: index * 11], x[(index + 1) * 11 :])) for index in range(4)]
    for found, samples in zip([whole, *without], [x, *rests], strict=True):
        torch.testing.assert_close(found.mean, samples.mean(0))
        torch.testing.assert_close(found.covariance, torch.cov(samples.T), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("d", [1, 255, 256, 257, 700])
def test_half_a_symmetric_product_is_all_of_it(d):
    x = normal(20, d)
    torch.testing.assert_close(gram(x), x.T @ x)


@pytest.mark.parametrize(("n", "columns"), [(50, 20), (5, 5)], ids=["full rank", "fewer samples than dimensions"])
def test_the_root_of_a_covariance_squares_to_it(n, columns):
    # Full rank has a Cholesky factor, as wide as the features; else the root is as wide as the rank can be.
    moments = Moments.of(normal(n, 20) + 3)
    assert moments.root.shape[1] <= columns
    torch.testing.assert_close(moments.root @ moments.root.T, moments.covariance)
    assert (moments.root.triu(1) == 0).all() == (n == 50)


def test_the_error_is_the_spread_over_fresh_samples():
    real = RealFeatures(normal(500, 3, seed=1), normal(500, 3, seed=2))
    frechet = METRICS.make("frechet")
    drawn = [frechet(FeatureInput(normal(400, 3, seed=10 + i) * 1.5 + 1, real)) for i in range(60)]
    spread = torch.tensor([one.value for one in drawn]).std().item()
    told = sum(one.error for one in drawn) / len(drawn)
    assert told == pytest.approx(spread, rel=0.3)


def test_ratio_is_the_distance_over_the_floor():
    parts = normal(300, 4, seed=1) + 0.5, normal(300, 4, seed=2), normal(300, 4, seed=3)
    distance, floor, ratio = (measured(name, *parts) for name in ("frechet", "frechet_floor", "frechet_ratio"))
    assert ratio.value == pytest.approx(distance.value / floor.value)
    assert ratio.error > distance.error / floor.value, "the floor's own error is in it"
    same = measured("frechet_ratio", parts[2], parts[1], parts[2])
    assert same.value == pytest.approx(1)


def spectrum(name: str, d: int) -> Tensor:
    return torch.arange(1, d + 1, dtype=torch.float64) ** {"white": 0.0, "steep": -2.0}[name]


@pytest.mark.parametrize("name", ["white", "steep"])
@pytest.mark.parametrize(("n", "d"), [(300, 4), (300, 1), (12, 40), (120, 300)])
def test_held_out_samples_that_are_the_training_ones_in_any_order_have_a_floor_of_0_and_no_ratio(n, d, name):
    generated, held_out = normal(n, d, seed=1), normal(n, d, seed=2) * spectrum(name, d) + 3
    for training in (held_out, held_out.flip(0), held_out[torch.randperm(n, generator=torch.manual_seed(0))]):
        assert measured("frechet_floor", generated, held_out, training).value == 0
        ratio = measured("frechet_ratio", generated, held_out, training)
        assert math.isnan(ratio.value) and math.isnan(ratio.error)


@pytest.mark.parametrize(("n", "d"), [(300, 4), (40, 60)])
def test_a_small_floor_is_kept(n, d):
    generated, held_out = normal(n, d, seed=1), normal(n, d, seed=2)
    shifted = measured("frechet_ratio", generated, held_out, held_out + 1e-4)
    distance = measured("frechet", generated, held_out, held_out)
    assert shifted.value == pytest.approx(distance.value / (d * 1e-8), rel=1e-3)
    # One sample of n is another.
    other = torch.cat((held_out[1:], generated[:1]))
    floor = measured("frechet_floor", generated, held_out, other)
    assert floor.value == pytest.approx(reference(Moments.of(other), Moments.of(held_out)), rel=1e-3)
    assert measured("frechet_ratio", generated, held_out, other).value == pytest.approx(distance.value / floor.value)


@pytest.mark.parametrize(
    ("generated", "message"),
    [
        (torch.zeros(5, 3), "width 3 and real ones 4"),
        (torch.zeros(1, 4), "n >= 2"),
        (torch.zeros(5, 2, 2), r"x\.flatten\(1\)"),
        (torch.full((5, 4), float("nan")), "not finite"),
    ],
)
def test_features_that_do_not_fit_are_refused(generated, message):
    with pytest.raises(GradganError, match=message):
        FeatureInput(generated, RealFeatures(normal(9, 4), normal(9, 4)))
