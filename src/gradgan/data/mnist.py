"""MNIST, checked against its known checksums, and any other folder of IDX files named like it."""

from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ..core.checks import GradganError, unknown_name
from .dataset import DATASETS, Dataset, image_scale
from .idx import read_idx

# md5 of the unpacked files as their authors published them.
CHECKSUMS = {
    "train-images": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels": "a25bea736e30d166cdddb491f175f624",
    "t10k-images": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels": "27ae3e4e09519cfbb04c329615203637",
}
_PREFIX = {"train": "train", "test": "t10k"}


@DATASETS.add(paper="doi:10.1109/5.726791", event=(1, 28, 28), scale="symmetric", labelled=True)
def mnist(
    path: str | PathLike[str] | None = None,
    split: str = "train",
    scale: Literal["symmetric", "unit"] = "symmetric",
) -> Dataset:
    """MNIST: 60000 (train) or 10000 (test) handwritten digits, 28x28, labels 0..9, from a folder of its four files.

    The files may be plain or gzip; their content must have the known md5. gradgan downloads nothing.
    Shapes: (n, 1, 28, 28). Raises GradganError for a missing folder or file, and for other content.
    Source: LeCun et al. 1998, doi:10.1109/5.726791.
    """
    images, labels = _folder("mnist", path, split, scale)
    prefix = _PREFIX[split]
    if labels is None:
        raise _missing("mnist", images.parent, f"{prefix}-labels-idx1-ubyte", split)
    pixels = read_idx(images, dimensions=3, md5=CHECKSUMS[f"{prefix}-images"])
    numbers = read_idx(labels, dimensions=1, md5=CHECKSUMS[f"{prefix}-labels"])
    held_out = _test_part(mnist, images.parent, split, scale)
    return _dataset("mnist", pixels, numbers, 10, scale, images, labels, held_out)


@DATASETS.add(paper="doi:10.1109/5.726791", event=None, scale="symmetric", labelled=None)
def idx(
    path: str | PathLike[str] | None = None,
    split: str = "train",
    scale: Literal["symmetric", "unit"] = "symmetric",
) -> Dataset:
    """Any grey images in a folder of IDX files named like MNIST's (Fashion-MNIST, KMNIST, your own); labels optional.

    There are as many classes as the largest label + 1. Shapes: (n, 1, h, w), any h and w.
    Raises GradganError for a missing folder or image file, and for files that are not IDX or do not fit each other.
    Format: LeCun et al. 1998, doi:10.1109/5.726791.
    """
    images, labels = _folder("idx", path, split, scale)
    pixels = read_idx(images, dimensions=3)
    numbers = None if labels is None else read_idx(labels, dimensions=1)
    classes = 0 if numbers is None else int(numbers.max()) + 1
    held_out = _test_part(idx, images.parent, split, scale)
    return _dataset("idx", pixels, numbers, classes, scale, images, labels, held_out)


def _folder(name: str, path: str | PathLike[str] | None, split: str, scale: str) -> tuple[Path, Path | None]:
    """The image file and the label file (None where there is none) of a split, in the folder at `path`."""
    image_scale(scale, what=name)
    if split not in _PREFIX:
        raise unknown_name(f"split of {name}", str(split), _PREFIX)
    prefix = _PREFIX[split]
    if path is None or not str(path):
        raise GradganError(
            f"{name} needs a folder with {prefix}-images-idx3-ubyte and {prefix}-labels-idx1-ubyte (plain or .gz)"
            f"{'; labels are optional' if name == 'idx' else ''}. Give it: --set data.path=FOLDER"
        )
    folder = Path(path).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise GradganError(f"{name}: {folder} {what}, wanted a folder of IDX files. Give it: --set data.path=FOLDER")
    images = _find(folder, f"{prefix}-images", "idx3")
    if images is None:
        raise _missing(name, folder, f"{prefix}-images-idx3-ubyte", split)
    return images, _find(folder, f"{prefix}-labels", "idx1")


def _find(folder: Path, stem: str, kind: str) -> Path | None:
    """The first spelling of a file name that exists: with a dash or a dot before idx, plain before .gz."""
    names = [f"{stem}{joint}{kind}-ubyte{end}" for end in ("", ".gz") for joint in "-."]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _test_part(make: Callable[..., Dataset], folder: Path, split: str, scale: str) -> Callable[[], Dataset] | None:
    """What makes the test part, for a training part that has one beside it."""
    there = split == "train" and _find(folder, f"{_PREFIX['test']}-images", "idx3") is not None
    return partial(make, folder, "test", scale) if there else None


def _missing(name: str, folder: Path, file: str, split: str) -> GradganError:
    return GradganError(
        f"{name}: {folder} has no {file} or {file}.gz, which split {split!r} needs. "
        "Put it there, or give another folder: --set data.path=FOLDER"
    )


def _dataset(
    name: str, pixels: Tensor, numbers: Tensor | None, classes: int, scale: Literal["symmetric", "unit"],
    images: Path, labels: Path | None, held_out: Callable[[], Dataset] | None,
) -> Dataset:  # fmt: skip
    if numbers is not None and len(numbers) != len(pixels):
        raise GradganError(
            f"{name}: {images.name} holds {len(pixels)} images and {labels and labels.name} {len(numbers)} labels. "
            "The files are not of one set."
        )
    numbers = None if numbers is None else numbers.to(torch.int64)
    return Dataset(name, pixels[:, None], numbers, classes, kind="images", scale=scale, held_out=held_out)
