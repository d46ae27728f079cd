"""Real 8x8 scans of handwritten digits that come with scikit-learn: no download."""

from typing import Literal

import torch

from ..core.checks import unknown_name
from .dataset import DATASETS, Dataset, image_scale
from .held_out import split_off


@DATASETS.add(paper="doi:10.24432/C50P49", event=(1, 8, 8), scale="symmetric", labelled=True)
def digits(scale: Literal["symmetric", "unit"] = "symmetric", split: str = "all") -> Dataset:
    """1797 real handwritten digits, 8x8 pixels, with labels 0..9, from scikit-learn's own package.

    The scans have 17 levels of grey, 0..16; they are kept as round(level 255 / 16). Shapes: (1797, 1, 8, 8), or 1438
    of `train` and 359 of `test`, a split that never changes.
    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits (its test part), doi:10.24432/C50P49.
    """
    image_scale(scale, what="digits")
    if split not in ("all", "train", "test"):
        raise unknown_name("split of digits", str(split), ("all", "train", "test"))
    # Here, not above: scikit-learn takes longer to import than everything else of this room together.
    from sklearn.datasets import load_digits

    images, numbers = load_digits(return_X_y=True)
    pixels = (torch.from_numpy(images) * (255 / 16)).round().to(torch.uint8).reshape(-1, 1, 8, 8)
    labels = torch.from_numpy(numbers).to(torch.int64)
    whole = Dataset("digits", pixels, labels, 10, kind="images", scale=scale)
    return whole if split == "all" else split_off(whole, split)
