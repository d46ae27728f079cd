"""Slopes of critics and generators that are known in closed form."""

import math

import pytest
import torch

from gradgan.core.errors import GradganError
from gradgan.metrics import METRICS, CriticInput, GeneratorInput, slope_histogram, slope_histograms

X = torch.linspace(-1, 1, 600).reshape(300, 2)


def test_a_slope_that_changes_with_the_place():
    given = CriticInput(lambda x: x.square().sum(1) / 2, X, X)
    norms = X.norm(dim=1)
    assert METRICS.make("critic_slope")(given).value == pytest.approx(norms.mean().item(), rel=1e-5)
    assert METRICS.make("critic_lipschitz")(given).value == pytest.approx(norms.max().item(), rel=1e-5)
    histogram = slope_histogram(given.critic, X, bins=7)
    counts, edges = torch.histogram(norms, 7, range=(0.0, norms.max().item()))
    assert list(histogram.counts) == counts.int().tolist()
    assert list(histogram.edges) == pytest.approx(edges.tolist())


def test_the_errors_of_a_histogram_are_how_far_its_counts_scatter():
    rng = torch.Generator().manual_seed(0)
    critic = lambda x: x.square().sum(1) / 2  # noqa: E731
    # The steepest point stands in every draw, so that the bins are the same.
    draws = [torch.cat([torch.rand(499, 1, generator=rng), torch.ones(1, 1)]) for _ in range(200)]
    found = [slope_histogram(critic, x, bins=5) for x in draws]
    scatter = torch.tensor([one.counts for one in found]).double().std(0)
    assert found[0].errors == pytest.approx(scatter.tolist(), rel=0.25)
    assert slope_histogram(lambda x: 0 * x.sum(1), X, bins=2).errors[1] > 0, "an empty bin may yet be filled"


def test_a_histogram_of_a_critic_that_is_broken_is_refused():
    with pytest.raises(GradganError, match="300 of 300 slopes are not finite"):
        slope_histogram(lambda x: x.sum(1) * float("inf"), X)


def test_a_flat_critic_has_a_histogram_too():
    assert slope_histogram(lambda x: 0 * x.sum(1), X, bins=3).counts == (300, 0, 0)


def test_places_share_their_bins_and_a_place_that_is_no_number_has_none():
    found = slope_histograms(CriticInput(lambda x: x.square().sum(1) / 2, X, 2 * X), bins=8)
    assert found["real"].edges == found["fake"].edges == found["between"].edges
    assert found["fake"].counts[-1] > 0 and found["real"].counts[-1] == 0, "the steepest are at the generated ones"
    broken = slope_histograms(CriticInput(lambda x: x.square().sum(1) / 2, X, X * float("nan")), bins=8)
    assert set(broken) == {"real"}


def test_sensitivity_is_the_norm_of_the_jacobian():
    matrix = torch.tensor([[1.0, 2.0], [0.0, 3.0], [1.0, 0.0]])
    latents = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0))
    found = METRICS.make("latent_sensitivity")(GeneratorInput(lambda z: z @ matrix.T, latents))
    assert found.value == pytest.approx(matrix.norm().item() / math.sqrt(2), abs=4 * found.error)


def test_a_generator_that_ignores_its_latent():
    found = METRICS.make("latent_sensitivity")(GeneratorInput(lambda z: 0 * z, X))
    assert (found.value, found.error) == (0, 0)
