"""What is compared, as plain data: read from one YAML file or made from flags, and checked. Imports no torch."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from ..core.errors import GradganError, unknown_name

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.=+-]*")


@dataclass(frozen=True)
class Budget:
    """How long every method may train: the same number of steps, or the same time at its own pace."""

    unit: str
    """steps or minutes."""
    amount: float

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"

    @property
    def folder(self) -> str:
        """Its part of a cell's path."""
        return f"{self.unit}_{self.amount:g}"


@dataclass(frozen=True)
class Plan:
    """A comparison: every method on every data preset with every budget and seed."""

    data: dict[str, list[str]]
    """Presets, each with settings of its own (`key=value`, as after --set)."""
    systems: list[str] = field(default_factory=list)
    """Systems by name; the presets' own where there are neither systems nor methods."""
    variants: dict[str, list[str]] = field(default_factory=dict)
    """Settings by name; every system is run with each of them."""
    methods: dict[str, list[str]] = field(default_factory=dict)
    """More methods by name, each a list of settings such as system=atgp atgp.weight=0.3."""
    settings: list[str] = field(default_factory=list)
    """Settings of all runs."""
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4])
    """The seeds; a single number in a file or flag means so many, from 0 on."""
    steps: list[int] = field(default_factory=list)
    """Budgets in steps, the same for every method; the preset's where there are neither steps nor minutes."""
    minutes: list[float] = field(default_factory=list)
    """Budgets in minutes of training alone, turned into steps by each method's measured time per step."""
    baseline: str | None = None
    """The method that differences are taken to; gan where it is compared, else the first."""
    metrics: list[str] = field(default_factory=list)
    """By which it is judged, as NAME or NAME/FEATURES; those meant for the data where none is named."""
    logged: list[str] = field(default_factory=list)
    """Logged numbers to tell beside them, as means over the run, such as generator/gradient_norm."""
    looks: int = 20
    """How many times along a run the metrics are taken."""

    def named_methods(self) -> dict[str, list[str]]:
        """Every method with its settings: each system with each variant, then those by name."""
        systems: list[str | None] = [*self.systems] or ([] if self.methods else [None])
        variants: dict[str | None, list[str]] = {**self.variants} or {None: []}
        result: dict[str, list[str]] = {}
        for system in systems:
            for variant, settings in variants.items():
                name = "-".join(word for word in (system, variant) if word)
                result[name or "preset"] = [*([f"system={system}"] if system else []), *settings]
        twice = [name for name in self.methods if name in result]
        if twice:
            raise GradganError(f"method {twice[0]!r} is named twice, by systems x variants too; give it another name.")
        return {**result, **self.methods}

    def reference(self) -> str:
        """The method that differences are taken to."""
        known = list(self.named_methods())
        if self.baseline is not None and self.baseline not in known:
            raise unknown_name("baseline", self.baseline, known)
        return self.baseline or ("gan" if "gan" in known else known[0])


def make_plan(words: Mapping[str, Any], *, source: str) -> Plan:
    """A Plan from plain data; `source` names the file or flags in messages.

    Raises GradganError for unknown keys, presets and metrics, for values of a wrong kind, no seeds, and bad names.
    """
    known = [f.name for f in fields(Plan)]
    for key in words:
        if key not in known:
            raise unknown_name(f"key in {source}:", str(key), known)
    tree = dict(words)
    if isinstance(tree.get("data"), (list, str)):
        data = [tree["data"]] if isinstance(tree["data"], str) else tree["data"]
        _once(data, "data", source)
        tree["data"] = {str(name): [] for name in data}
    if isinstance(tree.get("seeds"), int) and not isinstance(tree["seeds"], bool):
        tree["seeds"] = list(range(tree["seeds"]))
    for key in ("systems", "steps", "minutes", "metrics", "logged", "settings"):
        if key in tree:
            tree[key] = listed(tree[key])
    plan = _typed(tree, source)
    _check(plan, source)
    return plan


def listed(value: Any) -> Any:
    """What a plan's key that wants a list means: one word is a list of one, a key left empty a list of none."""
    if value is None:
        return []
    return [value] if isinstance(value, (str, int, float)) else value


def read_plan(path: str | Path) -> dict[str, Any]:
    """The words of a plan in a YAML file, for `make_plan`."""
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise GradganError(f"plan {path} could not be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise GradganError(f"plan {path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise GradganError(f"plan {path} must hold keys and values such as `systems: [gan, r3gan]`.")
    return tree


def plan_to_yaml(plan: Plan) -> str:
    """The complete plan as YAML, readable again."""
    return yaml.safe_dump(asdict(plan), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def _typed(tree: Mapping[str, Any], source: str) -> Plan:
    from pydantic import TypeAdapter, ValidationError

    if "data" not in tree:
        raise GradganError(f"{source}: no data; name one preset or more, such as ring.")
    hints = get_type_hints(Plan)
    # Key by key, for a strict check takes no dictionary for a dataclass, and a lenient one takes "3" for 3.
    for key, value in tree.items():
        try:
            TypeAdapter(hints[key]).validate_python(value, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join([key, *map(str, first["loc"])])
            wanted = first["msg"].removeprefix("Input should be ")
            raise GradganError(f"{source}: {place} must be {wanted}, got {first['input']!r}.") from None
    return Plan(**tree)


def _check(plan: Plan, source: str) -> None:
    """What a type cannot say."""
    from ..experiment.presets import PRESETS
    from ..metrics.judging import refuse_unknown

    for name in plan.data:
        if name not in PRESETS:
            raise unknown_name("preset", name, PRESETS)
    if not plan.data:
        raise GradganError(f"{source}: no data; name one preset or more, such as ring.")
    for name in plan.metrics:
        refuse_unknown(name)
    if not plan.seeds:
        raise GradganError(f"{source}: no seeds to run; give one or more, five for intervals worth having.")
    for key in ("seeds", "systems", "steps", "minutes", "metrics", "logged"):
        _once(getattr(plan, key), key, source)
    if min(plan.seeds) < 0:
        raise GradganError(f"{source}: seeds must be >= 0, got {min(plan.seeds)}.")
    if plan.steps and plan.minutes:
        raise GradganError(f"{source}: give steps or minutes, not both; they are two kinds of budget.")
    if not 1 <= plan.looks <= 1000:
        raise GradganError(f"{source}: looks must be from 1 to 1000, got {plan.looks}.")
    if any(steps < plan.looks for steps in plan.steps):
        raise GradganError(f"{source}: steps must be at least looks, {plan.looks}, got {min(plan.steps)}.")
    if not all(0 < minutes < float("inf") for minutes in plan.minutes):
        raise GradganError(f"{source}: minutes must be above 0, got {min(plan.minutes)}.")
    for name in (*plan.variants, *plan.methods):
        if not _NAME.fullmatch(name):
            raise GradganError(f"{source}: {name!r} is no name of a variant; use letters, digits and . _ = + - only.")
    plan.reference()


def _once(values: Iterable[object], key: str, source: str) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise GradganError(f"{source}: {key} names {value} twice.")
        seen.add(value)
