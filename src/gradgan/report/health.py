"""The page's section on the run's health: what the alarm finds in its log, with the curves that show it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..alarm import Finding, History, examine, not_measured
from ..core.record import LogEntry
from .curves import Chart, Series, figure_of
from .drawing import svg_of
from .parts import e

PATIENCE = 6
"""Of runs that were trained before they had one."""


def patience_of(info: Mapping[str, Any]) -> int:
    """How many logged steps a sign had to last in this run."""
    return int(info.get("patience", PATIENCE))


def health(info: Mapping[str, Any], entries: Sequence[LogEntry], series: Mapping[str, Series]) -> str:
    """The section, or nothing for a run without a log."""
    if not entries:
        return ""
    history = History.of(entries)
    found = examine(history, patience=patience_of(info))
    cards = "".join(_card(finding, series) for finding in found)
    well = f'<div class="card empty">No illness was found in {len(history)} logged steps.</div>'
    missing = ", ".join(name.replace("_", " ") for name in not_measured(history))
    note = f'<p class="quiet">Not looked for, as the log has no numbers for it: {e(missing)}.</p>' if missing else ""
    return f"<h2>Health</h2>{cards or well}{_rollbacks(info)}{note}"


def _card(finding: Finding, series: Mapping[str, Series]) -> str:
    numbers = dict.fromkeys(evidence.number for evidence in finding.evidence)
    drawn = tuple(series[name] for name in numbers if name in series)
    plot = svg_of(Chart(finding.illness, drawn), e(f"evidence: {', '.join(numbers)}")) if drawn else ""
    end = "still there at the end" if finding.still else "gone at the end"
    told = "".join(f"<li>{e(str(evidence))} <small>{e(evidence.number)}</small></li>" for evidence in finding.evidence)
    return (
        f'<figure class="card chart"><header><h3 class="alarm">{e(finding.illness.replace("_", " ").capitalize())}</h3>'
        f"<span>since step {figure_of(finding.since)}, named at {figure_of(finding.step)}, {end}</span></header>"
        f'<ul>{told}</ul><div class="plot">{plot}</div>'
        f"<figcaption><p>What usually helps: {e(finding.helps)}</p></figcaption></figure>"
    )


def _rollbacks(info: Mapping[str, Any]) -> str:
    rows = "".join(f"<li>{e(line)}</li>" for line in rollback_lines(info))
    return f'<ul class="card sources">{rows}</ul>' if rows else ""


def rollback_lines(info: Mapping[str, Any]) -> list[str]:
    """Every rollback of the run in words."""
    lines = []
    for number, row in enumerate(info.get("rollbacks", []), start=1):
        factors = {f"learning rate of the {player}": factor for player, factor in row["rates"].items()}
        factors |= {f"weight of {name}": factor for name, factor in row["weights"].items()}
        changed = ", ".join(f"{what} x {factor:g}" for what, factor in factors.items() if factor != 1.0)
        lines.append(
            f"Rollback {number}: {row['illness'].replace('_', ' ')} since step {row['since']}; at step {row['left']} "
            f"back to {row['to']}, then {changed or 'as before'}. See rolled_back/{number}/log.jsonl."
        )
    return lines
