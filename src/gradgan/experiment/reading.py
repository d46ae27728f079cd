"""From words to a Config and back: YAML, `a.b=value` overrides, short keys, and one clear line for what is wrong."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from ..core.checks import GradganError, unknown_name
from ..core.plain_yaml import LONGEST, read_yaml
from .config import Config, PenaltyConfig, plain
from .switch import SWITCHES, switch


def to_yaml(config: Config) -> str:
    """The complete config as YAML, readable by `from_yaml`."""
    return yaml.safe_dump(plain(config), sort_keys=False, allow_unicode=True)


def from_yaml(text: str, *, source: str) -> Config:
    """A Config from YAML; `source` names the file in messages."""
    tree = read_yaml(text, source=source)
    if not isinstance(tree, dict):
        raise GradganError(f"{source} must hold keys and values such as `steps: 1000`, got {type(tree).__name__}.")
    return from_plain(_numbers(tree), source=source)


def read_config(path: str | Path) -> Config:
    """A Config from a YAML file."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as file:
            # One character more than is taken, and never the whole of /dev/zero.
            text = file.read(LONGEST + 1)
    except OSError as error:
        raise GradganError(f"config {path} could not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise GradganError(f"config {path} is not text (UTF-8).") from error
    return from_yaml(text, source=str(path))


def override(config: Config, assignments: Iterable[str], *, source: str = "--set") -> Config:
    """The config with `key=value` assignments, e.g. `r1.weight=5`, `data.path=FOLDER`, `steps=1000`.

    Names that others follow (system, data.name, ...) are chosen first; their order among the rest does not matter.
    `source` names in messages what the assignments came from.
    """
    pairs = [_assignment(text, source) for text in assignments]
    for key in SWITCHES:
        for value in (value for name, value in pairs if name == key and (value is None or isinstance(value, str))):
            config = switch(config, key, value)
    tree = plain(config)
    for key, value in pairs:
        branch: Any = value
        for part in reversed(key.split(".")):
            branch = {part: branch}
        _merge(tree, long_keys(branch, source=source))
    return from_plain(tree, source=source)


def _assignment(text: str, source: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise GradganError(f"{source} wants key=value, got {text!r}. Example: {source} r1.weight=5")
    try:
        return key.strip(), _numbers(read_yaml(value, source="it")) if value else ""
    except GradganError as error:
        raise GradganError(f"{source} {key}: {_short(value)} is not a YAML value; quote it.") from error


def _numbers(tree: Any) -> Any:
    """YAML 1.1 takes 1e-3 (without a dot) for a word; here it is a number."""
    if isinstance(tree, dict):
        return {key: _numbers(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_numbers(value) for value in tree]
    is_number = isinstance(tree, str) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+", tree)
    return float(tree) if is_number else tree


def from_plain(tree: Mapping[Any, Any], *, source: str) -> Config:
    """A Config from nested dictionaries; missing keys take their defaults."""
    from pydantic import ValidationError

    tree = long_keys(tree, source=source)
    try:
        config = _adapter().validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if not _is_branch_name(part))
        wanted = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        raise GradganError(f"{source}: {_word(key)} must be {wanted}, got {_short(first['input'])}.") from None
    _same_kinds(tree, plain(config), source=source)
    _check_numbers(config)
    return config


@cache
def _adapter() -> Any:
    # pydantic costs 0.1 s of start-up, and making this 10 ms; only commands that read a config pay it, and once.
    from pydantic import TypeAdapter

    return TypeAdapter(Config)


def _short(value: object) -> str:
    """A value in a message: on one line, and not longer than it."""
    return shown if len(shown := repr(value)) <= 100 else f"{shown[:100]}..."


def _word(key: str) -> str:
    """A dotted key in a message; one that no config has, with blanks or line ends in it, in quotes."""
    return key if re.fullmatch(r"[\w.-]+", key) else _short(key)


def _same_kinds(given: Any, taken: Any, *, source: str, key: str = "") -> None:
    """Refuse what pydantic was too kind to: true for 1, "32" for 32."""
    if isinstance(given, dict) and isinstance(taken, dict):
        for name, value in given.items():
            _same_kinds(value, taken.get(name), source=source, key=f"{key}.{name}" if key else str(name))
    elif isinstance(given, (bool, str)) and type(given) is not type(taken):
        raise GradganError(f"{source}: {_word(key)} must be a {type(taken).__name__}, got {_short(given)}.")


def long_keys(tree: Mapping[Any, Any], *, source: str) -> dict[str, Any]:
    """Short keys spelled out: `r1: {weight: 5}` -> `penalties: {r1: {weight: 5}}`, own options under `options`."""
    from ..penalties import PENALTIES

    known = {f.name for f in fields(Config)}
    result: dict[str, Any] = {}
    for key, value in tree.items():
        if key in known:
            _merge(result, {key: value})
        elif key in PENALTIES:
            _merge(result, {"penalties": {key: value}})
        else:
            raise unknown_name(f"config key in {source}:", str(key), [*known, *PENALTIES])
    return _long(result, Config, path="", source=source)


def _long(tree: Mapping[Any, Any], kind: Any, *, path: str, source: str) -> dict[str, Any]:
    hints = get_type_hints(kind)
    result: dict[str, Any] = {}
    for key, value in tree.items():
        here = f"{path}{key}"
        if key in hints:
            inner = _dataclass_in(hints[key])
            if inner is not None and isinstance(value, Mapping):
                value = _long(value, inner, path=f"{here}.", source=source)
            elif here == "penalties" and isinstance(value, Mapping):
                value = {n: _penalty(n, v, source=source) for n, v in value.items()}
            _merge(result, {key: value})
        elif "options" in hints:
            _merge(result, {"options": {key: value}})
        else:
            raise unknown_name(f"config key in {source}:", here, [f"{path}{name}" for name in hints])
    return result


def _penalty(name: Any, value: Any, *, source: str) -> Any:
    from ..penalties import PENALTIES

    if not isinstance(value, Mapping):
        known = _word(str(name))
        raise GradganError(f"{source}: penalty {known} wants keys such as {known}.weight, got {_short(value)}.")
    known = [*(f.name for f in fields(PenaltyConfig)), *PENALTIES[str(name)].options]
    for key in value:
        if key not in known:
            raise unknown_name(f"config key in {source}:", f"{name}.{key}", [f"{name}.{k}" for k in known])
    return _long(value, PenaltyConfig, path=f"{name}.", source=source)


def _dataclass_in(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return next((found for arg in get_args(hint) if (found := _dataclass_in(arg))), None)
    return hint if is_dataclass(hint) else None


def _is_branch_name(part: object) -> bool:
    # pydantic adds the tried branch of a union ("bool", "list[int]", ...) to the place of an error.
    return isinstance(part, str) and (part in ("bool", "int", "float", "str") or part.startswith("list["))


def _merge(into: dict[Any, Any], other: Mapping[Any, Any]) -> None:
    # Keys as YAML has them; those that are no words are refused when the whole is checked.
    for key, value in other.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _check_numbers(config: Config) -> None:
    """What a type cannot say: each number is in its range, and the name that a run folder takes leads nowhere else."""
    from ..core.checks import finite

    if not re.fullmatch(r"[\w-][\w.-]{0,99}", config.preset):
        raise GradganError(f"preset must be a plain name, for run folders take it, got {_short(config.preset)}.")
    for name in ("batch", "steps", "latent"):
        finite(getattr(config, name), what=name, minimum=1)
    for what in ("log", "sample", "checkpoint"):
        finite(getattr(config, what).every, what=f"{what}.every", minimum=0)
    for what in ("every", "samples", "features_size"):
        finite(getattr(config.evaluate, what), what=f"evaluate.{what}", minimum=0)
    finite(config.checkpoint.keep, what="checkpoint.keep", minimum=1)
    finite(config.checkpoint.keep_every, what="checkpoint.keep_every", minimum=0)
    finite(config.alarm.patience, what="alarm.patience", minimum=1)
    finite(config.alarm.rollbacks, what="alarm.rollbacks", minimum=0)
    finite(config.seed, what="seed", minimum=0)
    finite(config.threads, what="threads", minimum=0)
    finite(config.data.held_out, what="data.held_out", minimum=0, maximum=0.99)
    finite(config.ema, what="ema", minimum=0, maximum=1)
    finite(config.optimiser.lr, what="optimiser.lr", minimum=0)
    for name in ("beta1", "beta2"):
        finite(getattr(config.optimiser, name), what=f"optimiser.{name}", minimum=0, maximum=0.999999)
    optional = {
        "critic_steps": (config.critic_steps, 1.0),
        "optimiser.critic_lr": (config.optimiser.critic_lr, 0.0),
        "clip_gradient": (config.clip_gradient, 1e-30),
        "clip_weights": (config.clip_weights, 1e-30),
    }
    for name, (value, minimum) in optional.items():
        if value is not None:
            finite(value, what=name, minimum=minimum)
    for name, schedule in {"lr": config.lr, **{n: p.schedule for n, p in config.penalties.items()}}.items():
        for share in ("warmup", "hold"):
            finite(getattr(schedule, share), what=f"{name}.{share}", minimum=0, maximum=1)
        finite(schedule.final, what=f"{name}.final", minimum=0)
    for name, penalty in config.penalties.items():
        if penalty.weight is not None:
            hint = " To switch it off, set it to 0."
            try:
                finite(penalty.weight, what=f"{name}.weight", minimum=0)
            except GradganError as error:
                raise GradganError(f"{error}{hint}") from None
        finite(penalty.every, what=f"{name}.every", minimum=1)
