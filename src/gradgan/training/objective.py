"""What each player minimises: its loss, and terms, each a penalty with a weight, a laziness and a schedule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from ..core.checks import GradganError, finite, shown
from ..core.scene import Penalty, Scene
from ..core.sight import Sight
from ..core.types import Scalar, Scores
from .schedules import Schedule


@runtime_checkable
class ControllerLike(Protocol):
    """Moves a weight while training; `gradgan.control.Controller` is one."""

    def due(self, step: int) -> bool:
        """Does it look after this step?"""
        ...

    def look(self, sight: Sight) -> Scalar:
        """The number that it holds, as it is now."""
        ...

    def next(self, factor: float, seen: float) -> float:
        """What the weight is multiplied by from here on."""
        ...


@dataclass(frozen=True)
class Term:
    """A penalty as somebody pays it: weight x every x schedule(progress) x its mean, on every `every`-th step.

    The multiplication by `every` keeps the mean payment the same when it is paid lazily (arXiv:1912.04958, app. B).
    """

    penalty: Penalty
    weight: float = 1.0
    every: int = 1
    schedule: Schedule = field(default_factory=Schedule)
    payers: tuple[str, ...] = ()
    control: ControllerLike | None = None
    """Moves the weight while training; how far it did is in the state."""

    def __post_init__(self) -> None:
        if not (hasattr(self.penalty, "name") and hasattr(self.penalty, "payers")):
            raise GradganError(
                f"Term wants a penalty, such as penalties.r1, got {shown(self.penalty)}. By name: "
                "Term(PENALTIES.make(name), weight)."
            )
        if not hasattr(self.weight, "__float__"):
            raise GradganError(f"penalty {self.penalty.name!r}: weight must be a number, got {shown(self.weight)}.")
        if not self.weight >= 0 or self.weight == float("inf"):
            raise GradganError(
                f"penalty {self.penalty.name!r}: weight must be finite and >= 0, got {self.weight}. "
                "To switch it off, leave it out."
            )
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise GradganError(
                f"penalty {self.penalty.name!r}: every must be a whole number >= 1, got {self.every!r}. "
                "every=16 pays on each 16th step, 16 times as much."
            )
        if not self.payers:
            object.__setattr__(self, "payers", tuple(self.penalty.payers))

    @property
    def name(self) -> str:
        """The penalty's name, under which it is logged and configured."""
        return self.penalty.name

    def due(self, step: int) -> bool:
        """Is it paid at this step?"""
        return self.weight > 0 and step % self.every == 0

    def factor(self, progress: float) -> float:
        """What multiplies the penalty's mean when it is due."""
        return self.weight * self.every * self.schedule(progress)


@dataclass(frozen=True)
class Player:
    """One who minimises: `loss(scene) -> (n,)` plus the terms; its name is also the key of its network.

    `steps` updates per round; `clip_weights` bounds every parameter to [-c, c] after each update (arXiv:1701.07875);
    `clip_gradient` bounds the norm of the player's whole gradient before it.
    """

    name: str
    loss: Callable[[Scene], Scores] | None
    terms: tuple[Term, ...] = ()
    steps: int = 1
    clip_weights: float | None = None
    clip_gradient: float | None = None

    def reweighted(self, factors: Mapping[str, float]) -> "Player":
        """The same player with its penalties' weights times these factors, by name."""
        if not factors:
            return self
        terms = tuple(replace(term, weight=term.weight * factors.get(term.name, 1.0)) for term in self.terms)
        return replace(self, terms=terms)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise GradganError(f"player {self.name!r}: steps must be >= 1, got {self.steps}.")
        for what in ("clip_weights", "clip_gradient"):
            bound = getattr(self, what)
            if bound is not None and finite(bound, what=f"{self.name}.{what}", minimum=0) == 0:
                raise GradganError(f"{self.name}.{what} must be > 0, got 0. Leave it out for no bound.")
