"""The live watch, which looks at a tail of the log, says what the rules say of the whole of it."""

import logging
import random
from pathlib import Path

import pytest

from gradgan.alarm import ILLNESSES, REACH, History, examine
from gradgan.core.record import RunFolder
from gradgan.training.watching import Watch

PATIENCE = 3


def recorded(seed: int) -> list[dict[str, float]]:
    """Stretches of every illness and of health in turn, with noise, as a long run that falls ill and recovers."""
    chance = random.Random(seed)
    stretches = [ILLNESSES[name].facts[which]() for name in ILLNESSES for which in ("sick", "healthy")]
    chance.shuffle(stretches)
    rows = [{name: value * chance.uniform(0.7, 1.3) for name, value in row.items()} for s in stretches for row in s]
    rows[-chance.randint(1, len(rows))]["critic/loss"] = float("nan")
    return [{"lr/critic": 0.1, **row} for row in rows]


@pytest.mark.parametrize("seed", range(5))
def test_the_tail_says_what_the_whole_log_says(seed, tmp_path, caplog):
    rows = recorded(seed)
    steps = [10 * (k + 1) for k in range(len(rows))]
    whole = [f"step {f.step}: {f}. {f.helps}" for f in examine(History(steps, rows), patience=PATIENCE)]
    half = len(rows) // 2
    with caplog.at_level(logging.WARNING, logger="gradgan"):
        watch_in(tmp_path / "run", steps[:half], rows[:half])
        watch_in(tmp_path / "run", steps[half:], rows[half:])  # resumed: what was told before is known
    assert [record.message for record in caplog.records] == whole and len(whole) > 3


def watch_in(path: Path, steps: list[int], rows: list[dict[str, float]]) -> None:
    """A watch of the run that lies there (or begins) over these steps; evaluations are logged between."""
    with RunFolder.create(path, config_yaml="preset: ring\n", resume=True) as run:
        watch = Watch(run, patience=PATIENCE, only_warn=True)
        for step, row in zip(steps, rows, strict=True):
            run.log(step, 1.0, row)
            run.log(step + 5, 1.0, {"class_kl": float("inf")})
            watch(step, row)
            assert len(watch._rows) <= PATIENCE + REACH - 1
