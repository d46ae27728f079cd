"""Curves of several methods in one chart: the mean over seeds, and a band from the lowest to the highest seed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .drawing import METHODS, PALETTE, blank, dress, svg_text


@dataclass(frozen=True)
class Band:
    """One method's looks: at `x`, the mean, the lowest and the highest of its seeds."""

    method: int
    """Its number, which chooses its colour and names it to the page's script."""
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band_of(method: int, runs: Sequence[Mapping[int, float]], scale: float = 1.0) -> Band | None:
    """The band over runs, each {step: value}; only steps that every run reached alive, x = step * scale."""
    alive = [run for run in runs if run]
    steps = sorted(set.intersection(*(set(run) for run in alive))) if alive else []
    if not steps:
        return None
    values = np.array([[run[step] for step in steps] for run in alive], float)
    return Band(method, np.array(steps) * scale, values.mean(0), values.min(0), values.max(0))


def svg_of_bands(bands: Sequence[Band], *, salt: str, label: str) -> str:
    """The bands as an <svg> element; `label` (already escaped) tells a screen reader what it shows.

    Each method's marks are a group of class `method-N`, for the page's script to find.
    """
    figure, axes = blank()
    shade = min(0.16, 0.9 / len(bands))  # many bands over one another must leave the lines to be seen
    for band in bands:
        color, name = color_of_method(band.method), f"method-{band.method}"
        if len(band.x) > 1:
            axes.fill_between(band.x, band.low, band.high, color=color, alpha=shade, linewidth=0, gid=name)
            style = "-" if band.method < len(METHODS) else "--"
            axes.plot(band.x, band.mean, color=color, linewidth=1.7, linestyle=style, gid=name)
        else:
            axes.plot(band.x, band.mean, "o", color=color, markersize=4, gid=name)
    low, high = min(band.x.min() for band in bands), max(band.x.max() for band in bands)
    dress(axes, (0.0, float(high)) if high > low else (float(low) - 0.5, float(high) + 0.5), log=_wants_log(bands))
    # One class for a band and its line: an id must not occur twice in a page.
    return re.sub(r'id="(method-\d+)"', r'class="\1"', svg_text(figure, salt=salt, label=label))


def color_of_method(method: int) -> str:
    """What matplotlib draws a method in; the palette's words begin anew after ten methods, whose lines are dashed."""
    return PALETTE[METHODS[method % len(METHODS)]]


def _wants_log(bands: Sequence[Band]) -> bool:
    """A log axis where every value is above 0 and they span a factor of 50 or more."""
    low, high = min(band.low.min() for band in bands), max(band.high.max() for band in bands)
    return bool(low > 0 and high >= 50 * low)
