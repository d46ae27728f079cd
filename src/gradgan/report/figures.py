"""Numbers from a few runs as text: three digits, and means with their intervals."""

from ..core.statistics import Interval
from .curves import figure_of


def rounded(value: float) -> str:
    """Three digits: an interval over a few seeds deserves no more."""
    return figure_of(value) if abs(value) >= 1000 else figure_of(float(f"{value:.3g}"))


def told(value: Interval | None, *, sign: bool = False) -> str:
    """An interval as text: 0.12 [0.1, 0.14]; one value alone has no interval."""
    if value is None:
        return "–"
    plus = "+" if sign and value.mean > 0 else ""
    mean = f"{plus}{rounded(value.mean)}"
    return mean if value.n == 1 else f"{mean} [{rounded(value.low)}, {rounded(value.high)}]"
