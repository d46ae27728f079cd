"""What the listing commands print."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..core.errors import GradganError, unknown_name


def print_parts(kind: str) -> None:
    """A table for each kind of part."""
    from ..control import CONTROLLERS
    from ..data import DATASETS
    from ..experiment import PRESETS
    from ..losses import LOSSES
    from ..metrics import METRICS
    from ..networks import NETWORKS
    from ..penalties import PENALTIES
    from ..systems import SYSTEMS

    catalogs = {"system": SYSTEMS, "loss": LOSSES, "penalty": PENALTIES, "network": NETWORKS, "data": DATASETS,
                "metric": METRICS, "controller": CONTROLLERS}  # fmt: skip
    kinds = ("all", *catalogs, "preset")
    if kind not in kinds:
        raise unknown_name("kind of part", kind, kinds)
    console = Console()
    for name, catalog in catalogs.items():
        if kind in ("all", name):
            table = _table(name)
            for entry in catalog.values():
                table.add_row(entry.name, entry.summary, entry.paper)
            console.print(table)
    if kind in ("all", "preset"):
        table = _table("preset")
        for name, make in PRESETS.items():
            table.add_row(name, (make.__doc__ or "").split("\n")[0], "")
        console.print(table)


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    return table


def print_citations(what: str) -> None:
    """A line for each part that a run or a preset uses: name, summary, paper."""
    from ..core.record import RunFolder
    from ..experiment import PRESETS, citations_of, configure

    rows = citations_of(configure(what)) if what in PRESETS else None
    if rows is None and not Path(what).exists():
        raise unknown_name("run folder or preset", what, PRESETS)
    for row in RunFolder.open(what).info()["citations"] if rows is None else rows:
        print(f"{row['kind']} {row['name']}: {row['summary']} [{row['paper']}]")


def print_dynamics(
    system: str, *, weight: float | None, spread: float | None, out: Path | None, reading: str | None
) -> None:
    """Eigenvalues (found numerically, and in closed form where there is one), verdict, and the picture if wanted.

    For "all" a page of every system.
    """
    from ..experiment import Dynamics, write_atlas

    if system == "all":
        if (weight, spread, reading) != (None, None, None):
            raise GradganError("dynamics all has its own weights, spreads and readings; give a system to set them.")
        print(write_atlas(out or Path()))
        return
    found = Dynamics.of(system, weight=weight, spread=spread, reading=reading)
    for line in found.lines():
        print(line)
    if out is not None:
        print(found.draw(out))
