"""The logged numbers of a run as columns over its steps, as rules read them."""

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Entry(Protocol):
    """A logged step; `core.record.LogEntry` is one."""

    @property
    def step(self) -> int:
        """Which one."""
        ...

    @property
    def numbers(self) -> Mapping[str, float]:
        """What was logged, by name."""
        ...

    @property
    def of_training(self) -> bool:
        """Is it a line of training, not one of an evaluation beside it?"""
        ...


class History:
    """Columns of equal length, one row per logged step; nan where a number was not logged at a step.

    `known(name)` tells what was logged from what was not, for a logged number may itself be nan.

    >>> history = History([10, 20], [{"a": 1.0}, {"a": 3.0, "b": 2.0}])
    >>> history["b"], history["c"], history.level("a", over=2)
    (array([nan,  2.]), array([nan, nan]), array([1., 1.]))
    """

    def __init__(self, steps: Iterable[int], rows: Iterable[Mapping[str, float]]) -> None:
        """Steps in rising order, and the numbers of each."""
        self.steps = np.array(list(steps), dtype=int)
        self.rows = list(rows)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "History":
        """The history that a log tells: its lines of training alone, as a watch sees them while the run goes on.

        Evaluations come at steps of their own, where they would shift every window, and may rightly be infinite.
        """
        lines = [entry for entry in entries if entry.of_training]
        return cls((line.step for line in lines), (line.numbers for line in lines))

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array([row.get(name, np.nan) for row in self.rows], dtype=float)

    @property
    def names(self) -> list[str]:
        """Every number that was logged, in order of appearance."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def known(self, name: str) -> np.ndarray:
        """Where the number was logged."""
        return np.array([name in row for row in self.rows], dtype=bool)

    def level(self, name: str, *, over: int) -> np.ndarray:
        """Median of the number over the last `over` rows at each row; nan where none of them has it."""
        return rolling(self[name], over, 50)


def rolling(values: np.ndarray, over: int, percentile: float = 50) -> np.ndarray:
    """A percentile of the last `over` values (fewer at the start) at each place, leaving out what is not finite.

    Of the finite values in a window, sorted, the one at the share's place (the lower, where it lies between two);
    nan where there is none.
    """
    if len(values) == 0:
        return values
    # What is missing sorts to the end as inf, where counting leaves it out; nan would make every comparison slow.
    padded = np.concatenate([np.full(over - 1, np.inf), np.where(np.isfinite(values), values, np.inf)])
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, over), axis=1)
    count = np.isfinite(windows).sum(axis=1)
    place = ((count - 1).clip(0) * percentile / 100).astype(int)
    return np.where(count > 0, np.take_along_axis(windows, place[:, None], axis=1)[:, 0], np.nan)


def per(value: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """value / unit; nan where the unit is 0 or not known, for then there is nothing to say."""
    with np.errstate(over="ignore"):  # to inf, which is what it is
        return np.divide(value, unit, out=np.full(len(value), np.nan), where=np.isfinite(unit) & (unit != 0))


def earlier(values: np.ndarray, rows: int) -> np.ndarray:
    """The values as they were so many rows before; nan at the start."""
    return np.concatenate([np.full(min(rows, len(values)), np.nan), values[:-rows]])
