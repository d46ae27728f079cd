"""KID: torchmetrics and a loop over pairs beside it; without bias."""

import pytest
import torch
from torch import Tensor
from torchmetrics.image.kid import poly_mmd

from gradgan.metrics import METRICS, FeatureInput, RealFeatures, squared_mmd


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reference(x: Tensor, y: Tensor) -> float:
    """Pair by pair, as the formula is written."""

    def k(a: Tensor, b: Tensor) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    within = [
        sum(k(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j) / (len(z) * (len(z) - 1))
        for z in (x, y)
    ]
    return sum(within) - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


def test_pair_by_pair_and_torchmetrics_give_the_same():
    x, y = normal(20, 5), normal(20, 5, seed=1) + 0.3
    assert squared_mmd(x, y) == pytest.approx(reference(x, y), rel=1e-9)
    assert squared_mmd(x[:13], y) == pytest.approx(reference(x[:13], y), rel=1e-9)
    assert squared_mmd(x, y) == pytest.approx(float(poly_mmd(x, y)), rel=1e-4)


@pytest.mark.parametrize(("n", "m", "size"), [(230, 170, 34), (230, 174, 34), (5300, 6100, 1000), (9, 40, 2)])
def test_the_metric_is_the_mean_of_torchmetrics_over_the_same_blocks(n, m, size):
    x, y = normal(n, 4) + 0.5, normal(m, 4, seed=1)
    shuffled = [z[torch.randperm(len(z), generator=torch.Generator().manual_seed(0))] for z in (x, y)]
    blocks = zip(*(z[: min(n, m)].split(size) for z in shuffled), strict=True)
    theirs = torch.stack([poly_mmd(of_y, of_x) for of_x, of_y in blocks if len(of_x) == size])
    found = METRICS.make("kid")(FeatureInput(x, RealFeatures(y, normal(9, 4))))
    assert len(theirs) >= 4
    assert found.value == pytest.approx(float(theirs.mean()), rel=1e-4)
    assert found.error == pytest.approx(float(theirs.std()) / len(theirs) ** 0.5, rel=1e-4)


def test_no_bias_and_an_error_that_is_the_spread():
    kid = METRICS.make("kid")
    drawn = [kid(FeatureInput(normal(100, 3, seed=i), RealFeatures(normal(100, 3, seed=900 + i), normal(9, 3))))
             for i in range(100)]  # fmt: skip
    values = torch.tensor([one.value for one in drawn])
    assert abs(values.mean()) < 4 * values.std() / 10
    assert values.min() < 0
    assert sum(one.error for one in drawn) / 100 == pytest.approx(values.std().item(), rel=0.3)


def test_sorted_classes_do_not_make_blocks_unlike_the_whole():
    ordered = torch.cat((normal(200, 2) - 3, normal(200, 2, seed=1) + 3))
    real = RealFeatures(torch.cat((normal(200, 2, seed=2) + 3, normal(200, 2, seed=3) - 3)), ordered)
    found = METRICS.make("kid")(FeatureInput(ordered, real))
    # Blocks in the order of the data would compare the classes with one another: 2000.
    assert abs(found.value) < min(100, 4 * found.error)
