"""What torchrun tells each of the processes it starts, read from its environment variables. Imports no torch."""

import os
from dataclasses import dataclass

from .errors import GradganError

_WANTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Launch:
    """Which of how many processes this is; one process, not launched by anybody, is rank 0 of 1."""

    rank: int = 0
    size: int = 1
    local: int = 0
    """The rank on this machine, by which processes share its GPUs."""
    restart: int = 0
    """How often torchrun has started the job again after a failure (`--max-restarts`)."""

    @property
    def first(self) -> bool:
        """Is it the one that writes and prints?"""
        return self.rank == 0


def launched() -> Launch:
    """This process's place, as its environment says. Raises GradganError where that says only half of it."""
    size = _number("WORLD_SIZE", 1)
    if size <= 1:
        return Launch(restart=_number("TORCHELASTIC_RESTART_COUNT", 0))
    missing = [name for name in _WANTED if name not in os.environ]
    if missing:
        raise GradganError(
            f"WORLD_SIZE={size} says that {size} processes train together, but {', '.join(missing)} is not set. "
            "Start them with torchrun, or unset WORLD_SIZE."
        )
    rank = _number("RANK", 0)
    if not 0 <= rank < size:
        raise GradganError(f"RANK must lie in 0..{size - 1} for WORLD_SIZE={size}, got {rank}. Start with torchrun.")
    return Launch(rank, size, _number("LOCAL_RANK", 0), _number("TORCHELASTIC_RESTART_COUNT", 0))


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise GradganError(f"environment variable {name} must be a whole number, got {text!r}.") from None
