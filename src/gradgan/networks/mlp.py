"""Fully connected networks, for points and small images; the generator and critic of the first GANs."""

from collections.abc import Sequence
from math import prod

from torch import nn

from .activations import activation as make_activation
from .roles import (
    NETWORKS,
    CriticNetwork,
    EncoderNetwork,
    FieldNetwork,
    GeneratorNetwork,
    body_width,
    one_of_norms,
    shape_of,
    whole,
)

_SIZES = ((1,), (2,), (1, 8, 8), (1, 28, 28), (3, 16, 20))


def _layers(inputs: int, widths: Sequence[int], activation: str, *, batch_norm: bool = False) -> tuple[list, int]:
    """Linear, (norm,) activation for each of `widths`, and the width they end in. PyTorch's own initialisation."""
    layers: list[nn.Module] = []
    for width in widths:
        layers.append(nn.Linear(inputs, whole(width, what="each of widths")))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(make_activation(activation))
        inputs = width
    return layers, inputs


@NETWORKS.add(paper="arXiv:1406.2661", role="generator", sizes=_SIZES)
def mlp_generator(
    event: tuple[int, ...],
    latent: int,
    widths: Sequence[int] = (128, 256),
    activation: str = "leaky_relu",
    output: str = "sigmoid",
    norm: str = "none",
    classes: int = 0,
) -> GeneratorNetwork:
    """Fully connected generator: z -> 128 -> 256 -> sample, leaky ReLU, sigmoid.

    The defaults are the published network of system 1. `output` is "sigmoid" for images in [0, 1], "tanh" for [-1, 1],
    "linear" for points. Shapes: z (n, latent) -> (n, *event).    Paper: Goodfellow et al. 2014, arXiv:1406.2661.
    """
    event = shape_of(event, caller="mlp_generator")
    layers, last = _layers(body_width(latent, classes), widths, activation, batch_norm=one_of_norms(norm))
    return GeneratorNetwork(nn.Sequential(*layers, nn.Linear(last, prod(event))), event, latent, output, classes)


@NETWORKS.add(paper="arXiv:1406.2661", role="critic", sizes=_SIZES)
def mlp_critic(
    event: tuple[int, ...],
    widths: Sequence[int] = (256, 128),
    activation: str = "leaky_relu",
    norm: str = "none",
    spectral_norm: bool = False,
    classes: int = 0,
) -> CriticNetwork:
    """Fully connected critic: sample -> 256 -> 128 -> score, leaky ReLU.

    The defaults are the published network of system 1; widths=() is a linear critic. `norm="batch"` mixes samples, so
    per-sample penalties refuse it (arXiv:1704.00028, sec. 4).
    Shapes: x (n, *event) -> (n,).    Paper: Goodfellow et al. 2014, arXiv:1406.2661.
    """
    event = shape_of(event, caller="mlp_critic")
    whole(classes, what="classes", minimum=0)
    layers, last = _layers(prod(event), widths, activation, batch_norm=one_of_norms(norm))
    return CriticNetwork(nn.Sequential(nn.Flatten(), *layers), event, last, classes, spectral_norm)


@NETWORKS.add(paper="arXiv:1512.09300", role="encoder", sizes=_SIZES)
def mlp_encoder(
    event: tuple[int, ...],
    latent: int,
    widths: Sequence[int] = (256, 128),
    activation: str = "leaky_relu",
    classes: int = 0,
) -> EncoderNetwork:
    """Fully connected encoder: sample -> 256 -> 128 -> mean and log variance of z.

    Shapes: x (n, *event) -> (n, latent), (n, latent).    Paper: Larsen et al. 2016 (VAE-GAN), arXiv:1512.09300.
    """
    event = shape_of(event, caller="mlp_encoder")
    body_width(latent, classes)
    layers, last = _layers(prod(event), widths, activation)
    return EncoderNetwork(nn.Sequential(nn.Flatten(), *layers), event, last, latent, classes)


@NETWORKS.add(paper="arXiv:1608.05343", role="field", sizes=_SIZES)
def mlp_field(event: tuple[int, ...], widths: Sequence[int] = (256, 256), activation: str = "silu") -> FieldNetwork:
    """Fully connected field: sample -> 256 -> 256 -> a vector of the sample's shape.

    It predicts gradients by samples. Shapes: x (n, *event) -> (n, *event).    Paper: cf. Jaderberg et al. 2016,
    synthetic gradients, arXiv:1608.05343.
    """
    event = shape_of(event, caller="mlp_field")
    layers, last = _layers(prod(event), widths, activation)
    return FieldNetwork(nn.Sequential(nn.Flatten(), *layers, nn.Linear(last, prod(event))), event)
