"""In what samples are compared: raw numbers, a classifier of the data, or a network of the user's own."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import torch
import torch.nn.functional as fn
from torch import Tensor, nn

from ..core.checks import GradganError

Range: TypeAlias = Literal["bytes", "unit", "symmetric"]
"""What a network of the user's own wants its pictures in: 0..255, [0, 1] or [-1, 1]."""
_BATCH = 256
_LARGEST, _SMALL = 1024, 16
RAW = ("coordinates", "pixels", f"pixels_{_SMALL}x{_SMALL}")
"""What the samples themselves are called: points, images, large images averaged down."""


@runtime_checkable
class Features(Protocol):
    """Samples to vectors; its name is part of every number that is measured with it."""

    @property
    def name(self) -> str:
        """As in frechet_ratio/NAME."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """Features (n, d), float32, of samples (n, *event): images in [0, 1], points as they are."""
        ...


class Raw:
    """The samples themselves, flattened; images in [0, 1], so that numbers do not depend on the data's scale.

    Called "coordinates" for points, "pixels" for images, and "pixels_16x16" for images of more than 1024 values, which
    are averaged down to that first: no distance of raw pixels sees their detail anyway, and none could be computed in
    reasonable time.
    """

    def __init__(self, kind: Literal["points", "images"], event: Sequence[int]) -> None:
        """`event`: the shape of one sample."""
        small, large = RAW[1:]
        self.name = RAW[0] if kind == "points" else large if math.prod(event) > _LARGEST else small

    def __call__(self, x: Tensor) -> Tensor:
        """(n, *event) -> (n, d)"""
        if self.name == RAW[2]:
            x = fn.adaptive_avg_pool2d(x.float(), _SMALL)
        return x.flatten(1).float()


class Own:
    """A network of the user's own: any callable from pictures to one vector each.

    `size`: pictures are resized to size x size first (bilinear, antialiased); 0 leaves them. `range`: what the network
    wants. `rgb`: grey pictures are repeated to three channels. A module is switched to evaluation mode.
    """

    def __init__(
        self,
        module: Callable[[Tensor], Tensor],
        name: str = "own",
        *,
        size: int = 0,
        range: Range = "unit",
        rgb: bool = True,
        key: str = "",
        kept: bool = True,
    ) -> None:
        """`name` must not hold a slash: it ends the numbers' names. `key` tells this network with these words from all
        others; where it is given and `kept`, what it says of real samples is kept in the cache under it."""
        if not name or "/" in name:
            raise GradganError(f"features want a name without a slash, got {name!r}.")
        if size < 0:
            raise GradganError(f"features {name!r}: size must be >= 0, got {size}.")
        self.name, self.key, self.kept = name, key, kept and bool(key)
        self._module = module.eval() if isinstance(module, nn.Module) else module
        self._size, self._range, self._rgb = size, range, rgb

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """(n, c, h, w) in [0, 1] -> (n, d). Raises GradganError where the network returns anything else."""
        return torch.cat([self._features(self.prepared(part)) for part in x.split(_BATCH)])

    def prepared(self, x: Tensor) -> Tensor:
        """Pictures (n, c, h, w) in [0, 1] as the network is given them."""
        if self._rgb and x.shape[1] == 1:
            x = x.expand(-1, 3, -1, -1)
        if self._size and x.shape[2:] != (self._size, self._size):
            x = fn.interpolate(x, (self._size, self._size), mode="bilinear", antialias=True)
        return {"bytes": x * 255, "unit": x, "symmetric": x * 2 - 1}[self._range]

    def _features(self, x: Tensor) -> Tensor:
        found = self._module(x)
        found = found[0] if isinstance(found, list | tuple) else found
        if not isinstance(found, Tensor) or found.ndim < 2 or len(found) != len(x):
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise GradganError(f"features {self.name!r}: got {got} for {len(x)} pictures, wanted a vector for each.")
        return found.flatten(1).float()
