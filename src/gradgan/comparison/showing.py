"""A comparison as a table in the terminal, as Markdown, as CSV and as plain data for JSON and the page."""

import csv
import io
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Rich

from ..metrics.judging import better
from ..report.figures import rounded, told
from .collect import Curve
from .summary import Reading, Row, Table

HOW = (
    "Mean [95% interval over seeds: bootstrap, never narrower than Student's t]. Difference: to the baseline, paired "
    "by seed. Rank: 1 + how many methods are better beyond the interval, to all less those that are worse beyond it; "
    "sorted by the mean. Collapsed: fewer than half of the modes or classes found at the end. A run that diverged "
    "counts with its last look before; where one left none, the means are of the seeds that are left (n of N). "
    "Whatever its figures, a method ranks behind all of which fewer runs diverged or left none, and where those are "
    "equally many, behind all of which fewer left none. Best: each run's best look, chosen by the metric itself. "
    "Unpenalised: gan with the same networks."
)


def columns(table: Table, metric: str, baseline: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of text for one metric, the best method first."""
    headings = ["rank", "method", f"last {metric}", "sd", f"minus {baseline}", f"at equal {table.equal}"]
    headings += ["best (at step)"]
    rows = sorted(table.rows, key=lambda row: _place(row, metric))
    return headings, [_cells(row, metric) for row in rows]


def _place(row: Row, metric: str) -> float:
    reading = row.metrics.get(metric, {}).get("last")
    return math.inf if reading is None or reading.rank is None else reading.rank.place


def _cells(row: Row, metric: str) -> list[str]:
    readings = row.metrics.get(metric, {})
    last, equal, best = (readings.get(name) for name in ("last", "equal", "best"))
    step = f" ({statistics.median_low(best.steps.values())})" if best else ""
    return [
        str(last.rank) if last else "–",
        row.method,
        _told(last, row),
        rounded(last.interval.sd) if last and last.interval.n > 1 else "–",
        told(last.difference if last else None, sign=True),
        _told(equal, row),
        _told(best, row) + step,
    ]


def _told(reading: Reading | None, row: Row) -> str:
    """The interval, and of how many seeds where some left no value."""
    n = reading.interval.n if reading else row.seeds
    return told(reading.interval if reading else None) + (f" ({n} of {row.seeds})" if n < row.seeds else "")


def ends_and_costs(table: Table, baseline: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of how the runs ended and what a step costs."""
    headings = ["method", "collapsed", "diverged", "steps", "time/step over unpenalised", f"over {baseline}"]
    rows = [
        [
            row.method,
            "–" if row.collapsed is None else f"{row.collapsed} of {row.seeds}",
            f"{row.diverged} of {row.seeds}",
            str(row.steps),
            f"{row.cost.over_unpenalised:.2f}",
            f"{row.over_baseline:.2f}",
            f"{1000 * row.cost.seconds:.3g} ms",
            f"{row.cost.memory / 2**20:.1f} MiB",
        ]
        for row in table.rows
    ]
    return [*headings, "time/step", "memory"], rows


def heading(table: Table) -> str:
    """What one table is about."""
    return f"{table.data}, {table.budget}, {max(row.seeds for row in table.rows)} seeds"


def logged_columns(table: Table, baseline: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the logged numbers."""
    headings = ["method"]
    for number in table.logged:
        headings += [f"{number}, mean over the run", f"minus {baseline}"]
    rows = []
    for row in table.rows:
        cells = [row.method]
        for number in table.logged:
            reading = row.logged.get(number)
            cells += [
                told(reading.interval if reading else None),
                told(reading.difference if reading else None, sign=True),
            ]
        rows.append(cells)
    return headings, rows


def print_tables(tables: Sequence[Table], baseline: str, console: Console) -> None:
    """Every table, in the terminal."""
    for table in tables:
        for title, (headings, rows) in _parts(table, baseline):
            rich = Rich(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
            for name in headings:
                rich.add_column(name, justify="left" if name == "method" else "right", overflow="fold")
            for row in rows:
                rich.add_row(*row)
            console.print(rich, highlight=False)
            console.print()
    console.print(HOW, highlight=False)


def _title(table: Table, metric: str) -> str:
    floor = f", floor {rounded(table.floors[metric])}" if metric in table.floors else ""
    return f"{heading(table)}: {metric}{floor}"


def _parts(table: Table, baseline: str) -> list[tuple[str, tuple[list[str], list[list[str]]]]]:
    parts = [(_title(table, metric), columns(table, metric, baseline)) for metric in table.metrics]
    parts.append((f"{heading(table)}: ends and costs", ends_and_costs(table, baseline)))
    if table.logged:
        parts.append((f"{heading(table)}: logged numbers", logged_columns(table, baseline)))
    return parts


def markdown(tables: Sequence[Table], baseline: str, *, command: str, about: dict[str, str]) -> str:
    """The tables for a document, the command and the date above them."""
    lines = ["```bash", command, "```", "", ", ".join(f"{k} {v}" for k, v in about.items()) + ".", ""]
    for table in tables:
        for title, (headings, rows) in _parts(table, baseline):
            lines += [f"**{title}**", "", _line(headings), _line("---" for _ in headings)]
            lines += [*(_line(row) for row in rows), ""]
    return "\n".join([*lines, HOW, ""])


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


_CSV = (
    "data",
    "budget",
    "method",
    "number",
    "reading",
    "n",
    "mean",
    "low",
    "high",
    "sd",
    "difference",
    "difference_low",
    "difference_high",
    "rank",
    "worst_rank",
    "floor",
    "collapsed",
    "diverged",
    "seeds",
    "steps",
    "time_over_unpenalised",
    "time_over_baseline",
    "seconds_per_step",
    "peak_bytes",
)


def csv_text(tables: Sequence[Table]) -> str:
    """Every reading of every number, a line each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_CSV)
    for table in tables:
        for row in table.rows:
            readings = {(m, name): r for m, found in row.metrics.items() for name, r in found.items()}
            readings |= {(number, "mean over the run"): r for number, r in row.logged.items()}
            for (number, name), reading in readings.items():
                label = f"equal {table.equal}" if name == "equal" else name
                numbers = [*_numbers(reading), table.floors.get(number, "")]
                writer.writerow([table.data, table.budget, row.method, number, label, *numbers, *_costs(row)])
    return out.getvalue()


def _numbers(reading: Reading) -> list[object]:
    i, d = reading.interval, reading.difference
    difference = ["", "", ""] if d is None else [d.mean, d.low, d.high]
    ranks = ["", ""] if reading.rank is None else [reading.rank.best, reading.rank.worst]
    return [i.n, i.mean, i.low, i.high, i.sd, *difference, *ranks]


def _costs(row: Row) -> list[object]:
    cost = row.cost
    counts = ["" if row.collapsed is None else row.collapsed, row.diverged, row.seeds, row.steps]
    return [*counts, cost.over_unpenalised, row.over_baseline, cost.seconds, cost.memory]


def as_plain(tables: Sequence[Table], curves: Sequence[Curve], out: Path) -> dict[str, Any]:
    """Everything as plain data: the tables, and each run's looks, its folder as seen from `out`."""
    runs = [
        {
            "data": c.cell.data,
            "budget": str(c.cell.budget),
            "method": c.cell.method,
            "seed": c.cell.seed,
            "path": str(c.cell.path.relative_to(out)),
            "steps": c.cell.config.steps,
            "latent": c.cell.config.latent,
            "device": c.cell.config.device,
            "looks": c.looks,
            "logged": c.logged,
            "diverged": c.diverged,
            "collapsed": c.collapsed,
        }
        for c in curves
    ]
    shown = [
        {**asdict(table), "budget": str(table.budget), "better": {m: better(m) for m in table.metrics}}
        for table in tables
    ]
    return {"how": HOW, "tables": shown, "runs": runs}
