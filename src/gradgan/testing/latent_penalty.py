"""The properties of a penalty on the slope along the latent: penalty(critic, generator, z) -> (n,)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .claims import claim, close, is_finite, not_finite, one_each, refused
from .references import latent_slopes
from .tiny import (
    EVENTS,
    LATENT,
    LinearCritic,
    LinearGenerator,
    Mixing,
    SmoothCritic,
    SmoothGenerator,
    draw,
    weight_of_slope,
)

Facts = Mapping[str, Any]


def linear_pair(slope: float, event: Sequence[int], n: int) -> tuple[LinearCritic, LinearGenerator, Tensor]:
    """A linear critic and generator whose score has the given slope along z, and latents at which that score is 0."""
    weight = weight_of_slope(1.0, event)
    matrix = draw(LATENT, len(weight), seed=14)
    along = matrix @ weight
    z = draw(n, LATENT, seed=15)
    z = z - torch.outer(z @ along, along) / along.square().sum()
    matrix = matrix * (slope / along.norm())
    return LinearCritic(weight), LinearGenerator(matrix, torch.zeros(len(weight), dtype=torch.float64), event), z


def on_linear(penalty: Any, facts: Facts) -> None:
    """Where D(G(z)) is 0 with slope s along z it is facts["on_linear"](s), for any batch and sample shape."""
    for event in EVENTS:
        for n in (1, 2, 16):
            for slope in (0.0, 0.5, 1.0, 3.0):
                critic, generator, z = linear_pair(slope, event, n)
                got = penalty(critic, generator, z)
                where = f"slope {slope:g}, {n} latents, samples of shape {event}"
                one_each(got, n, where=where)
                close(got, float(facts["on_linear"](slope)), where=where)


def a_batch_is_many_singles(penalty: Any, facts: Facts) -> None:
    """A latent's value does not depend on the rest of the batch."""
    event, z = (2, 3), draw(5, LATENT)
    critic, generator = SmoothCritic(event), SmoothGenerator(event)
    singles = [penalty(critic, generator, one[None]) for one in z]
    close(penalty(critic, generator, z), torch.cat(singles), where="batch of 5 against 5 singles")


def finite_where_flat(penalty: Any, facts: Facts) -> None:
    """Both players' gradients are finite where the slope is 0 (a plain sqrt gives NaN there)."""
    critic, generator, z = linear_pair(0.0, (2, 2), 3)
    penalty(critic, generator, z).sum().backward()
    for p in (*critic.parameters(), *generator.parameters()):
        if p.grad is not None:
            is_finite(p.grad, where="gradient at slope 0")


def chance(penalty: Any, facts: Facts) -> None:
    """The same latents give the same value, and torch's global random generator is not touched."""
    event, z = (2, 3), draw(4, LATENT)
    critic, generator = SmoothCritic(event), SmoothGenerator(event)
    before = torch.get_rng_state()
    values = [penalty(critic, generator, z) for _ in range(2)]
    claim(torch.equal(before, torch.get_rng_state()), "got a moved global generator, wanted it as it was")
    close(values[1], values[0].detach(), where="second value at the same latents", tolerance=0.0)


def caller_left_alone(penalty: Any, facts: Facts) -> None:
    """The caller's latents, gradients and module modes are left as they were."""
    event = (2, 3)
    for wants_grad in (False, True):
        critic, generator = SmoothCritic(event).eval(), SmoothGenerator(event).train()
        z = draw(4, LATENT).requires_grad_(wants_grad)
        before = z.detach().clone()
        value = penalty(critic, generator, z)
        unpaid = all(p.grad is None for p in (*critic.parameters(), *generator.parameters()))
        claim(unpaid, "got a .grad on a network before any backward")
        value.sum().backward()
        claim(z.requires_grad is wants_grad, f"got z.requires_grad changed, wanted {wants_grad} as given")
        claim(z.grad is None and torch.equal(z, before), "got z or z.grad changed, wanted it as given")
        claim(not critic.training and generator.training, "got train or eval modes changed, wanted them as given")


def second_derivative(penalty: Any, facts: Facts) -> None:
    """Its gradient to both networks' weights agrees with finite differences in float64."""
    event, z = (2, 2), draw(3, LATENT)
    templates = (*SmoothCritic(event).parameters(), *SmoothGenerator(event).parameters())
    weights = tuple(p.detach().clone().requires_grad_() for p in templates)

    def value(*weights: Tensor) -> Tensor:
        inner, bias, outer, first, second = weights
        return penalty(
            lambda x: torch.tanh(x.flatten(1) @ inner + bias) @ outer,
            lambda z: (torch.tanh(z @ first) @ second).reshape(-1, 2, 2),
            z,
        )

    torch.autograd.gradcheck(value, weights)


def mixing_refused(penalty: Any, facts: Facts) -> None:
    """A critic with BatchNorm is refused in train mode and accepted in eval mode."""
    event, z = (2, 2), draw(4, LATENT)
    critic, generator = Mixing(event), SmoothGenerator(event)
    refused(lambda: penalty(critic.train(), generator, z), where="BatchNorm in train mode")
    is_finite(penalty(critic.eval(), generator, z), where="BatchNorm in eval mode")


def shapes_refused(penalty: Any, facts: Facts) -> None:
    """Latents without a batch, and critics without one score per sample, are refused."""
    critic, generator = SmoothCritic((2,)), SmoothGenerator((2,))
    refused(lambda: penalty(critic, generator, draw(LATENT)), where="one latent without a batch dimension")
    refused(lambda: penalty(critic, generator, draw(2, LATENT)[:0]), where="an empty batch")
    refused(lambda: penalty(lambda x: x, generator, draw(2, LATENT)), where="a critic with two scores per sample")


def never_masked(penalty: Any, facts: Facts) -> None:
    """A critic or latent that is not finite gives a value that is not finite, at its own place."""
    event, z = (2, 2), draw(3, LATENT)
    weight = weight_of_slope(1.0, event)
    weight[1] = float("nan")
    not_finite(penalty(LinearCritic(weight), SmoothGenerator(event), z), where="critic with a weight of NaN")
    z[1] = float("nan")
    got = penalty(SmoothCritic(event), SmoothGenerator(event), z)
    not_finite(got[1:2], where="the latent that is NaN")
    is_finite(got[::2], where="the latents beside one that is NaN")


def reference(penalty: Any, facts: Facts) -> None:
    """It is facts["on_linear"] of the slope that a full Jacobian, one latent at a time, finds."""
    event, z = (2, 3), draw(5, LATENT)
    critic, generator = SmoothCritic(event, scale=2.0), SmoothGenerator(event)
    of_score = getattr(penalty, "of", "probability") == "score"
    slopes = latent_slopes(critic if of_score else lambda x: critic(x).sigmoid(), generator, z)
    # The fact is stated at score 0, where a slope s of the score is one of s/4 of the probability.
    wanted = [float(facts["on_linear"](slope if of_score else 4 * slope)) for slope in slopes]
    close(penalty(critic, generator, z), torch.tensor(wanted, dtype=torch.float64), where="5 latents")


PROPERTIES = (
    on_linear,
    a_batch_is_many_singles,
    finite_where_flat,
    chance,
    caller_left_alone,
    second_derivative,
    mixing_refused,
    shapes_refused,
    never_masked,
    reference,
)
