"""Pictures in a folder and its subfolders; nothing outside it is read."""

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ...core.checks import GradganError
from .content import Files, opened_file
from .picture import MOST_BYTES, Picture, opened, printable
from .source import Source, classes_of, is_picture, no_pictures


def folder(path: Path) -> Source:
    """Every picture below `path`, in the order of their names.

    A link to a file within the folder is followed; a link to a folder is not, for it would show pictures twice.
    Raises GradganError for a folder that cannot be read, holds no picture, or has a link that leads out of it.
    """
    root = path.resolve()
    found = sorted(_files(root))
    names = [name for name in found if is_picture(name)]
    if not names:
        raise no_pictures(path, found)
    files = Files("folder", root, names, MOST_BYTES)
    pictures = [
        Picture(name, label, lambda name=name: _open(root / name, name))
        for name, label in zip(names, classes_of(names), strict=True)
    ]
    return Source(path, len(names), pictures, files, files.stamp())


def _files(root: Path) -> Iterator[str]:
    """The names of all files below root, with / between folders."""

    def fail(error: OSError) -> None:
        raise GradganError(
            f"images: cannot read {printable(error.filename)}: {error.strerror or error}. Check its rights."
        )

    for here, folders, files in os.walk(root, onerror=fail):
        for name in (*folders, *files):
            place = Path(here, name)
            if place.is_symlink() and not place.resolve().is_relative_to(root):
                raise GradganError(
                    f"images: {printable(place)} is a link that leaves the folder. Copy what it points to, "
                    "or take it out."
                )
        yield from (Path(here, name).relative_to(root).as_posix() for name in files)


def _open(path: Path, name: str) -> Image.Image:
    with opened_file(path, name, MOST_BYTES) as file:
        content = file.read()
    return opened(content, name)
