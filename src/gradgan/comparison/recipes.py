"""Runs that lie in a comparison's folder belong into its tables only as what would be run there now."""

from collections.abc import Sequence
from dataclasses import replace

from ..core.differences import differences
from ..core.errors import GradganError
from ..experiment import Config, complete
from ..experiment.config import plain
from ..experiment.reading import read_config, to_yaml
from ..experiment.running import MAY_CHANGE
from .cells import Cell

# What a resumed run may be given anew, but for what decides what a table says: how long it trains, how it is measured.
_MAY_CHANGE = tuple(name for name in MAY_CHANGE if name not in ("steps", "evaluate"))


def refuse_other_recipes(cells: Sequence[Cell]) -> None:
    """Refuse runs, finished or begun, whose config.yaml is not what the cell's config is now.

    A preset or system may have other numbers in a newer gradgan, and a budget in minutes other steps once costs.json
    was measured anew. Raises GradganError, naming the first such run and the fields that differ.
    """
    other = [(cell, told) for cell in cells if (told := _differences(cell))]
    if not other:
        return
    (cell, told), more = other[0], len(other) - 1
    raise GradganError(
        f"{cell.name}{f' and {more} more' if more else ''}: run by another config than now, {told}. They do not belong "
        f"into one table: choose another --out, or delete {cell.path}{' and theirs' if more else ''} to run anew."
    )


def _differences(cell: Cell) -> str:
    """The first fields in which the stored run's config differs from the cell's; empty where it may go on or stay."""
    stored = cell.path / "config.yaml"
    # The text first, for hundreds of runs are read at every start, and nearly all are just as they were written.
    if not stored.is_file() or stored.read_bytes() == to_yaml(cell.config).encode():
        return ""
    # Completed anew, as on resuming, so that a run of an older gradgan, which knew fewer keys, stays.
    before = complete(read_config(stored))
    return differences(plain(_alike(before, cell.config)), plain(cell.config))


def _alike(before: Config, now: Config) -> Config:
    """`before` with all of `now` that may change. A file of features may lie elsewhere: that its content is the same
    was looked at already."""
    looks = before.evaluate
    if looks.features and now.evaluate.features:
        looks = replace(looks, features=now.evaluate.features)
    return replace(before, evaluate=looks, **{name: getattr(now, name) for name in _MAY_CHANGE})
