"""Intervals cover what they say, pairs are paired by seed, and ties are ties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.errors import GradganError
from gradgan.core.statistics import interval, paired_difference, ranks

FINITE = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


def coverage(draw, truth: float, n: int, times: int = 1500) -> float:
    rng = np.random.default_rng(n)
    return float(np.mean([interval(list(draw(rng, n))).contains(truth) for _ in range(times)]))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_at_least_what_it_says(n):
    assert coverage(lambda rng, k: rng.normal(size=k), 0.0, n) >= 0.94


@pytest.mark.parametrize("n", [5, 10])
def test_on_skewed_values_it_covers_more_than_students_t_and_the_plain_bootstrap(n):
    rng, times = np.random.default_rng(0), 1500
    ours = plain = 0
    for _ in range(times):
        x = rng.exponential(size=n)
        ours += interval(list(x)).contains(1.0)
        low, high = np.quantile(x[rng.integers(n, size=(400, n))].mean(1), [0.025, 0.975])
        plain += low <= 1 <= high
    assert ours > plain + 0.02 * times
    assert ours >= 0.88 * times


@given(st.lists(FINITE, min_size=2, max_size=7), FINITE)
def test_mean_and_bounds_move_with_the_values(values, shift):
    one, other = interval(values), interval([v + shift for v in values])
    assert one.low <= one.mean <= one.high
    for name in ("mean", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) + shift, abs=1e-6)


@given(st.lists(FINITE, min_size=2, max_size=7))
def test_turned_round_it_is_the_mirror_image_for_enumerated_resamples(values):
    one, other = interval(values[:5]), interval([-v for v in values[:5]])
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


def test_few_and_equal_values():
    assert interval([2.0]).contains(1e9) and interval([2.0]).n == 1
    same = interval([3.0, 3.0, 3.0])
    assert (same.low, same.high, same.sd) == (3.0, 3.0, 0.0)
    bounded = interval([0.9, 1.0, 1.0], within=(0.0, 1.0))
    assert bounded.high == 1.0 and bounded.low >= 0.0
    for bad in ([], [1.0, math.nan], [math.inf]):
        with pytest.raises(GradganError, match="finite number or more"):
            interval(bad)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("chance", [0.5, 0.1])
def test_equal_counts_are_not_sure(n, chance):
    """Of equal methods, each finding 24 or 25 modes, few are called different, though counts are often equal."""
    rng, wrong, covered = np.random.default_rng(0), 0, 0
    for _ in range(1000):
        one, other = (dict(enumerate(24.0 + (rng.random(n) > chance))) for _ in range(2))
        difference = paired_difference(one, other, grain=1.0)
        wrong += difference is not None and not difference.contains(0.0)
        covered += interval(list(one.values()), within=(0, 25), grain=1.0).contains(25 - chance)
    assert wrong <= 50 and covered >= 930
    sure = paired_difference(dict.fromkeys(range(3), 10.0), dict.fromkeys(range(3), 2.0), grain=1.0)
    assert sure is not None and sure.low > 6


def test_differences_are_paired_by_seed():
    noise = {seed: 10.0 * seed for seed in range(5)}
    better = {seed: value + 1 for seed, value in noise.items()}
    difference = paired_difference(better, noise)
    assert difference is not None and (difference.low, difference.high) == (1.0, 1.0)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None
    partly = paired_difference({0: 1.0, 7: 100.0}, noise)
    assert partly is not None and partly.n == 1


def shown(*words, **more):
    """Ranks as they are told, in the order of their places."""
    found = ranks(*words, **more)
    return {name: str(rank) for name, rank in sorted(found.items(), key=lambda item: item[1].place)}


def test_ties_share_a_rank():
    clear = {seed: 5.0 + 0.01 * seed for seed in range(5)}
    one, other = {s: (-1.0) ** s for s in range(5)}, {s: (-1.0) ** (s + 1) for s in range(5)}
    table = {"clear": clear, "one": one, "other": other, "none": {}}
    assert shown(table, higher_is_better=True) == {"clear": "1", "one": "2–3", "other": "2–3"}
    assert shown(table, higher_is_better=False) == {"one": "1–2", "other": "1–2", "clear": "3"}


def test_who_scatters_is_placed_by_the_mean_and_may_have_any_rank():
    table = {"wide": {0: 100.0, 1: 1.0, 2: 40.0}, "low": {0: 5.0, 1: 5.1, 2: 5.2}, "high": {0: 6.0, 1: 6.1, 2: 6.2}}
    found = ranks(table, higher_is_better=False)
    assert [(name, str(rank), rank.place) for name, rank in found.items()] == [
        ("low", "1–2", 1), ("high", "2–3", 2), ("wide", "1–3", 3),
    ]  # fmt: skip


def test_seeds_that_are_left_do_not_speak_for_the_lost_ones():
    sure = {seed: 1.0 + 0.01 * seed for seed in range(5)}
    table = {"sure": sure, "alone": {3: 9.0}, "two": {0: 2.0, 1: 2.0}, "none": {}}
    lost = {"sure": (0,), "alone": (4,), "two": (3,), "none": (5,)}
    assert shown(table, higher_is_better=True, lost=lost) == {"sure": "1", "two": "2", "alone": "3"}
    assert shown(table, higher_is_better=False, lost=lost) == {"sure": "1", "two": "2", "alone": "3"}
    spoilt = {"sure": (2, 1), "alone": (2, 0), "two": (1, 1), "none": (5, 5)}
    assert shown(table, higher_is_better=True, lost=spoilt) == {"two": "1", "alone": "2", "sure": "3"}
