"""The answer of made-up trials: what is chosen, how sure that is, what is said where nothing beats none."""

import json
import math

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from gradgan.experiment import complete, configure, to_yaml, tuned_config
from gradgan.tuning.answer import answer_of
from gradgan.tuning.cells import Bench
from gradgan.tuning.objective import objective_of
from gradgan.tuning.plan import Plan
from gradgan.tuning.showing import facts_of, rows_of, write_answer

BASE = complete(configure("ring", system="r1", settings=["r1.weight=0.1", "data.samples=600"], steps=100))
RANGE = FloatDistribution(1e-3, 10, log=True)
BENCH = Bench(BASE, 3, None)


def trial(number: int, weight: float | None, values: list[float], end: str = "complete", **facts) -> FrozenTrial:
    """Judged by `values`, one for each run; weight None is none."""
    cells = [
        {"fold": i, "seed": i, "looks": {"100": v}, "numbers": {}, "steps": 100, "diverged": "", "collapsed": False}
        for i, v in enumerate(values)
    ]
    mean = sum(values) / len(values) if values else math.inf
    state = TrialState.PRUNED if end == "pruned" or weight is None else TrialState.COMPLETE
    settings = [f"r1.weight={weight or 0.0}"]
    made = create_trial(
        state=state, value=math.inf if end == "diverged" else mean, intermediate_values={10: mean},
        params={} if weight is None else {"r1.weight": weight},
        distributions={} if weight is None else {"r1.weight": RANGE},
        user_attrs={"settings": settings, "end": end, "cells": cells, "steps": 300, "seconds": 1.0, **facts},
    )  # fmt: skip
    made.number = number
    return made


def plan_of(**words) -> Plan:
    return Plan(**{"config": to_yaml(BASE), "over": ["r1.weight=1e-3..10"], "metric": "mixture_distance", **words})


def answered(*trials: FrozenTrial):
    return answer_of(trials, plan_of(), BASE, BENCH.objective)


DEFAULT = trial(0, 0.1, [0.30, 0.32, 0.31], kind="default")
NONE = trial(1, None, [0.50, 0.53, 0.49], kind="none")


def test_the_best_whole_trial_is_chosen_and_compared_run_by_run():
    answer = answered(DEFAULT, NONE, trial(2, 0.5, [0.20, 0.22, 0.21]), trial(3, 0.6, [0.1], end="pruned"))
    assert answer.chosen is not None and answer.chosen.number == 2
    assert answer.value is not None and answer.value.mean == pytest.approx(0.21)
    assert answer.over_none is not None and answer.over_none.mean == pytest.approx(0.21 - 0.5066667)
    assert answer.over_default is not None and answer.over_default.high < 0
    assert answer.verdict == "Chosen: r1.weight=0.5, better than none beyond the interval."
    assert (answer.steps, answer.unpruned) == (1200, 1200)


def test_where_no_weight_beats_none_it_says_so():
    noisy = answered(DEFAULT, trial(1, None, [0.4, 0.25, 0.31], kind="none"))
    assert noisy.verdict == "No weight beats none beyond the interval; the best of them is r1.weight=0.1."
    clearly = answered(DEFAULT, trial(1, None, [0.1, 0.1, 0.1], kind="none"))
    assert clearly.verdict == "No weight beats none: r1.weight=0.0." and clearly.over_none is None
    died = answered(DEFAULT, trial(1, None, [0.1], end="diverged", kind="none"))
    assert died.verdict == "Chosen: r1.weight=0.1. Without the penalty the run did not come to its end (diverged)."


def test_nothing_is_chosen_of_nothing(tmp_path):
    answer = answered(trial(0, 0.1, [], end="diverged", kind="default"))
    assert answer.chosen is None and answer.value is None and answer.spread == {}
    write_answer(answer, plan_of(), tmp_path, command="c", storage="s")
    assert json.loads((tmp_path / "answer.json").read_text())["settings"] is None
    with pytest.raises(ValueError, match="chose nothing"):
        tuned_config(tmp_path)


def test_the_spread_tells_which_values_other_runs_would_have_chosen():
    # Of equals in the mean, each is best on one run: any of them may be chosen.
    torn = answered(trial(0, 0.1, [0.1, 0.2, 0.3]), trial(1, 1.0, [0.3, 0.1, 0.2]), trial(2, 9.0, [0.2, 0.3, 0.1]))
    assert torn.spread == {"r1.weight": (0.1, 9.0)}
    sure = answered(trial(0, 0.1, [0.1, 0.1, 0.1]), trial(1, 1.0, [0.3, 0.2, 0.2]))
    assert sure.spread == {"r1.weight": (0.1, 0.1)}


def test_none_and_a_default_outside_the_range_may_be_chosen_with_other_runs_too():
    outside = trial(0, None, [0.1, 0.2, 0.3], kind="default", settings=["r1.weight=0.1"])
    torn = [outside, trial(1, None, [0.2, 0.1, 0.3], kind="none"), trial(2, 1.0, [0.9, 0.9, 0.9])]
    plan = plan_of(over=["r1.weight=1..10"])
    assert answer_of(torn, plan, BASE, BENCH.objective).spread == {"r1.weight": (0.0, 0.1)}


@pytest.mark.parametrize(
    ("over", "default"),
    [
        ("clip_gradient=0.1..10", ["clip_gradient=null"]),
        ("clip_gradient=0.1,0.2", ["clip_gradient=null"]),
        ("r1.weight+r2.weight=1..10", ["r1.weight=0.1", "r2.weight=0.2"]),
    ],
)
def test_a_default_that_stands_nowhere_on_the_axes_is_no_candidate(over, default):
    # Best on every run: if it had a place it would be the only one that is named.
    nowhere = trial(0, None, [0.1, 0.1, 0.1], kind="default", settings=default)
    searched = trial(1, 1.0, [0.3, 0.2, 0.3])
    name = over.partition("=")[0]
    searched.params = {name: 0.2}
    searched.distributions = {name: CategoricalDistribution([0.1, 0.2]) if "," in over else RANGE}
    answer = answer_of([nowhere, searched], plan_of(over=[over]), BASE, BENCH.objective)
    assert answer.chosen is not None and answer.chosen.number == 0
    assert answer.spread == {name: {"0.1": 0.0, "0.2": 1.0} if "," in over else (0.2, 0.2)}


def test_a_default_outside_a_list_has_its_share():
    given = trial(0, None, [0.1, 0.1, 0.1], kind="default", settings=["r1.weight=0.1"])
    listed = trial(1, 1.0, [0.3, 0.3, 0.3])
    listed.distributions = {"r1.weight": CategoricalDistribution([1.0, 2.0])}
    answer = answer_of([given, listed], plan_of(over=["r1.weight=1.0,2.0"]), BASE, BENCH.objective)
    assert answer.spread == {"r1.weight": {"1.0": 0.0, "2.0": 0.0, "0.1": 1.0}}


def test_of_a_list_the_spread_is_shares():
    plan = plan_of(over=["engine=sweep,double_backward"])
    made = []
    for number, (choice, values) in enumerate({"sweep": [0.1, 0.2, 0.1], "double_backward": [0.3, 0.3, 0.3]}.items()):
        one = trial(number, 0.1, values)
        one.params, one.distributions = (
            {"engine": choice},
            {"engine": CategoricalDistribution(["sweep", "double_backward"])},
        )
        made.append(one)
    assert answer_of(made, plan, BASE, BENCH.objective).spread == {"engine": {"sweep": 1.0, "double_backward": 0.0}}


def test_every_trial_is_in_the_table_with_how_it_ended_and_the_page_shows_it(tmp_path):
    lost = create_trial(state=TrialState.FAIL, user_attrs={"lost": True, "settings": ["r1.weight=3.0"]})
    lost.number = 4
    broken = create_trial(state=TrialState.FAIL, user_attrs={"error": "batch <8>", "final": True, "settings": []})
    broken.number = 5
    collapsed = trial(3, 8.0, [0.9, 0.9, 0.9])
    collapsed.user_attrs["cells"][0]["collapsed"] = True
    answer = answered(DEFAULT, NONE, trial(2, 0.5, [0.2], end="diverged"), collapsed, lost, broken)
    _, rows = rows_of(answer)
    assert {row[1]: row[-3] for row in rows} == {
        "0": "complete", "1": "complete", "2": "diverged", "3": "complete", "4": "lost", "5": "failed",
    }  # fmt: skip
    assert facts_of(answer)["collapse"] == "r1.weight=0.5 (diverged); r1.weight=8.0 (collapsed)"
    write_answer(answer, plan_of(), tmp_path, command="gradgan tune <ring>", storage="s")
    html = (tmp_path / "report.html").read_text()
    assert "gradgan tune &lt;ring&gt;" in html and "batch &lt;8&gt;" in html and "<script" not in html
    assert tuned_config(tmp_path).penalties["r1"].weight == 0.1


def test_a_trial_whose_worker_died_between_writing_its_end_and_ending_it_is_lost():
    died = trial(2, 0.5, [0.1, 0.1, 0.1])
    died.state, died.values = TrialState.FAIL, None
    died.set_user_attr("lost", True)
    answer = answered(DEFAULT, NONE, died)
    assert [t.end for t in answer.trials] == ["complete", "complete", "lost"]
    assert answer.chosen is not None and answer.chosen.number == 0


def test_objectives_are_metrics_or_combinations_and_say_what_is_better():
    ring = BENCH.whole
    assert objective_of(None, ring).name == "mixture_distance" and objective_of(None, ring).loss(0.3) == 0.3
    higher = objective_of("high_quality", ring)
    assert higher.loss(0.3) == -0.3 and higher.loss(math.nan) == math.inf
    f1 = objective_of("f1/coordinates", ring)
    assert f1.metrics == ("precision/coordinates", "recall/coordinates")
    assert f1({"precision/coordinates": 0.5, "recall/coordinates": 1.0}) == pytest.approx(2 / 3)
    assert f1({"precision/coordinates": 0.0, "recall/coordinates": 0.0}) == 0.0 and f1.loss(1.0) == -1.0
    both = objective_of("density_coverage/coordinates", ring)
    assert both({"density/coordinates": 4.0, "coverage/coordinates": 0.25}) == 0.5
