"""The phase portrait of a game of two numbers: the field, and one trajectory through it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..core.files import replace_file, writing


def phase_portrait(
    field: Callable[[float, float], np.ndarray], trajectory: np.ndarray, out: str | Path, *, title: str
) -> Path:
    """Draw the field (psi, theta) -> velocity with the trajectory (k, 2) over it, into a PNG."""
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    reach = max(1.5, 1.1 * float(np.abs(trajectory[np.isfinite(trajectory).all(axis=1)]).max()))
    axis = np.linspace(-reach, reach, 21)
    velocity = np.array([[field(psi, theta) for psi in axis] for theta in axis])
    speed = np.linalg.norm(velocity, axis=-1)

    figure = Figure(figsize=(6, 5.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.streamplot(axis, axis, velocity[..., 0], velocity[..., 1], color=speed, cmap="Greys", density=1.1,
                    linewidth=0.8, arrowsize=0.8)  # fmt: skip
    axes.plot(trajectory[:, 0], trajectory[:, 1], color="#c2410c", linewidth=1.6, label="from (1, 1)")
    axes.plot(*trajectory[0], "o", color="#c2410c", markersize=5)
    axes.plot(0, 0, "+", color="#0f766e", markersize=12, markeredgewidth=2, label="equilibrium")
    axes.set(xlabel="critic's slope psi", ylabel="generator's place theta", xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set_aspect("equal")
    axes.set_title(title, fontsize=9, wrap=True)
    axes.legend(loc="upper right", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    out = Path(out)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, buffer.getvalue())
    return out
