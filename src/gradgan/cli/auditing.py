"""What `gradgan audit` prints: a line for each layer, the verdict, and what the penalties cost."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..core.errors import GradganError
from ..engine.audit import Audit, Layer
from ..engine.price import PRICES, UNPENALISED, PricedWay

_STYLES = {"sweep": "green", "double backward": "yellow", "impossible": "bold red"}
_PRICED: dict[str, PricedWay] = {
    "sweep": "sweep",
    "double backward": "double_backward",
    "impossible": "approximate",
}
_VERDICTS = {
    "sweep": "Every layer is swept: penalties are exact and cheapest.",
    "double backward": "Penalties take double backward, because of {place}: {why}.",
    "impossible": "No gradient penalty can be paid, because of {place}: {why}. {replacement}. "
    "Without that, pay approximate_r1 and approximate_r2, which need no second derivative.",
}


def print_audit(what: str, *, event: Sequence[int], classes: int, system: str | None, settings: Sequence[str]) -> None:
    """Audit a preset, or a module by `package.module:name`, and print it."""
    from ..experiment import audit_of_config, audit_of_module, configure

    if ":" in what:
        if system is not None or settings:
            raise GradganError(f"{what} is a module; --system and --set change presets.")
        found = audit_of_module(what, event=event, classes=classes)
    elif event or classes:
        raise GradganError(f"{what} is a preset, which knows its own samples; leave --event and --classes out.")
    else:
        found = audit_of_config(configure(what, system=system, settings=settings))
    console = Console()
    console.print(_table(found.layers))
    console.print(_verdict(found))
    console.print(f"Layer products of a critic step, and their ratio to the {UNPENALISED} without a penalty:")
    console.print(_prices(found))


def _table(layers: Sequence[Layer]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("layer", "operations", "way"):
        table.add_column(column, overflow="fold")
    for layer in layers:
        name = f"{layer.name or 'forward'} ({layer.kind})"
        table.add_row(Text(name), Text(_counted(layer.operations)), Text(layer.way, _STYLES[layer.way]))
    return table


def _counted(operations: Sequence[str]) -> str:
    """Each operation once, with how often it is done."""
    counts = {name: operations.count(name) for name in operations}
    return ", ".join(name if count == 1 else f"{name} x{count}" for name, count in counts.items())


def _verdict(found: Audit) -> Text:
    worst = found.worst() if found.layers else Layer("", "", (), "sweep")
    text = _VERDICTS[found.way].format(place=worst.place, why=worst.why, replacement=worst.replacement)
    return Text(f"\n{text}\n")


def _prices(found: Audit) -> Table:
    """Layer products of a critic step, those of the way that is open in bold."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("penalty")
    taken = _PRICED[found.way]
    ways: tuple[PricedWay, ...] = ("sweep", "double_backward", "usual", "approximate")
    for way in ways:
        table.add_column(way.replace("_", " "), justify="right")
    for name, price in PRICES.items():
        cells = [f"{price.units(way)} ({price.ratio(way):.2f})" for way in ways]
        if name not in ("r1", "r1 + r2"):
            cells[-1] = ""
        table.add_row(name, *(Text(c, "bold" if way == taken else "dim") for c, way in zip(cells, ways, strict=True)))
    return table
