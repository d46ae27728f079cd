"""The newest checkpoint that can be used, and what is said of those that cannot."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.checks import GradganError
from ..core.record import RunFolder
from ..training import checkpoint

_LOGGER = logging.getLogger("gradgan")


def restored(path: Path, restore: Callable[[Path], object]) -> None:
    """`restore(path)`; whatever a damaged or foreign file makes it raise becomes a GradganError."""
    try:
        restore(path)
    except GradganError:
        raise
    except checkpoint.BROKEN as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GradganError(f"{path} does not fit the run's config: {first}") from error


def restore_newest(found: Sequence[tuple[int, Path]], restore: Callable[[Path], object]) -> list[Path] | None:
    """Restore the newest of these checkpoints (step, path) that can be used, and say loudly which were passed over.

    Returns those, None where there was nothing to load. Raises GradganError if every one is broken.
    """
    broken: list[tuple[Path, GradganError]] = []
    for step, path in reversed(found):
        try:
            restored(path, restore)
        except GradganError as error:
            broken.append((path, error))
        else:
            for _, error in broken:
                _LOGGER.warning("%s THE RUN IS TAKEN UP AT STEP %d INSTEAD.", error, step)
            return [path for path, _ in broken]
    if broken:
        raise broken[0][1]
    return None


def load_newest(folder: RunFolder, restore: Callable[[Path], object], *, best: bool = False) -> None:
    """Restore the newest usable checkpoint of a run, or its best. Raises GradganError where there is none."""
    if restore_newest(folder.best_checkpoints() if best else folder.checkpoints(), restore) is None:
        how = "Evaluate while it trains: evaluate.every=500" if best else "Train it on"
        kind = "best checkpoint" if best else "checkpoint yet"
        raise GradganError(f"{folder.path} holds no {kind}. {how}: gradgan train ... --out {folder.path} --resume")
