"""What a place with pictures must tell: how many there are, how each is read, and whether they have changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from os import stat_result
from pathlib import Path, PurePosixPath
from typing import Any

from ...core.checks import GradganError
from .picture import SUFFIXES, Picture, printable


@dataclass(frozen=True)
class Source:
    """Pictures that lie somewhere, in an order that is always the same."""

    path: Path
    count: int
    pictures: Iterable[Picture]
    """To be read once."""
    fingerprint: list[Any]
    """Plain data that changes whenever the pictures do; see `mark`."""


def mark(name: str, status: stat_result) -> list[Any]:
    """What tells that a file is the one that was decoded: its name, size, and times of change.

    Not a hash of its bytes, which would read every picture at every start. The second time (st_ctime) is set by the
    system at any change of content, and no copying program sets it back: a file replaced by one of equal size and
    date is noticed. Moving the whole folder elsewhere leaves it alone.
    """
    return [name, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def is_picture(name: str) -> bool:
    """Is it a picture by its suffix, and not hidden, as the system's own thumbnails are?"""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def classes_of(names: list[str]) -> list[str | None]:
    """The class of each picture: the first folder on its path, once the folders that all have in common are taken off.

    >>> classes_of(["animals/cats/1.png", "animals/dogs/old/1.png"]), classes_of(["cats/1.png", "2.png"])
    (['cats', 'dogs'], [None, None])
    """
    parts = [PurePosixPath(name).parts for name in names]
    depth = 0
    while all(len(p) > depth + 1 for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    if not all(len(p) > depth + 1 for p in parts):
        return [None] * len(names)
    return [p[depth] for p in parts]


def no_pictures(path: Path, names: Iterable[str]) -> GradganError:
    """The error for a place without a picture, with what lies there instead."""
    others = sorted({PurePosixPath(name).suffix.lower() or "no suffix" for name in names})
    seen = f"only files of {printable(', '.join(others[:5]))}" if others else "nothing"
    return GradganError(f"images: {path} holds no pictures ({', '.join(SUFFIXES)}), {seen}. Give another: --data.path")
