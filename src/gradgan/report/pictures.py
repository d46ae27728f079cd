"""Samples as one picture: images as a grid of tiles, points as a scatter over the real ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import GradganError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The grey between tiles: apart from black digits' ground and from white paper alike.
_GAP = 64
_TILE = 48
_REAL, _FAKE = "#b4b8c0", "#d55e00"


def grid_of_images(images: np.ndarray, columns: int | None = None, zoom: int | None = None) -> np.ndarray:
    """Tiles row by row with a gap of one pixel: uint8 (n, c, h, w) with c of 1 or 3 -> (H, W) or (H, W, 3).

    `columns` makes a near square where it is left out; `zoom` enlarges small images to about 48 pixels (8x8 sixfold).
    Raises GradganError for other shapes or types, and for columns or zoom below 1.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise GradganError(
            f"a grid wants uint8 images (n, 1 or 3, h, w) with n >= 1, got {images.dtype} {images.shape}. "
            "Scale to 0..255 and put the channels first."
        )
    n, channels, height, width = images.shape
    columns = math.ceil(math.sqrt(n)) if columns is None else columns
    zoom = max(1, round(_TILE / max(height, width))) if zoom is None else zoom
    if columns < 1 or zoom < 1:
        raise GradganError(f"a grid wants columns >= 1 and zoom >= 1, got columns={columns}, zoom={zoom}.")
    columns = min(columns, n)
    tiles = images.repeat(zoom, axis=2).repeat(zoom, axis=3).transpose(0, 2, 3, 1)
    height, width = height * zoom + 1, width * zoom + 1
    rows = math.ceil(n / columns)
    grid = np.full((rows * height + 1, columns * width + 1, channels), _GAP, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height + 1, index % columns * width + 1
        grid[top : top + height - 1, left : left + width - 1] = tile
    return grid[:, :, 0] if channels == 1 else grid


def scatter_of_points(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Generated points over the real ones: (n, d) and (m, d) -> a uint8 RGB picture (480, 480, 3).

    The limits come from the real points alone, so the frames of a run can be compared; how many generated points lie
    outside is said below the picture. One coordinate is drawn as a histogram; of more than two the first two are drawn,
    which is said there too.
    Raises GradganError for shapes that do not fit, and for real points that are not finite.
    """
    if fake.ndim != 2 or real.ndim != 2 or fake.shape[1] != real.shape[1] or 0 in (*fake.shape, *real.shape):
        raise GradganError(
            f"a scatter wants points (n, d) and (m, d), got fake {fake.shape} and real {real.shape}. "
            "Flatten each sample first: x.reshape(len(x), -1)."
        )
    if not np.isfinite(real).all():
        raise GradganError("a scatter wants finite real points, got nan or inf. Clean the data first.")
    # Imported here: sampling a grid of images needs no matplotlib, and it takes half a second to load.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 4.8), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    # A fixed box, so that the frames of a run do not jump.
    axes = figure.add_axes((0.1, 0.1, 0.87, 0.83))
    axes.tick_params(labelsize=8, colors="#5b616b")
    axes.spines[:].set_color("#d8dbe0")
    shown = min(real.shape[1], 2)
    low, high = _limits(real[:, :shown])
    if shown == 1:
        _histogram(axes, fake[:, 0], real[:, 0], low[0], high[0])
    else:
        _scatter(axes, fake[:, :2], real[:, :2], low, high)
    with np.errstate(invalid="ignore"):
        inside = np.logical_and(fake[:, :shown] >= low, fake[:, :shown] <= high).all(1)
    figure.text(0.5, 0.015, _note(real.shape[1], len(fake), int((~inside).sum())), ha="center", fontsize=9)
    figure.legend(loc="upper right", ncols=2, fontsize=9, frameon=False, markerscale=1.8)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def _limits(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The box of the real points with a margin; never of width 0."""
    low, high = real.min(0).astype(float), real.max(0).astype(float)
    margin = np.maximum(0.2 * (high - low), 0.05 * max(float((high - low).max()), 1.0))
    return low - margin, high + margin


def _scatter(axes: Axes, fake: np.ndarray, real: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    axes.scatter(real[:, 0], real[:, 1], s=9, color=_REAL, linewidths=0, label="real", rasterized=True)
    axes.scatter(fake[:, 0], fake[:, 1], s=9, color=_FAKE, linewidths=0, alpha=0.7, label="generated")
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")


def _histogram(axes: Axes, fake: np.ndarray, real: np.ndarray, low: float, high: float) -> None:
    bins = np.linspace(low, high, 61).tolist()
    # Shares of all points, not of those within the limits: a run that flies away shows an empty histogram.
    for values, color, label in ((real, _REAL, "real"), (fake, _FAKE, "generated")):
        finite = values[np.isfinite(values)]
        share = np.full(len(finite), 1 / len(values))
        filled = label == "real"
        axes.hist(finite, bins, weights=share, color=color, label=label, histtype="stepfilled" if filled else "step")
    axes.set_xlim(low, high)


def _note(dimensions: int, n: int, outside: int) -> str:
    what = {1: "histogram of the only coordinate", 2: ""}.get(dimensions, f"first 2 of {dimensions} coordinates")
    gone = f"{outside} of {n} generated points outside" if outside else ""
    return "; ".join(part for part in (what, gone) if part)
