"""gradgan doctor: what the alarm finds in a run's log, in words and small pictures."""

from pathlib import Path

import numpy as np
from rich.console import Console

from ..alarm import ILLNESSES, Finding, History, examine, not_measured
from ..core.record import RunFolder
from ..report import write_report
from ..report.health import patience_of, rollback_lines

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def print_diagnosis(path: Path) -> None:
    """Examine the run, say what was found, and write its report again, whose page shows the curves."""
    run = RunFolder.open(path)
    info, entries = run.info(), run.entries()
    history = History.of(entries)
    found = examine(history, patience=patience_of(info))
    console = Console(highlight=False, soft_wrap=True)
    name = " on ".join(str(info.get(what, {}).get("name", "?")) for what in ("system", "data"))
    last = entries[-1].step if entries else 0
    console.print(f"{name}, {last} steps, {len(history)} of them logged, {info.get('status')}")
    for finding in found:
        _print_finding(console, finding, history)
    if not found:
        looked = len(ILLNESSES) - len(not_measured(history))
        console.print(f"\nNo illness was found; {looked} of {len(ILLNESSES)} could be looked for.")
    for line in rollback_lines(info):
        console.print(f"\n{line}")
    missing = ", ".join(name.replace("_", " ") for name in not_measured(history))
    if missing:
        console.print(f"\nNot looked for, as the log has no numbers for it: {missing}.")
    console.print(f"\nWith curves: {write_report(run)}")


def _print_finding(console: Console, finding: Finding, history: History) -> None:
    end = "still there at the end" if finding.still else "gone at the end"
    title = finding.illness.replace("_", " ").upper()
    console.print(f"\n[bold]{title}[/bold], since step {finding.since}, named at step {finding.step}, {end}")
    for number in dict.fromkeys(evidence.number for evidence in finding.evidence):
        for evidence in finding.evidence:
            if evidence.number == number:
                console.print(f"  {evidence}")
        console.print(f"  {number}: {sparkline(history[number])}")
    console.print(f"  What usually helps: {finding.helps}")


def sparkline(values: np.ndarray, width: int = _WIDTH) -> str:
    """The values over the run as bars from the least to the greatest, x where one is not a number.

    >>> sparkline(np.array([0.0, 1.0, 2.0, float("nan")]))
    '▁▄█x'
    """
    stretches = np.array_split(values, min(width, len(values))) if len(values) else []
    levels = np.array([np.median(stretch) for stretch in stretches])
    known = levels[np.isfinite(levels)]
    low, span = (known.min(), np.ptp(known) or 1.0) if len(known) else (0.0, 1.0)
    top = len(_BARS) - 1
    return "".join(_BARS[int((v - low) / span * top)] if np.isfinite(v) else "x" for v in levels)
