"""Pruning: nobody is ended for noise, whoever is hopeless once the looks tell something is, default and none never."""

from pathlib import Path

import pytest
from optuna.trial import TrialState, create_trial

from gradgan.experiment import complete, configure, to_yaml
from gradgan.tuning.cells import Outcome
from gradgan.tuning.plan import Plan
from gradgan.tuning.search import first_telling
from gradgan.tuning.store import create_or_join, is_over
from gradgan.tuning.tune import first_trials
from gradgan.tuning.worker import one_trial

BASE = complete(configure("ring", system="r1", settings=["r1.weight=0.1"]))
LOOKS = 10


def whole(*values: float):
    return create_trial(
        state=TrialState.COMPLETE, value=values[-1], intermediate_values=dict(enumerate(values, start=1))
    )


def test_looks_are_telling_once_the_metric_has_moved():
    trials = [whole(0.99, 0.98, 0.7, 0.3), whole(0.99, 0.99, 0.6, 0.2), whole(0.98, 0.99, 0.8, 0.4)]
    assert first_telling(trials) == 3
    assert first_telling([whole(0.99, 0.97), *trials]) == 3, "a trial that diverged on its way is not asked"
    assert first_telling([]) is None
    assert first_telling([whole(0.5, 0.6, 0.7)]) is None, "a metric that only gets worse tells nothing early"


def curve(weight: float, look: int) -> float:
    """Flat until the fourth look, then down to what the weight is worth: best at 1."""
    import math

    end = min(1.0, abs(math.log10(max(weight, 1e-4))) / 3)
    return 1.0 if look < 4 else 1.0 - (1.0 - end) * (look - 3) / (LOOKS - 3)


def judged(config, report) -> Outcome:
    weight = config.penalties["r1"].weight
    loss = 1.0
    for look in range(1, LOOKS + 1):
        loss = curve(weight, look)
        if report(look, loss) and look < LOOKS:
            return Outcome("pruned", loss, [])
    return Outcome("complete", loss, [])


def studied(path: Path, pruner: str, trials: int = 24):
    plan = Plan(
        to_yaml(BASE), ["r1.weight=1e-3..10"], "modes", trials=trials, looks=LOOKS, pruner=pruner, sampler="random"
    )
    study = create_or_join(str(path / f"{pruner}.journal"), "s", plan, first_trials(plan, BASE, plan.axes()))
    while sum(map(is_over, study.trials())) < trials:
        one_trial(study, plan, "job", judged, lambda words: None)
    return study.trials()


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband"])
def test_pruners_end_the_hopeless_and_keep_the_best(pruner, tmp_path):
    found = studied(tmp_path, pruner)
    ended = [t for t in found if t.user_attrs["end"] == "pruned"]
    assert len(ended) >= 4
    assert all(max(t.intermediate_values) >= 4 for t in ended), "nobody is ended while all are equal"
    assert all(t.user_attrs["end"] == "complete" for t in found[:2])
    by_worth = sorted(found[2:], key=lambda t: curve(t.params["r1.weight"], LOOKS))
    assert by_worth[0].user_attrs["end"] == "complete", "the best of the points is seen to its end"


def test_halving_begins_at_the_first_telling_look(tmp_path):
    found = studied(tmp_path, "halving")
    ended = [max(t.intermediate_values) for t in found if t.user_attrs["end"] == "pruned"]
    assert len(ended) > len(found) / 2, "one in four goes on"
    assert set(ended) == {4}, "not at fixed looks, which may fall where nothing is told or most is paid"


def test_without_a_pruner_every_trial_is_whole(tmp_path):
    assert all(t.user_attrs["end"] == "complete" for t in studied(tmp_path, "none", trials=8))
