"""Hold the critic's slope: the weight rises while it is steeper than wanted, and falls while it is flatter."""

import math

import torch

from ..core.checks import GradganError
from ..core.gradients import input_gradient, norm
from ..core.sight import Sight
from ..core.types import Samples, Scalar
from .controller import CONTROLLERS, Controller, positive, started

_PLACES = ("real", "fake", "between")


@CONTROLLERS.add(paper="gradgan", wants_held_out=False)
def hold_slope(
    target: float = 1.0, at: str = "real", rate: float = 0.05, every: int = 10, start: str = "given"
) -> Controller:
    """Holds the mean ||grad D|| at real samples, fakes, or between them, at a target.

        log weight += rate x clip(log(slope / target), -1, 1)      every `every` steps

    `target`: in score/unit. A slope that is off by a factor of e or more moves the weight by a factor of e in 1 / rate
    looks.
    Raises GradganError for numbers not above 0 and places that are none. Cf. WGAN-GP, which charges the distance to a
    slope of 1 (arXiv:1704.00028); here the target is held by the weight.
    """
    target, rate = positive(target, what="hold_slope.target"), positive(rate, what="hold_slope.rate")
    every = int(positive(every, what="hold_slope.every"))
    if at not in _PLACES:
        raise GradganError(f"hold_slope.at must be one of {', '.join(_PLACES)}, got {at!r}.")

    def seen(sight: Sight) -> Scalar:
        _, gradient = input_gradient(sight.critic, _points(sight, at), caller="hold_slope")
        return norm(gradient.detach()).mean()

    def error(slope: float) -> float:
        return rate * (min(max(math.log(slope / target), -1.0), 1.0) if slope > 0 else -1.0)

    return Controller("hold_slope", seen, error, every, started(start, "hold_slope"))


def _points(sight: Sight, at: str) -> Samples:
    if at == "real":
        return sight.real
    if at == "fake":
        return sight.fake
    rng = torch.Generator(sight.real.device).manual_seed(sight.step)
    shape = (len(sight.real), *(1,) * (sight.real.ndim - 1))
    share = torch.rand(shape, generator=rng, device=sight.real.device, dtype=sight.real.dtype)
    return share * sight.real + (1 - share) * sight.fake
