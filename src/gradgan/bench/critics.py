"""The four kinds of critic whose penalties are timed: pictures (n, 3, size, size) -> scores (n,)."""

from collections.abc import Callable

import torch.nn.functional as fn
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

CLASSES = 10
"""Classes of the projection critic."""


def sequential(channels: int, size: int) -> nn.Module:
    """Four convolutions and a linear layer, as in DCGAN's critic without normalisation."""
    layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1), nn.LeakyReLU(0.2)]
    for _ in range(3):
        layers += [nn.Conv2d(channels, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * (size // 8) ** 2, 1))


class _Block(nn.Module):
    """x + two convolutions of it, then half the size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(fn.leaky_relu(self.first(fn.leaky_relu(x, 0.2)), 0.2))
        return fn.avg_pool2d(x + h, 2)


class Residual(nn.Module):
    """Three blocks with average pooling; with `classes` the label's embedding joins in the score (arXiv:1802.05637)."""

    def __init__(self, channels: int, *, classes: int = 0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(_Block(channels) for _ in range(3)))
        self.score = nn.Linear(channels, 1)
        self.embedding = nn.Embedding(classes, channels) if classes else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        h = fn.leaky_relu(self.blocks(self.stem(x)), 0.2).mean((2, 3))
        score = self.score(h).squeeze(1)
        return score if self.embedding is None else score + (self.embedding(labels) * h).sum(1)


def _spectral(channels: int, size: int) -> nn.Module:
    critic = Residual(channels)
    for module in list(critic.modules()):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            spectral_norm(module)
    return critic


CRITICS: dict[str, Callable[[int, int], nn.Module]] = {
    "sequential": sequential,
    "residual": lambda channels, size: Residual(channels),
    "spectral": _spectral,
    "projection": lambda channels, size: Residual(channels, classes=CLASSES),
}
"""(channels, size) -> critic, by name; "spectral" is the residual one with spectral norm."""
