"""What an illness is to those who watch: the conditions that name it, what helps, and what a rollback changes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core.catalog import Catalog
from .history import History

ILLNESSES = Catalog("illness", facts=("helps", "remedy", "explains", "sick", "healthy"))
"""Every illness by name; its entry makes the rule. Facts: `helps`, what usually does; `remedy`, what a rollback
changes; `explains`, the illnesses whose signs come with it; `sick` and `healthy`, histories in which the rule must and
must not name it."""

REACH = 10
"""Logged steps that a rule looks at, at most, to speak of the last of them: a swing over ten, a median over five beside
that of five steps before."""


@dataclass(frozen=True, eq=False)
class Condition:
    """One number (or what a rule made of it) beside its threshold, at every logged step."""

    number: str
    """The logged number that it is about, by its name in the glossary."""
    what: str
    """What is compared, in words, as evidence names it."""
    values: np.ndarray
    """Its value at each step."""
    holds: np.ndarray
    """Where the condition is met."""
    bound: str
    """The threshold in words, such as "above 0.5"."""
    at_once: bool = False
    """Is it certain without patience?"""


Sign = tuple[Condition, ...]
"""Conditions that name an illness where all of them are met."""

Rule = Callable[[History], list[Sign]]
"""The signs of an illness in a history, each by itself enough. Causal: what a sign says of a step does not depend on
later ones, so that a finished run is told what it would have been told while it ran."""


@dataclass(frozen=True)
class Remedy:
    """What a rollback changes before it goes on; factors, applied once for each rollback."""

    critic_rate: float = 1.0
    """Of the critic's learning rate."""
    other_rates: float = 1.0
    """Of every other player's."""
    weights: float = 1.0
    """Of every gradient penalty's weight."""

    def __str__(self) -> str:
        changes = {"critic's learning rate": self.critic_rate, "other learning rates": self.other_rates}
        changes |= {"penalty weights": self.weights}
        return ", ".join(f"{what} x {factor:g}" for what, factor in changes.items() if factor != 1.0)


def above(number: str, what: str, values: np.ndarray, threshold: float) -> Condition:
    """The condition that the values lie above a threshold; nan does not."""
    return Condition(number, what, values, values > threshold, f"above {threshold:g}")


def below(number: str, what: str, values: np.ndarray, threshold: float) -> Condition:
    """The condition that the values lie below a threshold; nan does not."""
    return Condition(number, what, values, values < threshold, f"below {threshold:g}")


def not_finite(number: str, values: np.ndarray, known: np.ndarray) -> Condition:
    """The condition that a number was logged (`known`) and is nan or infinite."""
    return Condition(number, number, values, known & ~np.isfinite(values), "not finite", at_once=True)
