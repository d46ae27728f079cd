"""One self-contained HTML page from a run folder: no network, no dependency, safe to send to a colleague."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..core.files import replace_file, writing
from ..core.record import RunFolder
from . import drawing, parts
from .curves import Chart, charts_of, figure_of, series_of, thin
from .document import data_uri, document
from .health import health
from .parts import e

_MOST_GRIDS = 40
_MOST_BYTES = 3_000_000


def write_report(run: RunFolder) -> Path:
    """Write RUN/report.html from what lies in the folder, and return its path.

    Every text of the run is escaped, and the page's own policy lets nothing but its own script run and nothing be
    fetched. Raises GradganError where the folder's files are broken or the page cannot be written.
    """
    path = run.path / "report.html"
    with writing(path):
        replace_file(path, page(run).encode())
    return path


def page(run: RunFolder) -> str:
    """The page as text."""
    info, entries, found = run.info(), run.entries(), run.grids()
    glossary = parts.glossary_of(info)
    series = series_of(entries)
    charts = charts_of(series)
    grids = [(step, data_uri(picture)) for step, picture in chosen(found)]
    steps = [entry.step for entry in entries[-1:]] + [step for step, _ in found[-1:] + run.checkpoints()[-1:]]
    seconds = entries[-1].seconds if entries else None
    body = [
        parts.header(info, run.path),
        parts.tiles(info, glossary, step=max(steps, default=None), seconds=seconds),
        parts.evaluation(run.evaluations(), glossary),
        health(info, entries, series),
        f"<h2>Samples</h2>{parts.film(grids, len(found))}",
        _numbers(charts, glossary, parts.table(series, glossary)),
        f'<div class="pair"><section><h2>Config</h2><pre class="card">{e(run.config_text())}</pre></section>'
        f"<section><h2>Next</h2>{parts.commands(run.path)}<h2>Sources</h2>{parts.sources(info.get('citations', []))}"
        "</section></div>",
        f"<footer>Written by gradgan {e(info.get('gradgan', ''))} from the run's folder alone.</footer>",
    ]
    name = info.get("system", {}).get("name", run.path.name)
    return document(
        f"{name}: gradgan run {run.path.name}", "\n".join(body), styles=("page.css",), script="page.js",
        numbers=_for_script(charts, grids),
    )  # fmt: skip


def chosen(grids: Sequence[tuple[int, Path]]) -> list[tuple[int, Path]]:
    """Evenly spaced grids, the first and the last among them: few enough, and small enough together, for one page."""
    count = min(len(grids), _MOST_GRIDS)
    while True:
        last = len(grids) - 1
        picked = [grids[round(i * last / max(count - 1, 1))] for i in range(count)] if count != 1 else [grids[-1]]
        if count <= 2 or sum(path.stat().st_size for _, path in picked) <= _MOST_BYTES:
            return picked
        count -= 1


def _numbers(charts: Sequence[Chart], glossary: parts.Glossary, table: str) -> str:
    if not charts:
        return '<h2>Curves</h2><div class="card empty">No numbers are logged yet.</div>'
    drawn = "".join(parts.chart(index, chart, glossary) for index, chart in enumerate(charts))
    return (
        '<h2>Curves</h2><p class="quiet">By step. The number beside a name is the last one, or the one under the '
        "pointer. Where a curve is noisy, the thin line is what was logged and the thick one its moving mean.</p>"
        f'<div class="charts">{drawn}</div><h2>Every number</h2>'
        f'<p class="quiet">Least and greatest are over the whole run.</p>{table}'
    )


def _for_script(charts: Sequence[Chart], grids: Sequence[tuple[int, str]]) -> str:
    """What the script reads, as JSON that cannot end its <script> element."""
    numbers = {
        "box": [drawing.LEFT, drawing.TOP, drawing.RIGHT, drawing.BOTTOM],
        "grids": [{"step": step, "image": image} for step, image in grids],
        "charts": [
            {
                "limits": drawing.limits(chart),
                "series": [
                    {"steps": steps.tolist(), "values": [figure_of(v) for v in values.tolist()]}
                    for steps, values in (thin(s.steps, s.values) for s in chart.series)
                ],
            }
            for chart in charts
        ],
    }
    return json.dumps(numbers, separators=(",", ":")).replace("<", "\\u003c")
