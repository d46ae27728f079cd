"""One process at a time writes to a run folder. The kernel drops the lock when its process ends, however it ends."""

import errno
import json
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path

from .errors import GradganError

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None

_NOT_TO_BE_HAD = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)


class Lock:
    """An advisory lock (flock) on FOLDER/.lock, which names its holder while it is held."""

    def __init__(self, folder: Path) -> None:
        """`folder` must exist; OSError where nothing can be written in it, GradganError where another holds it."""
        self._path = folder / ".lock"
        self._file: int | None = None
        while self._file is None:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                self._take(file)
                # Whoever held it may have removed the file between our open and our lock; then ours locks nothing.
                if self._is_there(file):
                    self._file = file
                    os.ftruncate(file, 0)
                    os.write(file, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
            finally:
                if self._file is None:
                    os.close(file)

    def _take(self, file: int) -> None:
        if fcntl is None:
            self._unlocked("this system has no flock")
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GradganError(
                f"{self._path.parent} is being written by {_holder(file)}. Wait until it ends, stop it, or choose "
                "another --out."
            ) from None
        except OSError as error:
            if error.errno not in _NOT_TO_BE_HAD:
                raise
            self._unlocked(error.strerror or str(error))

    def _unlocked(self, why: str) -> None:
        logging.getLogger("gradgan").warning(
            "%s cannot be locked (%s): see to it yourself that no other process trains into it.",
            self._path.parent, why,
        )  # fmt: skip

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give the folder free and leave nothing behind; a second call does nothing."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def _holder(file: int) -> str:
    """Who wrote the lock file, as far as it can be read."""
    try:
        said = json.loads(os.read(file, 1000))
        return f"process {int(said['pid'])} on {str(said['host'])!r}"
    except (ValueError, KeyError, TypeError, OSError):
        return "another process"
