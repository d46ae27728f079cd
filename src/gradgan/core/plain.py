"""Does a plain value (number, word, list, ...) from a config or the command line fit a factory's annotation?"""

import inspect
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin


def fits(value: object, wanted: Any) -> bool:
    """Is `value` what the annotation says? Numbers as users mean them: 1 is a float, true is not a number.

    A list fits where a tuple is wanted, for YAML has no tuples. Words of a Literal are left to the part itself, whose
    message names the nearest known; so are annotations that are not types.

    >>> fits(1, float), fits(True, int), fits([8, 8], tuple[int, ...]), fits("8", int), fits(None, str | None)
    (True, False, True, False, True)
    """
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted is Any or origin is Literal:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin in (tuple, list, Sequence):
        return isinstance(value, list | tuple) and all(fits(one, inner[0]) for one in value)
    if wanted in (int, float):
        return isinstance(value, int | wanted) and not isinstance(value, bool)
    kind = origin or wanted
    return isinstance(value, kind) if isinstance(kind, type) else True


def described(wanted: Any) -> str:
    """The annotation in words for a message: "int", "a list of int", "str or nothing"."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        return " or ".join(described(one) for one in inner)
    if origin in (tuple, list, Sequence):
        return f"a list of {described(inner[0])}"
    return "nothing" if wanted is NoneType else inspect.formatannotation(wanted)
