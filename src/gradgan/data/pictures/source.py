"""What a place with pictures must tell: how many there are, how each is read, and from which files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...core.checks import GradganError
from .content import Files
from .picture import SUFFIXES, Picture, printable

WHOLE = "train"
"""The split that is meant where none is named; of what has no splits, all of it."""


@dataclass(frozen=True)
class Source:
    """Pictures that lie somewhere, in an order that is always the same."""

    path: Path
    count: int
    pictures: Iterable[Picture]
    """To be read once."""
    files: Files
    """Of which the pictures, their names and their classes are made, and nothing else."""
    stamp: str
    """`files.stamp()` from before anything was read of them: what is known of them is found by it."""


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


def no_splits(path: Path, split: str) -> GradganError:
    """The error for a split of pictures that have none."""
    return GradganError(
        f"images: {path} has no splits, got split={split!r}; only a saved DatasetDict has. Leave data.split out, and "
        "give the folder or file of the part you want."
    )
