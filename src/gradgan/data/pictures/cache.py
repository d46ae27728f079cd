"""The cache: pictures decoded once, by all cores, into a file that is mapped into memory; whole or not at all."""

import hashlib
import json
import logging
import math
import os
import shutil
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from ...core.cache import cache_folder
from ...core.checks import GradganError
from ...core.files import to_json
from .content import Content, Unread
from .known import confirmed, identified, remembered
from .picture import Picture, converted, printable
from .source import Source
from .threads import in_order

_FORMAT = 1
"""Goes up when pictures are converted otherwise, so that what was decoded before is not taken."""


@dataclass(frozen=True)
class _LeftOut:
    """Why there are no pixels. Not the error itself, which would hold on to half a picture."""

    why: str
    unread: bool
    """Its file could not be read at all."""


_Result = tuple[np.ndarray, bool] | _LeftOut
"""A picture's pixels and whether it was grey, if there are any."""


@dataclass(frozen=True)
class Decoded:
    """Pictures (n, c, size, size) uint8, mapped into memory from the cache; what is written to them stays private."""

    pixels: Tensor
    labels: Tensor | None
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    """A line for each picture that could not be read: its name and why."""


def decoded(source: Source, *, size: int, channels: int | None) -> Decoded:
    """The source's pictures at `size` x `size` and 1 or 3 channels; None: 1 if all are stored grey, else 3.

    What was decoded before is taken from the cache, found by the content of the source's files and the options. What
    that content is, is kept as well, by `source.stamp`: files that nothing happened to are not read again. Several
    processes may ask for the same pictures: one decodes, the others wait for it. A process that dies leaves nothing
    that is taken for whole. Raises GradganError where no picture can be read, one is refused, the files change
    meanwhile, or the cache cannot be written.
    """
    folder = cache_folder("images")
    content = remembered(folder / "known", source)
    found = None if content is None else _read(_entry(folder, content, size, channels))
    if found is not None:
        return found
    try:
        content = content or identified(folder / "known", source)
        entry = _entry(folder, content, size, channels)
        found = _read(entry)
        if found is not None:
            return found
        with FileLock(f"{entry}.lock"):
            found = _read(entry)
            if found is None:
                _make(entry, source, content, size, channels)
                found = _read(entry)
    except OSError as error:
        raise GradganError(
            f"cannot write the cache {folder}: {error.strerror or error}. Free that place, or set GRADGAN_CACHE "
            "to another folder."
        ) from error
    if found is None:
        raise GradganError(f"the cache {entry} was changed while it was written. Start again.")
    return found


def _entry(folder: Path, content: Content, size: int, channels: int | None) -> Path:
    said = to_json([_FORMAT, size, channels, content.digest])
    return folder / hashlib.sha256(said.encode()).hexdigest()[:32]


def _read(entry: Path) -> Decoded | None:
    """What lies in the cache; None where nothing does, or not all of it."""
    try:
        index = json.loads((entry / "index.json").read_text(encoding="utf-8"))
        n, c, h, w = index["shape"]
        names = tuple(index["classes"])
        pixels = _mapped(entry / "pixels", n * c * h * w, torch.uint8)
        labels = _mapped(entry / "labels", n, torch.int64) if names else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Decoded(pixels.reshape(n, c, h, w), labels, names, tuple(index["skipped"]))


def _mapped(path: Path, count: int, dtype: torch.dtype) -> Tensor:
    if path.stat().st_size != count * dtype.itemsize:
        raise ValueError(f"{path} is torn")
    return torch.from_file(str(path), shared=False, size=count, dtype=dtype)


def _make(entry: Path, source: Source, content: Content, size: int, channels: int | None) -> None:
    """Decode into a folder beside, then rename it."""
    _refuse_full_disk(entry.parent, source.count * size * size * (channels or 3))
    logging.getLogger("gradgan").warning(
        "decoding %d pictures of %s, once; later starts find them in %s.", source.count, source.path, entry
    )
    beside = entry.with_suffix(".partial")
    for torn in (beside, entry):
        shutil.rmtree(torn, ignore_errors=True)
    beside.mkdir()
    try:
        unread = _fill(beside, source, size, channels)
        # What is kept for good under a content must be that content, though files may change between two looks.
        if not confirmed(entry.parent / "known", source, content, unread):
            raise GradganError(
                f"images: the files of {source.path} changed while they were decoded, or could not all be read. "
                "Start again when nothing writes there."
            )
        beside.rename(entry)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _fill(folder: Path, source: Source, size: int, channels: int | None) -> int:
    """Write an entry's files; how many pictures could not be read at all, which is less than those left out."""
    skipped: list[str] = []
    labels: list[str | int | None] = []
    all_grey, unread = True, 0
    with (folder / "pixels").open("wb") as pixels, warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures, which are checked here.
        warnings.simplefilter("ignore")
        for picture, result in in_order(partial(_tried, size=size, channels=channels or 3), source.pictures):
            if isinstance(result, _LeftOut):
                skipped.append(f"{printable(picture.name)}: {result.why}")
                unread += result.unread
                continue
            pixels.write(result[0].tobytes())
            labels.append(picture.label)
            all_grey &= result[1]
    if not labels:
        raise GradganError(f"images: none of the {source.count} pictures of {source.path} can be read; {skipped[0]}.")
    if channels is None and all_grey:
        _keep_first_channel(folder / "pixels", size * size)
    depth = channels or (1 if all_grey else 3)
    classes = sorted({label for label in labels if label is not None})  # type: ignore[type-var]
    names = [printable(name) for name in classes] if len(classes) > 1 and None not in labels else []
    if names:
        number = {name: k for k, name in enumerate(classes)}
        np.array([number[label] for label in labels if label is not None], np.int64).tofile(folder / "labels")
    index = {"shape": [len(labels), depth, size, size], "classes": names, "skipped": skipped}
    (folder / "index.json").write_text(to_json(index), encoding="utf-8")
    for path in (*folder.iterdir(), folder):
        _sync(path)
    return unread


def _tried(picture: Picture, size: int, channels: int) -> _Result:
    try:
        with picture.open() as image:
            return converted(image, size, channels)
    except GradganError:
        raise
    except Exception as error:  # Pillow and zipfile raise nearly anything for a broken file
        return _LeftOut(printable(error)[:100] or type(error).__name__, isinstance(error, Unread))


def _keep_first_channel(path: Path, plane: int) -> None:
    """Grey pictures were written with three equal channels, before it was known that all of them are grey."""
    beside = path.with_name("grey")
    with path.open("rb") as three, beside.open("wb") as one:
        while picture := three.read(3 * plane):
            one.write(picture[:plane])
    beside.replace(path)


def _refuse_full_disk(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise GradganError(
            f"the decoded pictures need {math.ceil(wanted / 1e6)} MB in {folder}, where {free // 10**6} MB are free. "
            "Free some, ask for a smaller data.options.size, or set the environment variable GRADGAN_CACHE."
        )


def _sync(path: Path) -> None:
    """To the disk, before the folder's new name says that it is whole."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
