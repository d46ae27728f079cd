"""A study's curve: its scale is that of the trials which came to their end, and nothing is left out."""

import pytest
from matplotlib.figure import Figure

from gradgan.report import study

AXIS = {"name": "r1.weight", "low": 0.001, "high": 10.0, "log": True, "choices": []}


def trial(number, weight, finals, end="complete", kind="searched"):
    return {
        "number": number,
        "kind": kind,
        "end": end,
        "values": None if kind == "none" else {"r1.weight": weight},
        "finals": finals,
        "collapsed": 0,
    }


def drawn(trials):
    axes = Figure().add_subplot()
    study._drawn(axes, {"trials": trials, "axes": [AXIS], "chosen": 0}, AXIS, lambda word: "#000000")
    return axes, [(line.get_xdata(), line.get_ydata(), line.get_marker()) for line in axes.get_lines()]


@pytest.mark.parametrize(("early", "edge"), [(120.0, 1), (-50.0, 0)])
def test_a_pruned_trial_far_off_is_an_arrow_at_the_edge_and_does_not_set_the_scale(early, edge):
    whole = [trial(0, 0.1, [3.0, 5.0]), trial(1, 1.0, [4.0, 8.0]), trial(2, 0, [7.0], kind="none")]
    axes, lines = drawn([*whole, trial(3, 0.01, [early, early + 1], end="pruned")])
    low, high = axes.get_ylim()
    assert 2 < low < 3 and 8 < high < 9
    assert [y[0] for x, y, _ in lines if x[0] == 0.01] == [(low, high)[edge]]


def test_a_pruned_trial_within_the_scale_stands_at_its_value():
    _, lines = drawn([trial(0, 0.1, [3.0, 5.0]), trial(1, 0.01, [4.0, 4.5], end="pruned")])
    assert [4.25] in [list(y) for x, y, _ in lines if x[0] == 0.01]


def test_pruned_trials_alone_set_the_scale_and_none_at_all_is_no_error():
    axes, _ = drawn([trial(1, 0.01, [4.0, 6.0], end="pruned")])
    assert axes.get_ylim()[0] < 4 and axes.get_ylim()[1] > 6
    drawn([trial(0, 0.1, [], end="diverged")])


def test_values_far_apart_get_a_logarithmic_scale_that_shows_all():
    axes, _ = drawn([trial(0, 0.1, [3.0, 5.0]), trial(1, 1.0, [400.0, 800.0])])
    assert axes.get_yscale() == "log" and axes.get_ylim()[0] < 3 and axes.get_ylim()[1] > 800
