"""The ranking of a comparison: methods best first, ties as ranges, each interval drawn on a common scale."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.statistics import Rank
from .curves import figure_of
from .drawing import METHODS
from .figures import rounded
from .parts import e

Words = Mapping[str, Any]


def ranking(table: Words, metric: str, numbers: Mapping[str, int], baseline: str) -> str:
    """One metric's table; `numbers` gives each method's number, which chooses its colour."""
    rows = sorted(table["rows"], key=lambda row: _place(row, metric))
    scale = _scale([reading["interval"] for row in rows if (reading := _last(row, metric))])
    wanted = {"lower": "lower is better", "higher": "higher is better"}.get(table["better"][metric], "")
    if metric in table.get("floors", {}):  # a comparison of before has none
        wanted += f"; floor {_figure(table['floors'][metric])}"
    head = "".join(
        f"<th{css}>{text}</th>"
        for css, text in (
            ("", "rank"), ("", "method"), (' class="n"', f"last {e(metric)}"), ("", f"<small>{_ends(scale)}</small>"),
            (' class="n"', f"minus {e(baseline)}"), (' class="n"', f"at equal {e(table['equal'])}"),
            (' class="n"', "best, at step"),
        )
    )  # fmt: skip
    lines = _lines(rows, metric)
    body = [_row(row, metric, numbers[row["method"]], scale, line) for row, line in zip(rows, lines, strict=True)]
    return (
        f'<section class="ranking"><header><h3>{e(metric.replace("_", " "))}</h3><span>{wanted}</span></header>'
        f'<div class="card scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
        "</section>"
    )


def _last(row: Words, metric: str) -> Words | None:
    return row["metrics"].get(metric, {}).get("last")


def _place(row: Words, metric: str) -> float:
    reading = _last(row, metric)
    return math.inf if reading is None else reading["rank"]["place"]


def _lines(rows: Sequence[Words], metric: str) -> list[bool]:
    """Above which rows to draw a line: where every rank above is better than every one below, so no tie crosses it.

    Rows without a rank come last, below a line of their own.
    """
    ranges = [(math.inf, math.inf)] * len(rows)
    for i, row in enumerate(rows):
        if reading := _last(row, metric):
            ranges[i] = (reading["rank"]["best"], reading["rank"]["worst"])
    return [
        i > 0 and max(worst for _, worst in ranges[:i]) < min(best for best, _ in ranges[i:])
        for i in range(len(ranges))
    ]


def _row(row: Words, metric: str, number: int, scale: tuple[float, float], line: bool) -> str:
    readings = row["metrics"].get(metric, {})
    last, equal, best = (readings.get(name) for name in ("last", "equal", "best"))
    steps = sorted(best["steps"].values()) if best else []
    middle = f" <small>{figure_of(steps[(len(steps) - 1) // 2])}</small>" if steps else ""
    difference = last["difference"] if last else None
    css = "" if difference is None or _contains_zero(difference) else " strong"
    rank = Rank(**last["rank"]) if last else None
    cells = [
        f'<td class="rank">{rank or "–"}</td>',
        name_cell(row["method"], number),
        f'<td class="n">{_of_seeds(last, row)}</td>',
        f"<td>{_bar(last['interval'], scale) if last else ''}</td>",
        f'<td class="n{css}">{interval_text(difference, sign=True)}</td>',
        f'<td class="n">{_of_seeds(equal, row)}</td>',
        f'<td class="n">{_of_seeds(best, row)}{middle}</td>',
    ]
    return f'<tr data-method="{number}"{" class=apart" if line else ""}>{"".join(cells)}</tr>'


def _of_seeds(reading: Words | None, row: Words) -> str:
    """The interval, and of how many seeds where some left no value."""
    n = reading["interval"]["n"] if reading else row["seeds"]
    missing = f" <small>({n} of {row['seeds']})</small>" if n < row["seeds"] else ""
    return interval_text(reading["interval"] if reading else None) + missing


def name_cell(method: str, number: int) -> str:
    """A method's name beside its colour."""
    return f'<td class="name" style="--c: var(--{METHODS[number % len(METHODS)]})"><i></i>{e(method)}</td>'


def ends_and_costs(table: Words, numbers: Mapping[str, int], baseline: str) -> str:
    """How the runs ended, and what a step costs."""
    names = ("collapsed", "diverged", "steps", "time/step over unpenalised", f"over {baseline}", "time/step", "memory")
    head = "".join(f'<th class="n">{e(name)}</th>' for name in names)
    rows = []
    for row in table["rows"]:
        cost, number = row["cost"], numbers[row["method"]]
        cells = [
            name_cell(row["method"], number),
            _count(row["collapsed"], row["seeds"]),
            _count(row["diverged"], row["seeds"]),
            f'<td class="n">{figure_of(row["steps"])}</td>',
            f'<td class="n">{float(cost["over_unpenalised"]):.2f} ×</td>',
            f'<td class="n">{float(row["over_baseline"]):.2f} ×</td>',
            f'<td class="n">{_figure(1000 * float(cost["seconds"]))} ms</td>',
            f'<td class="n">{cost["memory"] / 2**20:.1f} MiB</td>',
        ]
        rows.append(f'<tr data-method="{number}">{"".join(cells)}</tr>')
    return (
        '<section class="ranking"><header><h3>ends and costs</h3><span>runs that collapsed or diverged; a step alone, '
        "measured before the runs</span></header>"
        f'<div class="card scroll"><table><thead><tr><th>method</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _count(count: int | None, of: int) -> str:
    if count is None:
        return '<td class="n">–</td>'
    return f'<td class="n{" alarm" if count else ""}">{count} of {of}</td>'


def _contains_zero(interval: Words) -> bool:
    return float(interval["low"]) <= 0 <= float(interval["high"])


def interval_text(interval: Words | None, *, sign: bool = False) -> str:
    """An interval as HTML: the mean, its bounds quieter beside it."""
    if interval is None:
        return "–"
    mean = float(interval["mean"])
    text = ("+" if sign and mean > 0 else "") + _figure(mean)
    if interval["n"] == 1:
        return text
    return f"{text} <small>[{_figure(float(interval['low']))}, {_figure(float(interval['high']))}]</small>"


def _figure(value: float) -> str:
    return e(rounded(value))


def _scale(intervals: Sequence[Words]) -> tuple[float, float]:
    """The axis of the bars: every mean, and intervals as far as they are no more than twice the means' own range."""
    means = [float(i["mean"]) for i in intervals]
    if not means:
        return 0.0, 1.0
    reach = max(max(means) - min(means), 1e-12 * max(map(abs, means)), 1e-12)
    low = max(min(min(float(i["low"]) for i in intervals), min(means)), min(means) - reach)
    high = min(max(max(float(i["high"]) for i in intervals), max(means)), max(means) + reach)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ends(scale: tuple[float, float]) -> str:
    return f'<span class="ends"><span>{_figure(scale[0])}</span><span>{_figure(scale[1])}</span></span>'


_WIDTH, _HEIGHT, _EDGE = 160, 16, 5


def _bar(interval: Words, scale: tuple[float, float]) -> str:
    """Mean and interval as a dot and a line; a line that leaves the scale is cut at the edge."""
    low, high = scale

    def at(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return round(_EDGE + share * (_WIDTH - 2 * _EDGE), 1)

    bounds = f'x1="{at(float(interval["low"]))}" x2="{at(float(interval["high"]))}"' if interval["n"] > 1 else ""
    line = f'<line {bounds} y1="8" y2="8"/>' if bounds else ""
    return (
        f'<svg class="bar" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{line}'
        f'<circle cx="{at(float(interval["mean"]))}" cy="8" r="4.2"/></svg>'
    )
