"""What is known of a source's content: found by what the system says of its files, so that none is read at a start."""

import json
import logging
import re
from pathlib import Path

from filelock import FileLock

from ...core.files import replace_file, to_json
from .content import Content, Files
from .source import Source

_WORTH_A_WORD = 2 << 30
"""Bytes whose reading may take so long that one would wonder."""


def remembered(folder: Path, source: Source) -> Content | None:
    """The content of files that are as they were when they were last read; None where that is not known."""
    return _read(_place(folder, source.stamp))


def identified(folder: Path, source: Source) -> Content:
    """The content, by reading every file; kept for the next start. Of several that ask at once one reads.

    Raises OSError where the cache cannot be locked.
    """
    folder.mkdir(exist_ok=True)
    place = _place(folder, source.stamp)
    with FileLock(f"{place}.lock"):
        return _read(place) or _hashed(folder, source.files, source.stamp)


def confirmed(folder: Path, source: Source, content: Content, unread: int) -> bool:
    """Was it this content that was decoded, with so many files unread? If not, what was known of it is forgotten.

    Files are read once more only where the system says that something happened to them since.
    """
    now = source.files.stamp()
    same = unread == content.unread and (now == source.stamp or _hashed(folder, source.files, now) == content)
    if not same:
        _place(folder, source.stamp).unlink(missing_ok=True)
    return same


def _hashed(folder: Path, files: Files, stamp: str) -> Content:
    size = files.size()
    if size > _WORTH_A_WORD:
        logging.getLogger("gradgan").warning(
            "reading %.1f GB of %s, to see whether they were decoded before.", size / 1e9, files.root
        )
    content = files.content()
    # Not of files that changed meanwhile: the stamp would stand for bytes that it never belonged to.
    if files.stamp() == stamp:
        try:
            replace_file(_place(folder, stamp), to_json(vars(content)).encode())
        except OSError as error:
            # Nothing is lost but the time of the next start.
            logging.getLogger("gradgan").warning(
                "could not keep in %s what %s holds: %s; the next start reads it all again.",
                folder, files.root, error.strerror or error,
            )  # fmt: skip
    return content


def _place(folder: Path, stamp: str) -> Path:
    return folder / f"{stamp[:32]}.json"


def _read(place: Path) -> Content | None:
    try:
        held = json.loads(place.read_text(encoding="utf-8"))
        digest, unread = held["digest"], held["unread"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sound = isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) and type(unread) is int
    return Content(digest, unread) if sound else None
