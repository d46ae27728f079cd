"""Profiles: what a penalty charges for one sample's gradient. Each takes gradients (n, *event), gives values (n,)."""

from collections.abc import Callable
from typing import TypeAlias

from ..core.gradients import norm, squared_norm
from ..core.types import Samples, Scores

Profile: TypeAlias = Callable[[Samples], Scores]


def half_squared_norm(gradient: Samples) -> Scores:
    """1/2 ||g||^2"""
    return squared_norm(gradient) / 2


def distance_to_norm(target: float) -> Profile:
    """(||g|| - target)^2; its derivative is taken as 0 at g = 0, where it has none."""

    def profile(gradient: Samples) -> Scores:
        return (norm(gradient) - target).square()

    return profile


def above_norm(target: float) -> Profile:
    """max(0, ||g|| - target)^2: only slopes that are too steep are charged."""

    def profile(gradient: Samples) -> Scores:
        return (norm(gradient) - target).relu().square()

    return profile
