"""Points in one or two dimensions, drawn once from a seed: mixtures on which mode collapse is counted, and others."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..core.checks import finite
from .dataset import DATASETS, Dataset, another_seed, drawing

MODE_COLLAPSE = "arXiv:1712.04086"


@DATASETS.add(paper=MODE_COLLAPSE, event=(2,), scale="none", labelled=True)
def ring(samples: int = 50_000, seed: int = 0, spread: float = 0.05, radius: float = 1.0) -> Dataset:
    """Eight Gaussians on a circle, each sample labelled with the number of its mode.

        x = radius (cos 2 pi k/8, sin 2 pi k/8) + spread e,   k uniform in 0..7, e ~ N(0, I)

    `spread` is a standard deviation. The literature's variances go from 0.0001 (PacGAN) to 0.01; ours is 0.0025.
    Shapes: (samples, 2).    Paper: Lin et al. 2018 (PacGAN), arXiv:1712.04086, sec. 4.1.
    """
    angle = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    radius = finite(radius, what="ring.radius", minimum=0.0)
    fresh = partial(ring, samples, another_seed(seed), spread, radius)
    return _mixture("ring", radius * torch.stack((angle.cos(), angle.sin()), 1), samples, seed, spread, fresh)


@DATASETS.add(paper=MODE_COLLAPSE, event=(2,), scale="none", labelled=True)
def grid(samples: int = 50_000, seed: int = 0, spread: float = 0.05) -> Dataset:
    """Twenty-five Gaussians on the square grid {-4, -2, 0, 2, 4}^2, each sample labelled with the number of its mode.

        x = (-4 + 2 i, -4 + 2 j) + spread e,   i, j uniform in 0..4, e ~ N(0, I)

    `spread` is a standard deviation; 0.05 is PacGAN's.
    Shapes: (samples, 2).    Paper: Lin et al. 2018 (PacGAN), arXiv:1712.04086, sec. 4.1.
    """
    side = torch.arange(-4, 5, 2, dtype=torch.float64)
    fresh = partial(grid, samples, another_seed(seed), spread)
    return _mixture("grid", torch.cartesian_prod(side, side), samples, seed, spread, fresh)


@DATASETS.add(paper="gradgan", event=(2,), scale="none", labelled=False)
def spiral(samples: int = 50_000, seed: int = 0, spread: float = 0.02, turns: float = 2.0) -> Dataset:
    """A spiral from the origin to radius 1, equally dense along its length; no modes to count, a curve to follow.

        x = r (cos 2 pi turns r, sin 2 pi turns r) + spread e,   r the square root of u ~ U[0, 1], e ~ N(0, I)

    The root makes the outer turns as dense as the inner ones, up to the short start. Shapes: (samples, 2).
    """
    count, rng = drawing("spiral", samples, seed)
    spread = finite(spread, what="spiral.spread", minimum=0.0)
    turns = finite(turns, what="spiral.turns", minimum=0.0)
    radius = torch.rand(count, generator=rng, dtype=torch.float32).sqrt()
    angle = 2 * math.pi * turns * radius
    curve = radius[:, None] * torch.stack((angle.cos(), angle.sin()), 1)
    points = curve + spread * torch.randn(count, 2, generator=rng, dtype=torch.float32)
    fresh = partial(spiral, samples, another_seed(seed), spread, turns)
    return Dataset("spiral", points, None, 0, kind="points", scale="none", held_out=fresh)


@DATASETS.add(paper="arXiv:1801.04406", event=(1,), scale="none", labelled=False)
def dirac(samples: int = 50_000, seed: int = 0) -> Dataset:
    """The Dirac-GAN's data: every sample is 0, in one dimension.

    Its game has closed forms that the tests compare with; the seed is taken and checked like all others', but nothing
    is drawn. Shapes: (samples, 1).    Paper: Mescheder et al. 2018, arXiv:1801.04406, sec. 2.
    """
    count, _ = drawing("dirac", samples, seed)
    fresh = partial(dirac, samples, another_seed(seed))
    return Dataset("dirac", torch.zeros(count, 1), None, 0, kind="points", scale="none", held_out=fresh)


def _mixture(name: str, modes: Tensor, samples: int, seed: int, spread: float, fresh: Callable) -> Dataset:
    """Equally likely Gaussians around `modes` (m, d), labelled with the mode's number; `fresh` makes the held-out."""
    count, rng = drawing(name, samples, seed)
    spread = finite(spread, what=f"{name}.spread", minimum=0.0)
    modes = modes.float()
    labels = torch.randint(len(modes), (count,), generator=rng)
    points = modes[labels] + spread * torch.randn(count, modes.shape[1], generator=rng, dtype=torch.float32)
    return Dataset(name, points, labels, len(modes), kind="points", scale="none", modes=modes, spread=spread,
                   held_out=fresh)  # fmt: skip
