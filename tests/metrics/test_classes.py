"""Class counts and their divergences on labels whose answer is known, and torchmetrics beside the divergences."""

import math

import pytest
import torch
from torchmetrics.functional import kl_divergence

from gradgan.core.errors import GradganError
from gradgan.metrics import METRICS, ClassInput, class_histogram, class_shares

EVEN = torch.arange(100) % 4


def measured(name: str, generated: torch.Tensor, real: torch.Tensor = EVEN, classes: int = 4):
    return METRICS.make(name)(ClassInput(generated, real, classes))


def test_equal_shares():
    assert measured("classes", EVEN).value == 4
    assert measured("class_kl", EVEN).value == measured("class_kl_uniform", EVEN).value == 0


def test_one_class():
    one = torch.zeros(50, dtype=torch.int64)
    assert measured("classes", one).value == 1
    assert measured("class_kl_uniform", one).value == pytest.approx(math.log(4))


def test_the_datas_own_shares_are_the_best_where_they_are_not_equal():
    skewed = torch.tensor([0] * 80 + [1] * 10 + [2] * 10)
    assert measured("class_kl", skewed, skewed, 3).value == pytest.approx(0)
    assert measured("class_kl_uniform", skewed, skewed, 3).value > 0.4


def test_a_class_that_the_data_lack_is_dear_but_not_infinite():
    found = measured("class_kl", torch.tensor([2, 2]), torch.tensor([0, 1]), 3)
    assert found.value == pytest.approx(math.log(2.5 / 0.5))


@pytest.mark.parametrize("seed", range(5))
def test_torchmetrics_gives_the_same_divergences(seed):
    rng = torch.Generator().manual_seed(seed)
    # Of 9 classes the generator has lost the last two.
    weights = torch.rand(2, 9, generator=rng, dtype=torch.float64) + 0.05
    weights[0, -2:] = 0
    generated, real = (torch.multinomial(w, 400, replacement=True, generator=rng) for w in weights)
    shares, own = (torch.tensor([[(x == j).double().mean() for j in range(9)]]) for x in (generated, real))
    for name, wanted in (("class_kl_uniform", torch.full((1, 9), 1 / 9).double()), ("class_kl", own)):
        theirs = float(kl_divergence(shares, wanted))
        assert theirs > 0.05
        assert measured(name, generated, real, 9).value == pytest.approx(theirs, rel=1e-4), name


def test_histogram_counts_what_never_occurs():
    assert class_histogram(torch.tensor([0, 2, 2]), 4).tolist() == [1, 0, 2, 0]


def test_shares_of_the_classes_with_binomial_errors_beside_the_datas():
    found = class_shares(ClassInput(torch.tensor([0, 0, 0, 1]), EVEN, 4))
    assert found.samples == (0.75, 0.25, 0, 0) and found.data == (0.25,) * 4
    assert found.errors == pytest.approx([math.sqrt(k / 6 * (1 - k / 6) / 4) for k in (4, 2, 1, 1)])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 4]), r"generated classes must lie in 0\.\.3, got 0 to 4"),
        (torch.tensor([-1, 2]), r"must lie in 0\.\.3, got -1 to 2"),
        (torch.rand(5, 4), r"whole numbers \(n,\), n >= 1, got \(5, 4\) of float32.*argmax"),
        (torch.arange(0), r"got \(0,\) of int64"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, message):
    with pytest.raises(GradganError, match=message):
        ClassInput(labels, EVEN, 4)
    with pytest.raises(GradganError, match=message.replace("generated", "real")):
        ClassInput(EVEN, labels, 4)
