"""A study in its storage: what is lost is run again once, what is not reached is told, nobody's trial counts twice."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState

from gradgan.core.errors import GradganError
from gradgan.experiment import complete, configure, to_yaml
from gradgan.tuning.cells import CellRecord, Outcome
from gradgan.tuning.owners import Silence, is_gone, owner
from gradgan.tuning.plan import Plan
from gradgan.tuning.store import Study, UnreachableError, create_or_join, is_over, open_storage, open_study, shown
from gradgan.tuning.tune import first_trials
from gradgan.tuning.worker import one_trial

BASE = complete(configure("ring", system="r1", settings=["r1.weight=0.1"]))


@pytest.fixture(params=["study.db", "study.journal"])
def where(request, tmp_path: Path) -> str:
    return str(tmp_path / request.param)


def plan_of(**words) -> Plan:
    return Plan(**{"config": to_yaml(BASE), "over": ["r1.weight=1e-3..10"], "metric": "modes", "trials": 6, **words})


_open: list[Study] = []


@pytest.fixture(autouse=True)
def _hung_up() -> Iterator[None]:
    yield
    for study in _open:
        study.close()
    _open.clear()


def made(where: str, plan: Plan) -> Study:
    _open.append(create_or_join(where, "s", plan, first_trials(plan, BASE, plan.axes())))
    return _open[-1]


def by_weight(config, report) -> Outcome:
    weight = config.penalties["r1"].weight
    report(1, weight)
    return Outcome("complete", weight, [CellRecord(0, 0, {1: weight}, steps=7)])


def killed(config, report) -> Outcome:
    raise KeyboardInterrupt


def silent(words) -> None:
    pass


def run(study: Study, plan: Plan, n: int = 1, job: str = "job") -> None:
    for _ in range(n):
        one_trial(study, plan, job, by_weight, silent)


def test_default_and_none_come_first_and_every_trial_is_kept(where):
    plan = plan_of()
    study = made(where, plan)
    run(study, plan, 6)
    with open_study(where, "s") as again:
        trials = again.trials()
    assert [t.user_attrs.get("kind") for t in trials] == ["default", "none", None, None, None, None]
    assert trials[0].params == {"r1.weight": 0.1} and trials[0].value == 0.1
    # None lies outside the range, so its trial has no parameters, and no model is misled by it.
    assert trials[1].params == {} and trials[1].state == TrialState.PRUNED and trials[1].value == 0.0
    assert trials[1].user_attrs["settings"] == ["r1.weight=0.0"]
    assert all(is_over(t) for t in trials) and trials[3].user_attrs["cells"][0]["steps"] == 7
    assert len({t.value for t in trials}) == 6


def test_a_lost_trial_is_marked_and_queued_once_more_and_only_once(where):
    plan = plan_of()
    study = made(where, plan)
    run(study, plan, 2)
    for losses in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            one_trial(study, plan, "dies", killed, silent)
        study.give_back(lambda trial: trial.user_attrs["owner"]["job"] == "dies")
        lost = [t for t in study.trials() if t.state == TrialState.FAIL]
        assert len(lost) == losses
    first, second = lost
    assert second.user_attrs["retry_of"] == first.number and second.params == first.params
    assert not is_over(first) and is_over(second)
    assert study.trials(TrialState.WAITING) == []


def test_a_job_that_is_begun_anew_gives_its_dead_predecessors_trial_back(where):
    plan = plan_of()
    study = made(where, plan)
    with pytest.raises(KeyboardInterrupt):
        one_trial(study, plan, "job", killed, silent)
    run(study, plan, 6)
    trials = study.trials()
    assert [t.number for t in trials if t.state == TrialState.FAIL] == [0]
    retried = next(t for t in trials if "retry_of" in t.user_attrs)
    assert retried.user_attrs["kind"] == "default" and retried.state == TrialState.COMPLETE
    assert sum(map(is_over, trials)) == 6


def test_stopping_on_purpose_does_not_count_as_a_loss(where):
    plan = plan_of()
    study = made(where, plan)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            one_trial(study, plan, "mine", killed, silent)
        study.give_back(lambda trial: trial.user_attrs["owner"]["job"] == "mine", forgiven=True)
    assert not any(is_over(t) for t in study.trials())
    assert len(study.trials(TrialState.WAITING)) == 2  # default again, and none


def test_a_trial_that_others_gave_back_is_dropped_by_whoever_still_runs_it(where):
    plan = plan_of()
    study = made(where, plan)

    def slow(config, report) -> Outcome:
        study.give_back(lambda trial: True)
        return Outcome("complete", 1.0, [])

    assert one_trial(study, plan, "slow", slow, silent)["end"] == "dropped"
    run(study, plan, 6)
    assert sum(map(is_over, study.trials())) == 6


def test_a_point_that_cannot_be_built_is_over_and_says_why(where):
    def impossible(config, report) -> Outcome:
        raise GradganError("batch must lie in 1..3")

    plan = plan_of()
    study = made(where, plan)
    assert one_trial(study, plan, "job", impossible, silent)["reason"] == "batch must lie in 1..3"
    (trial, *_) = study.trials()
    assert is_over(trial) and trial.user_attrs["error"] == "batch must lie in 1..3"


def test_a_point_is_not_to_blame_for_a_storage_that_was_out_of_reach(where):
    def cut_off(config, report) -> Outcome:
        raise UnreachableError("the storage cannot be reached: connection lost")

    plan = plan_of()
    study = made(where, plan)
    with pytest.raises(UnreachableError):
        one_trial(study, plan, "one", cut_off, silent)
    run(study, plan, 6, job="another of the same process")
    trials = study.trials()
    assert sum(map(is_over, trials)) == 6 and not any("error" in t.user_attrs for t in trials)
    assert [t.user_attrs.get("retry_of") for t in trials if t.user_attrs.get("retry_of") is not None] == [0]


def test_no_more_trials_than_planned_whoever_asks(where):
    plan = plan_of(trials=3)
    study = made(where, plan)
    run(study, plan, 3)
    assert one_trial(study, plan, "another", by_weight, silent) == {"surplus": True}
    assert sum(map(is_over, study.trials())) == 3


def test_joining_needs_the_same_plan(where):
    made(where, plan_of())
    assert made(where, plan_of(trials=9)).plan() == plan_of()
    with pytest.raises(GradganError, match="folds is 4 now and was 3"):
        made(where, plan_of(folds=4))
    with pytest.raises(GradganError, match="holds no study 'other'"):
        open_study(where, "other")


@pytest.fixture
def ended() -> Iterator[dict]:
    """The owner's note of a process that has ended."""
    code = "import json; from gradgan.tuning.owners import owner; print(json.dumps(owner('j')), flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    import json

    assert process.stdout is not None
    note = json.loads(process.stdout.readline())
    assert not is_gone(note)
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    yield note


def test_whether_an_owner_lives(ended):
    assert is_gone(ended) and not is_gone(owner("j"))
    assert not is_gone({**ended, "place": "elsewhere"}), "of other machines nothing is known here"
    assert is_gone({**owner("j"), "born": "0"}), "a process number given out again is another process"


def test_who_is_silent_too_long_is_lost_by_our_own_clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("gradgan.tuning.owners.time.monotonic", lambda: now[0])
    silence = Silence(limit=10)
    assert not silence(3, "beat 1")
    now[0] = 9
    assert not silence(3, "beat 1")
    assert not silence(3, "beat 2")
    now[0] = 20
    assert silence(3, "beat 2") and not silence(4, "beat 9")


@pytest.mark.parametrize(
    ("where", "told"),
    {
        "nobody listens": ("postgresql+psycopg://me:secret@127.0.0.1:9/db", "cannot be reached"),
        "no driver": ("postgresql+pg8000://me@127.0.0.1:9/db", "wants a driver that is not here"),
        "no such folder": ("/nowhere/at/all/study.db", "cannot be reached"),
        "no journal": ("/nowhere/at/all/study.journal", "cannot be reached"),
        "another kind": ("redis://localhost", "wanted postgresql+psycopg://"),
        "a file of another kind": ("study.txt", "wanted FILE.db"),
        "a broken URL": ("postgresql+psycopg://me@host:port/db", "storage"),
    }.values(),
)
def test_a_storage_that_cannot_be_reached_is_told_in_one_line_without_its_password(where, told):
    with pytest.raises(GradganError) as error:
        open_storage(where)
    assert told in str(error.value)
    assert "\n" not in str(error.value) and "secret" not in str(error.value)


def test_passwords_are_not_shown():
    assert shown("postgresql+psycopg://me:pass:w@rd@host/db") == "postgresql+psycopg://me:***@host/db"
    assert shown("postgresql://me@host/db") == "postgresql://me@host/db"


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "study.db").write_text("no database at all, but long enough to be looked at as one" * 40)
    with pytest.raises(GradganError, match="cannot be reached: file is not a database"):
        open_storage(str(tmp_path / "study.db"))


def test_a_study_of_somebody_else(tmp_path):
    import optuna

    where = str(tmp_path / "study.db")
    storage = optuna.storages.RDBStorage(f"sqlite:///{where}")
    optuna.create_study(storage=storage, study_name="s")
    storage.engine.dispose()
    with pytest.raises(GradganError, match="none of gradgan's"):
        made(where, plan_of())
