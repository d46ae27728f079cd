"""Tables of a comparison from curves made by hand: last, equal, best, lost seeds, collapses, floors; all known."""

import csv
import io
from pathlib import Path

import pytest

from gradgan.comparison import make_plan
from gradgan.comparison.cells import Cell
from gradgan.comparison.collect import Curve, _collapsed
from gradgan.comparison.costs import Cost
from gradgan.comparison.plan import Budget
from gradgan.comparison.showing import as_plain, columns, csv_text, ends_and_costs, markdown
from gradgan.comparison.summary import tables_of
from gradgan.experiment import configure
from gradgan.report.ranking import ends_and_costs as ends_on_page
from gradgan.report.ranking import ranking

SECONDS = {"gan": 0.01, "r1": 0.02, "slow": 0.1}
COSTS = {("ring", name): Cost(seconds, 0.01, seconds / 0.01, 2**20) for name, seconds in SECONDS.items()}
STEPS = Budget("steps", 100)


def curve(method, seed, looks, *, budget=STEPS, steps=100, diverged="", collapsed=False, floors=None, metric="modes"):
    config = configure("ring", steps=steps, seed=seed)
    cell = Cell("ring", method, budget, seed, config, Path("out/runs") / method / str(seed))
    return Curve(cell, {metric: looks} if looks else {}, {}, diverged, collapsed, floors or {})


def plan(**words):
    words = {"data": ["ring"], "systems": ["gan", "r1"], "seeds": 3, **words}
    return make_plan({**words, "methods": {"slow": ["system=wgan_gp"]}}, source="here")


def three_seeds(method, values, **words):
    """Three runs with four looks each: worse before, and best at step 50."""
    return [
        curve(method, seed, {25: value - 3, 50: value + 1, 75: value - 1, 100: value}, **words)
        for seed, value in enumerate(values)
    ]


def test_last_best_and_equal_time_are_read_where_they_say():
    curves = [*three_seeds("gan", (4, 5, 6)), *three_seeds("r1", (7, 8, 9)), *three_seeds("slow", (8, 8, 8))]
    (table,) = tables_of(plan(), curves, COSTS)
    gan, r1, slow = (row.metrics["modes"] for row in table.rows)
    assert table.equal == "time" and [row.steps for row in table.rows] == [100, 100, 100]
    assert gan["last"].values == {0: 4, 1: 5, 2: 6} and r1["last"].interval.mean == 8
    assert r1["best"].values == {0: 8, 1: 9, 2: 10} and set(r1["best"].steps.values()) == {50}
    # gan is done after 1 s: r1 has come to its step 50 by then, and slow to step 10, before its first look.
    assert gan["equal"].values == gan["last"].values
    assert r1["equal"].values == {0: 8, 1: 9, 2: 10} and set(r1["equal"].steps.values()) == {50}
    assert "equal" not in slow
    assert (r1["last"].difference.mean, gan["last"].difference) == (3, None)
    # Paired by seed, where all differ by 3; but they are counts.
    half = 4.303 * (2 / 12 / 3) ** 0.5
    assert (r1["last"].difference.low, r1["last"].difference.high) == pytest.approx((3 - half, 3 + half), abs=1e-3)
    assert [str(row["last"].rank) for row in (gan, r1, slow)] == ["3", "1–2", "1–2"]
    assert table.rows[1].over_baseline == 2 and table.rows[1].cost.over_unpenalised == 2


def test_with_a_budget_in_minutes_the_other_reading_is_at_equal_steps():
    budget = Budget("minutes", 1)
    curves = [
        *(curve("gan", s, {50: 3.0, 100: 4.0, 200: 6.0}, budget=budget, steps=200) for s in range(3)),
        *(curve("r1", s, {50: 5.0, 100: 7.0}, budget=budget, steps=100) for s in range(3)),
        *(curve("slow", s, {100: 8.0}, budget=budget, steps=100) for s in range(3)),
    ]
    (table,) = tables_of(plan(steps=[], minutes=[1]), curves, COSTS)
    assert table.equal == "steps"
    gan = table.rows[0].metrics["modes"]
    assert gan["last"].interval.mean == 6 and gan["equal"].interval.mean == 4
    assert gan["equal"].steps == {0: 100, 1: 100, 2: 100}


def test_each_budget_has_its_table():
    short = Budget("steps", 50)
    curves = [*three_seeds("gan", (1, 1, 1)), *(curve("gan", s, {50: 2.0}, budget=short, steps=50) for s in range(3))]
    tables = tables_of(plan(), curves, COSTS)
    assert [(str(t.budget), t.rows[0].metrics["modes"]["last"].interval.mean) for t in tables] == [
        ("100 steps", 1),
        ("50 steps", 2),
    ]


def test_the_one_survivor_of_a_method_does_not_win():
    curves = [
        *three_seeds("gan", (4, 5, 6)),
        curve("r1", 0, None, diverged="it diverged"),
        curve("r1", 1, {100: 8.0}),
        curve("r1", 2, None, diverged="it diverged"),
        *(curve("slow", seed, None, diverged="it diverged") for seed in range(3)),
    ]
    (table,) = tables_of(plan(), curves, COSTS)
    gan, r1, slow = table.rows
    assert [str(row.metrics["modes"]["last"].rank) for row in (gan, r1)] == ["1", "2"]
    assert slow.metrics == {}
    assert [row.diverged for row in table.rows] == [0, 2, 3]
    _, cells = columns(table, "modes", "gan")
    assert [row[1] for row in cells] == ["gan", "r1", "slow"]
    assert cells[1][2] == "8 (1 of 3)" and cells[0][2].startswith("5 [") and "of" not in cells[0][2]
    assert cells[2][0] == "–"
    page = ranking(as_plain([table], curves, Path("out"))["tables"][0], "modes", {"gan": 0, "r1": 1, "slow": 2}, "gan")
    assert "(1 of 3)" in page and "(3 of 3)" not in page


def test_runs_that_diverged_do_not_win_by_what_they_were_before():
    curves = [
        *three_seeds("gan", (4, 5, 6)),
        *three_seeds("r1", (7, 8, 9), diverged="it diverged"),
        *three_seeds("slow", (9, 9)),
        curve("slow", 2, {100: 9.0}, diverged="it diverged"),
    ]
    (table,) = tables_of(plan(), curves, COSTS)
    assert [row.diverged for row in table.rows] == [0, 3, 1]
    for reading in ("last", "best"):
        assert [row.metrics["modes"][reading].rank.place for row in table.rows] == [1, 3, 2]
    r1 = table.rows[1].metrics["modes"]["last"]
    assert r1.interval.mean == 8 and r1.difference is not None and r1.difference.mean == 3, "told as they are"
    assert [row[1] for row in columns(table, "modes", "gan")[1]] == ["gan", "slow", "r1"]
    assert "behind all of which fewer runs diverged" in markdown([table], "gan", command="", about={})


def test_of_equally_many_diverged_runs_a_value_is_more_than_none():
    curves = [
        *three_seeds("gan", (4, 5, 6), diverged="it diverged"),
        *three_seeds("r1", (7, 8, 9), diverged="it diverged"),
        *(curve("slow", seed, {100: 99.0} if seed else None, diverged="it diverged") for seed in range(3)),
    ]
    (table,) = tables_of(plan(), curves, COSTS)
    assert [str(row.metrics["modes"]["last"].rank) for row in table.rows] == ["2", "1", "3"]


def test_what_was_not_counted_is_not_called_zero():
    assert _collapsed({"modes": {10: 8.0, 20: 3.0}}, 8) is True
    assert _collapsed({"modes": {10: 3.0, 20: 4.0}}, 8) is False
    assert _collapsed({"frechet_ratio/pixels": {10: 3.0}}, 10) is None
    curves = [
        *three_seeds("gan", (4, 5, 6), collapsed=None),
        *(curve("r1", seed, {100: 1.0}, collapsed=seed > 0) for seed in range(3)),
        *three_seeds("slow", (4, 5, 6)),
    ]
    (table,) = tables_of(plan(), curves, COSTS)
    assert [row.collapsed for row in table.rows] == [None, 2, 0]
    assert [row[1] for row in ends_and_costs(table, "gan")[1]] == ["–", "2 of 3", "0 of 3"]
    plain = as_plain([table], curves, Path("out"))["tables"][0]
    assert ">–<" in ends_on_page(plain, {"gan": 0, "r1": 1, "slow": 2}, "gan")
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(csv_text([table])))}
    assert [rows[name]["collapsed"] for name in ("gan", "r1", "slow")] == ["", "2", "0"]


@pytest.mark.parametrize("asked", [[], ["frechet/classifier"]])
def test_a_frechet_distance_stands_beside_its_ratio_and_its_floor(asked):
    def both(method, seed):
        one = curve(method, seed, {100: 4.0 + seed}, metric="frechet/classifier", collapsed=None)
        one.looks["frechet_ratio/classifier"] = {100: 2.0 + seed}
        one.floors["frechet_floor/classifier"] = 1.5 + seed
        return one

    curves = [both(method, seed) for method in SECONDS for seed in range(3)]
    (table,) = tables_of(plan(metrics=asked), curves, COSTS)
    assert table.metrics == ["frechet/classifier", "frechet_ratio/classifier"]
    assert table.floors == {"frechet/classifier": 2.5, "frechet_ratio/classifier": 2.5}
    text = markdown([table], "gan", command="gradgan compare", about={"date": "today"})
    assert "**ring, 100 steps, 3 seeds: frechet/classifier, floor 2.5**" in text
    rows = list(csv.DictReader(io.StringIO(csv_text([table]))))
    assert {row["number"] for row in rows} == {"frechet/classifier", "frechet_ratio/classifier"}
    assert {row["floor"] for row in rows} == {"2.5"}
    # A column more moves none of the others.
    names = ("rank", "worst_rank", "diverged", "seeds", "steps")
    assert [rows[0][name] for name in names] == ["1", "3", "0", "3", "100"]


def test_a_number_without_a_floor_has_none_in_the_csv():
    (table,) = tables_of(plan(), three_seeds("gan", (4, 5, 6)), COSTS)
    assert [row["floor"] for row in csv.DictReader(io.StringIO(csv_text([table])))] == ["", "", ""]
