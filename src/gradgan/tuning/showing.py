"""An answer as a table in the terminal, as Markdown, as plain data for JSON, the page and `train --from`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..core.files import replace_file, to_json, writing
from ..report.figures import rounded, told
from .answer import Answer, Trial
from .plan import Plan

HOW = (
    "Each value is the mean over runs, one for each fold and seed, judged against the fold that it did not learn from; "
    "95% intervals over these runs: bootstrap, never narrower than Student's t. Folds share training samples, so runs "
    "are less independent than that supposes. The chosen value is the best of all that were tried, which flatters it: "
    "only other seeds tell what it is worth. The interval of the chosen value is where 95% of the choices lie when the "
    "runs are resampled. Collapsed: fewer than half of the modes or classes found. A trial of which one run diverges "
    "is ended."
)


def rows_of(answer: Answer) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of text, a trial each, the best first."""
    headings = ["", "trial", *(axis.name for axis in answer.axes), answer.metric, "ended", "collapsed", "steps"]
    trials = sorted(answer.trials, key=lambda t: (t.end != "complete", t.loss, t.number))
    return headings, [_row(t, answer) for t in trials]


def _row(t: Trial, answer: Answer) -> list[str]:
    mark = "chosen" if t is answer.chosen else t.kind if t.kind in ("none", "default") else ""
    given = dict(one.split("=", 1) for one in t.settings)
    return [
        mark,
        str(t.number),
        *(" ".join(dict.fromkeys(_figure(given[f]) for f in axis.fields if f in given)) for axis in answer.axes),
        _value(t),
        t.end,
        f"{t.collapsed} of {answer.runs}" if t.end in ("complete", "pruned") else "–",
        str(t.steps),
    ]


def _value(t: Trial) -> str:
    if t.error:
        return t.error
    if t.end not in ("complete", "pruned") or not t.finals:
        return "–"
    mean = _figure(sum(t.finals) / len(t.finals))
    return mean if t.end == "complete" else f"({mean})"


def _figure(value: object) -> str:
    try:
        number = float(str(value))
    except ValueError:
        return str(value)
    return rounded(number)


def facts_of(answer: Answer) -> dict[str, str]:
    """What is said above the table, by a word or two."""
    facts = {"answer": answer.verdict}
    for name, spread in answer.spread.items():
        if isinstance(spread, dict):
            facts[f"{name}, with other runs"] = ", ".join(f"{k} {100 * v:.0f}%" for k, v in spread.items() if v)
        else:
            facts[f"{name}, with other runs"] = f"between {_figure(spread[0])} and {_figure(spread[1])}"
    facts[f"{answer.metric} ({answer.better} is better)"] = told(answer.value)
    if answer.over_none is not None:
        facts["minus none"] = told(answer.over_none, sign=True)
    if answer.over_default is not None:
        facts["minus default"] = told(answer.over_default, sign=True)
    facts["collapse"] = collapse_of(answer)
    saved = 1 - answer.steps / answer.unpruned if answer.unpruned else 0.0
    facts["cost"] = (
        f"{sum(t.end != 'lost' for t in answer.trials)} trials, {answer.steps} steps, {answer.seconds:.0f} s of "
        f"processor time; pruning saved {100 * saved:.0f}% of the steps"
    )
    return facts


def collapse_of(answer: Answer) -> str:
    """Which points collapse or diverge in at least one run."""
    bad = [t for t in answer.trials if t.end == "diverged" or (t.end == "complete" and t.collapsed)]
    if not bad:
        return "no whole trial collapsed or diverged"
    points = [f"{' '.join(t.settings)} ({'diverged' if t.end == 'diverged' else 'collapsed'})" for t in bad[:8]]
    return "; ".join(points) + (f"; and {len(bad) - 8} more" if len(bad) > 8 else "")


def print_answer(answer: Answer, console: Console) -> None:
    """The table and the answer below it, where a terminal ends."""
    headings, rows = rows_of(answer)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(headings):
        table.add_column(name, justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table, highlight=False)
    console.print()
    for name, text in facts_of(answer).items():
        console.print(f"{name}: {text}", highlight=False, markup=False, soft_wrap=True)


def markdown(answer: Answer, *, command: str, about: dict[str, str]) -> str:
    """The answer for a document, the command and the date above it."""
    headings, rows = rows_of(answer)
    lines = ["```bash", command, "```", "", ", ".join(f"{k} {v}" for k, v in about.items()) + ".", ""]
    lines += [f"- **{name}**: {text}" for name, text in facts_of(answer).items()]
    lines += ["", _line(headings), _line(["---"] * len(headings)), *map(_line, rows), "", HOW, ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_plain(answer: Answer) -> dict[str, Any]:
    """Everything as plain data."""
    tree = asdict(answer)
    tree["axes"] = [{**asdict(axis), "name": axis.name} for axis in answer.axes]
    for told_trial, t in zip(tree["trials"], answer.trials, strict=True):
        told_trial |= {"finals": t.finals, "collapsed": t.collapsed}
    tree["chosen"] = answer.chosen.number if answer.chosen else None
    return tree | {"facts": facts_of(answer), "how": HOW}


def write_answer(answer: Answer, plan: Plan, out: Path, *, command: str, storage: str) -> None:
    """Write answer.json, table.md and report.html."""
    from .. import __version__
    from ..report import write_study_page

    about = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "gradgan": __version__, "storage": storage}
    settings = answer.chosen.settings if answer.chosen else None
    tree = {"command": command, "about": about, "config": plan.config, "settings": settings, **as_plain(answer)}
    for name, text in {
        "answer.json": to_json(tree, indent=1) + "\n",
        "table.md": markdown(answer, command=command, about=about),
    }.items():
        with writing(out / name):
            replace_file(out / name, text.encode())
    write_study_page(out)
