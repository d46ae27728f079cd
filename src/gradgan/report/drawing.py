"""A chart as an inline SVG that takes its colours from the page, so that it is right by day and by night."""

import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from .curves import Chart, Series, smooth, thin

WIDTH, HEIGHT = 460, 230
# The plot's box in shares of the picture, the same in every chart: the page's script lays its cursor over it.
LEFT, RIGHT, TOP, BOTTOM = 0.115, 0.985, 0.04, 0.86

# Matplotlib wants colours; each stands for a word of the page's palette and becomes var(--word) in the SVG.
_WORDS = ("critic", "generator", "gon", "encoder", "real", "other", "ink", "grid", "alarm")
METHODS = tuple(f"m{index}" for index in range(10))
"""The palette's words for the methods of a comparison."""
PALETTE = {word: f"#fe01{index:02x}" for index, word in enumerate((*_WORDS, *METHODS))}


def svg_of(chart: Chart, label: str) -> str:
    """The chart as an <svg> element; `label` (already escaped) tells a screen reader what it shows."""
    figure, axes = blank()
    for index, series in enumerate(chart.series):
        # Two equal curves, such as learning rates: the upper one is dashed, so that both are seen.
        hidden = any(np.array_equal(series.values, earlier.values) for earlier in chart.series[:index])
        _draw(axes, series, dashed=hidden)
    dress(axes, limits(chart), log=chart.log)
    return svg_text(figure, salt=chart.title, label=label)


def svg_of_histograms(histograms: Mapping[str, Mapping[str, Sequence[float]]], *, salt: str, label: str) -> str:
    """Outlines of histograms over shared bins, {word of the palette: {"edges", "counts"}}, as an <svg> element.

    With "errors": a stroke of two of them to either side of each count, not below 0.
    """
    figure, axes = blank()
    edges: Sequence[float] = (0.0, 1.0)
    for word, histogram in histograms.items():
        edges = histogram["edges"]
        axes.stairs(histogram["counts"], edges, color=PALETTE[word], linewidth=1.7)
        if "errors" in histogram:
            counts, errors = (np.asarray(histogram[part], float) for part in ("counts", "errors"))
            middle = (np.asarray(edges[:-1]) + np.asarray(edges[1:])) / 2
            axes.vlines(
                middle, np.clip(counts - 2 * errors, 0, None), counts + 2 * errors, color=PALETTE[word], linewidth=1.2
            )
    dress(axes, (edges[0], edges[-1]), log=False, whole=False)
    return svg_text(figure, salt=salt, label=label)


def blank() -> tuple[Figure, Axes]:
    """A figure of the page's size, and its axes in the one box."""
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
    figure.patch.set_visible(False)
    return figure, figure.add_axes((LEFT, 1 - BOTTOM, RIGHT - LEFT, BOTTOM - TOP))


def svg_text(figure: Figure, *, salt: str, label: str) -> str:
    """The figure as an <svg> element; `salt` keeps the ids of two charts in one page apart."""
    # Text stays text, in the page's own font.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return _cleaned(buffer.getvalue(), label)


def limits(chart: Chart) -> tuple[float, float]:
    """The first and the last step of the axis."""
    low = min(float(s.steps.min()) for s in chart.series)
    high = max(float(s.steps.max()) for s in chart.series)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _draw(axes: Axes, series: Series, *, dashed: bool = False) -> None:
    color = PALETTE[series.color]
    mean = smooth(series.values)
    steps, values = thin(series.steps, series.values)
    values = np.where(np.isfinite(values), values, np.nan)
    thick, alpha = (1.5, 1.0) if mean is None else (0.8, 0.35)
    axes.plot(steps, values, color=color, linewidth=thick, alpha=alpha, linestyle="--" if dashed else "-")
    if mean is not None:
        axes.plot(*thin(series.steps, mean), color=color, linewidth=1.7)
    lonely = series.finite & ~_beside(series.finite)
    if lonely.any():
        # A value between two gaps makes no line, so it would not be seen.
        axes.plot(series.steps[lonely], series.values[lonely], "o", color=color, markersize=4)
    broken = series.steps[~series.finite]
    if len(broken):
        # At most a hundred marks: a run that stayed ill needs no thousand.
        marks = broken[np.linspace(0, len(broken) - 1, min(len(broken), 100)).round().astype(int)]
        cross = {"color": PALETTE["alarm"], "markersize": 6, "markeredgewidth": 1.4, "clip_on": False}
        axes.plot(marks, np.full(len(marks), 0.02), "x", transform=axes.get_xaxis_transform(), **cross)


def _beside(finite: np.ndarray) -> np.ndarray:
    """Which values have a finite neighbour."""
    beside = np.zeros(len(finite), bool)
    beside[1:] |= finite[:-1]
    beside[:-1] |= finite[1:]
    return beside


def dress(axes: Axes, x: tuple[float, float], *, log: bool, whole: bool = True) -> None:
    """Axes that stay behind the curves: a hairline grid, no box, few ticks; `whole`: the ticks of x are steps."""
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.grid(axis="y", color=PALETTE["grid"], linewidth=0.8)
    axes.tick_params(length=0, labelsize=10.5, labelcolor=PALETTE["ink"], pad=5)
    axes.set_xlim(*x)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    """A tick's label of few signs: 2k, 0.05, 1e-5."""
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value / 1e3:.4g}k" if size >= 1e3 else f"{value:.4g}"


# What matplotlib writes and a page does not want: metadata, a style for everything, fonts, names of groups.
_NEEDLESS = re.compile(
    r"<metadata>.*?</metadata>|<style.*?</style>| font-family: [^;\"]+;| id=\"[\w.]+_\d+\"|(?<=>)\s+(?=<)", re.S
)


def _cleaned(text: str, label: str) -> str:
    """The <svg> element alone: without prologue, metadata, fixed size, fonts and colours of its own."""
    text = _NEEDLESS.sub("", text[text.index("<svg") :])
    for word, color in PALETTE.items():
        text = text.replace(color, f"var(--{word})")
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
    return head + text[text.index(">") + 1 :].strip()
