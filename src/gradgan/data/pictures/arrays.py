"""Pictures in a file of arrays, .npy or .npz: read row by row, so that memory does not follow a header's promise."""

import math
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib import format as npy
from PIL import Image

from ...core.checks import GradganError
from .archive import opened_zip
from .content import Files
from .picture import Picture, check_sides, printable
from .source import Source

_BEST_PACKING = 1032
"""Deflate cannot pack better than this to one."""
_CHANNELS = (1, 3, 4)
_SMALLEST_SIDE = 4


@dataclass(frozen=True)
class _Array:
    """An array in a file, its header read and checked against the bytes that are there."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    open: Callable[[], BufferedIOBase]
    """A stream that stands at the first value."""


def array_file(path: Path) -> Source:
    """The pictures of a .npy file, or of a .npz file with their labels where it has any.

    Images are uint8, (n, h, w), (n, h, w, c) or (n, c, h, w) with c of 1, 3 or 4; labels whole numbers (n,). In a .npz
    file they are the arrays named `images` and `labels`, or else the only ones of 3 or 4 dimensions and of 1.
    Raises GradganError for anything else. Nothing is unpickled.
    """
    files = Files(path.suffix.lower(), path, [""])
    stamp = files.stamp()
    if path.suffix.lower() == ".npy":
        images, labels = _array(path, path.name, path.stat().st_size, lambda: path.open("rb")), None
    else:
        arrays = _members(path)
        images, labels = _only(path, arrays, "images", (3, 4)), None
        if "labels" in arrays or any(len(array.shape) == 1 for array in arrays.values()):
            labels = _only(path, arrays, "labels", (1,))
    layout = _layout(path, images)
    numbers = None if labels is None else _labels(path, labels, images.shape[0])
    return Source(path, images.shape[0], _rows(path, images, layout, numbers), files, stamp)


def _members(path: Path) -> dict[str, _Array]:
    unpacked = opened_zip(path)
    arrays = {}
    for member in unpacked.infolist():
        if member.file_size > _BEST_PACKING * max(1, member.compress_size):
            raise GradganError(f"{path}: {member.filename!r} claims more than a zip file can hold. It is refused.")
        if member.filename.endswith(".npy"):
            name = printable(member.filename.removesuffix(".npy"))
            arrays[name] = _array(path, name, member.file_size, _opener(unpacked, member))
    return arrays


def _opener(unpacked: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BufferedIOBase]:
    # What zipfile opens is one, though its types say less.
    return lambda: cast(BufferedIOBase, unpacked.open(member))


def _array(path: Path, name: str, size: int, open_: Callable[[], BufferedIOBase]) -> _Array:
    """The array whose file is `size` bytes long; its header may promise neither more nor less."""

    def at_values() -> BufferedIOBase:
        stream = open_()
        _header(stream)
        return stream

    try:
        with open_() as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = _header(stream)
            start = stream.tell()
    except Exception as error:  # numpy and zipfile raise nearly anything for a broken header
        raise GradganError(f"{path}: {name} is no NumPy array ({printable(error)[:100]}). Save it anew.") from None
    if dtype.hasobject or dtype.names is not None or (fortran and len(shape) > 1):
        raise GradganError(
            f"{path}: {name} has values of type {dtype}, order {'F' if fortran else 'C'}; wanted plain numbers in C "
            "order. Save np.ascontiguousarray(images)."
        )
    if start + math.prod(shape) * dtype.itemsize != size:
        raise GradganError(
            f"{path}: {name} promises {shape} of {dtype}, which does not fit its {size} bytes. Copy it again."
        )
    return _Array(name, shape, dtype, at_values)


def _header(stream: BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    # Later versions are for names of fields beyond 64 kB, and let a header claim 4 GB.
    if npy.read_magic(stream) != (1, 0):
        raise ValueError("not of npy format 1.0")
    return npy.read_array_header_1_0(stream)


def _only(path: Path, arrays: dict[str, _Array], name: str, dimensions: tuple[int, ...]) -> _Array:
    """The array of that name, or the only one of so many dimensions."""
    if name in arrays:
        return arrays[name]
    found = [array for array in arrays.values() if len(array.shape) in dimensions]
    if len(found) != 1:
        told = ", ".join(f"{array.name} {array.shape}" for array in list(arrays.values())[:5]) or "no arrays"
        raise GradganError(f"{path} holds {told}; wanted one named {name!r}, or a single one it can be. Save it anew.")
    return found[0]


def _layout(path: Path, images: _Array) -> tuple[int, int, int]:
    """Where height, width and channels stand in a row of one more axis at the end; checks type and sizes."""
    shape = images.shape
    wanted = "wanted uint8 (n, h, w), (n, h, w, c) or (n, c, h, w) with c of 1, 3 or 4 and sides of 4 pixels or more"
    got = f"{path}: {images.name} is {images.dtype} of shape {shape}, {wanted}"
    if images.dtype != np.uint8 or len(shape) not in (3, 4) or shape[0] == 0:
        raise GradganError(f"{got}. Scale to 0..255 and convert.")
    last = len(shape) == 3 or shape[3] in _CHANNELS
    first = len(shape) == 4 and shape[1] in _CHANNELS
    if last == first:
        raise GradganError(f"{got}; which axis the channels are cannot be told from these sizes. Transpose or resize.")
    order = (1, 2, 0) if first else (0, 1, 2)
    height, width = list(shape[2:4] if first else shape[1:3])
    if min(height, width) < _SMALLEST_SIDE:
        raise GradganError(f"{got}.")
    check_sides(width, height, f"{path}: each image of {images.name}")
    return order


def _rows(path: Path, images: _Array, order: tuple[int, int, int], labels: list[int] | None) -> Iterator[Picture]:
    event = (*images.shape[1:], 1) if len(images.shape) == 3 else images.shape[1:]
    size = math.prod(event)
    with images.open() as stream:
        for index in range(images.shape[0]):
            try:
                row = stream.read(size)
            except Exception as error:  # whatever unpacking raises
                raise GradganError(
                    f"{path}: {images.name}[{index}] cannot be read ({printable(error)[:100]})."
                ) from None
            if len(row) < size:
                raise GradganError(f"{path}: {images.name} ends within row {index}. Copy it again.")
            picture = np.frombuffer(row, np.uint8).reshape(event).transpose(order)
            label = None if labels is None else labels[index]
            yield Picture(f"{images.name}[{index}]", label, lambda picture=picture: _image(picture))


def _image(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture[:, :, 0] if picture.shape[2] == 1 else picture))


def _labels(path: Path, labels: _Array, count: int) -> list[int]:
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise GradganError(
            f"{path}: {labels.name} is {labels.dtype} of shape {labels.shape}, wanted whole numbers ({count},), one a "
            "picture."
        )
    try:
        with labels.open() as stream:
            content = stream.read(count * labels.dtype.itemsize)
        return np.frombuffer(content, labels.dtype, count).tolist()
    except Exception as error:  # whatever unpacking raises
        raise GradganError(f"{path}: {labels.name} cannot be read ({printable(error)[:100]}). Save it anew.") from None
