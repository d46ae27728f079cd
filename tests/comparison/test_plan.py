"""A plan from a file or flags: what it spells out, and one clear line for each thing that is wrong."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gradgan.comparison import make_plan, read_plan
from gradgan.comparison.cells import cells_of, spaced, steps_within
from gradgan.comparison.plan import Budget, plan_to_yaml
from gradgan.core.errors import GradganError
from gradgan.experiment import complete, configure


def plan(**words):
    return make_plan({"data": ["ring"], "systems": ["gan", "r1"], **words}, source="here")


def test_methods_are_systems_times_variants_and_those_by_name():
    made = plan(variants={"weak": ["r1.weight=0.1"], "strong": ["r1.weight=9"]}, methods={"mine": ["system=atgp"]})
    assert made.named_methods() == {
        "gan-weak": ["system=gan", "r1.weight=0.1"],
        "gan-strong": ["system=gan", "r1.weight=9"],
        "r1-weak": ["system=r1", "r1.weight=0.1"],
        "r1-strong": ["system=r1", "r1.weight=9"],
        "mine": ["system=atgp"],
    }
    assert list(plan().named_methods()) == ["gan", "r1"]
    assert list(plan(systems=[], methods={"only": []}).named_methods()) == ["only"]
    assert list(plan(systems=[], variants={"a": ["ema=0.9"]}).named_methods()) == ["a"]
    assert list(plan(systems=[]).named_methods()) == ["preset"]


def test_the_baseline_is_gan_or_the_first():
    assert plan().reference() == "gan"
    assert plan(systems=["r2", "r1"]).reference() == "r2"
    assert plan(baseline="r1").reference() == "r1"


def test_a_plan_survives_its_file(tmp_path):
    made = plan(
        seeds=3,
        steps=500,
        variants={"a": ["ema=0.9", "generator.widths=[8, 8]"]},
        data={"ring": [], "grid": ["batch=8"]},
    )
    assert made.seeds == [0, 1, 2] and made.steps == [500]
    path = tmp_path / "plan.yaml"
    path.write_text(plan_to_yaml(made))
    assert make_plan(read_plan(path), source="file") == made
    assert yaml.safe_load(path.read_text())["data"] == {"ring": [], "grid": ["batch=8"]}


def test_one_word_is_a_list_of_one_and_an_empty_key_of_none():
    made = plan(settings="batch=32", systems="r1", steps=500)
    assert (made.settings, made.systems, made.steps) == (["batch=32"], ["r1"], [500])
    made = plan(settings=None, metrics=None, steps=None)
    assert (made.settings, made.metrics, made.steps) == ([], [], [])


def test_minutes_become_whole_looks_at_each_methods_pace():
    assert steps_within(Budget("minutes", 1.0), 0.1, looks=20) == 600
    assert steps_within(Budget("minutes", 1.0), 0.11, looks=20) == 540
    assert steps_within(Budget("minutes", 0.001), 1.0, looks=20) == 20
    assert steps_within(Budget("steps", 77), 1.0, looks=20) == 77
    assert steps_within(Budget("minutes", 1.0), 0.1, looks=20, log=7) == 20 * 4 * 7


@given(st.integers(1, 10_000), st.integers(0, 1000))
def test_numbers_are_logged_at_each_look_and_no_more_often_than_the_preset_does(steps, preset):
    looks, log = spaced(steps, preset)
    assert looks % log == 0 and steps / 2 < looks <= steps
    assert log >= min(preset or looks, looks)


BAD = {
    "preset": ({"data": ["rings"]}, "unknown preset 'rings'. Perhaps you meant 'ring'"),
    "no data": ({"data": []}, "no data"),
    "metric": ({"metrics": ["mode"]}, "unknown metric 'mode'. Perhaps you meant 'modes'"),
    "baseline": ({"baseline": "gun"}, "unknown baseline 'gun'. Perhaps you meant 'gan'"),
    "zero seeds": ({"seeds": 0}, "no seeds"),
    "no seeds": ({"seeds": []}, "no seeds"),
    "negative seed": ({"seeds": [-1]}, "seeds must be >= 0, got -1"),
    "seed twice": ({"seeds": [1, 1]}, "seeds names 1 twice"),
    "system twice": ({"systems": ["gan", "gan"]}, "systems names gan twice"),
    "preset twice": ({"data": ["ring", "ring"]}, "data names ring twice"),
    "method twice": ({"methods": {"gan": []}}, "method 'gan' is named twice"),
    "two budgets": ({"steps": 100, "minutes": 1.0}, "steps or minutes, not both"),
    "few steps": ({"steps": 5}, "steps must be at least looks"),
    "no time": ({"minutes": 0.0}, "minutes must be above 0"),
    "no looks": ({"looks": 0}, "looks must be from 1"),
    "key": ({"system": ["gan"]}, "unknown key in here: 'system'. Perhaps you meant 'systems'"),
    "kind": ({"steps": ["many"]}, "steps.0 must be a valid integer, got 'many'"),
    "settings": ({"settings": {"batch": 32}}, "settings must be a valid list, got {'batch': 32}"),
    "name": ({"variants": {"../a": []}}, "is no name of a variant"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_wrong_is_told_in_one_line(name):
    words, message = BAD[name]
    with pytest.raises(GradganError) as caught:
        plan(**words)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_none_is_told(tmp_path):
    with pytest.raises(GradganError, match="could not be read"):
        read_plan(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- a")
    with pytest.raises(GradganError, match="must hold keys"):
        read_plan(tmp_path / "list.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(GradganError, match="is not YAML"):
        read_plan(tmp_path / "broken.yaml")


def test_an_alarm_does_not_stop_a_method(tmp_path):
    config = complete(configure("ring", settings=["alarm.action=stop"]))
    cells = cells_of(plan(seeds=2, steps=100), {("ring", "gan"): config}, {("ring", "gan"): 1.0}, tmp_path)
    assert [cell.config.alarm.action for cell in cells] == ["warn", "warn"]
