"""Every rule names its illness and no other's absence; what it says of a step does not depend on later ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradgan.alarm import ILLNESSES, REACH, History, examine
from gradgan.alarm.history import rolling
from gradgan.alarm.watch import run_lengths
from gradgan.core.glossary import NUMBERS, PLAYERS
from gradgan.core.record import LogEntry

every = pytest.mark.parametrize("name", list(ILLNESSES))


def history(rows: list[dict[str, float]]) -> History:
    return History([10 * (k + 1) for k in range(len(rows))], rows)


@every
def test_its_own_example_is_named_and_the_healthy_one_is_not(name):
    facts = ILLNESSES[name].facts
    (finding,) = examine(history(facts["sick"]()), patience=3, only=[name])
    assert finding.illness == name and finding.still and finding.helps == facts["helps"]
    for told in finding.evidence:
        side, _, threshold = told.bound.partition(" ")
        assert told.value > float(threshold) if side == "above" else told.value < float(threshold)
    assert examine(history(facts["healthy"]()), patience=3, only=[name]) == []


@every
def test_an_empty_and_a_short_log_are_not_sick(name):
    assert examine(history([]), patience=3, only=[name]) == []
    assert examine(history([{"critic/loss": 1.0}]), patience=3, only=[name]) == []


@every
def test_what_is_said_of_a_step_does_not_depend_on_later_ones(name):
    rows = [*ILLNESSES[name].facts["healthy"](), *ILLNESSES[name].facts["sick"]()]
    (whole,) = examine(history(rows), patience=3, only=[name])
    count = whole.step // 10
    assert examine(history(rows[: count - 1]), patience=3, only=[name]) == []
    (live,) = examine(history(rows[:count]), patience=3, only=[name])
    assert (live.since, live.step, live.evidence) == (whole.since, whole.step, whole.evidence)


@every
def test_it_reads_numbers_that_are_logged(name):
    measured = set(NUMBERS) | {f"{p}/{what}" for p in PLAYERS for what in ("growth", "gradient_norm")}
    for row in (*ILLNESSES[name].facts["sick"](), *ILLNESSES[name].facts["healthy"]()):
        assert all(number in measured or number.startswith("force/") for number in row)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_needs_no_patience(value):
    (finding,) = examine(history([{"critic/loss": 0.7}] * 5 + [{"critic/loss": value}]), patience=100)
    assert (finding.illness, finding.since, finding.step) == ("divergence", 60, 60)
    assert "critic/loss" in str(finding)


def test_since_is_where_the_signs_began_and_patience_is_how_long_they_lasted():
    rows = [{"force/critic/r1": 0.1}] * 10 + [{"force/critic/r1": 1e-9}] * 10
    (finding,) = examine(history(rows), patience=4)
    # The median over five logged steps turns with the third of the new ones.
    assert (finding.illness, finding.since, finding.step) == ("idle_penalty", 130, 160)


def test_an_illness_that_passed_is_told_as_past():
    rows = [{"force/critic/r1": 1e-9}] * 10 + [{"force/critic/r1": 0.1}] * 10
    (finding,) = examine(history(rows), patience=4)
    assert not finding.still


def test_evaluations_are_not_part_of_the_history():
    """Logged at every second step and evaluated at every third, with a metric that may be infinite."""
    lines = [LogEntry(step, 0.0, {"lr/critic": 0.1, "critic/told": 0.7}) for step in range(2, 25, 2)]
    looks = [LogEntry(step, 0.0, {"class_kl": float("inf")}) for step in range(3, 25, 3)]
    read = History.of(sorted([*lines, *looks], key=lambda entry: entry.step))
    assert read.steps.tolist() == list(range(2, 25, 2)) and set(read.names) == {"lr/critic", "critic/told"}
    assert examine(read, patience=3) == []


@every
def test_no_rule_looks_further_back_than_the_reach(name):
    rows = [*ILLNESSES[name].facts["healthy"](), *ILLNESSES[name].facts["sick"](), *ILLNESSES[name].facts["healthy"]()]
    signs = ILLNESSES.make(name)(history(rows))
    for end in range(REACH, len(rows) + 1):
        steps = [10 * (k + 1) for k in range(end - REACH, end)]
        tail = {key(sign): last(sign, -1) for sign in ILLNESSES.make(name)(History(steps, rows[end - REACH : end]))}
        for sign in signs:
            assert tail.get(key(sign), (False,) * len(sign)) == last(sign, end - 1)


def key(sign: tuple) -> tuple:
    return tuple((condition.number, condition.what) for condition in sign)


def last(sign: tuple, at: int) -> tuple:
    return tuple(bool(condition.holds[at]) for condition in sign)


@given(
    st.lists(st.one_of(st.floats(-10, 10), st.just(float("nan"))), max_size=20),
    st.integers(1, 6),
    st.sampled_from([10, 50, 90]),
)
def test_rolling_is_the_sorted_window(values, over, percentile):
    fast = rolling(np.array(values, dtype=float), over, percentile)
    for place in range(len(values)):
        window = sorted(v for v in values[max(0, place - over + 1) : place + 1] if np.isfinite(v))
        slow = window[int((len(window) - 1) * percentile / 100)] if window else float("nan")
        np.testing.assert_equal(fast[place], slow)


@given(st.lists(st.booleans(), max_size=20))
def test_run_lengths_count(holds):
    count, counts = 0, []
    for held in holds:
        count = count + 1 if held else 0
        counts.append(count)
    assert run_lengths(np.array(holds, dtype=bool)).tolist() == counts


def test_a_log_of_numbers_that_nobody_here_wrote_is_examined():
    """A log.jsonl that was damaged, or another program's: any name, any finite number."""
    names = ["force/critic", "force/", "force/a/b/c", "", "critic/told", "critic/growth", "diversity/distance"]
    values = (0.0, -1e300, 1e300, 5e-324, 1.0)
    rows = [{name: values[(k + place) % 5] for place, name in enumerate(names)} for k in range(20)]
    assert {finding.illness for finding in examine(history(rows), patience=3)} <= set(ILLNESSES)
