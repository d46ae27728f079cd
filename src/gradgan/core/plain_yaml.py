"""YAML that anybody may have written: read as plain data, bounded in length, depth and number of values."""

from typing import Any

import yaml

from .errors import GradganError

LONGEST = 100_000
"""Characters; a complete config has about three thousand."""
_DEEPEST = 30
_MOST = 10_000
_BITS = 64


def read_yaml(text: str, *, source: str) -> Any:
    """The YAML text as dictionaries, lists and values; an alias counts as often as it stands.

    Raises GradganError for what is not YAML, asks for objects, or is larger than any config: a few lines of aliases of
    aliases can stand for more values than any memory holds.
    """
    if len(text) > LONGEST:
        raise GradganError(f"{source} is longer than {LONGEST} characters, so it is no config of gradgan.")
    try:
        tree = yaml.safe_load(text)
    except (
        yaml.YAMLError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise GradganError(f"{source} is not YAML: {why}") from error
    _bounded(tree, source)
    return tree


def _bounded(tree: Any, source: str) -> None:
    """Walk over everything as whoever reads it later will, and stop where that would be too much."""
    seen, left = 0, [(tree, 0)]
    while left:
        value, depth = left.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST:
            what = f"nested deeper than {_DEEPEST}" if depth > _DEEPEST else f"made of more than {_MOST} values"
            raise GradganError(f"{source} is {what}, so it is no config of gradgan.")
        if isinstance(value, int) and value.bit_length() > _BITS:
            raise GradganError(f"{source} holds a whole number of more than {_BITS} bits; give a smaller one.")
        if isinstance(value, dict):
            left += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, (list, tuple, set)):
            left += [(part, depth + 1) for part in value]
