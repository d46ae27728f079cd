"""Stacked MNIST: a thousand modes that can be counted, made of three digits each."""

from functools import partial
from os import PathLike
from typing import Literal

import torch

from .dataset import DATASETS, Dataset, drawing
from .mnist import mnist

CHANNELS = 3


@DATASETS.add(paper="arXiv:1611.02163", event=(CHANNELS, 28, 28), scale="symmetric", labelled=True)
def stacked_mnist(
    path: str | PathLike[str] | None = None,
    samples: int = 100_000,
    seed: int = 0,
    split: str = "train",
    scale: Literal["symmetric", "unit"] = "symmetric",
) -> Dataset:
    """Three random MNIST digits as the channels of one image: 1000 equally likely modes.

        x = (digit_i, digit_j, digit_k),   i, j, k uniform over the images of the split;   label = 100 a + 10 b + c

    where a, b, c are the digits' classes; `channel_labels` gives them apart. The images are drawn once, from `seed`;
    100,000 of them are 235 MB, and show each mode about a hundred times. The folder is that of `mnist`.
    Shapes: (samples, 3, 28, 28). Raises GradganError for a missing folder or file, and for other content.
    Paper: Metz et al. 2017 (Unrolled GAN), arXiv:1611.02163; as a benchmark of modes: PacGAN, arXiv:1712.04086.
    """
    count, rng = drawing("stacked_mnist", samples, seed)
    digits = mnist(path, split, scale)
    assert digits.labels is not None
    chosen = torch.randint(len(digits), (count, CHANNELS), generator=rng)
    base = digits.classes
    places = torch.tensor([base**power for power in reversed(range(CHANNELS))])
    return Dataset(
        "stacked_mnist",
        digits.samples[chosen, 0],
        (digits.labels[chosen] * places).sum(1),
        base**CHANNELS,
        kind="images",
        scale=scale,
        channel_classes=base,
        held_out=None if digits.held_out is None else partial(stacked_mnist, path, samples, seed, "test", scale),
    )
