"""What cannot work is refused before the first step: a critic without double backward under a gradient penalty."""

import torch
from torch import Tensor, nn

from ..data import Dataset
from ..engine.audit import require_double_backward
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
        require_double_backward(critic, *looked_at(config, dataset, device), caller=f"system {config.system!r}")


def looked_at(config: Config, dataset: Dataset, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """The first two samples of the data, with their labels if the run is conditional."""
    labels = dataset.labels[:LOOKED_AT].to(device) if config.conditional and dataset.labels is not None else None
    return dataset.scaled(slice(LOOKED_AT)).to(device), labels
