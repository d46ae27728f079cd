"""Standard errors against their formulas."""

import math

import numpy as np
import pytest
import torch

from gradgan.metrics.estimate import Estimate, jackknife, mean, of_counts, over_blocks, share


def test_a_share():
    found = share(torch.tensor([True] * 3 + [False]))
    assert (found.value, found.method) == (0.75, "binomial")
    assert found.error == pytest.approx(math.sqrt(4 / 6 * 2 / 6 / 4))
    many = share(torch.arange(10_000) < 3000)
    assert many.error == pytest.approx(math.sqrt(0.3 * 0.7 / 10_000), rel=1e-3)


def test_none_of_a_few_is_not_surely_never():
    assert share(torch.zeros(10)).error == pytest.approx(math.sqrt(1 / 12 * 11 / 12 / 10))
    assert share(torch.ones(10)).error == pytest.approx(share(torch.zeros(10)).error)


def test_a_mean_and_its_jackknife_agree():
    x = torch.linspace(0, 1, 50, dtype=torch.float64) ** 2
    without = [float(torch.cat((x[:i], x[i + 1 :])).mean()) for i in range(50)]
    assert jackknife(float(x.mean()), without).error == pytest.approx(mean(x).error)


def test_blocks():
    assert over_blocks([1.0, 3.0]) == Estimate(2.0, 1.0, "blocks")


def test_a_bootstrap_of_counts_has_the_binomial_error():
    found = of_counts(lambda counts: counts[0] / counts.sum(), np.array([30, 70]))
    assert found.error == pytest.approx(math.sqrt(0.3 * 0.7 / 100), rel=0.15)


def test_too_few_to_tell():
    errors = [mean(torch.ones(1)).error, over_blocks([1.0]).error, jackknife(1.0, []).error]
    assert all(math.isnan(error) for error in errors)
    assert math.isnan(of_counts(lambda counts: 0.0, np.array([0, 0])).error)


def test_shown_as_a_person_reads_it():
    assert str(Estimate(3.14159, 0.0271828, "samples")) == "3.142 ± 0.027"
