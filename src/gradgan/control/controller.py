"""What a controller is: a number that is looked at now and then, and how the weight answers to it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..core.catalog import Catalog
from ..core.checks import GradganError
from ..core.sight import Sight
from ..core.types import Scalar

CONTROLLERS = Catalog("controller", facts=("wants_held_out",))
"""Every controller by name. Fact: `wants_held_out`, whether it looks at samples that nobody learns from."""

Start = Literal["given", "pixels_per_batch"]
"""Where a controlled weight begins: as the config has it, or times pixels / batch."""

_RANGE = 1e6
"""The factor of a controlled weight stays below this, and above its inverse."""


@dataclass(frozen=True)
class Controller:
    """Every `every` steps the weight is multiplied by exp(error(seen)): an integral controller of its logarithm."""

    name: str
    seen: Callable[[Sight], Scalar] | None
    """The number that is held; None for a weight that is set once."""
    error: Callable[[float], float]
    """How much the weight's logarithm grows for what was seen; below 0, it falls."""
    every: int = 1
    start: Start = "given"

    def first(self, event: tuple[int, ...], batch: int) -> float:
        """The factor of the weight at the first step. Raises GradganError for pixels of what has none."""
        return pixels_of(event, self.name) / batch if self.start == "pixels_per_batch" else 1.0

    def due(self, step: int) -> bool:
        """Does it look after this step?"""
        return self.seen is not None and step % self.every == 0

    def look(self, sight: Sight) -> Scalar:
        """The number that is held, as it is now."""
        assert self.seen is not None, "a weight that is set once is never due"
        return self.seen(sight)

    def next(self, factor: float, seen: float) -> float:
        """The factor from here on. What is no number changes nothing: the run's own checks tell of it."""
        if not math.isfinite(seen):
            return factor
        return min(max(factor * math.exp(self.error(seen)), 1 / _RANGE), _RANGE)


def pixels_of(event: tuple[int, ...], name: str) -> int:
    """Height times width. Raises GradganError for samples that are no images."""
    if len(event) != 3:
        raise GradganError(f"controller {name!r} counts pixels, and a sample of shape {event} has none.")
    return event[1] * event[2]


def positive(value: float, *, what: str) -> float:
    """A number above 0. Raises GradganError for any other."""
    if not (math.isfinite(value) and value > 0):
        raise GradganError(f"{what} must be finite and > 0, got {value}.")
    return value


def started(start: str, name: str) -> Start:
    """The word for where a weight begins. Raises GradganError for another."""
    if start == "given":
        return "given"
    if start == "pixels_per_batch":
        return "pixels_per_batch"
    raise GradganError(f"option start of controller {name!r} must be given or pixels_per_batch, got {start!r}.")
