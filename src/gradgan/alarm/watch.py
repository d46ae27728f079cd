"""The watch: every rule over a history, and what each of them found."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from .history import History
from .illness import ILLNESSES, Sign


@dataclass(frozen=True)
class Evidence:
    """A number when the alarm was raised, and the threshold that it had crossed."""

    number: str
    what: str
    value: float
    bound: str

    def __str__(self) -> str:
        return f"{self.what} is {self.value:.3g} ({self.bound})"


@dataclass(frozen=True)
class Finding:
    """An illness with its evidence: signs since `since`, long enough to say so at `step`."""

    illness: str
    since: int
    step: int
    evidence: tuple[Evidence, ...]
    helps: str
    """What usually does."""
    still: bool = True
    """Were its signs still there when the history ended?"""

    def __str__(self) -> str:
        told = "; ".join(map(str, self.evidence))
        return f"{self.illness.replace('_', ' ')}, since step {self.since}: {told}"


def examine(
    history: History, *, patience: int, only: Iterable[str] | None = None, lead: int = 0, told: Collection[str] = ()
) -> list[Finding]:
    """What the rules find, in the order in which they found it; of two found at once, what explains comes first.

    A rule speaks where one of its signs holds on `patience` logged steps in a row; a number that is not finite needs
    no patience. Each illness is told once, when it is first found. The first `lead` rows only fill the rules' windows;
    illnesses `told` before are not looked for, yet may explain others.
    """
    found = []
    for name in ILLNESSES if only is None else only:
        if name in told:
            continue
        first: Finding | None = None
        for sign in ILLNESSES.make(name)(history):
            finding = _found(name, history, sign, patience, lead)
            if finding is not None and (first is None or finding.step < first.step):
                first = finding
        found += [] if first is None else [first]
    names = {finding.illness for finding in found} | set(told)
    return sorted(found, key=lambda finding: (finding.step, _explained(finding.illness, names), finding.since))


def _explained(illness: str, found: set[str]) -> bool:
    """Does another illness of those found explain this one?"""
    return any(illness in ILLNESSES[name].facts["explains"] for name in found)


def not_measured(history: History) -> list[str]:
    """The illnesses that could not be looked for: none of their signs had all of its numbers in the log."""
    names = set(history.names)
    return [
        illness
        for illness in ILLNESSES
        if not any({condition.number for condition in sign} <= names for sign in ILLNESSES.make(illness)(history))
    ]


def _found(name: str, history: History, sign: Sign, patience: int, lead: int) -> Finding | None:
    holds = np.logical_and.reduce([condition.holds for condition in sign]) & (np.arange(len(history)) >= lead)
    length = run_lengths(holds)
    at_once = any(condition.at_once for condition in sign)
    reached = np.flatnonzero(length >= (1 if at_once else patience))
    if not len(reached):
        return None
    at = int(reached[0])
    since = at - int(length[at]) + 1
    evidence = tuple(Evidence(c.number, c.what, float(c.values[at]), c.bound) for c in sign)
    return Finding(
        name,
        int(history.steps[since]),
        int(history.steps[at]),
        evidence,
        ILLNESSES[name].facts["helps"],
        bool(holds[-1]),
    )


def run_lengths(holds: np.ndarray) -> np.ndarray:
    """How many in a row up to each place: [1, 1, 0, 1] -> [1, 2, 0, 1]."""
    count = np.arange(1, len(holds) + 1)
    return count - np.maximum.accumulate(np.where(holds, 0, count))
