"""What the cells' run folders say: the looks along each run, how it ended. Reads run folders and nothing else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.record import RunFolder
from ..metrics.judging import COVERAGE, judges
from .cells import Cell

_DIVERGED = "NonFiniteError: "
_FLOOR = "frechet_floor/"


@dataclass(frozen=True)
class Curve:
    """A cell's run as its folder tells it."""

    cell: Cell
    looks: dict[str, dict[int, float]]
    """Each metric's value by step."""
    logged: dict[str, float]
    """Each other number asked for, its mean over the run."""
    diverged: str
    """The message of a run that stopped being numbers; else empty."""
    collapsed: bool | None
    """Did the last look find fewer than half of the modes or classes that there are? None where nobody counted them."""
    floors: dict[str, float]
    """The floor of each Fréchet distance that was taken, `frechet_floor/FEATURES`."""
    classes: int = 0
    """How many modes or classes the data have; 0 where they have none."""


def is_done(cell: Cell) -> bool:
    """Has the cell's run ended, finished or diverged? A failure of another kind is tried again."""
    if not ((cell.path / "config.yaml").is_file() and (cell.path / "run.json").is_file()):
        return False
    info = RunFolder.open(cell.path).info()
    return info["status"] == "finished" or _divergence(info) != ""


def curve_of(cell: Cell, logged: Sequence[str]) -> Curve:
    """Read a run that is done."""
    folder = RunFolder.open(cell.path)
    info, entries = folder.info(), folder.entries()
    looks: dict[str, dict[int, float]] = {}
    floors: dict[str, float] = {}
    means: dict[str, list[float]] = {name: [] for name in logged}
    for entry in entries:
        for name, value in entry.numbers.items():
            if not math.isfinite(value):
                continue  # a look that is no number says nothing; that the run diverged is told beside
            if judges(name):
                looks.setdefault(name, {})[entry.step] = value
            elif name in means:
                means[name].append(value)
            elif name.startswith(_FLOOR):
                floors[name] = value
    # The last look is the run's own result: the looks along it fall on whole intervals.
    for name, value in info["results"].items():
        if not math.isfinite(value):
            continue
        if judges(name):
            looks.setdefault(name, {})[cell.config.steps] = value
        elif name.startswith(_FLOOR):
            floors[name] = value
    numbers = {name: sum(values) / len(values) for name, values in means.items() if values}
    classes = info["data"]["classes"] or 0
    return Curve(cell, looks, numbers, _divergence(info), _collapsed(looks, classes), floors, classes)


def _collapsed(looks: dict[str, dict[int, float]], classes: int) -> bool | None:
    for name in COVERAGE:
        if looks.get(name) and classes:
            found = looks[name][max(looks[name])]
            return found < classes / 2
    return None


def _divergence(info: dict) -> str:
    message = str(info["message"])
    return message.removeprefix(_DIVERGED) if info["status"] == "failed" and message.startswith(_DIVERGED) else ""
