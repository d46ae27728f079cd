"""What a study is, as plain data: the config, the search space, folds, seeds and budget."""

import json
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from ..core.differences import differences
from ..core.errors import GradganError, unknown_name
from ..experiment import Config
from ..experiment.reading import from_yaml
from .space import Axis, axis_of, refuse_twice

SAMPLERS = ("tpe", "gp", "grid", "random")
PRUNERS = ("none", "median", "halving", "hyperband")
_MOST = 1_000_000


@dataclass(frozen=True)
class Plan:
    """A study: which fields are searched, and how a point is judged."""

    config: str
    """The complete config of the runs, as YAML; its seed is not used."""
    over: list[str]
    """The axes, as after --over."""
    metric: str
    """What is sought, as NAME or NAME/FEATURES."""
    folds: int = 3
    """Parts of the data; each run learns from all but one and is judged against that one."""
    seeds: int = 1
    """Runs on each fold; every run has a seed of its own, from 0 to folds x seeds - 1."""
    trials: int = 30
    """Points that are tried, the default and none among them."""
    looks: int = 10
    """How many times along its runs a trial is judged, so that it may be pruned."""
    sampler: str = "tpe"
    """How the next point is chosen."""
    pruner: str = "median"
    """Which trials are ended early."""
    seed: int = 0
    """Where the search's own chance starts; another one tries other points."""

    def base(self) -> Config:
        """The config of the runs."""
        return _base(self.config)

    def axes(self) -> list[Axis]:
        """The axes of the space."""
        return list(_axes(self.config, tuple(self.over)))

    def places(self) -> list[tuple[int, int]]:
        """(fold, seed) of each run of a trial, every fold once before any a second time."""
        return [(number % self.folds, number) for number in range(self.folds * self.seeds)]


@lru_cache(maxsize=8)
def _base(text: str) -> Config:
    return from_yaml(text, source="the study's config")


@lru_cache(maxsize=8)
def _axes(text: str, over: tuple[str, ...]) -> tuple[Axis, ...]:
    axes = tuple(axis_of(words, _base(text)) for words in over)
    refuse_twice(axes)
    return axes


def check_plan(plan: Plan) -> None:
    """What a type cannot say. Raises GradganError with one line."""
    if not plan.over:
        raise GradganError("tune: nothing to search; name a field, such as --over r1.weight.")
    for name, least in {"folds": 2, "seeds": 1, "trials": 1, "looks": 1, "seed": 0}.items():
        value = getattr(plan, name)
        if not least <= value <= _MOST:
            raise GradganError(f"tune: {name} must be from {least} to {_MOST}, got {value}.")
    steps = plan.base().steps
    if plan.looks > steps:
        raise GradganError(f"tune: looks must be at most the steps of a run, {steps}, got {plan.looks}.")
    for name, known in {"sampler": SAMPLERS, "pruner": PRUNERS}.items():
        if getattr(plan, name) not in known:
            raise unknown_name(name, getattr(plan, name), known)


def plan_to_json(plan: Plan) -> str:
    """The plan as one line of JSON."""
    return json.dumps(asdict(plan), ensure_ascii=False)


def plan_from_json(text: str) -> Plan:
    """The inverse of `plan_to_json`; what an older or newer gradgan wrote may lack or have fields."""
    tree = json.loads(text)
    known = {field.name for field in fields(Plan)}
    if not isinstance(tree, dict) or not set(tree) <= known or not {"config", "over", "metric"} <= set(tree):
        raise GradganError("the study was made by another version of gradgan; choose another --out.")
    return Plan(**tree)


def refuse_other(there: Plan, plan: Plan, *, name: str) -> None:
    """Refuse to go on with a study of another plan; only the number of trials may change."""
    told = differences(_fixed(there), _fixed(plan))
    if told:
        raise GradganError(f"study {name} has another plan: {told}. Give the same command, or choose another --out.")


def _fixed(plan: Plan) -> dict[str, Any]:
    from ..experiment.config import plain

    tree = asdict(plan)
    del tree["trials"]
    config = plain(plan.base())
    for key in ("seed", "threads", "device"):
        config.pop(key)
    return {**tree, "config": config}
