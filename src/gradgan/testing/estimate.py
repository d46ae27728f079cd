"""The properties of a penalty that is right on average: many draws at one sample against the exact penalty."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from . import input_penalty
from .claims import claim, close, one_each
from .tiny import EVENTS, LinearCritic, SmoothCritic, pair, rng, weight_of_slope

Facts = Mapping[str, Any]
DRAWS = 4096
"""At a standard deviation of sqrt(2) times the mean, 5 standard errors of so many are 11%: a lost half is seen."""


def mean_on_linear(penalty: Any, facts: Facts) -> None:
    """On a linear critic of slope s its mean over draws is facts["on_linear"](s), for any sample shape."""
    for dtype in (torch.float64, torch.float32):
        for event in EVENTS:
            for slope in input_penalty.SLOPES:
                critic = LinearCritic(weight_of_slope(slope, event, dtype))
                where = f"slope {slope:g}, samples ({DRAWS}, {', '.join(map(str, event))}), {dtype}"
                wanted = float(facts["on_linear"](slope))
                _on_average(_draws(penalty, critic, *pair(1, event, dtype), where=where), wanted, where=where)


def mean_is_exact(penalty: Any, facts: Facts) -> None:
    """Its mean over draws is the value of the exact penalty that it estimates, at every sample."""
    for event in EVENTS:
        critic, (real, fake) = SmoothCritic(event, scale=2.0), pair(3, event)
        exact = facts["estimates"](critic, real, fake).detach().tolist()
        for i, wanted in enumerate(exact):
            where = f"sample {i} of shape {event}"
            _on_average(_draws(penalty, critic, real[i : i + 1], fake[i : i + 1], where=where), wanted, where=where)


def mean_derivative_is_exact(penalty: Any, facts: Facts) -> None:
    """Its gradient to the critic's weights is, on average over draws, that of the exact penalty."""
    event = (2, 3)
    critic, (real, fake) = SmoothCritic(event, scale=2.0), pair(1, event)
    own = list(critic.parameters())
    exact = torch.autograd.grad(facts["estimates"](critic, real, fake).sum(), own, materialize_grads=True)
    size = torch.stack([g.square().sum() for g in exact]).sum().sqrt()
    values = _draws(penalty, critic, real, fake, where="one sample", graph=True)
    # Along the exact gradient: how far each share of the draws goes, against how far it should.
    shares = []
    for share in values.chunk(64):
        got = torch.autograd.grad(share.mean(), own, retain_graph=True, materialize_grads=True)
        shares.append(torch.stack([(g * e).sum() for g, e in zip(got, exact, strict=True)]).sum() / size)
    _on_average(torch.stack(shares), float(size), where="the gradient along the exact one")


def others_do_not_matter(penalty: Any, facts: Facts) -> None:
    """A sample's value stays the same, from the same rng, when the rest of the batch is replaced."""
    event = (2, 3)
    critic, (real, fake) = SmoothCritic(event), pair(5, event)
    alone = penalty(critic, real, fake, rng=rng())
    for i in range(5):
        others = torch.arange(5).reshape(5, 1, 1) != i
        got = penalty(critic, real + 3.0 * others, fake + 3.0 * others, rng=rng())
        close(got[i], alone[i].detach(), where=f"sample {i} among others")


def _draws(penalty: Any, critic: nn.Module, real: Tensor, fake: Tensor, *, where: str, graph: bool = False) -> Tensor:
    """The values of many draws at one sample: a batch of copies of it."""
    copies = [x.expand(DRAWS, *x.shape[1:]) for x in (real, fake)]
    got = penalty(critic, *copies, rng=rng())
    one_each(got, DRAWS, where=where)
    return got if graph else got.detach()


def _on_average(values: Tensor, wanted: float, *, where: str) -> None:
    """Fail unless the mean is within 5 of its standard errors of what is wanted."""
    values = values.double()
    error = float(values.std() / len(values) ** 0.5)
    mean = float(values.mean())
    claim(
        abs(mean - wanted) <= 5 * error + 1e-9,
        f"{where}: got {mean:.6g} +- {error:.2g} over {len(values)} draws, wanted {wanted:.6g} on average",
    )


# What holds draw by draw is proved as for an exact penalty. `a_batch_is_many_singles` does not: a single sample draws
# the noise of the batch's first one, so that only the others' lack of influence can be asked for.
_DRAW_BY_DRAW = (
    input_penalty.channels_last,
    input_penalty.finite_where_flat,
    input_penalty.shift,
    input_penalty.scaling,
    input_penalty.chance,
    input_penalty.caller_left_alone,
    input_penalty.second_derivative,
    input_penalty.generator_unpaid,
    input_penalty.mixing_refused,
    input_penalty.shapes_refused,
    input_penalty.never_masked,
)
PROPERTIES = (mean_on_linear, mean_is_exact, mean_derivative_is_exact, others_do_not_matter, *_DRAW_BY_DRAW)
