"""Which files pictures are read from: what the system says of them, told at once, and a hash of all their bytes."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from ...core.checks import GradganError
from .picture import printable
from .threads import in_order

_FORMAT = 1
"""Goes up when files are hashed otherwise, so that what was known before is not taken."""


class Unread(OSError):
    """A file that cannot be read at all, as against one that is read and turns out to be no picture."""


@dataclass(frozen=True)
class Content:
    """What files hold, whatever their place and dates."""

    digest: str
    unread: int
    """How many of them cannot be read."""


@dataclass(frozen=True)
class Files:
    """The files that pictures are read from, in an order that is always the same."""

    reader: str
    """How they are read: the same bytes are other pictures to another reader."""
    root: Path
    names: Sequence[str]
    """Within the root; "" is the root itself."""
    most: int | None = None
    """A larger file, in bytes, is refused."""

    def stamp(self) -> str:
        """A hash of where the files lie and of what the system says of them (`mark`); no file is opened."""
        digest = hashlib.sha256(_line([_FORMAT, self.reader, os.path.realpath(self.root)]))
        for name in self.names:
            digest.update(_line([name, *mark(self.root / name)]))
        return digest.hexdigest()

    def content(self) -> Content:
        """A hash of the files' names and bytes. Their names are content: the classes follow from them.

        A file that cannot be read counts as its name and the reason. Raises GradganError for one larger than `most`.
        """
        digest, unread = hashlib.sha256(_line([_FORMAT, self.reader])), 0
        for name, (read, what) in in_order(self._bytes, self.names):
            digest.update(_line([name, read, what]))
            unread += not read
        return Content(digest.hexdigest(), unread)

    def size(self) -> int:
        """Bytes in all."""
        total = 0
        for name in self.names:
            with suppress(OSError):
                total += (self.root / name).stat().st_size
        return total

    def _bytes(self, name: str) -> tuple[bool, str]:
        """Could it be read, and its hash; or why not."""
        try:
            with opened_file(self.root / name, name, self.most) as file:
                return True, hashlib.file_digest(file, "sha256").hexdigest()
        except Unread as error:
            return False, str(error)


def _line(words: list[Any]) -> bytes:
    # ASCII, so that names of any bytes can be told; JSON's own escapes keep two names from looking alike.
    return (json.dumps(words) + "\n").encode("ascii")


def mark(path: Path) -> list[int]:
    """What tells without a look into it that a file has not changed: its size and times of change; [] if it is gone.

    The second time (st_ctime) is set by the system at any change of content, and no copying program sets it back: a
    file replaced by one of equal size and date is noticed.
    """
    try:
        status = path.stat()
    except OSError:
        return []  # a link to nothing: it is there, and will be listed as one that cannot be read
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


@contextmanager
def opened_file(path: Path, name: str, most: int | None = None) -> Iterator[BufferedReader]:
    """A file to read from. Raises Unread where that fails, also later on; GradganError for more than `most` bytes."""
    try:
        status = path.stat()
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise Unread("not a file")
        if most is not None and status.st_size > most:
            raise GradganError(
                f"{printable(name)} is larger than {most >> 20} MB, which no picture is. Take it out of the folder."
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        # Without the path, which is another for the same content elsewhere.
        raise Unread(error.strerror or str(error)) from None
