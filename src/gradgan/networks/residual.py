"""Residual networks without any normalisation, in the manner of R3GAN, for images of 8 to 64 pixels.

Each of the L blocks adds 1/sqrt(L) of what it computes, so signals and gradients keep their size at any depth; sides
are halved by averaging and doubled by repeating pixels (arXiv:2501.05441, sec. 3).
"""

from math import prod

from torch import Tensor, nn

from .activations import activation as make_activation
from .ladder import SIZES, Crop, Pad, initialised, ladder
from .roles import NETWORKS, CriticNetwork, GeneratorNetwork, body_width, whole

PAPER = "arXiv:2501.05441"


class Block(nn.Module):
    """x + scale branch(x), the branch two 3x3 convolutions, each after its activation."""

    def __init__(self, channels: int, activation: str, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.branch = nn.Sequential(
            make_activation(activation),
            nn.Conv2d(channels, channels, 3, 1, 1),
            make_activation(activation),
            nn.Conv2d(channels, channels, 3, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)"""
        return x + self.scale * self.branch(x)


@NETWORKS.add(paper=PAPER, role="critic", sizes=SIZES)
def residual_critic(
    event: tuple[int, ...],
    width: int = 64,
    blocks: int = 1,
    activation: str = "leaky_relu",
    spectral_norm: bool = False,
    classes: int = 0,
) -> CriticNetwork:
    """Residual critic without normalisation: `blocks` blocks at each size, averaging between them, score.

    Its features are one number per channel: a depthwise convolution over the whole base.
    Shapes: x (n, c, h, w) -> (n,), sides 8 to 64.    Paper: in the spirit of Huang et al. 2024 (R3GAN),
    arXiv:2501.05441; not its exact blocks.
    """
    whole(classes, what="classes", minimum=0)
    rungs = ladder(event, width, caller="residual_critic")
    channels = rungs.channels
    scale = (whole(blocks, what="residual_critic.blocks") * len(channels)) ** -0.5
    layers: list[nn.Module] = [Pad(rungs), nn.Conv2d(rungs.event[0], channels[0], 3, 1, 1)]
    for step, size in enumerate(channels):
        layers += [Block(size, activation, scale) for _ in range(blocks)]
        if step < rungs.steps:
            layers += [nn.AvgPool2d(2), nn.Conv2d(size, channels[step + 1], 1)]
    last = channels[-1]
    layers += [make_activation(activation), nn.Conv2d(last, last, rungs.base, groups=last), nn.Flatten()]
    return CriticNetwork(initialised(nn.Sequential(*layers), activation), rungs.event, last, classes, spectral_norm)


@NETWORKS.add(paper=PAPER, role="generator", sizes=SIZES)
def residual_generator(
    event: tuple[int, ...],
    latent: int,
    width: int = 64,
    blocks: int = 1,
    activation: str = "leaky_relu",
    output: str = "tanh",
    classes: int = 0,
) -> GeneratorNetwork:
    """Residual generator without normalisation: z -> base -> `blocks` blocks at each size, doublings between -> image.

    Shapes: z (n, latent) -> (n, c, h, w), sides 8 to 64.    Paper: in the spirit of Huang et al. 2024 (R3GAN),
    arXiv:2501.05441; not its exact blocks.
    """
    rungs = ladder(event, width, caller="residual_generator")
    channels = rungs.channels[::-1]
    scale = (whole(blocks, what="residual_generator.blocks") * len(channels)) ** -0.5
    base = (channels[0], *rungs.base)
    layers: list[nn.Module] = [nn.Linear(body_width(latent, classes), prod(base)), nn.Unflatten(1, base)]
    for step, size in enumerate(channels):
        layers += [Block(size, activation, scale) for _ in range(blocks)]
        if step < rungs.steps:
            # The 1x1 convolution first: it commutes with repeating pixels and has a quarter of them to go over.
            layers += [nn.Conv2d(size, channels[step + 1], 1), nn.Upsample(scale_factor=2, mode="nearest")]
    layers += [make_activation(activation), nn.Conv2d(channels[-1], rungs.event[0], 3, 1, 1), Crop(rungs)]
    body = initialised(nn.Sequential(*layers), activation)
    return GeneratorNetwork(body, rungs.event, latent, output, classes)
