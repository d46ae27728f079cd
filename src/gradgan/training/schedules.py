"""How a number (a learning rate, a penalty's weight) changes over a run."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..core.checks import GradganError, finite

Shape = Literal["constant", "linear", "cosine"]

_SHAPES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1.0 - t,
    "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
}


@dataclass(frozen=True)
class Schedule:
    """A factor over a run: up from 0 during `warmup`, 1 until `hold` (if later), then along `shape` to `final`.

    >>> Schedule("linear", final=0.5)(0.0), Schedule("linear", final=0.5)(1.0)
    (1.0, 0.5)
    """

    shape: Shape = "constant"
    final: float = 0.0
    warmup: float = 0.0
    hold: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in _SHAPES:
            raise GradganError(f"schedule.shape must be one of {', '.join(_SHAPES)}, got {self.shape!r}.")
        finite(self.final, what="schedule.final", minimum=0)
        finite(self.warmup, what="schedule.warmup", minimum=0, maximum=1)
        finite(self.hold, what="schedule.hold", minimum=0, maximum=1)

    def __call__(self, progress: float) -> float:
        """The factor at progress in [0, 1]."""
        progress = min(max(progress, 0.0), 1.0)
        if progress < self.warmup:
            return progress / self.warmup
        # A warm-up that ends after `hold` delays the way down; without this the factor would jump where it ends.
        start = max(self.hold, self.warmup)
        along = 0.0 if progress <= start else (progress - start) / (1.0 - start)
        if self.shape == "constant":
            return 1.0
        return self.final + (1.0 - self.final) * _SHAPES[self.shape](along)
