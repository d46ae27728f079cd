"""What is searched: fields of the config, each with a range or a list; from the words of `--over` to settings."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ..core.errors import GradganError
from ..experiment import Config, complete
from ..experiment.config import plain
from ..experiment.reading import long_keys, override
from ..penalties import PENALTIES

SOURCE = "--over"
_DECADES = 2.0
"""A field without a range is searched so many decades below and above its value."""
_UNKNOWN = (1e-3, 10.0)
"""Where a weight is searched whose default is 0."""
_WIDE = 10.0
"""Ranges of numbers whose ends lie further apart than by this factor are searched by their logarithm."""

Value = float | int | str | bool
"""What a field can be."""


@dataclass(frozen=True)
class Axis:
    """One direction of the search: the fields that take its value together, and where it is looked for."""

    fields: tuple[str, ...]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    """Whole numbers only."""
    choices: tuple[Value, ...] = ()
    """What there is to choose from; empty for a range."""

    @property
    def name(self) -> str:
        """The fields as they were written."""
        return "+".join(self.fields)

    @property
    def weighs(self) -> bool:
        """Is it the weight of penalties, which 0 switches off?"""
        return all(_penalty_of(field) for field in self.fields)

    def contains(self, value: object) -> bool:
        """Could the search come to this value?"""
        if self.choices:
            return value in self.choices
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    def settings(self, value: Value) -> list[str]:
        """The value as assignments, as after --set."""
        # Four digits: more of a weight would be noise.
        value = float(f"{value:.4g}") if isinstance(value, float) else value
        return [f"{field}={_written(value)}" for field in self.fields]

    def points(self, n: int) -> list[Value]:
        """n values spread evenly, ends included: of a list, all."""
        if self.choices:
            return list(self.choices)
        shares = [i / (n - 1) for i in range(n)] if n > 1 else [0.5]
        if self.log:
            values = [self.low * (self.high / self.low) ** share for share in shares]
        else:
            values = [self.low + (self.high - self.low) * share for share in shares]
        return list(dict.fromkeys(round(v) for v in values)) if self.whole else list(values)

    def __str__(self) -> str:
        if self.choices:
            return f"{self.name} in {', '.join(_written(choice) for choice in self.choices)}"
        return f"{self.name} in {self.low:g}..{self.high:g}{', log scale' if self.log else ''}"


def axis_of(words: str, config: Config) -> Axis:
    """The axis that `FIELD`, `FIELD=LOW..HIGH` or `FIELD=A,B,C` asks for, of a complete config; FIELD+FIELD are tied.

    A range of numbers that spans a factor of ten or more is searched by its logarithm; `LOW..HIGH:log` and
    `LOW..HIGH:linear` say it. Without a range: two decades below and above what the field is. Raises GradganError for
    a field that does not exist, an empty or reversed range, and values that the field does not take.
    """
    names, equals, range_ = words.partition("=")
    fields = tuple(name.strip() for name in names.split("+"))
    now = [value_of(config, field) for field in fields]
    if not equals:
        axis = _around(fields, now[0])
    elif ".." in range_:
        axis = _between(fields, range_, now[0])
    else:
        axis = Axis(fields, choices=_choices(words, range_))
    for end in axis.choices or (axis.low, axis.high):
        override(config, axis.settings(int(end) if axis.whole else end), source=SOURCE)
    return axis


def value_of(config: Config, field: str) -> Any:
    """What a field of a complete config is; of a penalty that the config lacks, what it would be, its weight 0."""
    if not re.fullmatch(r"\w+(\.\w+)*", field):
        raise GradganError(f"{SOURCE} wants FIELD, FIELD=LOW..HIGH or FIELD=A,B,C, got field {field!r}.")
    found = _looked_up(plain(config), field)
    penalty = field.split(".")[0]
    if found is _NOTHING and penalty in PENALTIES and penalty not in config.penalties:
        added = complete(override(config, [f"{penalty}.weight=0"], source=SOURCE))
        found = _looked_up(plain(added), field)
    if found is _NOTHING:
        raise GradganError(f"{SOURCE} {field}: this run has no such field{_comes_with(field)}.")
    if isinstance(found, (dict, list)):
        raise GradganError(f"{SOURCE} {field} is a group of fields; name one of them.")
    return found


def _comes_with(field: str) -> str:
    """What would give a run the field."""
    owner, control, _ = field.rpartition(".control.")
    return f"; a controller brings it, as --set {owner}.control.name=hold_slope" if control else ""


_NOTHING = object()


def _looked_up(tree: Mapping[str, Any], field: str) -> Any:
    """The value at a dotted key, as long as the config has it. Raises GradganError for a key that no config has."""
    branch: Any = "?"
    for part in reversed(field.split(".")):
        branch = {part: branch}
    path: Any = long_keys(branch, source=SOURCE)
    found: Any = tree
    while isinstance(path, dict):
        ((key, path),) = path.items()
        if not isinstance(found, Mapping) or key not in found:
            return _NOTHING
        found = found[key]
    return found


def _around(fields: tuple[str, ...], now: object) -> Axis:
    if isinstance(now, float) and not isinstance(now, bool) and now > 0:
        return Axis(fields, *_round_ends(now), log=True)
    if now == 0 and all(_penalty_of(field) for field in fields):
        return Axis(fields, *_UNKNOWN, log=True)
    raise GradganError(
        f"{SOURCE} {fields[0]} is {_written(now)}, which has no decades around it; give a range or a list, as in "
        f"{SOURCE} {'+'.join(fields)}={'1..8' if isinstance(now, int) else 'A,B,C'}."
    )


def _round_ends(now: float) -> tuple[float, float]:
    return float(f"{now / 10**_DECADES:.3g}"), float(f"{now * 10**_DECADES:.3g}")


def _between(fields: tuple[str, ...], text: str, now: object) -> Axis:
    range_, _, scale = text.partition(":")
    said = f"{SOURCE} {'+'.join(fields)}={text}"
    if scale not in ("", "log", "linear"):
        raise GradganError(f"{said}: the scale must be log or linear, got {scale!r}.")
    try:
        low, high = (float(end) for end in range_.split(".."))
    except ValueError:
        raise GradganError(f"{said}: a range is LOW..HIGH, two numbers, such as 1e-3..10.") from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise GradganError(f"{said}: the ends of a range must be finite.")
    if low >= high:
        raise GradganError(f"{said}: the range is {'empty' if low == high else 'reversed'}; give the lower end first.")
    whole = isinstance(now, int) and not isinstance(now, bool)
    if whole and not (low.is_integer() and high.is_integer()):
        raise GradganError(f"{said}: {fields[0]} takes whole numbers; give whole ends.")
    log = scale == "log" or (scale == "" and (low > 0 and high / low >= _WIDE))
    weight = all(_penalty_of(field) for field in fields)
    if low <= 0 and (log or (weight and scale == "")):
        more = " Weight 0 is always tried, beside the range." if weight else ""
        raise GradganError(f"{said}: a range on the log scale begins above 0; or say LOW..HIGH:linear.{more}")
    return Axis(fields, low, high, log=log, whole=whole)


def _choices(words: str, text: str) -> tuple[Value, ...]:
    values = tuple(_value(word.strip(), words) for word in text.split(","))
    if len(values) < 2 or len(set(map(str, values))) < len(values):
        raise GradganError(f"{SOURCE} {words}: a list wants two different values or more, or a range LOW..HIGH.")
    return values


def _value(word: str, words: str) -> Value:
    try:
        value = float(word) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+", word) else yaml.safe_load(word)
    except yaml.YAMLError:
        value = None
    if not isinstance(value, (bool, int, float, str)):
        raise GradganError(f"{SOURCE} {words}: {word!r} is no value of a field.")
    return value


def _penalty_of(field: str) -> bool:
    """Is the field a penalty's weight?"""
    parts = field.removeprefix("penalties.").split(".")
    return len(parts) == 2 and parts[0] in PENALTIES and parts[1] == "weight"


def _written(value: object) -> str:
    """As YAML would read it again."""
    return yaml.safe_dump(value, default_flow_style=True).split("\n")[0]


def settings_of(axes: Sequence[Axis], values: Mapping[str, Value]) -> list[str]:
    """The assignments of a point of the space, by the axes' names."""
    return [one for axis in axes for one in axis.settings(values[axis.name])]


def values_in(axes: Sequence[Axis], settings: Sequence[str]) -> dict[str, Value] | None:
    """The other way: where settings stand on each axis, inside of it or not.

    None where they stand nowhere: tied fields that differ, no value at all (null), or a word on an axis of numbers.
    """
    words = dict(one.split("=", 1) for one in settings)
    values: dict[str, Value] = {}
    for axis in axes:
        now = [yaml.safe_load(words[field]) for field in axis.fields]
        if any(one != now[0] for one in now) or not isinstance(now[0], (bool, int, float, str)):
            return None
        if not axis.choices and isinstance(now[0], (bool, str)):
            return None
        values[axis.name] = now[0]
    return values


def default_settings(axes: Sequence[Axis], config: Config) -> list[str]:
    """What the config itself says of the axes' fields."""
    return [f"{field}={_written(value_of(config, field))}" for axis in axes for field in axis.fields]


def default_values(axes: Sequence[Axis], config: Config) -> dict[str, Value] | None:
    """The config's own point of the space; None where it lies outside, or tied fields differ in it."""
    values: dict[str, Value] = {}
    for axis in axes:
        now = [value_of(config, field) for field in axis.fields]
        if any(value != now[0] for value in now) or not axis.contains(now[0]):
            return None
        values[axis.name] = now[0]
    return values


def none_settings(axes: Sequence[Axis], config: Config) -> list[str] | None:
    """Every searched weight 0 and the rest as the config has it; None where no weight is searched."""
    if not any(axis.weighs for axis in axes):
        return None
    others = [axis for axis in axes if not axis.weighs]
    zeros = [f"{field}=0.0" for axis in axes if axis.weighs for field in axis.fields]
    return [*zeros, *default_settings(others, config)]


def refuse_twice(axes: Sequence[Axis]) -> None:
    """Refuse a field that two axes name."""
    seen: set[str] = set()
    for axis in axes:
        for field in axis.fields:
            if field in seen:
                raise GradganError(f"{SOURCE} names {field} twice; tie it or leave one out.")
            seen.add(field)


def config_with(config: Config, settings: Sequence[str]) -> Config:
    """The config at a point of the space."""
    return override(config, settings, source=SOURCE)
