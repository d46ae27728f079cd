"""How files are written: whole or not at all, JSON that is always valid, an error of the disk told in one line."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import GradganError


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
    """Write beside, then rename: whoever reads sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


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
