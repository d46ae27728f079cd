"""Schedules: their ends, their shape, their joints, their refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.checks import GradganError
from gradgan.training.schedules import Schedule

share = st.floats(0, 1)
schedules = st.builds(
    Schedule, shape=st.sampled_from(["constant", "linear", "cosine"]), final=share, warmup=share, hold=share
)


def test_the_default_is_1_all_along() -> None:
    assert [Schedule()(t) for t in (0.0, 0.5, 1.0)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("shape", "progress", "wanted"),
    [("linear", 0.25, 0.75), ("linear", 0.5, 0.5), ("cosine", 0.5, 0.5), ("cosine", 0.25, (1 + math.sqrt(0.5)) / 2)],
)
def test_shape_on_the_way_to_0(shape: str, progress: float, wanted: float) -> None:
    assert Schedule(shape)(progress) == pytest.approx(wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_it_ends_at_final(shape: str) -> None:
    assert Schedule(shape, final=0.3)(1.0) == pytest.approx(0.3)  # type: ignore[arg-type]
    assert Schedule(shape, final=2.0)(1.0) == pytest.approx(2.0)  # type: ignore[arg-type]


def test_warm_up_rises_from_0_and_hold_stays_at_1() -> None:
    schedule = Schedule("linear", warmup=0.2, hold=0.6)
    wanted = {0.0: 0.0, 0.1: 0.5, 0.2: 1.0, 0.6: 1.0, 0.8: 0.5, 1.0: 0.0}
    assert {t: pytest.approx(schedule(t)) for t in wanted} == wanted


@given(schedules)
def test_it_never_jumps(schedule: Schedule) -> None:
    # Slopes are bounded by the shortest of its three parts, so near points have near factors.
    start = max(schedule.warmup, schedule.hold)
    shortest = min(part for part in (schedule.warmup, 1 - start, 1.0) if part > 0)
    steep = 2 / shortest
    step = 1e-4
    for k in range(0, 10_000, 7):
        t = k * step
        assert abs(schedule(t + step) - schedule(t)) <= steep * step + 1e-9


@given(schedules, st.floats(-1, 2))
def test_it_stays_between_0_and_1_and_takes_any_progress(schedule: Schedule, progress: float) -> None:
    assert 0 <= schedule(progress) <= 1
    assert schedule(progress) == schedule(min(max(progress, 0.0), 1.0))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"final": -1.0}, r"schedule\.final must be finite >= 0, got -1"),
        ({"warmup": 1.5}, r"schedule\.warmup must be finite >= 0 and <= 1, got 1.5"),
        ({"hold": float("nan")}, r"schedule\.hold must be finite >= 0 and <= 1, got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(parts: dict, message: str) -> None:
    with pytest.raises(GradganError, match=message):
        Schedule(**parts)
