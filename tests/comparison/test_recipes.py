"""Runs that lie in the folder count only as what would be run there now; what a resumed run may change, they may."""

from dataclasses import replace

import pytest
import yaml

from gradgan.comparison import compare_plan, expected, make_plan
from gradgan.comparison.cells import Cell
from gradgan.comparison.costs import Cost
from gradgan.comparison.plan import Budget, plan_to_yaml
from gradgan.comparison.recipes import refuse_other_recipes
from gradgan.core.errors import GradganError
from gradgan.core.record import RunFolder
from gradgan.experiment import complete, configure
from gradgan.experiment.reading import to_yaml

TINY = ["data.samples=300", "batch=16", "generator.widths=[8]", "critic.widths=[8]"]


@pytest.fixture(autouse=True)
def pace(monkeypatch):
    """Sets the seconds that a step is said to take, without measuring."""

    def set_to(seconds):
        cost = Cost(seconds, seconds, 1.0, 1)
        monkeypatch.setattr("gradgan.comparison.costs._measured", lambda config, *, anchor: cost)

    set_to(0.5)
    return set_to


def plan(**words):
    words = {"data": ["ring"], "systems": ["gan", "r1"], "seeds": 2, "looks": 2, "settings": TINY, **words}
    return make_plan(words, source="here")


def quiet(message, cells):
    pass


def left(made, out):
    return [cell.name for cell, _ in expected(made, out=out, tell=quiet)]


def begin(made, out):
    """The comparison as if it had been cut short before its first run; its cells."""
    cells = [cell for cell, _ in expected(made, out=out, tell=quiet)]
    (out / "comparison.yaml").write_text(plan_to_yaml(made))
    return cells


def finish(made, out):
    """Every run as if it had been trained; none was."""
    for cell in begin(made, out):
        with RunFolder.create(cell.path, config_yaml=to_yaml(cell.config)) as run:
            run.update_info(status="finished")


def refused(made, out):
    """The one line that it is refused with, before any run is begun."""
    runs = sorted((out / "runs").rglob("*"))
    with pytest.raises(GradganError) as caught:
        compare_plan(made, out=out, workers=1, tell=quiet)
    assert sorted((out / "runs").rglob("*")) == runs and not (out / "table.csv").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("seeds", [2, 3])
def test_runs_of_another_recipe_are_not_averaged_with_those_of_now(tmp_path, monkeypatch, seeds):
    finish(plan(steps=4), tmp_path)

    def newer(*words, settings, **more):
        return configure(*words, settings=[*settings, "optimiser.lr=0.123"], **more)

    monkeypatch.setattr("gradgan.comparison.cells.configure", newer)
    told = refused(plan(steps=4, seeds=seeds), tmp_path)
    assert "ring · gan · 4 steps · seed 0 and 3 more: " in told
    assert "optimiser.lr is 0.123 now and was " in told
    assert "another --out, or delete " + str(tmp_path / "runs" / "ring" / "gan" / "steps_4" / "seed_0") in told


def test_runs_in_minutes_are_not_averaged_with_those_of_other_costs(tmp_path, pace):
    finish(plan(minutes=[1]), tmp_path)
    assert left(plan(minutes=[1]), tmp_path) == []
    pace(1.0)
    assert left(plan(minutes=[1]), tmp_path) == [], "costs.json is kept"
    (tmp_path / "costs.json").unlink()
    assert "steps is 60 now and was 120" in refused(plan(minutes=[1]), tmp_path)


def test_a_run_that_was_only_begun_is_refused_before_the_others_run(tmp_path):
    cell, *_ = begin(plan(steps=4), tmp_path)
    RunFolder.create(cell.path, config_yaml=to_yaml(replace(cell.config, steps=400))).close()
    assert "seed 0: run by another config than now, steps is 4 now and was 400" in refused(plan(steps=4), tmp_path)


def test_seeds_are_added_to_runs_of_an_older_gradgan_and_another_machine(tmp_path):
    finish(plan(steps=4), tmp_path)
    for path in (tmp_path / "runs").rglob("config.yaml"):
        tree = yaml.safe_load(path.read_text())
        del tree["compile"], tree["alarm"], tree["evaluate"]["features_rgb"]
        tree |= {"device": "cpu", "threads": 3, "log": {"every": 1}}
        path.write_text(yaml.safe_dump(tree))
    assert left(plan(steps=4, seeds=3), tmp_path) == ["ring · gan · 4 steps · seed 2", "ring · r1 · 4 steps · seed 2"]


def test_after_a_dry_run_any_other_plan_may_follow(tmp_path):
    out = tmp_path / "out"
    assert len(left(plan(steps=400), out)) == 4
    assert sorted(path.name for path in out.iterdir()) == [".lock", "costs.json"]
    assert len(left(plan(steps=4, systems=["r2"]), out)) == 2, "of the first, only its costs are there"
    (out / "mine.txt").write_text("mine")
    with pytest.raises(GradganError, match="holds no comparison; choose another --out"):
        left(plan(steps=4), out)


def test_features_may_have_moved_and_samples_may_not_change(tmp_path):
    config = complete(configure("ring"))
    looks = replace(config.evaluate, features="/old/net.pt", features_content="abc")
    RunFolder.create(tmp_path / "run", config_yaml=to_yaml(replace(config, evaluate=looks))).close()

    def cell(**words):
        now = replace(config, evaluate=replace(looks, features="/new/net.pt", **words))
        return Cell("ring", "gan", Budget("steps", config.steps), 0, now, tmp_path / "run")

    refuse_other_recipes([cell()])
    with pytest.raises(GradganError, match=r"evaluate\.samples is 77 now and was 0"):
        refuse_other_recipes([cell(samples=77)])


def test_a_comparison_grows_by_methods_presets_and_budgets_and_nothing_of_it_changes(tmp_path, pace):
    small = {"systems": ["gan"], "methods": {"mine": ["system=r1"]}, "minutes": [1]}
    finish(plan(**small), tmp_path)
    pace(7.0)
    grown = plan(
        systems=["gan", "r2"], methods={"mine": ["system=r1"]}, minutes=[1, 2], seeds=1, data={"grid": [], "ring": []}
    )
    assert [name for name in left(grown, tmp_path) if "ring" in name] == [
        "ring · gan · 2 minutes · seed 0",
        "ring · r2 · 1 minutes · seed 0",
        "ring · r2 · 2 minutes · seed 0",
        "ring · mine · 2 minutes · seed 0",
    ]
    assert left(plan(**small), tmp_path) == [], "a dry run of more does not make the comparison larger"
    for words, told in (
        ({"methods": {}}, "methods.mine[0] is nothing now and was system=r1"),
        ({"methods": {"mine": ["system=r2"]}}, "methods.mine[0] is system=r2 now and was system=r1"),
        ({"data": {"ring": ["batch=8"]}}, "data.ring[0] is batch=8 now and was nothing"),
        ({"data": ["grid"]}, "data.ring is nothing now and was "),
        ({"minutes": [2]}, "budgets[0] is nothing now and was 1 minutes"),
        ({"minutes": [], "steps": [4]}, "budgets[0] is nothing now and was 1 minutes"),
        ({"settings": []}, "settings"),
        ({"looks": 3}, "looks is 3 now and was 2"),
    ):
        with pytest.raises(GradganError, match="holds another comparison: ") as caught:
            left(plan(**{**small, **words}), tmp_path)
        assert told in str(caught.value)
