"""What a worker process does for a study: one trial after another, each asked of the storage and told to it."""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache

import optuna
import torch
from optuna.trial import FrozenTrial, TrialState

from ..core.errors import GradganError
from ..core.worker import Tell, Words, serve
from ..experiment import Config
from .cells import Bench, Outcome, run_trial
from .owners import beating, owner
from .plan import Plan
from .search import first_telling, pruner_of, sampler_of, suggest
from .space import config_with, settings_of
from .store import Study, UnreachableError, is_over, open_study, reaching

_APART = 100_003
"""More than a study has trials: so two seeds of the search share no draw."""

Evaluate = Callable[[Config, Callable[[int, float], bool]], Outcome]
"""Judges a config: (config, report) -> outcome; `report(look, loss)` says whether to stop."""


def one_trial(study: Study, plan: Plan, job: str, evaluate: Evaluate, tell: Tell) -> Words:
    """Take the next trial of the study, run it, write down what came out; what it was, in words for the parent."""
    # A process that had this job before us is dead, and we ourselves run nothing else: both are to be run again.
    us = owner(job)
    study.give_back(lambda trial: _is_left_by(us, trial.user_attrs.get("owner", {})))
    with reaching(study.where):
        asked = _asked(study, plan)
        trial = study.optuna._storage.get_trial(asked._trial_id)
        study.note(trial, owner=us)
        if _is_surplus(study, plan, trial):
            study.end(trial, TrialState.FAIL)
            return {"surplus": True}
        settings = trial.user_attrs.get("settings") or settings_of(plan.axes(), suggest(asked, plan.axes()))
        study.note(trial, settings=settings)
    kind = trial.user_attrs.get("kind", "search")
    about = {"trial": trial.number, "what": kind, "settings": settings}
    tell({**about, "look": 0})
    started = time.process_time()

    def report(look: int, loss: float) -> bool:
        with reaching(study.where):
            asked.report(loss, look)
            tell({**about, "look": look, "loss": loss})
            first = first_telling(study.trials(TrialState.COMPLETE))
            if first is None or look < first:
                return False
            study.optuna.pruner = pruner_of(plan, first)
            # Default and none are asked about too, for pruners note what they are shown; but the others are measured
            # by them, so they are always seen to their end.
            worse = bool(asked.should_prune())
            return worse and kind == "search"

    def beat(now: float) -> None:
        try:
            study.note(trial, beat=now)
        except optuna.exceptions.UpdateFinishedTrialError:
            return

    try:
        with beating(beat):
            outcome = evaluate(config_with(plan.base(), settings), report)
    except UnreachableError:
        raise  # no fault of the point: it is given back
    except (GradganError, optuna.exceptions.UpdateFinishedTrialError) as error:
        return about | _failed(study, trial, error)
    return about | _written(study, trial, outcome, seconds=time.process_time() - started)


def _is_left_by(us: Words, holder: Words) -> bool:
    return holder.get("job") == us["job"] or {**holder, "job": ""} == {**us, "job": ""}


def _asked(study: Study, plan: Plan) -> optuna.Trial:
    study.optuna.sampler = sampler_of(plan, draw=plan.seed * _APART + len(study.trials()))
    study.optuna.pruner = pruner_of(plan)
    return study.optuna.ask()


def _is_surplus(study: Study, plan: Plan, trial: FrozenTrial) -> bool:
    """Two machines may both have seen room for one more trial; those with the lower numbers stay."""
    before = [t for t in study.trials() if t.number < trial.number]
    return sum(is_over(t) or t.state == TrialState.RUNNING for t in before) >= plan.trials


def _failed(study: Study, trial: FrozenTrial, error: Exception) -> Words:
    if isinstance(error, optuna.exceptions.UpdateFinishedTrialError):
        return {"end": "dropped"}  # it was taken for lost, and is run again by somebody
    with reaching(study.where):
        study.note(trial, error=str(error), final=True)
        study.end(trial, TrialState.FAIL)
    return {"end": "failed", "reason": str(error)}


def _written(study: Study, trial: FrozenTrial, outcome: Outcome, *, seconds: float) -> Words:
    with reaching(study.where):
        try:
            study.note(
                trial, end=outcome.end, cells=[asdict(cell) for cell in outcome.cells], steps=outcome.steps,
                seconds=seconds,
            )  # fmt: skip
        except optuna.exceptions.UpdateFinishedTrialError:
            return {"end": "dropped"}
        # Points that the space does not hold must not make the samplers look for their values: a pruned trial
        # without parameters is passed over.
        within = bool(study.optuna._storage.get_trial(trial._trial_id).params)
        state = TrialState.PRUNED if outcome.end == "pruned" or not within else TrialState.COMPLETE
        ended = study.end(trial, state, outcome.loss)
    return {"end": outcome.end if ended else "dropped", "loss": outcome.loss}


@lru_cache(maxsize=1)
def _opened(where: str, name: str) -> tuple[Study, Plan]:
    study = open_study(where, name)
    return study, study.plan()


_benches: list[Bench] = []


def _bench_of(config: Config, plan: Plan) -> Bench:
    """The data's folds, kept from trial to trial while the data stay the same."""
    if not _benches or not _benches[0].fits(config):
        _benches[:] = [Bench(config, plan.folds, plan.metric)]
    return _benches[0]


def work(words: Words, tell: Tell) -> Words:
    """Run the next trial of `study` in `storage`, for the job of that name."""
    study, plan = _opened(words["storage"], words["study"])
    # Trials may have been added since the worker began.
    plan = Plan(**{**vars(plan), "trials": words["trials"]})

    def evaluate(config: Config, report: Callable[[int, float], bool]) -> Outcome:
        torch.set_num_threads(config.threads or 1)  # runs go side by side
        return run_trial(config, _bench_of(config, plan), plan.places(), looks=plan.looks, report=report)

    return one_trial(study, plan, words["job"], evaluate, tell)


if __name__ == "__main__":
    serve(work)
