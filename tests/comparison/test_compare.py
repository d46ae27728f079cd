"""A comparison killed with -9 and started again is the unbroken one; what diverges counts; bad input leaves nothing."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gradgan
from gradgan.comparison import Comparison
from gradgan.core.errors import GradganError

TINY = ["data.samples=300", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "checkpoint.every=20"]
WORDS: dict = {
    "systems": ["gan", "r1"],
    # It diverges by its learning rate, as a run on a bad day would; that it asks to be stopped first changes nothing.
    "methods": {"sick": ["system=gan", "optimiser.lr=1e18", "lr.shape=constant", "alarm.action=stop"]},
    "seeds": 1,
    "steps": 80,
    "looks": 4,
    "settings": [*TINY, "log.every=10"],
    "logged": ["generator/gradient_norm", "critic/r1"],
}


@pytest.mark.timeout(1200)  # it starts torch four times, which takes long on a busy machine
def test_a_comparison_whole_and_killed(tmp_path):
    """One test, for the runs cost most: what is left, that a second call runs nothing, that a killed one goes on."""
    whole = gradgan.compare("ring", **WORDS, workers=1, out=tmp_path / "whole")
    check_what_it_leaves(whole)
    check_that_what_diverges_is_a_result(whole)
    check_costs(whole)
    check_that_a_second_call_runs_nothing(whole)
    check_that_a_killed_one_goes_on(whole, tmp_path / "killed")
    check_that_another_plan_is_refused(whole)


def quality(path: Path) -> list[dict[str, str]]:
    """The table without its times, which are measured anew, and what is read at equal times."""
    measured = ("time_over_unpenalised", "time_over_baseline", "seconds_per_step")
    with (path / "table.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["reading"] != "equal time"]
    return [{k: v for k, v in row.items() if k not in measured} for row in rows]


def check_what_it_leaves(whole: Comparison) -> None:
    names = {p.name for p in whole.path.iterdir() if not p.name.startswith(".")}
    assert names >= {"report.html", "comparison.yaml", "comparison.json", "table.md", "table.csv", "costs.json", "runs"}
    assert (whole.path / "runs" / "ring" / "r1" / "steps_80" / "seed_0" / "report.html").is_file()
    (table,) = whole.tables
    assert [row.method for row in table.rows] == ["gan", "r1", "sick"]
    assert table.metrics == ["modes", "high_quality", "reverse_kl", "mixture_distance"]
    best, last = (table.rows[1].metrics["modes"][name] for name in ("best", "last"))
    assert set(last.steps.values()) == {80} and set(last.values) == {0}
    assert all(best.values[seed] >= last.values[seed] for seed in last.values)
    text = (whole.path / "table.md").read_text()
    assert (
        text.startswith("```bash\ngradgan compare ")
        and "| rank | method | last modes |" in text
        and "| method | collapsed | diverged |" in text
    )
    assert "from the same latents for every method" in (whole.path / "report.html").read_text()
    plain = json.loads((whole.path / "comparison.json").read_text())
    assert len(plain["runs"]) == 3 and set(plain["runs"][0]["looks"]["modes"]) == {"20", "40", "60", "80"}


def check_that_what_diverges_is_a_result(whole: Comparison) -> None:
    gan, _, sick = whole.tables[0].rows
    assert (gan.diverged, sick.diverged) == (0, 1)
    assert all("diverged" in c.diverged for c in whole.curves if c.cell.method == "sick")


def check_costs(whole: Comparison) -> None:
    gan, r1, _ = whole.tables[0].rows
    assert 0.6 < gan.cost.over_unpenalised < 1.6 and gan.over_baseline == 1.0
    assert r1.cost.over_unpenalised > 1.05
    assert r1.cost.memory > gan.cost.memory > 0, "the gradient's graph lives beside the critic's"
    assert r1.logged["generator/gradient_norm"].difference is not None
    assert "critic/r1" in r1.logged and "critic/r1" not in gan.logged, "told of those that log it"


def check_that_a_second_call_runs_nothing(whole: Comparison) -> None:
    runs = {p: p.stat().st_mtime_ns for p in (whole.path / "runs").rglob("*")}
    again = gradgan.compare("ring", **WORDS, out=whole.path)
    assert again.tables == whole.tables
    assert runs == {p: p.stat().st_mtime_ns for p in (whole.path / "runs").rglob("*")}


def check_that_a_killed_one_goes_on(whole: Comparison, out: Path) -> None:
    out.mkdir()
    for name in ("comparison.yaml", "costs.json"):  # the same costs, for they are measured before the first run
        (out / name).write_bytes((whole.path / name).read_bytes())
    command = [sys.executable, "-m", "gradgan", "compare", "--config", str(out / "comparison.yaml"), "--out", str(out)]
    process = subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.DEVNULL)
    checkpoints = out / "runs" / "ring" / "r1" / "steps_80" / "seed_0" / "checkpoints"
    end = time.monotonic() + 900
    while not any((checkpoints / f"step_{step:08d}.safetensors").exists() for step in (40, 60, 80)):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "table.csv").exists(), "it was cut short"
    result = gradgan.compare("ring", **WORDS, workers=1, out=out)
    assert quality(out) == quality(whole.path)
    assert result.tables == whole.tables, "with the same costs, what is read at equal times too"


def check_that_another_plan_is_refused(whole: Comparison) -> None:
    with pytest.raises(GradganError, match="another comparison: looks is 2 now and was 4"):
        gradgan.compare("ring", **{**WORDS, "looks": 2}, out=whole.path)
    with pytest.raises(GradganError, match=r"methods\.sick"):
        gradgan.compare("ring", **{**WORDS, "methods": {}}, out=whole.path)


def test_what_cannot_be_built_is_refused_before_anything_is_written(tmp_path):
    for words, message in (
        ({"systems": ["gann"]}, "gann on ring: unknown system 'gann'"),
        ({"variants": {"bad": ["critic.norm=batch"]}}, "r1-bad on ring: .*mixes samples"),
        ({"variants": {"typo": ["r1.wieght=3"]}}, "gan-typo on ring: .*r1.weight"),
        ({"settings": ["batch=1000000"]}, "gan on ring"),
        ({"metrics": ["class_kl"]}, "gan on ring: class_kl wants images"),
        ({"logged": ["generator/gradient_nrom"]}, "unknown logged number .* meant 'generator/gradient_norm'"),
        ({"logged": ["critic/r2"]}, "unknown logged number 'critic/r2'. Perhaps you meant 'critic/r1'"),
        ({"logged": ["modes"]}, "modes is a metric, .*; name it under metrics"),
    ):
        with pytest.raises(GradganError, match=message):
            gradgan.compare("ring", **{**WORDS, **words}, out=tmp_path / "out")
    with pytest.raises(GradganError, match="workers must be at least 1"):
        gradgan.compare("ring", **WORDS, workers=0, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(GradganError, match="holds no comparison"):
        gradgan.compare("ring", **WORDS, out=tmp_path)
