"""Tiny networks with known slopes, and the scenes they play in; all in float64 unless told otherwise."""

from collections.abc import Mapping, Sequence
from math import prod

import torch
import torch.nn.functional as fn
from torch import Tensor, nn

from ..core.scene import LossLike, Scene

EVENTS: tuple[tuple[int, ...], ...] = ((2,), (1, 4, 5), (3, 3, 4), (2, 6))
"""Sample shapes: points, grey pictures, colour pictures, signals."""

LATENT = 3
"""The latent width of every tiny generator."""


def rng(seed: int = 3) -> torch.Generator:
    """A fresh random stream; checks never draw from torch's global one."""
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 3, dtype: torch.dtype = torch.float64) -> Tensor:
    """Numbers from N(0, 1)."""
    return torch.randn(shape, generator=rng(seed), dtype=dtype)


def pair(n: int, event: Sequence[int], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """A real and a fake batch."""
    return draw(n, *event, seed=11, dtype=dtype), draw(n, *event, seed=12, dtype=dtype)


def weight_of_slope(slope: float, event: Sequence[int], dtype: torch.dtype = torch.float64) -> Tensor:
    """A weight vector (d,) of length `slope`, not along any axis."""
    weight = draw(prod(event), seed=5)
    return (weight * (slope / weight.norm())).to(dtype)


class LinearCritic(nn.Module):
    """D(x) = w . x + shift: the same slope ||w|| everywhere."""

    def __init__(self, weight: Tensor, shift: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight + self.shift


class LocalCritic(nn.Module):
    """D(x) = w_k . x where k is the whole number nearest to x's mean / 100: a slope of its own in each far cluster."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights.clone())

    def forward(self, x: Tensor) -> Tensor:
        cluster = (x.detach().flatten(1).mean(1) / 100).round().long()
        return (x.flatten(1) * self.weights[cluster]).sum(1)


class SmoothCritic(nn.Module):
    """D(x) = scale v . tanh(W x + b) + shift: its slope differs everywhere, and so do all its derivatives."""

    def __init__(self, event: Sequence[int], seed: int = 6, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        d = prod(event)
        self.inner = nn.Parameter(draw(d, 4, seed=seed) / d**0.5)
        self.bias = nn.Parameter(draw(4, seed=seed + 1))
        self.outer = nn.Parameter(draw(4, seed=seed + 2) * 1.5)
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor) -> Tensor:
        scores = torch.tanh(x.flatten(1) @ self.inner + self.bias) @ self.outer
        return self.scale * scores + self.shift


class LinearGenerator(nn.Module):
    """G(z) = A z + b, shaped as an event."""

    def __init__(self, matrix: Tensor, bias: Tensor, event: Sequence[int]) -> None:
        super().__init__()
        self.matrix, self.bias = nn.Parameter(matrix.clone()), nn.Parameter(bias.clone())
        self.event = tuple(event)

    def forward(self, z: Tensor) -> Tensor:
        return (z @ self.matrix + self.bias).reshape(len(z), *self.event)


class SmoothGenerator(nn.Module):
    """G(z) = B tanh(A z), shaped as an event."""

    def __init__(self, event: Sequence[int], seed: int = 20) -> None:
        super().__init__()
        self.inner = nn.Parameter(draw(LATENT, 5, seed=seed))
        self.outer = nn.Parameter(draw(5, prod(event), seed=seed + 1) / 2)
        self.event = tuple(event)

    def forward(self, z: Tensor) -> Tensor:
        return (torch.tanh(z @ self.inner) @ self.outer).reshape(len(z), *self.event)


class Field(nn.Module):
    """F(x) = M x, one gradient-shaped answer per sample."""

    def __init__(self, event: Sequence[int], seed: int = 30, scale: float = 1.0) -> None:
        super().__init__()
        self.matrix = nn.Parameter(draw(prod(event), prod(event), seed=seed) * scale)

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) @ self.matrix).reshape(x.shape)


class Labelled(nn.Module):
    """A network of its own for each class; it cannot be called without labels."""

    def __init__(self, *by_class: nn.Module) -> None:
        super().__init__()
        self.by_class = nn.ModuleList(by_class)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        answers = torch.stack([network(x) for network in self.by_class])
        return answers[labels, torch.arange(len(x))]


class Mixing(nn.Module):
    """A critic with batch normalisation: in train mode each score depends on the whole batch."""

    def __init__(self, event: Sequence[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw(prod(event), 4, seed=40))
        self.normalise = nn.BatchNorm1d(4, dtype=torch.float64)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        return torch.tanh(self.normalise(x.flatten(1) @ self.weight)).sum(1)


class PlainLoss:
    """The non-saturating loss, for scenes that need one."""

    name = "plain"
    needs_real = False

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """softplus(-D) + softplus(F)"""
        return fn.softplus(-real) + fn.softplus(fake)

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """softplus(-F)"""
        return fn.softplus(-fake)


class PairedLoss(PlainLoss):
    """The relativistic loss, whose generator reads the real scores."""

    name = "paired"
    needs_real = True

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """softplus(F - D)"""
        return fn.softplus(fake - real)

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """softplus(D - F)"""
        assert real is not None
        return fn.softplus(real - fake)


def scene(
    networks: Mapping[str, nn.Module],
    payer: str,
    *,
    event: Sequence[int],
    real: Tensor | None = None,
    z: Tensor | None = None,
    labels: Tensor | None = None,
    n: int = 4,
    loss: LossLike | None = None,
) -> Scene:
    """One step of `payer` with these networks; batches are drawn where none is given."""
    return Scene(
        payer=payer,
        networks=networks,
        loss=loss or PlainLoss(),
        real=pair(n, event)[0] if real is None else real,
        z=draw(n, LATENT, seed=13) if z is None else z,
        labels=labels,
        rng=rng(),
    )


def smooth_networks(event: Sequence[int], judge: str = "critic", seed: int = 0) -> dict[str, nn.Module]:
    """A smooth critic, a smooth generator and a third player that scores fields or (judge="field") makes them."""
    third = Field(event, seed=30 + seed) if judge == "field" else SmoothCritic(event, seed=33 + seed)
    return {
        "critic": SmoothCritic(event, seed=6 + seed),
        "generator": SmoothGenerator(event, seed=20 + seed),
        "gon": third,
    }
