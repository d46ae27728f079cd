"""Convolutional networks in the manner of DCGAN, for images of 8 to 64 pixels; critics norm-free by default.

Between image and base each step halves or doubles both sides with a 4x4 convolution of stride 2 (arXiv:1511.06434).
"""

from collections.abc import Callable
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from ..core.errors import unknown_name
from .activations import activation as make_activation
from .ladder import SIZES, Crop, Ladder, Pad, initialised, ladder
from .roles import (
    NETWORKS,
    CriticNetwork,
    EncoderNetwork,
    FieldNetwork,
    GeneratorNetwork,
    body_width,
    one_of_norms,
    whole,
)

PAPER = "arXiv:1511.06434"
NORMALISED: dict[str, Callable[[int], list[nn.Module]]] = {
    "none": lambda channels: [],
    "batch": lambda channels: [nn.BatchNorm2d(channels)],
    "layer": lambda channels: [nn.GroupNorm(1, channels)],
}
"""What comes after a generator's convolution, by the word for it."""


@NETWORKS.add(paper=PAPER, role="generator", sizes=SIZES)
def conv_generator(
    event: tuple[int, ...],
    latent: int,
    width: int = 64,
    activation: str = "relu",
    norm: str = "batch",
    output: str = "tanh",
    classes: int = 0,
) -> GeneratorNetwork:
    """Convolutional generator: z -> base -> doublings by transposed convolution -> 3x3 convolution -> image.

    `width` channels at the full size, doubling towards the base. `norm`: "batch" normalisation, "layer" normalisation
    (over one sample's channels and pixels, arXiv:1607.06450), which mixes no samples, or "none".
    Shapes: z (n, latent) -> (n, c, h, w), sides 8 to 64.    Paper: Radford et al. 2016 (DCGAN), arXiv:1511.06434.
    """
    rungs = ladder(event, width, caller="conv_generator")
    if norm not in NORMALISED:
        raise unknown_name("norm", str(norm), NORMALISED)
    channels = rungs.channels[::-1]
    base = (channels[0], *rungs.base)

    def after(out: int) -> list[nn.Module]:
        return [*NORMALISED[norm](out), make_activation(activation)]

    layers = [nn.Linear(body_width(latent, classes), prod(base)), nn.Unflatten(1, base), *after(channels[0])]
    for before, out in pairwise(channels):
        layers += [nn.ConvTranspose2d(before, out, 4, 2, 1), *after(out)]
    layers += [nn.Conv2d(channels[-1], rungs.event[0], 3, 1, 1), Crop(rungs)]
    body = initialised(nn.Sequential(*layers), activation)
    return GeneratorNetwork(body, rungs.event, latent, output, classes)


@NETWORKS.add(paper=PAPER, role="critic", sizes=SIZES)
def conv_critic(
    event: tuple[int, ...],
    width: int = 64,
    activation: str = "leaky_relu",
    norm: str = "none",
    spectral_norm: bool = False,
    classes: int = 0,
) -> CriticNetwork:
    """Convolutional critic: image -> 3x3 convolution -> halvings -> score.

    `norm="batch"` is DCGAN's own critic. It mixes samples, so per-sample penalties refuse it: a gradient of one score
    by one sample has no meaning there (arXiv:1704.00028, sec. 4).
    Shapes: x (n, c, h, w) -> (n,), sides 8 to 64.    Paper: cf. arXiv:1511.06434.
    """
    whole(classes, what="classes", minimum=0)
    rungs = ladder(event, width, caller="conv_critic")
    trunk, features = _trunk(rungs, activation, batch_norm=one_of_norms(norm))
    return CriticNetwork(trunk, rungs.event, features, classes, spectral_norm)


@NETWORKS.add(paper="arXiv:1512.09300", role="encoder", sizes=SIZES)
def conv_encoder(
    event: tuple[int, ...], latent: int, width: int = 64, activation: str = "leaky_relu", classes: int = 0
) -> EncoderNetwork:
    """Convolutional encoder without normalisation: the critic's trunk, ending in mean and log variance of z.

    Shapes: x (n, c, h, w) -> (n, latent), (n, latent).    Paper: Larsen et al. 2016 (VAE-GAN), arXiv:1512.09300.
    """
    body_width(latent, classes)
    rungs = ladder(event, width, caller="conv_encoder")
    trunk, features = _trunk(rungs, activation)
    return EncoderNetwork(trunk, rungs.event, features, latent, classes)


@NETWORKS.add(paper="arXiv:1608.05343", role="field", sizes=SIZES)
def conv_field(event: tuple[int, ...], width: int = 32, activation: str = "silu") -> FieldNetwork:
    """Convolutional field: down to the base and up again, the steps down added to those up; image -> image.

    It predicts gradients by samples. Shapes: x (n, c, h, w) -> (n, c, h, w).    Paper: cf. Jaderberg et al. 2016,
    synthetic gradients, arXiv:1608.05343.
    """
    rungs = ladder(event, width, caller="conv_field")
    return FieldNetwork(initialised(_Hourglass(rungs, activation), activation), rungs.event)


def _halvings(rungs: Ladder, activation: str, *, batch_norm: bool = False) -> list[nn.Module]:
    """A 3x3 convolution to the first width, then one block for each halving, normalised if asked for."""
    first = nn.Sequential(nn.Conv2d(rungs.event[0], rungs.channels[0], 3, 1, 1), make_activation(activation))

    def halving(before: int, out: int) -> nn.Module:
        norm = [nn.BatchNorm2d(out)] if batch_norm else []
        return nn.Sequential(nn.Conv2d(before, out, 4, 2, 1), *norm, make_activation(activation))

    return [first, *(halving(before, out) for before, out in pairwise(rungs.channels))]


def _trunk(rungs: Ladder, activation: str, *, batch_norm: bool = False) -> tuple[nn.Module, int]:
    """Image -> flat features, and how many they are."""
    trunk = nn.Sequential(Pad(rungs), *_halvings(rungs, activation, batch_norm=batch_norm), nn.Flatten())
    return initialised(trunk, activation), rungs.channels[-1] * prod(rungs.base)


class _Hourglass(nn.Module):
    """Down the ladder and up again, the steps down added to those up."""

    def __init__(self, rungs: Ladder, activation: str) -> None:
        super().__init__()
        self.rungs = rungs
        self.downs = nn.ModuleList(_halvings(rungs, activation))
        pairs = pairwise(reversed(rungs.channels))
        self.ups = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(a, b, 4, 2, 1), make_activation(activation)) for a, b in pairs
        )
        self.last = nn.Conv2d(rungs.channels[0], rungs.event[0], 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)"""
        x = self.rungs.pad(x)
        kept: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            kept.append(x)
        kept.pop()
        for up in self.ups:
            # The root keeps the size of a sum of two.
            x = (up(x) + kept.pop()) * 0.5**0.5
        return self.rungs.crop(self.last(x))
