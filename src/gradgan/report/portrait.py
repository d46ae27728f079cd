"""The phase portrait of a game of two numbers: the field, and one trajectory through it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from ..core.files import replace_file, writing

Field = Callable[[float, float], np.ndarray]
"""(psi, theta) -> velocity (2,)"""


def phase_portrait(field: Field, trajectory: np.ndarray, out: str | Path, *, title: str) -> Path:
    """Draw the field with the trajectory (k, 2) over it, into a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.6), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    _draw(axes, field, trajectory)
    axes.set(xlabel="critic's slope psi", ylabel="generator's place theta")
    axes.set_title(title, fontsize=9, wrap=True)
    axes.legend(loc="upper right", fontsize=8)
    return _saved(figure, Path(out))


def phase_portraits(pictures: Sequence[tuple[Field, np.ndarray, str]], out: str | Path, *, columns: int = 5) -> Path:
    """Draw many, each with its title, side by side into one PNG."""
    from matplotlib.figure import Figure

    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(2.3 * columns, 2.5 * rows), dpi=100, layout="constrained")
    for place, (field, trajectory, title) in enumerate(pictures, start=1):
        axes = figure.add_subplot(rows, columns, place)
        _draw(axes, field, trajectory, density=0.7)
        axes.set_title(fill(title, 28, break_on_hyphens=False), fontsize=8)
        axes.tick_params(labelsize=6)
    return _saved(figure, Path(out))


def _draw(axes: Any, field: Field, trajectory: np.ndarray, *, density: float = 1.1) -> None:
    reach = max(1.5, 1.1 * float(np.abs(trajectory[np.isfinite(trajectory).all(axis=1)]).max()))
    axis = np.linspace(-reach, reach, 21)
    velocity = np.array([[field(psi, theta) for psi in axis] for theta in axis])
    speed = np.linalg.norm(velocity, axis=-1)
    axes.streamplot(axis, axis, velocity[..., 0], velocity[..., 1], color=speed, cmap="Greys", density=density,
                    linewidth=0.8, arrowsize=0.8)  # fmt: skip
    axes.plot(trajectory[:, 0], trajectory[:, 1], color="#c2410c", linewidth=1.6, label="from (1, 1)")
    axes.plot(*trajectory[0], "o", color="#c2410c", markersize=5)
    axes.plot(0, 0, "+", color="#0f766e", markersize=12, markeredgewidth=2, label="equilibrium")
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set_aspect("equal")


def _saved(figure: Any, out: Path) -> Path:
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, buffer.getvalue())
    return out
