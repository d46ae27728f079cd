"""How files are written: whole or not at all, on the disk when it is said, an error told in one line, valid JSON."""

import errno
import json
import math
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import GradganError

# The few calls of `os` here, and what pathlib makes of them, are the ones that the suite makes fail in turn.


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell an error of the disk in one line."""
    try:
        yield
    except OSError as error:
        raise GradganError(
            f"cannot write {path}: {error.strerror or error}. Free or mend that place, or choose another --out."
        ) from error


def replace_file(path: Path, data: bytes) -> None:
    """Write beside, sync, rename, sync the folder: whoever reads, also after a power cut, sees the old or the new."""
    # Of the thread too: several may make the same at once.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        beside.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def write_all(file: int, data: bytes) -> None:
    """Write all of it: one call may write less than it was given."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk: without it a power cut may forget a rename. Not every system can."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(opened)


def remove_parts(folder: Path) -> None:
    """Remove what `replace_file` had begun when its process was killed."""
    for part in folder.glob(".*.part"):
        part.unlink()


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON text that any reader takes: numbers that are not finite are written as strings."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """JSON has no word for a number that is not finite: it is written as the string "nan", "inf" or "-inf"."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    return value
