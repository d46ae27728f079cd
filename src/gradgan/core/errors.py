"""The errors told in one line. Free of torch, so that reading a run folder or printing a report never loads it."""

import difflib
from collections.abc import Iterable


class GradganError(ValueError):
    """Bad input, told in one line; the command line prints it without a traceback and exits with 2."""


class NonFiniteError(GradganError, ArithmeticError):
    """A loss, penalty or gradient stopped being a number; never masked."""


class LostRankError(GradganError, ConnectionError):
    """Another process of the same job has died or cannot be reached, so this one cannot go on."""

    exit_code = 4


class SickRunError(GradganError):
    """A watcher named an illness of the run, and was told to do more about it than to say so."""

    def __init__(self, message: str, *, illness: str, since: int) -> None:
        """`since`: the step at which the signs began."""
        super().__init__(message)
        self.illness = illness
        self.since = since


def shown(value: object) -> str:
    """A value that does not fit, in one line: words and numbers as they are, of anything else the type."""
    return repr(value) if value is None or isinstance(value, str | int | float) else type(value).__name__


def unknown_name(kind: str, name: str, known: Iterable[str]) -> GradganError:
    """The error for a name that is in no catalog, with the nearest ones that are."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Perhaps you meant {' or '.join(map(repr, near))}." if near else f"Known: {', '.join(known)}."
    return GradganError(f"unknown {kind} {name!r}. {hint}")
