"""The ladder of sizes that convolutional networks climb: from a base of about 4 pixels by doublings to the image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as fn
from torch import Tensor, nn

from ..core.checks import GradganError
from .activations import gain
from .roles import whole

SMALLEST, LARGEST = 8, 64
SIZES = ((1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 17, 30), (3, 64, 64))
"""Example shapes, square and not, of powers of two and not; for the catalog."""


@dataclass(frozen=True)
class Ladder:
    """The sizes of one network: `channels[0]` at the full size, `channels[-1]` at the base, `steps` halvings between.

    The full size is the image's, rounded up so that it halves without a rest.
    """

    event: tuple[int, int, int]
    base: tuple[int, int]
    channels: tuple[int, ...]

    @property
    def steps(self) -> int:
        """The number of halvings or doublings."""
        return len(self.channels) - 1

    @property
    def _excess(self) -> tuple[int, int, int, int]:
        """Rows and columns that the full size has too many: left, right, top, bottom."""
        high, wide = (size * 2**self.steps - side for size, side in zip(self.base, self.event[1:], strict=True))
        return wide // 2, wide - wide // 2, high // 2, high - high // 2

    def pad(self, x: Tensor) -> Tensor:
        """An image with zeros around it, up to the full size."""
        return fn.pad(x, self._excess) if any(self._excess) else x

    def crop(self, x: Tensor) -> Tensor:
        """The image within the full size."""
        left, _, top, _ = self._excess
        return x[..., top : top + self.event[1], left : left + self.event[2]]


def ladder(event: Sequence[int], width: int, *, caller: str) -> Ladder:
    """round(log2(smaller side / 4)) halvings; channels double with each from `width`, up to 8 width.

    So the base has 3 to 6 pixels along its smaller side. One halving fewer, 7 for 28 pixels, and a critic of these few
    layers sees patches of 12 pixels only: it judges strokes and lets misshapen digits pass.
    Raises GradganError for points and for sides outside 8..64.
    """
    role = caller.split("_")[1]
    if len(event) != 3:
        raise GradganError(f"{caller} serves images (c, h, w), got event {tuple(event)}. Use mlp_{role}.")
    c, h, w = (whole(size, what=f"{caller}: each size of event {tuple(event)}") for size in event)
    if not SMALLEST <= min(h, w) <= max(h, w) <= LARGEST:
        raise GradganError(
            f"{caller} serves images with sides of {SMALLEST} to {LARGEST} pixels, got {h} x {w}. Resize them, or use "
            f"mlp_{role}."
        )
    steps = round(math.log2(min(h, w) / 4))
    whole(width, what=f"{caller}.width")
    base = (-(-h // 2**steps), -(-w // 2**steps))
    return Ladder((c, h, w), base, tuple(min(width * 2**k, 8 * width) for k in range(steps + 1)))


class Crop(nn.Module):
    """The ladder's crop as the last layer of a body."""

    def __init__(self, ladder: Ladder) -> None:
        super().__init__()
        self.ladder = ladder

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, H, W) -> (n, c, h, w)"""
        return self.ladder.crop(x)


class Pad(nn.Module):
    """The ladder's padding as the first layer of a trunk."""

    def __init__(self, ladder: Ladder) -> None:
        super().__init__()
        self.ladder = ladder

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, H, W)"""
        return self.ladder.pad(x)


def initialised(network: nn.Module, activation: str) -> nn.Module:
    """The network with weights N(0, gain^2 / fan in) and biases 0, so that signals keep their size without norms.

    Fan in: how many values enter one output value. Paper: He et al. 2015, arXiv:1502.01852, eq. 10.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            entering = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                # Stored the other way round; each output pixel is reached by kernel / stride pixels along each side.
                entering = layer.in_channels * layer.weight[0, 0].numel() // (layer.stride[0] * layer.stride[1])
            nn.init.normal_(layer.weight, std=gain(activation) / entering**0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
