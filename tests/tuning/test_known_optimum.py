"""On the Dirac-GAN the weight of fastest convergence is in closed form, g = 1 for R1: the search finds it."""

import pytest

from gradgan.experiment import complete, configure, to_yaml
from gradgan.experiment.closed_forms import closed_form
from gradgan.systems import SYSTEMS
from gradgan.tuning.cells import Outcome
from gradgan.tuning.plan import Plan
from gradgan.tuning.store import create_or_join, is_over
from gradgan.tuning.tune import first_trials
from gradgan.tuning.worker import one_trial

TRIALS = 40
R1 = SYSTEMS.make("r1")
# The default lies outside the range, so that it cannot be the answer.
BASE = complete(configure("ring", system="r1", settings=["r1.weight=30"]))


def slowest(config, report) -> Outcome:
    """The real part of the slowest eigenvalue: the smaller, the faster it converges. test_dynamics.py holds the closed
    form to the code that trains."""
    known = closed_form(R1, config.penalties["r1"].weight, 0.0)
    assert known is not None
    loss = max(value.real for value in known[1])
    report(1, loss)
    return Outcome("complete", loss, [])


def found(path, sampler: str, seed: int) -> float:
    plan = Plan(to_yaml(BASE), ["r1.weight=1e-3..10"], "modes", trials=TRIALS, sampler=sampler, seed=seed)  # type: ignore
    study = create_or_join(str(path / f"{seed}.journal"), "dirac", plan, first_trials(plan, BASE, plan.axes()))
    while sum(map(is_over, study.trials())) < TRIALS:
        one_trial(study, plan, "job", slowest, lambda words: None)
    assert len(study.trials()) == TRIALS
    best = min((t for t in study.trials() if t.value is not None), key=lambda t: t.value)
    return best.params["r1.weight"]


@pytest.mark.timeout(900)
def test_the_weight_of_fastest_convergence_is_found_in_four_decades(tmp_path):
    weights = [found(tmp_path, "tpe", seed) for seed in range(10)]
    assert sum(abs(weight - 1) <= 0.1 for weight in weights) >= 9, weights


@pytest.mark.timeout(900)
def test_a_gaussian_process_finds_it_too(tmp_path):
    assert abs(found(tmp_path, "gp", 0) - 1) <= 0.1
