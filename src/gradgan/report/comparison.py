"""One self-contained HTML page from a comparison's folder: rankings, samples side by side, curves with bands."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import GradganError
from ..core.files import replace_file, writing
from ..core.record import RunFolder
from .bands import Band, band_of, svg_of_bands
from .curves import figure_of
from .document import data_uri, document
from .drawing import METHODS
from .parts import e
from .ranking import Words, ends_and_costs, interval_text, name_cell, ranking

_MOST_BYTES = 4_000_000
"""Of pictures in one page, about."""


def write_comparison_page(out: Path) -> Path:
    """Write OUT/report.html from OUT/comparison.json and the pictures of the runs below it, and return its path.

    Every text is escaped, nothing is fetched. Raises GradganError where the folder's files are broken.
    """
    try:
        comparison = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GradganError(f"{out / 'comparison.json'} cannot be read ({error}). Compare again, to write it.") from None
    path = out / "report.html"
    with writing(path):
        replace_file(path, page(comparison, out).encode())
    return path


def page(comparison: Words, out: Path) -> str:
    """The page as text."""
    tables = comparison["tables"]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(r["method"] for t in tables for r in t["rows"]))}
    left = [_MOST_BYTES]
    body = [_header(comparison, tables), _key(numbers)]
    for index, table in enumerate(tables):
        runs = [r for r in comparison["runs"] if (r["data"], r["budget"]) == (table["data"], table["budget"])]
        body.append(f"<h2>{e(table['data'])}, {e(table['budget'])}</h2>")
        body += [ranking(table, metric, numbers, comparison["baseline"]) for metric in table["better"]]
        body.append(ends_and_costs(table, numbers, comparison["baseline"]))
        body += [_logged(table, numbers, comparison["baseline"]), _samples(table, runs, out, left)]
        body.append(_curves(index, table, runs, numbers))
    body.append(f"<h2>How to read it</h2><p class='quiet how'>{e(comparison['how'])}</p>")
    body.append(f"<footer>Written by gradgan {e(comparison['about'].get('gradgan', ''))}.</footer>")
    styles = ("page.css", "comparison.css")
    return document("Comparison: " + ", ".join(dict.fromkeys(t["data"] for t in tables)), "\n".join(body),
                    styles=styles, script="comparison.js")  # fmt: skip


def _header(comparison: Words, tables: Sequence[Words]) -> str:
    data = ", ".join(dict.fromkeys(str(t["data"]) for t in tables))
    methods = len({r["method"] for t in tables for r in t["rows"]})
    about = ", ".join(f"{k} {v}" for k, v in comparison["about"].items() if k != "date")
    return (
        f'<div class="top"><h1>{e(methods)} methods on {e(data)}</h1></div>'
        f'<p class="lead">{e(len(comparison["runs"]))} runs, {e(comparison["about"].get("date", ""))}. '
        f"Differences are to {e(comparison['baseline'])}. {e(about)}.</p>"
        f'<pre class="card command">{e(comparison["command"])}</pre>'
    )


def _key(numbers: Mapping[str, int]) -> str:
    """The methods with their colours; pointing at one dims the others everywhere."""
    items = "".join(
        f'<li tabindex="0" data-method="{i}" class="{"dashed" if i >= len(METHODS) else ""}" '
        f'style="--c: var(--{METHODS[i % len(METHODS)]})"><i></i>{e(name)}</li>'
        for name, i in numbers.items()
    )
    return f'<ul class="keys methods" aria-label="Methods">{items}</ul>'


def _logged(table: Words, numbers: Mapping[str, int], baseline: str) -> str:
    names = list(dict.fromkeys(name for row in table["rows"] for name in row["logged"]))
    if not names:
        return ""
    head = "".join(f'<th class="n">{e(name)}</th><th class="n">minus {e(baseline)}</th>' for name in names)
    rows = []
    for row in table["rows"]:
        cells = ""
        for name in names:
            reading = row["logged"].get(name)
            cells += f'<td class="n">{interval_text(reading["interval"] if reading else None)}</td>'
            cells += f'<td class="n">{interval_text(reading["difference"] if reading else None, sign=True)}</td>'
        number = numbers[row["method"]]
        rows.append(f'<tr data-method="{number}">{name_cell(row["method"], number)}{cells}</tr>')
    return (
        '<section class="ranking"><header><h3>Logged numbers</h3><span>means over the run</span></header>'
        f'<div class="card scroll"><table><thead><tr><th>method</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _samples(table: Words, runs: Sequence[Words], out: Path, left: list[int]) -> str:
    """The newest picture of each method's first seed; those that the page has no room for are named."""
    shown, figures, without = [], [], []
    seed = min((run["seed"] for run in runs), default=0)
    for row in table["rows"]:
        run = next((r for r in runs if r["method"] == row["method"] and r["seed"] == seed), None)
        grids = RunFolder(out / run["path"]).grids() if run else []
        if run is None or not grids:
            continue
        step, picture = grids[-1]
        size = picture.stat().st_size
        if size > left[0]:
            without.append(f"{row['method']} ({picture.relative_to(out)})")
            continue
        left[0] -= size
        shown.append(run)
        figures.append(_sample(run, step, picture))
    if not figures and not without:
        return ""
    alike = ", from the same latents for every method" if _same_latents(shown) else ""
    more = f" Left out, to keep this page small: {', '.join(without)}." if without else ""
    return (
        f'<h3 class="apart">Samples</h3><p class="quiet">Seed {e(seed)}, the averaged generator{alike}.{e(more)}</p>'
        f'<div class="samples">{"".join(figures)}</div>'
    )


def _sample(run: Words, step: int, picture: Path) -> str:
    note = f'<span class="alarm">diverged</span> {figure_of(step)}' if run["diverged"] else f"step {figure_of(step)}"
    return (
        f'<figure class="card sample"><img loading="lazy" src="{data_uri(picture)}" alt="Samples of '
        f'{e(run["method"])}"><figcaption><b>{e(run["method"])}</b> <span>{note}</span></figcaption></figure>'
    )


def _same_latents(runs: Sequence[Words]) -> bool:
    """Runs of one seed draw the same latents for their pictures where they have as many, on the same kind of device."""
    drawn = {(run.get("latent"), run.get("device")) for run in runs}  # a comparison of before tells neither
    return len(drawn) == 1 and (None, None) not in drawn


def _curves(index: int, table: Words, runs: Sequence[Words], numbers: Mapping[str, int]) -> str:
    """Each metric over steps and over seconds."""
    seconds = {row["method"]: float(row["cost"]["seconds"]) for row in table["rows"]}
    charts = []
    for metric in table["better"]:
        for axis, scale in (("steps", dict.fromkeys(seconds, 1.0)), ("seconds", seconds)):
            bands = _bands(metric, runs, numbers, scale)
            if bands:
                label = e(f"{metric} over {axis}, a band for each method")
                svg = svg_of_bands(bands, salt=f"{index} {metric} {axis}", label=label)
                charts.append(
                    f'<figure class="card chart"><header><h3>{e(metric.replace("_", " "))}</h3>'
                    f'<span>over {axis}</span></header><div class="plot">{svg}</div></figure>'
                )
    return (
        '<h3 class="apart">Curves</h3><p class="quiet">The mean over seeds, with a band from the least to the most. '
        "Seconds are steps times the time per step, measured alone before the runs.</p>"
        f'<div class="charts pairs">{"".join(charts)}</div>'
    )


def _bands(metric: str, runs: Sequence[Words], numbers: Mapping[str, int], scale: Mapping[str, float]) -> list[Band]:
    looks: dict[str, list[dict[int, float]]] = {}
    for run in runs:
        own: dict[str, Any] = run["looks"].get(metric, {})
        looks.setdefault(run["method"], []).append({int(step): float(value) for step, value in own.items()})
    found = (band_of(numbers[method], own, scale[method]) for method, own in looks.items())
    return [band for band in found if band is not None]
