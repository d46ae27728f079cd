"""Where what can be made again is kept between runs: one folder of the user's, safe to delete at any time."""

import os
from pathlib import Path

from .errors import GradganError


def cache_folder(kind: str) -> Path:
    """The folder of one kind of cached things (a plain word), made if it is not there.

    $GRADGAN_CACHE/KIND, else $XDG_CACHE_HOME/gradgan/KIND, else ~/.cache/gradgan/KIND.
    Raises GradganError where it cannot be made.
    """
    folder = _root() / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GradganError(
            f"cannot make the cache folder {folder}: {error.strerror or error}. "
            "Set the environment variable GRADGAN_CACHE to a folder that can be written."
        ) from None
    return folder


def _root() -> Path:
    own = os.environ.get("GRADGAN_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    users = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG standard: a path that is not absolute is no path.
    return (users if users.is_absolute() else Path.home() / ".cache") / "gradgan"
