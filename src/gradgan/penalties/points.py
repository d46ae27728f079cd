"""Points: where a penalty looks. Each takes (real, fake, rng) and gives samples (n, *event), without a graph."""

from collections.abc import Callable
from typing import TypeAlias

import torch

from ..core.checks import GradganError, same_kind
from ..core.rng import normal, uniform
from ..core.types import Samples

Points: TypeAlias = Callable[[Samples, Samples | None, torch.Generator | None], Samples]


def at_real(real: Samples, fake: Samples | None, rng: torch.Generator | None) -> Samples:
    """The real samples themselves."""
    return real.detach()


def at_fake(real: Samples, fake: Samples | None, rng: torch.Generator | None) -> Samples:
    """The generated samples themselves."""
    return _wanted(fake, "at_fake").detach()


def between(real: Samples, fake: Samples | None, rng: torch.Generator | None) -> Samples:
    """One uniformly drawn point on the line from each real sample to its fake one: fake + u (real - fake)."""
    fake = _wanted(fake, "between")
    same_kind(real, fake, caller="between")
    share = uniform(len(real), rng=rng, like=real)
    share = share.reshape(-1, *[1] * (real.ndim - 1))
    return torch.lerp(fake.detach(), real.detach(), share)


def around_real(noise: float) -> Points:
    """Each real sample plus Gaussian noise of standard deviation `noise`, in the data's own unit."""

    def points(real: Samples, fake: Samples | None, rng: torch.Generator | None) -> Samples:
        return real.detach() + noise * normal(real.shape, rng=rng, like=real)

    return points


def _wanted(fake: Samples | None, where: str) -> Samples:
    if fake is None:
        raise GradganError(f"penalty at {where!r} points needs the fake samples and got None; pass G(z).detach().")
    return fake
