"""One self-contained HTML page from a study's answer.json, and its curve as a picture: the metric over each weight."""

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWNBASE, CARETUPBASE
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ..core.errors import GradganError
from ..core.files import replace_file, writing
from .curves import figure_of
from .document import document
from .drawing import PALETTE, blank, dress, svg_text
from .parts import e

Words = Mapping[str, Any]
_COLORS = {"critic": "#1f6fb8", "generator": "#d2570a", "real": "#7b8490", "alarm": "#cf222e", "ink": "#5d6570"}
"""The page's palette by day, for the picture."""


def write_study_page(out: Path) -> Path:
    """Write OUT/report.html and OUT/curve.png from OUT/answer.json, and return the page's path.

    Every text is escaped, nothing is fetched. Raises GradganError where the folder's files are broken.
    """
    try:
        answer = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GradganError(f"{out / 'answer.json'} cannot be read ({error}). Tune again, to write it.") from None
    path = out / "report.html"
    with writing(path):
        replace_file(path, page(answer).encode())
        replace_file(out / "curve.png", picture(answer))
    return path


def page(answer: Words) -> str:
    """The page as text."""
    names = ", ".join(axis["name"] for axis in answer["axes"])
    about = ", ".join(f"{k} {v}" for k, v in answer["about"].items())
    facts = "".join(f"<dt>{e(name)}</dt><dd>{e(text)}</dd>" for name, text in answer["facts"].items())
    body = [
        f'<div class="top"><h1>{e(names)}</h1></div><p class="lead">{e(answer["verdict"])}</p>',
        f'<p class="lead">{e(len(answer["trials"]))} trials of {e(answer["runs"])} runs each. {e(about)}.</p>',
        f'<pre class="card command">{e(answer["command"])}</pre>',
        f'<h2>The answer</h2><dl class="card commands">{facts}</dl>',
        f'<h2>The curve</h2><div class="charts pairs">{"".join(_charts(answer))}</div>',
        f"<h2>Every trial</h2>{_table(answer)}",
        f"<h2>How to read it</h2><p class='quiet how'>{e(answer['how'])}</p>",
        f"<footer>Written by gradgan {e(answer['about'].get('gradgan', ''))}.</footer>",
    ]
    return document(f"Study: {names}", "\n".join(body), styles=("page.css", "comparison.css"))


def _charts(answer: Words) -> list[str]:
    charts = []
    for index, axis in enumerate(answer["axes"]):
        figure, axes = blank()
        _drawn(axes, answer, axis, PALETTE.__getitem__)
        label = e(f"{answer['metric']} over {axis['name']}, a mark for each trial")
        charts.append(
            f'<figure class="card chart"><header><h3>{e(answer["metric"])}</h3><span>over {e(axis["name"])}, '
            f'{e(answer["better"])} is better</span></header><div class="plot">'
            f"{svg_text(figure, salt=str(index), label=label)}</div><figcaption><p>{_KEY}</p></figcaption></figure>"
        )
    return charts


_KEY = (
    "Dots: whole trials, with the least and the greatest of their runs; ringed: the chosen one; square: the default. "
    "Pale: pruned, at their last look; an arrow at the edge: off the scale, which is the whole trials'. "
    "Triangles: a run collapsed. Crosses below: diverged. Dashed line: none."
)


def picture(answer: Words) -> bytes:
    """The curves as a PNG, one below the other."""
    rows = len(answer["axes"])
    figure = Figure(figsize=(7, 3.6 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for row, axis in enumerate(answer["axes"], start=1):
        axes = figure.add_subplot(rows, 1, row)
        _drawn(axes, answer, axis, lambda word: _COLORS.get(word, "#e9ecf0"))
        axes.set_xlabel(axis["name"])
        axes.set_ylabel(answer["metric"])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


@dataclass(frozen=True)
class _Mark:
    """A trial in the curve."""

    x: float
    mean: float
    low: float
    high: float
    trial: Words

    @property
    def whole(self) -> bool:
        """Did it come to its end?"""
        return self.trial["end"] == "complete"


def _drawn(axes: Axes, answer: Words, axis: Words, color: Callable[[str], str]) -> None:
    """Every trial at its value of one axis."""
    trials = [t for t in answer["trials"] if t["values"] is not None]
    marks = [_mark(t, axis) for t in trials if t["finals"] and t["end"] in ("complete", "pruned")]
    crosses = [_place(t["values"][axis["name"]], axis) for t in trials if t["end"] in ("diverged", "failed")]
    means = [
        sum(t["finals"]) / len(t["finals"])
        for t in answer["trials"]
        if t["kind"] == "none" and t["end"] == "complete" and t["finals"]
    ]
    low, high = _dressed(axes, axis, [*_told(marks), *means], color)
    for m in marks:
        shade = color("generator" if m.trial["number"] == answer["chosen"] else "critic")
        shape = "^" if m.trial["collapsed"] else "s" if m.trial["kind"] == "default" else "o"
        look: dict[str, Any] = {"color": shade, "alpha": 1.0 if m.whole else 0.35, "clip_on": False}
        if not low <= m.mean <= high:
            edge, arrow = (high, CARETUPBASE) if m.mean > high else (low, CARETDOWNBASE)
            axes.plot([m.x], [edge], marker=arrow, markersize=7, **look)
            continue
        axes.plot([m.x, m.x], [max(m.low, low), min(m.high, high)], linewidth=1.0, **look)
        axes.plot([m.x], [m.mean], shape, markersize=7 if m.trial["number"] == answer["chosen"] else 4.5, **look)
        if m.trial["number"] == answer["chosen"]:
            axes.plot([m.x], [m.mean], "o", markersize=12, markerfacecolor="none", color=shade, clip_on=False)
    for mean in means:
        axes.axhline(mean, color=color("real"), linewidth=1.2, linestyle="--")
    if crosses:
        axes.plot(
            crosses, [0.02] * len(crosses), "x", transform=axes.get_xaxis_transform(), color=color("alarm"),
            markersize=6, markeredgewidth=1.4, clip_on=False,
        )  # fmt: skip


def _told(marks: Sequence[_Mark]) -> list[float]:
    """What the scale must show: the runs of whole trials. A pruned one stood at an early look, which may be far off."""
    return [v for m in marks if m.whole for v in (m.low, m.high)] or [v for m in marks for v in (m.low, m.high)]


def _mark(trial: Words, axis: Words) -> _Mark:
    finals = [float(value) for value in trial["finals"]]
    x = _place(trial["values"][axis["name"]], axis)
    return _Mark(x, sum(finals) / len(finals), min(finals), max(finals), trial)


def _place(value: Any, axis: Words) -> float:
    return float(list(axis["choices"]).index(value)) if axis["choices"] else float(value)


def _dressed(axes: Axes, axis: Words, values: Sequence[float], color: Callable[[str], str]) -> tuple[float, float]:
    """Axes and grid; returns the ends of the upright scale, which shows all values."""
    low, high = (-0.5, len(axis["choices"]) - 0.5) if axis["choices"] else (axis["low"], axis["high"])
    spread = bool(values) and min(values) > 0 and max(values) >= 50 * min(values)
    dress(axes, (low, high), log=spread)
    axes.grid(axis="y", color=color("grid"), linewidth=0.8)
    axes.tick_params(labelcolor=color("ink"))
    if axis["choices"]:
        axes.set_xticks(range(len(axis["choices"])), [str(choice) for choice in axis["choices"]])
    elif axis["log"]:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlim(low, high)
    if not values:
        return axes.get_ylim()
    least, most = min(values), max(values)
    if spread:
        room = (most / least) ** 0.05
        axes.set_ylim(least / room, most * room)
    else:
        room = 0.05 * (most - least) or 0.05 * abs(most) or 1.0
        axes.set_ylim(least - room, most + room)
    return axes.get_ylim()


def _table(answer: Words) -> str:
    """Every trial, the best first."""
    head = "".join(f"<th>{e(axis['name'])}</th>" for axis in answer["axes"])
    trials = sorted(answer["trials"], key=lambda t: (t["end"] != "complete", float(t["loss"]), t["number"]))
    rows = []
    for t in trials:
        given = dict(one.split("=", 1) for one in t["settings"])
        fields = [sorted({given[f] for f in axis["fields"] if f in given}) for axis in answer["axes"]]
        mark = "chosen" if t["number"] == answer["chosen"] else t["kind"]
        finals = [float(value) for value in t["finals"]]
        mean = figure_of(float(f"{sum(finals) / len(finals):.3g}")) if finals else "–"
        end = t["error"] or t["end"]
        css = "" if t["end"] in ("complete", "pruned") else " class='alarm'"
        rows.append(
            f"<tr><td>{e(mark)}</td><td class='n'>{e(t['number'])}</td>"
            + "".join(f"<td class='n'>{e(' '.join(_short(value) for value in own))}</td>" for own in fields)
            + f"<td class='n'>{e(mean)}</td><td{css}>{e(end)}</td><td class='n'>{e(t['collapsed'])}</td>"
            f"<td class='n'>{e(t['steps'])}</td></tr>"
        )
    return (
        f'<div class="card scroll"><table><thead><tr><th></th><th class="n">trial</th>{head}'
        f'<th class="n">{e(answer["metric"])}</th><th>ended</th><th class="n">collapsed</th><th class="n">steps</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _short(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{number:.3g}" if math.isfinite(number) else value
