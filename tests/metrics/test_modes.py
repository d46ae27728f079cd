"""Modes, high quality, reverse KL and the mixture distance: known answers; scikit-learn and torchmetrics beside."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torchmetrics.functional import kl_divergence

from gradgan.core.checks import GradganError
from gradgan.core.statistics import interval
from gradgan.data import DATASETS
from gradgan.metrics import METRICS, MixtureInput
from gradgan.metrics.judging import grain_of, range_of

CENTRES = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
NAMES = ("modes", "high_quality", "reverse_kl", "mixture_distance")


def measured(samples: torch.Tensor, centres: torch.Tensor = CENTRES, spread: float = 0.1):
    given = MixtureInput(samples, centres, spread)
    return {name: METRICS.make(name)(given) for name in NAMES}


def values(samples: torch.Tensor) -> list[float]:
    return [one.value for one in measured(samples).values()]


def test_every_mode_equally():
    q = 1 - math.exp(-4.5)
    assert values(CENTRES.repeat(25, 1)) == pytest.approx([4, 1, 0, 1 - q])


def test_one_mode_and_some_bad_samples():
    samples = torch.cat((CENTRES[:1].repeat(60, 1), torch.full((40, 2), 5.0)))
    q = 1 - math.exp(-4.5)
    distance = (0.6 - q / 4 + 3 * q / 4 + 0.4 - (1 - q)) / 2
    assert values(samples) == pytest.approx([1, 0.6, math.log(4), distance])


def test_nothing_good_is_the_worst():
    assert values(torch.full((10, 2), 5.0)) == pytest.approx([0, 0, math.log(4), 1 - math.exp(-4.5)])


def test_the_data_themselves_are_near_the_best():
    for name in ("ring", "grid"):
        data = DATASETS.make(name, samples=20_000)
        found = measured(data.samples, data.modes, data.spread)
        assert found["modes"].value == len(data.modes)
        assert found["high_quality"].value == pytest.approx(1 - math.exp(-4.5), abs=4 * found["high_quality"].error)
        assert found["reverse_kl"].value < 0.002
        assert found["mixture_distance"].value < 0.02


@pytest.mark.parametrize(("d", "m", "spread"), [(2, 9, 0.15), (2, 25, 0.3), (3, 6, 0.2)])
def test_scikit_learn_and_torchmetrics_give_the_same(d, m, spread):
    rng = torch.Generator().manual_seed(m)
    centres = torch.rand(m, d, generator=rng, dtype=torch.float64) * 4
    # Modes of unequal shares, of which the last is lost, and samples twice as wide as the data: some are bad.
    shares = torch.arange(m - 1, -1, -1).double()
    chosen = torch.multinomial(shares, 300, replacement=True, generator=rng)
    samples = centres[chosen] + 2 * spread * torch.randn(300, d, generator=rng, dtype=torch.float64)
    far, nearest = (x[:, 0] for x in NearestNeighbors(n_neighbors=1).fit(centres.numpy()).kneighbors(samples.numpy()))
    good = far <= 3 * spread
    counts = torch.from_numpy(np.bincount(nearest[good], minlength=m)).double()
    theirs = kl_divergence((counts / counts.sum())[None], torch.full((1, m), 1 / m, dtype=torch.float64))
    found = measured(samples, centres, spread)
    assert 0.3 < good.mean() < 0.95 and float(theirs) > 0.05
    assert found["modes"].value == np.unique(nearest[good]).size
    assert found["high_quality"].value == pytest.approx(good.mean(), rel=1e-4)
    assert found["reverse_kl"].value == pytest.approx(float(theirs), rel=1e-4)


def test_errors_are_the_spread_over_fresh_samples():
    rng = torch.Generator().manual_seed(0)
    shares = torch.tensor([0.5, 0.3, 0.19, 0.01])
    drawn = []
    for _ in range(80):
        chosen = torch.multinomial(shares, 100, replacement=True, generator=rng)
        bad = 5.0 * (torch.rand(100, 1, generator=rng) < 0.2)
        drawn.append(measured(CENTRES[chosen] + bad))
    for name in ("high_quality", "reverse_kl", "mixture_distance"):
        spread = torch.tensor([one[name].value for one in drawn]).std().item()
        assert sum(one[name].error for one in drawn) / 80 == pytest.approx(spread, rel=0.3), name


def test_a_mode_of_one_sample_is_uncertain():
    samples = torch.cat((CENTRES[:3].repeat(30, 1), CENTRES[3:]))
    found = measured(samples)["modes"]
    missed = (1 - 1 / 91) ** 91
    assert (found.value, found.error) == (4, pytest.approx(math.sqrt(missed * (1 - missed)), rel=1e-6))


@pytest.mark.parametrize(
    ("samples", "spread", "message"),
    [
        (torch.zeros(3), 0.1, r"\(n, d\)"),
        (torch.zeros(0, 2), 0.1, r"\(n, d\)"),
        (torch.zeros(3, 3), 0.1, r"\(m, d\)"),
        (torch.zeros(3, 2), 0.0, "> 0"),
        (torch.zeros(3, 2), math.nan, "finite"),
    ],
)
def test_what_does_not_fit_is_refused(samples, spread, message):
    with pytest.raises(GradganError, match=message):
        MixtureInput(samples, CENTRES, spread)


def test_every_metric_has_a_range_and_only_kid_falls_below_0():
    assert [name for name in METRICS if range_of(name)[0] < 0] == ["kid"]
    assert {name for name in METRICS if range_of(name)[1] == 1} == {
        "coverage", "high_quality", "memorisation", "mixture_distance", "precision", "recall",
    }  # fmt: skip
    assert range_of("modes", 25) == range_of("classes", 25) == (0, 25)
    assert range_of("recall/pixels", 25) == (0, 1) and range_of("generator/gradient_norm")[0] < 0
    assert interval([25.0, 25.0, 24.0], within=range_of("modes", 25), grain=grain_of("modes")).high == 25


def test_no_value_and_no_end_of_its_interval_lies_outside_a_metric_s_range():
    worst = measured(torch.full((10, 2), 5.0))
    for name in NAMES:
        low, high = range_of(name)
        assert low <= worst[name].value <= high, name
    spread = [1.0, 1.0, 1.0, 0.6]
    assert interval(spread, within=range_of("mixture_distance")).high == 1.0
    assert interval([1 - value for value in spread], within=range_of("mixture_distance")).low == 0.0
