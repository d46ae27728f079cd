"""The picture of a penalties bench: how much longer a step takes, beside the limit by count."""

import io
from pathlib import Path

from ..core.files import replace_file, writing
from .result import Result

_COLOURS = {"sweep": "#0f766e", "double": "#b45309", "usual": "#9ca3af"}


def penalties_picture(result: Result, out: Path) -> Path:
    """NAME.png in the folder `out`: a panel for each critic, a bar for each penalty and engine, a line at its limit."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in result.rows if row["engine"] != "plain"]
    critics = list(dict.fromkeys(str(row["critic"]) for row in rows))
    penalties = list(dict.fromkeys(str(row["penalty"]) for row in rows))
    engines = list(dict.fromkeys(str(row["engine"]) for row in rows))
    figure = Figure(figsize=(1.5 + 3.0 * len(critics), 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(critics), sharey=True, squeeze=False)[0]
    width = 0.8 / len(engines)
    for panel, critic in zip(panels, critics, strict=True):
        for row in (row for row in rows if row["critic"] == critic):
            engine = str(row["engine"])
            x = penalties.index(str(row["penalty"])) + (engines.index(engine) - (len(engines) - 1) / 2) * width
            panel.bar(x, row["ratio"], width * 0.92, color=_COLOURS.get(engine))
            panel.plot([x - width / 2, x + width / 2], [row["limit"]] * 2, color="black", linewidth=1.2)
        panel.axhline(1, color="#d1d5db", linewidth=0.8, zorder=0)
        panel.set(title=critic, xticks=range(len(penalties)))
        panel.set_xticklabels(penalties, rotation=30, ha="right", fontsize=8)
    panels[0].set_ylabel("time over the unpenalised step")
    for engine in engines:
        panels[-1].bar([0], [0], color=_COLOURS.get(engine), label=engine)
    panels[-1].plot([], [], color="black", label="limit by layer products")
    figure.legend(loc="outside lower center", ncols=len(engines) + 1, fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    path = out / f"{result.name}.png"
    with writing(path):
        out.mkdir(parents=True, exist_ok=True)
        replace_file(path, buffer.getvalue())
    return path
