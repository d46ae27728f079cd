"""Vital signs: what the alarm reads, as pure functions that do not depend on the scale of the data or of the scores."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.scene import LossLike
from ..core.types import Samples, Scalar, Scores

_MOST = 256
"""Samples of a batch that are compared pair by pair; more would cost their square and say little more."""


def told(higher: Float[Tensor, " n"], lower: Float[Tensor, " m"]) -> Scalar:
    """Share of pairs in which the first score is above the second, ties by half: 1/2 when they cannot be told apart.

        mean_ij [D(x_i) > D(y_j)] + 1/2 [D(x_i) = D(y_j)]          shapes: (n,), (m,) -> ()

    The area under the ROC curve (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747): no monotone change of the
    scores changes it, so it means the same for every loss.
    """
    difference = higher[:, None] - lower[None, :]
    # A score that is not a number must not become a share that is one.
    nothing = 0.0 * difference.sum()
    return (difference > 0).float().mean() + 0.5 * (difference == 0).float().mean() + nothing


def pull(loss: LossLike, real: Scores, fake: Scores) -> Scalar:
    """Mean |d loss / d F| of the generator's loss by the fake scores: what is left of its gradient before the critic.

    Shapes: (n,), (n,) -> (). 1 for Wasserstein and hinge; at most 1 (relativistic average: 2) for logistic losses.
    """
    with torch.enable_grad():
        fake = fake.detach().requires_grad_(True)
        value = loss.generator(real.detach() if loss.needs_real else None, fake).sum()
        (gradient,) = torch.autograd.grad(value, fake)
    return gradient.abs().mean()


def diversity(real: Samples, fake: Samples) -> dict[str, Tensor]:
    """How spread the generated batch is, in the real batch's own lengths; each is 1 when both are alike.

    - `diversity/distance`: mean distance of two fakes / of two real samples;
    - `diversity/nearest`: mean distance of a fake to its nearest other fake / the same among real ones;
    - `diversity/missed`: mean distance of a real sample to its nearest fake / to its nearest other real one.

    Where all real samples are alike, none can be too much so: each is 1 and the distance as it stands.
    Shapes: (n, *event), n > 1. Cf. coverage, Naeem et al. 2020, arXiv:2002.09797.
    """
    x, y = _rows(real), _rows(fake)
    n = len(x)
    reals, fakes, between = torch.cdist(x, x), torch.cdist(y, y), torch.cdist(x, y)
    itself = torch.full((n,), float("inf"), device=x.device).diag()
    nearest_real, nearest_fake = ((own + itself).min(dim=1).values.mean() for own in (reals, fakes))
    return {
        "diversity/distance": _per(fakes.sum() / (n * (n - 1)), reals.sum() / (n * (n - 1)), alike=1.0),
        "diversity/nearest": _per(nearest_fake, nearest_real, alike=1.0),
        "diversity/missed": _per(between.min(dim=1).values.mean(), nearest_real, alike=1.0),
    }


def unrest(real: Samples, fake: Samples, average: Samples) -> Scalar:
    """How far the generator is from its own average: mean ||G(z) - G_average(z)|| / mean distance of two real samples.

    Near 0 while it settles; about 1 while it wanders by as much as the data is wide. Shapes: (n, *event) each, n > 1.
    """
    x = _rows(real)
    length = torch.cdist(x, x).sum() / (len(x) * (len(x) - 1))
    return _per((_rows(fake) - _rows(average)).norm(dim=1).mean(), length)


@torch.no_grad()
def sizes(parameters: Iterable[Tensor]) -> Tensor:
    """The norm of every weight matrix or kernel, in order; biases and other vectors are left out. Shapes: -> (k,)."""
    norms = [parameter.norm().float() for parameter in parameters if parameter.ndim > 1]
    return torch.stack(norms) if norms else torch.zeros(0)


def growth(now: Tensor, at_first: Tensor) -> Tensor:
    """Size of the weights of the most grown layer, per their size when they were drawn. Shapes: (k,), (k,) -> ()."""
    if len(now) == 0:
        return torch.ones(())
    # A layer that began at zero has no size to grow from.
    return torch.where(at_first > 0, now / torch.where(at_first > 0, at_first, torch.ones_like(now)), at_first).max()


def _rows(x: Samples) -> Tensor:
    return x[:_MOST].detach().flatten(1).float()


def _per(what: Tensor, length: Tensor, *, alike: float = 0.0) -> Tensor:
    """In lengths; where there is none, as it stands and `alike` more."""
    return torch.where(length > 0, what / torch.where(length > 0, length, torch.ones_like(length)), what + alike)
