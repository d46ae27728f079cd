"""The newest checkpoint that can be used, and what is said of those that cannot."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from ..core.checks import GradganError
from ..core.record import RunFolder
from ..training import checkpoint

_LOGGER = logging.getLogger("gradgan")


T = TypeVar("T")
Found: TypeAlias = Sequence[tuple[int, Path]]
"""Checkpoints by step, newest last."""


def from_checkpoint(path: Path, restore: Callable[[Path], T]) -> T:
    """`restore(path)`; whatever a damaged or foreign file makes it raise becomes a GradganError."""
    try:
        return restore(path)
    except GradganError:
        raise
    except checkpoint.BROKEN as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GradganError(f"{path} does not fit the run's config: {first}") from error


def from_newest(found: Found, restore: Callable[[Path], T]) -> tuple[T, list[Path]] | None:
    """What `restore` makes of the newest checkpoint that can be used; those passed over are told loudly.

    Returns it and the ones passed over, None where there are none at all. Raises GradganError if every one is broken.
    """
    broken: list[tuple[Path, GradganError]] = []
    for step, path in reversed(found):
        try:
            restored = from_checkpoint(path, restore)
        except GradganError as error:
            broken.append((path, error))
        else:
            for _, error in broken:
                _LOGGER.warning("%s THE RUN IS TAKEN UP AT STEP %d INSTEAD.", error, step)
            return restored, [path for path, _ in broken]
    if broken:
        raise broken[0][1]
    return None


def load_newest(folder: RunFolder, restore: Callable[[Path], T], *, best: bool = False) -> T:
    """`from_newest` of a run's checkpoints, or of its best ones. Raises GradganError where there are none."""
    found = from_newest(folder.best_checkpoints() if best else folder.checkpoints(), restore)
    if found is None:
        how = "Evaluate while it trains: evaluate.every=500" if best else "Train it on"
        kind = "best checkpoint" if best else "checkpoint yet"
        raise GradganError(f"{folder.path} holds no {kind}. {how}: gradgan train ... --out {folder.path} --resume")
    return found[0]
