"""What a critic step costs in layer products per sample, by how its penalties are differentiated (docs/sweep.md)."""

from dataclasses import dataclass
from typing import Literal

PricedWay = Literal["sweep", "double_backward", "usual", "approximate"]

UNPENALISED = 6
"""A real and a fake batch, each with a forward, a gradient by the layer's input and one by its weights."""


@dataclass(frozen=True)
class Price:
    """A step that judges `batches` (real, fake and further points), `charged` of which pay for their slope.

    >>> Price(batches=2, charged=2).units("sweep"), Price(batches=2, charged=2).ratio("usual")
    (8, 3.0)
    """

    batches: int
    charged: int

    def units(self, way: PricedWay) -> int:
        """Layer products: 3 for a batch that pays nothing, 4 for one that is swept, 6 for one differentiated twice.

        The usual code calls the critic anew for each penalty, and so does an approximate one, twice.
        """
        if way in ("usual", "approximate"):
            return UNPENALISED + 6 * self.charged
        return 3 * (self.batches - self.charged) + (4 if way == "sweep" else 6) * self.charged

    def ratio(self, way: PricedWay) -> float:
        """Over the unpenalised step."""
        return self.units(way) / UNPENALISED


PRICES: dict[str, Price] = {
    "r1": Price(2, 1),
    "r1 + r2": Price(2, 2),
    "wgan_gp": Price(3, 1),
    "dragan": Price(3, 1),
}
"""The usual penalties, by name."""
