"""check_term: lazy payment pays as much as steady payment."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from .claims import claim, prove


@runtime_checkable
class TermLike(Protocol):
    """A weighted penalty as a player pays it; `gradgan.training.objective.Term` is one."""

    @property
    def name(self) -> str:
        """The penalty's name."""
        ...

    @property
    def weight(self) -> float:
        """What multiplies the penalty's mean, on average over the steps."""
        ...

    @property
    def every(self) -> int:
        """It is paid on each `every`-th step."""
        ...

    @property
    def schedule(self) -> Callable[[float], float]:
        """A factor by the run's progress."""
        ...

    def due(self, step: int) -> bool:
        """Is it paid at this step?"""
        ...

    def factor(self, progress: float) -> float:
        """What multiplies the penalty's mean when it is due."""
        ...


def check_term(term: TermLike) -> None:
    """Prove that a term paid every k-th step pays, over any k * m steps in a row, what it would pay on each of them.

        sum of factor(progress) over the due ones of every * m steps  =  weight * every * m * schedule(progress)

    Raises AssertionError, with what was got and what was wanted.
    """
    prove(f"term {term.name!r}", (_due_once, _pays_in_full), term)


def _due_once(term: TermLike) -> None:
    """It is due once in each `every` steps, unless its weight is 0."""
    for start in (0, 1, 7):
        due = sum(term.due(start + step) for step in range(3 * term.every))
        wanted = 3 if term.weight > 0 else 0
        claim(due == wanted, f"got {due} payments in {3 * term.every} steps from step {start}, wanted {wanted}")


def _pays_in_full(term: TermLike) -> None:
    """The sum of its factors is its weight on every step."""
    for progress in (0.0, 0.3, 1.0):
        steps = 4 * term.every
        paid = sum(term.factor(progress) for step in range(steps) if term.due(step))
        wanted = term.weight * steps * term.schedule(progress)
        claim(
            abs(paid - wanted) <= 1e-9 * max(1.0, wanted),
            f"got {paid:.9g} over {steps} steps at progress {progress}, wanted {wanted:.9g}; "
            "a payment every k steps is multiplied by k",
        )
