"""What is drawn: the logged numbers as series, grouped into charts, smoothed and thinned for the page."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.glossary import IN_FEATURES, PLAYERS
from ..core.record import LogEntry

METRICS = ("modes", "high_quality", "reverse_kl", "mixture_distance", "classes", "class_kl", "class_kl_uniform")
_POINTS = 320
_LARGEST = 1e100


@dataclass(frozen=True)
class Series:
    """One number over the steps; `color` is a word of the page's palette."""

    name: str
    steps: np.ndarray
    values: np.ndarray
    color: str

    @property
    def finite(self) -> np.ndarray:
        """Which of the values are numbers."""
        return np.isfinite(self.values)


@dataclass(frozen=True)
class Chart:
    """Series that share a unit, hence an axis."""

    title: str
    series: tuple[Series, ...]
    log: bool = False


def series_of(entries: Iterable[LogEntry]) -> dict[str, Series]:
    """Every logged number as a series, in the order of first appearance."""
    rows: dict[str, list[tuple[int, float]]] = {}
    for entry in entries:
        for name, value in entry.numbers.items():
            rows.setdefault(name, []).append((entry.step, value))
    return {
        name: Series(name, np.array([s for s, _ in row]), _drawable([v for _, v in row]), color_of(name))
        for name, row in rows.items()
    }


def _drawable(values: Sequence[float]) -> np.ndarray:
    """The values; those beyond what a picture's own arithmetic can hold count as infinite."""
    x = np.array(values, float)
    return np.where(np.abs(x) > _LARGEST, np.copysign(np.inf, x), x)


def color_of(name: str) -> str:
    """The palette's word for a number: its player's; what belongs to real samples is grey, to generated ones the
    generator's."""
    first, _, second = name.partition("/")
    if second in ("score_real", "real"):
        return "real"
    if second in ("score_fake", "fake"):
        return "generator"
    player = second.partition("/")[0] if first in ("lr", "force") else first
    return player if player in PLAYERS else "other"


def charts_of(series: dict[str, Series]) -> list[Chart]:
    """The charts of a run in reading order; every series is in exactly one."""
    left = dict(series)

    def take(title: str, wanted: Iterable[str]) -> list[Chart]:
        found = tuple(left.pop(name) for name in list(wanted) if name in left)
        return [Chart(title, found, _wants_log(found))] if found else []

    def ending(what: str) -> list[str]:
        return [f"{player}/{what}" for player in PLAYERS]

    charts = [chart for name in METRICS for chart in take(name.replace("_", " ").capitalize(), [name])]
    for features in dict.fromkeys(name.partition("/")[2] for name in left if name.partition("/")[0] in IN_FEATURES):
        charts += take(f"Fréchet ratio in {features}", [f"frechet_ratio/{features}"])
        charts += take(f"Fréchet distance in {features}", [f"frechet/{features}", f"frechet_floor/{features}"])
        for metric in IN_FEATURES:
            charts += take(f"{metric.capitalize()} in {features}", [f"{metric}/{features}"])
    charts += take("Losses", ending("loss"))
    charts += take("Scores", ["critic/score_real", "critic/score_held_out", "critic/score_fake"])
    signs = take("Told apart, known by heart", ["critic/told", "critic/memory"])
    signs += take(
        "Diversity of a batch, beside the real one's", [name for name in left if name.startswith("diversity/")]
    )
    signs += take("Pull and unrest of the generator", ["generator/pull", "generator/unrest"])
    signs += take("Growth of the weights", ending("growth"))
    signs += take("Force of the penalties, beside the loss", [name for name in left if name.startswith("force/")])
    slopes = take("Slope of the critic by the sample", ["slope/real", "slope/fake"])
    slopes += take("Slope of the verdict by the latent", ["slope/latent"])
    norms = take("Gradient norms", ending("gradient_norm"))
    rates = take("Learning rates", [name for name in left if name.startswith("lr/")])
    speed = take("Speed", ["speed"])
    # What is left and belongs to a player is a penalty: one chart each, for each has a unit of its own.
    owned = [name for name in left if name.partition("/")[0] in PLAYERS]
    for penalty in dict.fromkeys(name.partition("/")[2] for name in owned):
        charts += take(f"Penalty {penalty}, before its weight", ending(penalty))
    charts += signs + slopes + norms
    charts += [chart for name in list(left) for chart in take(name, [name])]
    return charts + rates + speed


def _wants_log(series: Sequence[Series]) -> bool:
    """A log axis where every value is above 0 and they span a factor of 50 or more."""
    values = np.concatenate([s.values[s.finite] for s in series])
    if len(values) == 0:
        return False
    low, high = float(values.min()), float(values.max())
    return low > 0 and high >= 50 * low


def smooth(values: np.ndarray) -> np.ndarray | None:
    """A centred moving mean over a twentieth of the run, or None where the curve is smooth as it is, or short.

    Values that are not finite are left out of the mean; where none is left, the mean is nan.
    """
    window = len(values) // 20 | 1
    if len(values) < 40:
        return None
    known = np.isfinite(values)
    ones = np.ones(window)
    count = np.convolve(known, ones, "same")
    total = np.convolve(np.where(known, values, 0.0), ones, "same")
    mean = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    rough, fine = (np.abs(np.diff(v[np.isfinite(v)])).sum() for v in (values, mean))
    return mean if rough > 3 * fine else None


def thin(steps: np.ndarray, values: np.ndarray, points: int = _POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most about `points` of a curve: the lowest and the highest of each stretch, so that no spike is lost."""
    if len(steps) <= points:
        return steps, values
    kept: set[int] = {0, len(steps) - 1}
    for stretch in np.array_split(np.arange(len(steps)), points // 2):
        known = stretch[np.isfinite(values[stretch])]
        if len(known):
            kept |= {int(known[values[known].argmin()]), int(known[values[known].argmax()])}
        if len(known) < len(stretch):
            kept.add(int(stretch[~np.isfinite(values[stretch])][0]))
    order = sorted(kept)
    return steps[order], values[order]


def figure_of(value: float | int) -> str:
    """A number as a reader wants it: four digits, no needless exponent."""
    if not math.isfinite(value):
        return str(float(value))
    size = abs(value)
    if value == int(value) and size < 1e7:
        return f"{int(value):,}".replace(",", "\u202f")
    if size >= 1e5 or size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:.4g}"
