"""`gradgan compare` as a person calls it: by flags or by a file, the same comparison and the same printed table."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from gradgan.cli import main
from gradgan.cli.comparing import run_compare
from gradgan.core.errors import GradganError
from gradgan.report.figures import rounded

TINY = ["data.samples=300", "batch=16", "generator.widths=[8]", "critic.widths=[8]"]


@pytest.mark.parametrize(
    ("there", "joined"),
    [
        ("settings: batch=32", ["batch=32", "ema=0.9"]),
        ("settings: [batch=32, ema=0.5]", ["batch=32", "ema=0.5", "ema=0.9"]),
        ("settings:", ["ema=0.9"]),
        ("", ["ema=0.9"]),
    ],
)
def test_set_joins_the_settings_of_the_file(tmp_path, monkeypatch, there, joined):
    plans = []
    monkeypatch.setattr("gradgan.cli.comparing._print_expected", lambda plan, out, workers: plans.append(plan))
    (tmp_path / "plan.yaml").write_text(f"data: ring\n{there}\n")
    run_compare(tmp_path / "plan.yaml", {"settings": ["ema=0.9"]}, out=tmp_path / "out", workers=1, dry_run=True)
    assert plans[0].settings == joined


def test_settings_that_are_no_list_are_refused(tmp_path):
    (tmp_path / "plan.yaml").write_text("data: ring\nsettings: {batch: 32}\n")
    with pytest.raises(GradganError, match=r"plan\.yaml: settings must be a valid list, got \{'batch': 32\}"):
        run_compare(tmp_path / "plan.yaml", {"settings": ["ema=0.9"]}, out=tmp_path, workers=1, dry_run=True)


@pytest.mark.timeout(900)  # it starts torch twice more, which takes long on a busy machine
def test_flags_and_file_print_the_same_table_which_is_that_of_table_csv(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("gradgan.comparison.costs._TOGETHER", 0.0)
    by_flags, by_file = tmp_path / "flags", tmp_path / "file"
    words = ["ring", "--systems", "gan", "r1", "--seeds", "2", "--steps", "8", "--looks", "2", "--set", *TINY]
    printed = compared(capsys, by_flags, *words)
    # Times are measured before the first run; the second comparison takes those of the first.
    by_file.mkdir()
    for name in ("comparison.yaml", "costs.json"):
        (by_file / name).write_bytes((by_flags / name).read_bytes())
    plan = {"data": "ring", "systems": ["gan", "r1"], "seeds": 2, "steps": 8, "looks": 2, "settings": TINY}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    assert compared(capsys, by_file, "--config", str(tmp_path / "plan.yaml")) == printed
    assert (by_file / "table.csv").read_text() == (by_flags / "table.csv").read_text()
    check_that_it_is_that_of_the_csv(tables_in(printed), by_flags / "table.csv")


def compared(capsys, out: Path, *words: str) -> str:
    """What is printed, its folder called OUT."""
    main(["compare", *words, "--workers", "1", "--out", str(out)])
    return capsys.readouterr().out.replace(str(out), "OUT")


def tables_in(printed: str) -> dict[str, list[list[str]]]:
    """The rows of each printed table by its title, the headings left out."""
    blocks = [block.splitlines() for block in printed.split("\n\n")]
    tables = {lines[0].strip(): lines[2:] for lines in blocks if lines and lines[0].startswith("ring, ")}
    return {title: [re.split(r"\s{2,}", row.strip()) for row in rows] for title, rows in tables.items()}


def check_that_it_is_that_of_the_csv(tables: dict[str, list[list[str]]], path: Path) -> None:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    of = {(row["number"], row["method"], row["reading"]): row for row in rows}
    metrics = list(dict.fromkeys(row["number"] for row in rows))
    heading = "ring, 8 steps, 2 seeds: "
    assert "modes" in metrics
    assert list(tables) == [*(heading + metric for metric in metrics), heading + "ends and costs"]
    for metric in metrics:
        assert sorted(cells[1] for cells in tables[heading + metric]) == ["gan", "r1"]
        for rank, method, last, _, minus, equal, best in tables[heading + metric]:
            row = of[metric, method, "last"]
            ranks = dict.fromkeys([row["rank"], row["worst_rank"]])
            assert (rank, last) == ("–".join(ranks), with_interval(row, "mean", "low", "high"))
            assert minus == with_interval(row, "difference", "difference_low", "difference_high", sign="+")
            assert equal == with_interval(of.get((metric, method, "equal time")), "mean", "low", "high")
            assert best.startswith(with_interval(of[metric, method, "best"], "mean", "low", "high") + " (")
    for method, collapsed, diverged, steps, *_ in tables[heading + "ends and costs"]:
        row = of["modes", method, "last"]
        assert (collapsed, diverged) == (f"{row['collapsed']} of 2", f"{row['diverged']} of 2")
        assert steps == row["steps"] == "8"


def with_interval(row: dict[str, str] | None, *keys: str, sign: str = "") -> str:
    """The mean and its interval as people read it."""
    if row is None or not row[keys[0]]:
        return "–"
    mean, low, high = (float(row[key]) for key in keys)
    return f"{sign if mean > 0 else ''}{rounded(mean)} [{rounded(low)}, {rounded(high)}]"
