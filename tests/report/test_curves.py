"""Curves: every number in one chart, no spike lost in thinning, noise smoothed and nothing else."""

import numpy as np
import pytest

from gradgan.core.record import LogEntry
from gradgan.report.curves import Chart, Series, charts_of, figure_of, series_of, smooth, thin
from gradgan.report.drawing import svg_of

NAMES = [
    "critic/loss", "generator/loss", "gon/loss", "encoder/reconstruction", "encoder/kl", "critic/r1", "critic/atgp",
    "generator/atgp", "critic/gradient_norm", "generator/gradient_norm", "critic/score_real", "critic/score_fake",
    "slope/real", "slope/fake", "slope/latent", "lr/critic", "lr/generator", "speed", "modes", "frechet",
]  # fmt: skip


def one(values, name="critic/loss"):
    values = np.asarray(values, float)
    return Series(name, np.arange(len(values)), values, "critic")


def test_every_number_is_in_exactly_one_chart():
    charts = charts_of(series_of([LogEntry(1, 0.0, dict.fromkeys(NAMES, 1.0))]))
    assert sorted(s.name for chart in charts for s in chart.series) == sorted(NAMES)


def test_charts_group_what_shares_a_unit():
    charts = charts_of(series_of([LogEntry(1, 0.0, dict.fromkeys(NAMES, 1.0))]))
    groups = {chart.title: [s.name for s in chart.series] for chart in charts}
    assert groups["Losses"] == ["critic/loss", "generator/loss", "gon/loss"]
    assert groups["Penalty atgp, before its weight"] == ["critic/atgp", "generator/atgp"]
    assert groups["Scores"] == ["critic/score_real", "critic/score_fake"]
    assert groups["frechet"] == ["frechet"]
    assert next(iter(groups)) == "Modes"


def test_a_player_keeps_its_colour():
    series = series_of([LogEntry(1, 0.0, dict.fromkeys(NAMES, 1.0))])
    assert {s.color for name, s in series.items() if name in ("generator/loss", "lr/generator", "generator/atgp")} == {
        "generator"
    }
    assert series["slope/real"].color == series["critic/score_real"].color == "real"
    assert series["speed"].color == "other"


def test_a_number_that_is_logged_now_and_then_keeps_its_own_steps():
    series = series_of([LogEntry(1, 0.0, {"a": 1.0}), LogEntry(2, 0.0, {"a": 2.0, "b": 5.0})])
    assert series["b"].steps.tolist() == [2]
    assert series["a"].values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "log"), [([1, 60], True), ([1, 40], False), ([0, 100], False), ([-1, 100], False), ([np.nan], False)]
)
def test_log_axis_only_for_positive_numbers_of_many_sizes(values, log):
    entries = [LogEntry(i, 0.0, {"speed": float(v)}) for i, v in enumerate(values)]
    assert charts_of(series_of(entries))[0].log is log


def test_thinning_keeps_ends_spikes_and_gaps():
    values = np.sin(np.arange(10_000) / 500)
    values[1234], values[4321], values[7777] = 50.0, -50.0, np.nan
    steps, kept = thin(np.arange(10_000), values)
    assert len(steps) <= 400
    assert (steps[0], steps[-1]) == (0, 9_999)
    assert {1234, 4321, 7777} <= set(steps.tolist())
    assert (np.diff(steps) > 0).all()
    assert np.array_equal(kept, values[steps], equal_nan=True)


def test_noise_is_smoothed_to_its_mean():
    noisy = 3.0 + np.random.default_rng(0).standard_normal(400)
    mean = smooth(noisy)
    assert mean is not None
    assert np.abs(mean - 3.0).max() < 1.0
    assert np.abs(mean - 3.0).mean() < 0.3


def test_a_smooth_or_short_curve_is_left_alone():
    assert smooth(np.linspace(0, 1, 400) ** 2) is None
    assert smooth(np.random.default_rng(0).standard_normal(39)) is None


def test_smoothing_leaves_out_what_is_not_finite():
    noisy = 3.0 + np.random.default_rng(0).standard_normal(400)
    noisy[[10, 11, 200]] = [np.nan, np.inf, -np.inf]
    mean = smooth(noisy)
    assert mean is not None
    assert np.isfinite(mean).all()
    noisy[100:200] = np.nan
    assert np.isnan(smooth(noisy)[150])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (5000, "5\u202f000"),
        (1.0, "1"),
        (-0.123456, "-0.1235"),
        (2e-4, "2e-4"),
        (0.000123456, "1.23e-4"),
        (1234567.8, "1.23e6"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_figures_are_short(value, text):
    assert figure_of(value) == text


def test_svg_takes_its_colours_from_the_page():
    svg = svg_of(Chart("Losses", (one(range(5)), one([1, np.nan, 3, np.inf, 5]))), "losses")
    assert svg.startswith("<svg viewBox=")
    assert svg.endswith("</svg>")
    assert "var(--critic)" in svg
    assert "#fe01" not in svg
    assert "<style" not in svg
    assert "http" not in svg


def test_numbers_that_are_not_finite_are_marked():
    marked = svg_of(Chart("Losses", (one([1, np.nan, 3]),)), "x").count("var(--alarm)")
    assert svg_of(Chart("Losses", (one([1, 2, 3]),)), "x").count("var(--alarm)") == 0
    assert marked > 0


@pytest.mark.parametrize("values", [[1.0], [np.nan], [np.nan, np.nan], [0.0, 0.0], [1e300, -1e300], [np.inf, 2.0]])
@pytest.mark.parametrize("log", [False, True])
def test_odd_curves_can_be_drawn(values, log):
    assert "<svg" in svg_of(Chart("odd", (one(values),), log and min(values) > 0), "odd")


def test_ids_of_two_charts_do_not_meet():
    import re

    first, second = (svg_of(Chart(title, (one([1, np.nan, 3]),)), title) for title in ("a", "b"))
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 1e-308])
def test_numbers_at_the_edge_of_what_there_is_are_drawn(value):
    entries = [LogEntry(step, 0.0, {"critic/loss": v}) for step, v in enumerate([1.0, value, -value, 2.0])]
    for chart in charts_of(series_of(entries)):
        assert "<svg" in svg_of(chart, chart.title)
