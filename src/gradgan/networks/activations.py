"""Activations by name. All can be differentiated twice; those from `silu` on are smooth."""

from collections.abc import Callable

import torch
from torch import nn

from ..core.checks import unknown_name

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}


def activation(name: str) -> nn.Module:
    """A new module of the activation called `name`; an unknown name is refused with the nearest known."""
    if name not in ACTIVATIONS:
        raise unknown_name("activation", str(name), ACTIVATIONS)
    return ACTIVATIONS[name]()


def gain(name: str) -> float:
    """What keeps the mean square of a layer's output at 1: 1 / sqrt(E act(e)^2), e ~ N(0, 1).

    sqrt(2) for relu (He et al. 2015, arXiv:1502.01852); by numerical integration, for every activation.
    """
    e = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    density = torch.exp(-e.square() / 2)
    return float((density.sum() / (density * activation(name)(e).square()).sum()).sqrt())
