"""What cannot work is refused before the first step: a critic without double backward under a gradient penalty."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..core.checks import GradganError
from ..data import Dataset
from ..engine.audit import audit, require_double_backward
from ..engine.compiled import compilable
from ..penalties import InputGradientPenalty, LatentPenalty
from ..systems import System
from .config import Config

LOOKED_AT = 2
"""Samples that a critic is tried on: enough to see whether it mixes them."""


def refuse_undifferentiable(
    config: Config, dataset: Dataset, system: System, critic: nn.Module, device: torch.device
) -> None:
    """Refuse a critic that cannot be differentiated twice where a penalty that is paid needs it, or not be compiled."""
    if config.compile:
        compilable(critic)
    twice = (InputGradientPenalty, LatentPenalty)
    if any(term.weight > 0 and isinstance(term.penalty, twice) for term in system.terms):
        with first_step_told():
            require_double_backward(critic, *looked_at(config, dataset, device), caller=f"system {config.system!r}")
    if system.smooth_critic:
        _refuse_piecewise_linear(config, critic, *looked_at(config, dataset, device))


def _refuse_piecewise_linear(config: Config, critic: nn.Module, x: Tensor, labels: Tensor | None) -> None:
    """Refuse a critic that could be swept, for a system that follows its gradient field: of those that are chosen by
    `activation` the config was refused, of a network of one's own only its graph tells."""
    with first_step_told():
        linear = audit(critic, x, labels).way == "sweep"
    if linear:
        raise GradganError(
            f"system {config.system!r} needs a smooth critic, and network {config.critic.name!r} is piecewise linear: "
            "its gradient field would be piecewise constant. Use silu or softplus in it."
        )


@contextmanager
def first_step_told() -> Iterator[None]:
    """Tell in one line whatever goes wrong in the networks themselves when they are tried."""
    try:
        yield
    except GradganError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        raise GradganError(f"the first step of this experiment fails: {first}") from error


def looked_at(config: Config, dataset: Dataset, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """The first two samples of the data, with their labels if the run is conditional."""
    labels = dataset.labels[:LOOKED_AT].to(device) if config.conditional and dataset.labels is not None else None
    return dataset.scaled(slice(LOOKED_AT)).to(device), labels
