"""The cache: pictures decoded once, by all cores, into a file that is mapped into memory; whole or not at all."""

import hashlib
import json
import logging
import math
import os
import shutil
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from ...core.cache import cache_folder
from ...core.checks import GradganError
from ...core.files import to_json
from ...core.pool import cores
from .picture import Picture, converted, printable
from .source import Source

_FORMAT = 1
"""Goes up when pictures are converted otherwise, so that what was decoded before is not taken."""

_Result = tuple[np.ndarray, bool] | str
"""A picture's pixels and whether it was grey; or why it could not be read."""


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

    What was decoded before is taken from the cache, found by `source.fingerprint` and the options. Several processes
    may ask for the same pictures: one decodes, the others wait for it. A process that dies leaves nothing that is
    taken for whole. Raises GradganError where no picture can be read, one is refused, or the cache cannot be written.
    """
    said = to_json([_FORMAT, size, channels, source.fingerprint])
    entry = cache_folder("images") / hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    found = _read(entry)
    if found is not None:
        return found
    try:
        with FileLock(f"{entry}.lock"):
            found = _read(entry)
            if found is None:
                _make(entry, source, size, channels)
                found = _read(entry)
    except OSError as error:
        raise GradganError(
            f"cannot write the cache {entry}: {error.strerror or error}. Free that place, or set GRADGAN_CACHE "
            "to another folder."
        ) from error
    if found is None:
        raise GradganError(f"the cache {entry} was changed while it was written. Start again.")
    return found


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


def _make(entry: Path, source: Source, size: int, channels: int | None) -> None:
    """Decode into a folder beside, then rename it."""
    _refuse_full_disk(entry.parent, source.count * size * size * (channels or 3))
    logging.getLogger("gradgan").warning(
        "decoding %d pictures of %s, once; later starts find them in %s.", source.count, source.path, entry
    )
    partial = entry.with_suffix(".partial")
    for torn in (partial, entry):
        shutil.rmtree(torn, ignore_errors=True)
    partial.mkdir()
    try:
        _fill(partial, source, size, channels)
        partial.rename(entry)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _fill(folder: Path, source: Source, size: int, channels: int | None) -> None:
    skipped: list[str] = []
    labels: list[str | int | None] = []
    all_grey = True
    with (folder / "pixels").open("wb") as pixels, warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures, which are checked here.
        warnings.simplefilter("ignore")
        for picture, result in _results(source.pictures, size, channels or 3):
            if isinstance(result, str):
                skipped.append(f"{printable(picture.name)}: {result}")
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


def _results(pictures: Iterable[Picture], size: int, channels: int) -> Iterator[tuple[Picture, _Result]]:
    """Each picture with its pixels, in order; a few ahead at a time, so that memory does not grow with their number."""
    # Threads: Pillow decodes and resizes without Python's lock.
    workers = cores()
    ahead: deque[tuple[Picture, Future[_Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for picture in pictures:
            ahead.append((picture, pool.submit(_tried, picture, size, channels)))
            if len(ahead) > 4 * workers:
                first, future = ahead.popleft()
                yield first, future.result()
        for first, future in ahead:
            yield first, future.result()


def _tried(picture: Picture, size: int, channels: int) -> _Result:
    try:
        with picture.open() as image:
            return converted(image, size, channels)
    except GradganError:
        raise
    except Exception as error:  # Pillow and zipfile raise nearly anything for a broken file
        return printable(error)[:100] or type(error).__name__


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
