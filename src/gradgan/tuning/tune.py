"""gradgan.tune: check everything, run trials in parallel until the study is whole, tell which value to take and why."""

import shlex
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from ..core.errors import GradganError
from ..core.files import replace_file, writing
from ..core.pool import Job, Message, crew, run_jobs
from ..experiment import Config, build, complete, configure, to_yaml
from ..experiment.own_parts import modules_of_own_parts
from ..experiment.rehearse import rehearse
from .answer import Answer, answer_of
from .cells import Bench
from .plan import Plan, check_plan, plan_from_json, plan_to_json, refuse_other
from .showing import write_answer
from .space import Axis, config_with, default_settings, default_values, none_settings, settings_of
from .store import Study, close, create_or_join, is_over, open_storage, shown

Tell = Callable[[Message | str, int, int], None]
"""Called with what happens (a sentence, or a message of a trial), how many trials are over, and how many there are."""

_STUDY = "study.json"
_DATABASE = "study.db"


def tune(
    what: str | Config = "digits",
    *,
    over: Sequence[str],
    out: str | Path,
    system: str | None = None,
    data: str | None = None,
    steps: int | None = None,
    settings: Sequence[str] = (),
    metric: str | None = None,
    storage: str | None = None,
    workers: int | None = None,
    command: str | None = None,
    tell: Tell = lambda message, over, trials: None,
    **words: Any,
) -> Answer:
    """Search fields of a config by K-fold cross-validation; a study that was stopped goes on by the same call.

    `over`: each FIELD, FIELD=LOW..HIGH or FIELD=A,B,C; FIELD+FIELD take one value together. `words`: folds, seeds,
    trials, looks, sampler, pruner and seed of a `Plan`. `storage`: a URL or file; OUT/study.db where it is left out.
    Whoever calls with the same storage and the same name of `out` joins the study. Leaves answer.json, table.md and
    report.html.
    Raises GradganError for whatever cannot be searched, before anything is written.

    >>> gradgan.tune("ring", over=["r1.weight+r2.weight=1e-3..10"], out="runs/lambda")   # doctest: +SKIP
    """
    # Every run has a seed of its own, and the study none.
    config = configure(what, system=system, data=data, steps=steps, seed=0, settings=settings)
    plan = Plan(to_yaml(complete(config)), list(over), metric or "", **words)
    return tune_plan(plan, out=Path(out), storage=storage, workers=workers, command=command, tell=tell)


def tune_plan(
    plan: Plan, *, out: Path, storage: str | None, workers: int | None, command: str | None, tell: Tell
) -> Answer:
    """`tune` for a Plan; its metric is filled in where it is empty."""
    out = out.expanduser()
    workers = crew(workers)
    check_plan(plan)
    tell("building the first runs", 0, plan.trials)
    base = plan.base()
    axes = plan.axes()
    bench = Bench(base, plan.folds, plan.metric or None)
    plan = replace(plan, metric=bench.objective.name)
    _refuse_other(plan, out)
    imports = modules_of_own_parts([to_yaml(base), *plan.over, plan.metric])
    _rehearsed(base, axes, bench)
    queue = first_trials(plan, base, axes)
    if plan.sampler == "grid":
        plan = replace(plan, trials=len(queue))
    with _joined(plan, out, storage, queue) as study:
        _search(study, plan, workers, out, imports, tell)
        answer = answer_of(study.trials(), plan, base, bench.objective)
    write_answer(answer, plan, out, command=shown(command or _command(out)), storage=shown(study.where))
    return answer


def first_trials(plan: Plan, base: Config, axes: Sequence[Axis]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What is tried before anything is searched: the default, none, and the points of a grid; (params, facts)."""
    queue: list[tuple[dict[str, Any], dict[str, Any]]] = []
    values = default_values(axes, base)
    default = default_settings(axes, base)
    queue.append(({**values}, {"kind": "default"}) if values else ({}, {"kind": "default", "settings": default}))
    none = none_settings(axes, base)
    if none is not None and config_with(base, none) != base:
        queue.append(({}, {"kind": "none", "settings": none}))
    if plan.sampler == "grid":
        listed = 1
        for axis in axes:
            listed *= len(axis.choices) or 1
        ranges = sum(not axis.choices for axis in axes)
        room = max(1, (plan.trials - len(queue)) // listed)
        each = max(1, int(room ** (1 / ranges) + 1e-9)) if ranges else 1
        for point in product(*(axis.points(each) for axis in axes)):
            params = {axis.name: value for axis, value in zip(axes, point, strict=True)}
            if settings_of(axes, params) != default:
                queue.append((params, {}))
    return queue


def _rehearsed(base: Config, axes: Sequence[Axis], bench: Bench) -> None:
    """Build the default and the ends of every axis on a fold, and play the default's first step on copies."""
    bench.evaluator(0)
    rehearse(build(base, dataset=bench.dataset(0)))
    for axis in axes:
        for end in axis.choices or (axis.low, axis.high):
            end = int(end) if axis.whole else end
            try:
                config = config_with(base, axis.settings(end))
                build(config, dataset=bench.dataset(0) if bench.fits(config) else None)
            except GradganError as error:
                raise GradganError(f"--over {axis.name} at {end}: {error}") from error


def _refuse_other(plan: Plan, out: Path) -> None:
    """Refuse a folder of something else."""
    stored = out / _STUDY
    try:
        if stored.is_file():
            refuse_other(plan_from_json(stored.read_text(encoding="utf-8")), plan, name=str(out))
        elif out.exists() and (not out.is_dir() or any(not p.name.startswith(".") for p in out.iterdir())):
            raise GradganError(f"{out} is there and holds no study; choose another --out.")
    except (OSError, ValueError) as error:
        if isinstance(error, GradganError):
            raise
        raise GradganError(f"{stored} cannot be read ({error}); choose another --out.") from None


def _joined(
    plan: Plan, out: Path, storage: str | None, queue: Sequence[tuple[dict[str, Any], dict[str, Any]]]
) -> Study:
    """The study in its storage, and the folder with its plan, which is made only once the storage is reached."""
    where = storage or str(out / _DATABASE)
    if storage is not None and "://" in storage:
        close(open_storage(storage))
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    study = create_or_join(where, out.name, plan, queue)
    with writing(out / _STUDY):
        replace_file(out / _STUDY, (plan_to_json(plan) + "\n").encode())
    return study


def _search(study: Study, plan: Plan, workers: int, out: Path, imports: Sequence[str], tell: Tell) -> None:
    """Run trials until there are as many as planned, whoever else runs some of them."""
    jobs = _Given()
    try:
        while True:
            before = _over(study)
            failed = ""
            running = run_jobs(
                _jobs(study, plan, jobs),
                module=f"{__package__}.worker",
                workers=min(workers, plan.trials),
                log=out / "workers.log",
                imports=imports,
            )
            with closing(running):  # type: ignore[type-var]  # a generator
                for message in running:
                    if message.kind != "told":
                        jobs.ended.add(message.job)
                    failed = message.words.get("reason", "") if message.kind == "failed" else failed
                    tell(message, _over(study) if message.kind != "told" else -1, plan.trials)
            over = _over(study)
            if over >= plan.trials:
                return
            if failed and over == before:
                raise GradganError(f"no trial came to its end: {failed}")
            time.sleep(1.0)  # others still run some
    finally:
        # Whatever ended us has ended our workers; what they ran was not at fault.
        study.give_back(lambda trial: trial.user_attrs.get("owner", {}).get("job") in jobs.names, forgiven=True)


@dataclass
class _Given:
    """The jobs that this process gave to its workers, and those of them that are done with."""

    names: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)


def _jobs(study: Study, plan: Plan, given: _Given) -> Iterator[Job]:
    """A job for each trial that is still to be run."""
    while True:
        study.reap()
        trials = study.trials()
        begun = {trial.user_attrs.get("owner", {}).get("job") for trial in trials}
        running = sum(trial.state == TrialState.RUNNING for trial in trials)
        waiting = given.names - begun - given.ended
        if sum(map(is_over, trials)) + running + len(waiting) >= plan.trials:
            return
        name = uuid.uuid4().hex
        given.names.add(name)
        words = {"storage": study.where, "study": study.name, "trials": plan.trials, "job": name}
        yield Job(name, words)


def _over(study: Study) -> int:
    return sum(map(is_over, study.trials()))


def _command(out: Path) -> str:
    return shlex.join(["gradgan", "tune", "...", "--out", str(out)])
