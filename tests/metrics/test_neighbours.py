"""Precision, recall, density, coverage, memorisation against scikit-learn's slow way; copies and blurs are told."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from gradgan.core.checks import GradganError
from gradgan.metrics import METRICS, Estimate, FeatureInput, RealFeatures, neighbours
from gradgan.metrics.neighbours import radii


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def measured(name: str, generated: Tensor, held_out: Tensor, training: Tensor | None = None, **options) -> Estimate:
    training = held_out if training is None else training
    return METRICS.make(name, **options)(FeatureInput(generated, RealFeatures(held_out, training)))


def reference(generated: np.ndarray, real: np.ndarray, k: int) -> dict[str, float]:
    """One sample at a time, radii by scikit-learn."""

    def reach(x: np.ndarray) -> np.ndarray:
        return NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, k]

    apart = np.linalg.norm(generated[:, None] - real[None], axis=2)
    real_reach, own_reach = reach(real), reach(generated)
    in_real = apart <= real_reach[None]
    return {
        "precision": np.mean(in_real.any(1)),
        "recall": np.mean((apart <= own_reach[:, None]).any(0)),
        "density": in_real.sum() / (k * len(generated)),
        "coverage": np.mean(in_real.any(0)),
    }


@given(k=st.integers(1, 5), n=st.integers(7, 30), m=st.integers(7, 30), shift=st.floats(0, 3), seed=st.integers(0, 99))
def test_scikit_learn_gives_the_same(k, n, m, shift, seed):
    generated, real = normal(n, 3, seed=seed) + shift, normal(m, 3, seed=seed + 1000)
    for name, wanted in reference(generated.numpy(), real.numpy(), k).items():
        assert measured(name, generated, real, k=k).value == pytest.approx(wanted, abs=1e-4), name


def test_equal_sets_are_precise_and_covered_and_disjoint_ones_are_not():
    x = normal(50, 4)
    for name in ("precision", "recall", "coverage"):
        assert measured(name, x, x).value == 1
        assert measured(name, x + 100, x).value == 0
    assert measured("density", x + 100, x).value == 0


def test_what_a_fresh_sample_of_the_data_has():
    generated, real = normal(1500, 2), normal(1500, 2, seed=1)
    assert measured("density", generated, real).value == pytest.approx(1, abs=0.05)
    assert measured("coverage", generated, real).value == pytest.approx(1 - 2**-5, abs=0.02)


def test_a_collapsed_set_is_precise_and_recalls_nothing():
    real = normal(200, 2)
    collapsed = real[:1] + 1e-3 * normal(200, 2, seed=1)
    assert measured("precision", collapsed, real).value == 1
    assert measured("recall", collapsed, real).value < 0.1
    assert measured("coverage", collapsed, real).value < 0.1


@given(n=st.integers(5, 60), m=st.integers(5, 60), steps=st.sampled_from([1, 4, 1024]), seed=st.integers(0, 99))
def test_memorisation_is_scikit_learns_area_under_the_curve(n, m, steps, seed):
    """Of held-out samples told from generated ones by how far from training they are; on grids, with exact ties."""
    training, held_out, generated = (
        (normal(size, 2, seed=seed + i * 1000) * steps).round() / steps for i, size in enumerate((40, m, n))
    )
    nearest = NearestNeighbors(n_neighbors=1).fit(training.numpy())
    far = nearest.kneighbors(torch.cat((generated, held_out)).numpy())[0][:, 0]
    wanted = roc_auc_score(np.repeat([0, 1], [n, m]), far)
    assert measured("memorisation", generated, held_out, training).value == pytest.approx(wanted, rel=1e-4, abs=1e-12)


def test_copies_are_told_from_fresh_samples_and_from_blurs():
    training, held_out = normal(400, 3), normal(400, 3, seed=1)
    fresh, copied, blurred = normal(400, 3, seed=2), training[:200] + 1e-3, normal(400, 3, seed=3) * 3
    low, high = measured("memorisation", fresh, held_out, training).interval
    assert low < 0.5 < high
    assert measured("memorisation", copied, held_out, training).value > 0.99
    half = torch.cat((copied[:100], fresh[:100]))
    assert measured("memorisation", half, held_out, training).interval[0] > 0.6
    assert measured("memorisation", blurred, held_out, training).value < 0.3


def test_the_error_of_memorisation_is_the_spread_over_fresh_sets():
    training = normal(200, 2)
    drawn = [measured("memorisation", normal(100, 2, seed=10 + i), normal(100, 2, seed=500 + i), training)
             for i in range(80)]  # fmt: skip
    spread = torch.tensor([one.value for one in drawn]).std().item()
    assert sum(one.error for one in drawn) / len(drawn) == pytest.approx(spread, rel=0.3)


@pytest.mark.parametrize("wide", [1.0, 1.3, 1.6])
@pytest.mark.parametrize(("name", "most"), [("precision", 1.3), ("density", 1.3), ("recall", 2.2), ("coverage", 2.2)])
def test_errors_are_the_spread_over_fresh_generated_samples(name, most, wide):
    """Those by blocks may be twice as large, where most balls are found: never as much too small."""
    held_out = normal(150, 2)
    drawn = [measured(name, wide * normal(150, 2, seed=10 + i), held_out) for i in range(60)]
    spread = torch.tensor([one.value for one in drawn]).std().item()
    assert 0.75 * spread < sum(one.error for one in drawn) / len(drawn) < most * spread


def test_the_error_of_recall_sees_that_a_few_scattered_samples_decide_it():
    held_out, drawn = normal(200, 2), []
    for i in range(60):
        few, most = 3 * normal(8, 2, seed=10 + i), 0.01 * normal(192, 2, seed=500 + i)
        order = torch.randperm(200, generator=torch.Generator().manual_seed(i))
        drawn.append(measured("recall", torch.cat((few, most))[order], held_out))
    spread = torch.tensor([one.value for one in drawn]).std().item()
    error = sum(one.error for one in drawn) / len(drawn)
    assert 0.6 * spread < error < 2 * spread


@given(n=st.integers(20, 60), k=st.integers(1, 12), seed=st.integers(0, 99))
def test_radii_without_a_block_are_those_of_the_others(n, k, seed):
    x = normal(n, 2, seed=seed)
    block = torch.arange(n) * 10 // n
    # Blocks that lie together, so that all the nearest of a sample are of one.
    x = x[x[:, 0].argsort()]
    without = neighbours._radii_without(x, k, block)
    for b in range(10):
        assert torch.allclose(without[b, block != b], radii(x[block != b], k), rtol=1e-6)
        assert (without[b, block == b] == -torch.inf).all()


def test_few_samples_have_values_and_no_error():
    x, real = normal(19, 2), normal(30, 2, seed=1)
    for name in ("recall", "coverage"):
        few = measured(name, x, real)
        assert 0 < few.value <= 1 and math.isnan(few.error), name


def test_copies_are_told_apart_from_nothing_by_rounding():
    """Generated and held-out samples that are both exact copies lie equally near: a half, whatever numbers they are."""
    training = normal(400, 128).float() + 3
    both = measured("memorisation", training[:150], training[100:300], training)
    assert both.value == 0.5


def test_radii_of_held_out_samples_are_computed_once_for_each_k(monkeypatch):
    held_out, looks = normal(40, 3), [normal(30, 3, seed=seed) for seed in (1, 2)]
    names = ("precision", "density", "coverage", "recall")
    wanted = [[measured(name, x, held_out, k=k) for name in names] for x in looks for k in (3, 5)]
    real, asked, radii = RealFeatures(held_out, held_out), [], neighbours.radii

    def counted(x: Tensor, k: int) -> Tensor:
        asked.append((x is held_out, k))
        return radii(x, k)

    monkeypatch.setattr(neighbours, "radii", counted)
    found = [[METRICS.make(name, k=k)(FeatureInput(x, real)) for name in names] for x in looks for k in (3, 5)]
    assert found == wanted
    assert [k for of_held_out, k in asked if of_held_out] == [3, 5]
    assert len(asked) == 2 + len(looks) * 2, "those of generated samples are theirs alone, at every look"


def test_more_neighbours_than_samples_are_refused():
    with pytest.raises(GradganError, match=r"k must lie in 1\.\.4"):
        measured("precision", normal(9, 2), normal(5, 2), k=5)
