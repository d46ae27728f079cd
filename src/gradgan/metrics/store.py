"""Tensors that are dear to compute, kept in the user's cache: whole or absent, made by one while the others wait."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ..core.cache import cache_folder
from ..core.errors import GradganError
from ..core.files import replace_file


def stored(kind: str, key: str, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """What lies in the cache under `kind` and `key`, else what `make` gives, which is then kept there.

    `key` names the content that it was made from, so that nothing kept is ever out of date. A file that cannot be read
    (cut off, another format) is made again. Of several who want the same at once one makes it and the others wait, so
    that all have the same numbers. A cache that cannot be used costs only time: where it cannot be made or locked each
    makes its own at once, where it can be locked but not written, one after the other; a warning says so, once.
    """
    try:
        path = cache_folder(kind) / f"{key}.safetensors"
    except GradganError as error:
        _say_once(f"{kind} are not kept for the next run: {error}")
        return dict(make())
    with suppress(OSError, SafetensorError):
        return load_file(path)
    with _alone(path) as unlocked:
        # Perhaps somebody made it while this one waited.
        with suppress(OSError, SafetensorError):
            return load_file(path)
        made = dict(make())
        try:
            replace_file(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in made.items()}))
        except OSError as error:
            # Nothing is lost but the time of the next one who needs it.
            _say_once(f"could not keep {path}: {error.strerror or error}")
        else:
            if unlocked is not None:
                _say_once(f"could not lock {path}: {unlocked}; others who want it at the same time make it, too")
        return made


@contextmanager
def _alone(path: Path) -> Iterator[str | None]:
    """The only one who makes this file, on this machine and wherever the file system has locks; else why not."""
    # No lock is better than a marker that a killed process leaves behind, for which others would wait for ever.
    lock = FileLock(f"{path}.lock", fallback_to_soft=False)
    unlocked = None
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _logger().warning("another process makes %s; waiting for it", path)
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        unlocked = getattr(error, "strerror", None) or str(error)
    try:
        yield unlocked
    finally:
        lock.release()


@cache
def _say_once(text: str) -> None:
    _logger().warning("%s", text)


def _logger() -> logging.Logger:
    return logging.getLogger("gradgan")
