"""The properties of a penalty on the critic's gradient by its input: penalty(critic, real, fake, rng=...) -> (n,)."""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from .claims import claim, close, is_finite, not_finite, one_each, refused
from .references import input_slopes
from .tiny import (
    EVENTS,
    LATENT,
    LinearCritic,
    LocalCritic,
    Mixing,
    SmoothCritic,
    SmoothGenerator,
    draw,
    pair,
    rng,
    weight_of_slope,
)

Facts = Mapping[str, Any]
SLOPES = (0.0, 0.5, 1.0, 2.0, 7.0)


def on_linear(penalty: Any, facts: Facts) -> None:
    """On a linear critic of slope s it is facts["on_linear"](s) at every sample, for any batch and sample shape."""
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 1e-5)):
        for event in EVENTS:
            for n in (1, 2, 16):
                for slope in SLOPES:
                    critic = LinearCritic(weight_of_slope(slope, event, dtype))
                    got = penalty(critic, *pair(n, event, dtype), rng=rng())
                    where = f"slope {slope:g}, samples ({n}, {', '.join(map(str, event))}), {dtype}"
                    one_each(got, n, where=where)
                    close(got, float(facts["on_linear"](slope)), where=where, tolerance=tolerance)


def channels_last(penalty: Any, facts: Facts) -> None:
    """channels_last samples give the value of contiguous ones, and a gradient to the critic."""
    event = (3, 4, 5)
    real, fake = pair(3, event)
    channels = [x.to(memory_format=torch.channels_last) for x in (real, fake)]
    for critic in (SmoothCritic(event), _PixelCritic(event)):
        wanted = penalty(critic, real, fake, rng=rng())
        got = penalty(critic, *channels, rng=rng())
        close(got, wanted, where="channels_last")
        got.sum().backward()


class _PixelCritic(nn.Module):
    """D(x) = sum of tanh(w x), whose gradient comes in channels_last, as that of a convolution does."""

    def __init__(self, event: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw(1, *event, seed=8).to(memory_format=torch.channels_last))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x * self.weight).flatten(1).sum(1)


def finite_where_flat(penalty: Any, facts: Facts) -> None:
    """The critic's gradient is finite where the slope is 0 (a plain sqrt gives NaN there)."""
    for event in EVENTS:
        critic = LinearCritic(weight_of_slope(0.0, event))
        penalty(critic, *pair(3, event), rng=rng()).sum().backward()
        is_finite(_grad(critic.weight), where="gradient of a zero critic")


def shift(penalty: Any, facts: Facts) -> None:
    """A number added to the critic's scores changes nothing."""
    event = (2, 3)
    plain = penalty(SmoothCritic(event), *pair(4, event), rng=rng())
    close(penalty(SmoothCritic(event, shift=37.0), *pair(4, event), rng=rng()), plain, where="scores + 37")


def a_batch_is_many_singles(penalty: Any, facts: Facts) -> None:
    """A sample's value does not depend on the rest of the batch."""
    for event in EVENTS:
        n, d = 5, prod(event)
        # Far clusters, each with a slope of its own: wherever near its samples the penalty looks, the slope is known.
        centre = (100.0 * torch.arange(n, dtype=torch.float64)).reshape(n, *[1] * len(event))
        real, fake = (centre + x for x in pair(n, event))
        critic = LocalCritic(torch.stack([weight_of_slope(0.6 * (k + 1), event) for k in range(n)]).reshape(n, d))
        batch = penalty(critic, real, fake, rng=rng())
        singles = [penalty(critic, real[i : i + 1], fake[i : i + 1], rng=rng()) for i in range(n)]
        close(batch, torch.cat(singles), where=f"batch of {n} against {n} singles")


def scaling(penalty: Any, facts: Facts) -> None:
    """If zero-centred (on_linear is quadratic), it grows with c^2 when the critic is multiplied by c."""
    charge = facts["on_linear"]
    if any(abs(charge(s) - s * s * charge(1.0)) > 1e-12 for s in (2.0, 3.0, 0.5)):
        return
    event = (3, 2, 2)
    plain = penalty(SmoothCritic(event), *pair(4, event), rng=rng())
    for c in (3.0, -0.5):
        got = penalty(SmoothCritic(event, scale=c), *pair(4, event), rng=rng())
        close(got, c * c * plain, where=f"critic times {c:g}")


def chance(penalty: Any, facts: Facts) -> None:
    """The same rng gives the same value, and with an rng given torch's global one is not touched."""
    event = (2, 3)
    critic, (real, fake) = SmoothCritic(event), pair(4, event)
    before = torch.get_rng_state()
    values = [penalty(critic, real, fake, rng=rng(9)) for _ in range(2)]
    claim(torch.equal(before, torch.get_rng_state()), "got a moved global generator, wanted every draw from rng")
    close(values[1], values[0].detach(), where="second value from the same rng", tolerance=0.0)


def caller_left_alone(penalty: Any, facts: Facts) -> None:
    """The caller's tensors, gradients and module modes are left as they were."""
    event = (2, 3)
    for wants_grad in (False, True):
        critic = nn.Sequential(SmoothCritic(event), nn.Dropout(0.5).eval())
        real, fake = (x.requires_grad_(wants_grad) for x in pair(3, event))
        kept = [x.detach().clone() for x in (real, fake)]
        modes = [module.training for module in critic.modules()]
        value = penalty(critic, real, fake, rng=rng())
        claim(all(p.grad is None for p in critic.parameters()), "got a .grad on the critic before any backward")
        value.sum().backward()
        for name, x, before in (("real", real, kept[0]), ("fake", fake, kept[1])):
            claim(x.requires_grad is wants_grad, f"got {name}.requires_grad changed, wanted {wants_grad} as given")
            claim(x.grad is None, f"got a gradient in {name}.grad, wanted none")
            claim(torch.equal(x, before), f"got other numbers in {name}, wanted them as given")
        claim(modes == [m.training for m in critic.modules()], "got train or eval modes changed, wanted them as given")
        claim(all(p.requires_grad for p in critic.parameters()), "got frozen critic parameters")


def second_derivative(penalty: Any, facts: Facts) -> None:
    """Its gradient to the critic's weights agrees with finite differences in float64."""
    event, (real, fake) = (2, 2), pair(3, (2, 2))
    template = SmoothCritic(event)
    weights = tuple(p.detach().clone().requires_grad_() for p in template.parameters())

    def value(*weights: Tensor) -> Tensor:
        inner, bias, outer = weights
        return penalty(lambda x: torch.tanh(x.flatten(1) @ inner + bias) @ outer, real, fake, rng=rng())

    torch.autograd.gradcheck(value, weights)


def generator_unpaid(penalty: Any, facts: Facts) -> None:
    """No gradient reaches the network that made the fake samples."""
    event = (2, 2)
    generator = SmoothGenerator(event)
    value = penalty(SmoothCritic(event), pair(3, event)[0], generator(draw(3, LATENT)), rng=rng())
    reached = torch.autograd.grad(value.sum(), list(generator.parameters()), allow_unused=True)
    claim(all(g is None for g in reached), "got a gradient at the generator's parameters, wanted none: detach the fake")


def mixing_refused(penalty: Any, facts: Facts) -> None:
    """A critic with BatchNorm is refused in train mode and accepted in eval mode."""
    event = (2, 2)
    critic = Mixing(event)
    refused(lambda: penalty(critic.train(), *pair(3, event), rng=rng()), where="BatchNorm in train mode")
    is_finite(penalty(critic.eval(), *pair(3, event), rng=rng()), where="BatchNorm in eval mode")


def shapes_refused(penalty: Any, facts: Facts) -> None:
    """Real and fake batches of unequal shapes are refused, and so are batches without samples."""
    critic = SmoothCritic((2,))
    real, fake = pair(3, (2,))
    refused(lambda: penalty(critic, real, fake[:1], rng=rng()), where="real (3, 2), fake (1, 2)")
    refused(lambda: penalty(critic, real[:, None], fake, rng=rng()), where="real (3, 1, 2), fake (3, 2)")
    refused(lambda: penalty(critic, real[:0], fake[:0], rng=rng()), where="an empty batch")
    refused(lambda: penalty(lambda x: x, real, fake, rng=rng()), where="a critic with two scores per sample")


def never_masked(penalty: Any, facts: Facts) -> None:
    """A critic or sample that is not finite gives a value that is not finite, at its own place."""
    event = (2, 2)
    for bad in (float("nan"), float("inf")):
        weight = weight_of_slope(1.0, event)
        weight[1] = bad
        not_finite(penalty(LinearCritic(weight), *pair(3, event), rng=rng()), where=f"critic with a weight of {bad}")
    real, fake = pair(3, event)
    real[1], fake[1] = float("nan"), float("nan")
    got = penalty(SmoothCritic(event), real, fake, rng=rng())
    not_finite(got[1:2], where="the sample that is NaN")
    is_finite(got[::2], where="the samples beside one that is NaN")


def reference(penalty: Any, facts: Facts) -> None:
    """It is facts["on_linear"] of the slope that a full Jacobian, one sample at a time, finds at its points."""
    for event in EVENTS:
        critic, (real, fake) = SmoothCritic(event, scale=2.0), pair(5, event)
        seen: list[Tensor] = []

        def spy(x: Tensor, critic: nn.Module = critic, seen: list[Tensor] = seen) -> Tensor:
            seen.append(x.detach())
            return critic(x)

        got = penalty(spy, real, fake, rng=rng())
        points = penalty.points(real, fake, rng()) if hasattr(penalty, "points") else seen[0]
        wanted = [float(facts["on_linear"](slope)) for slope in input_slopes(critic, points)]
        close(got, torch.tensor(wanted, dtype=got.dtype), where=f"samples of shape {event}")


def _grad(parameter: Tensor) -> Tensor:
    claim(parameter.grad is not None, "got no gradient at the critic's weights, wanted one: keep the graph")
    assert parameter.grad is not None
    return parameter.grad


PROPERTIES = (
    on_linear,
    channels_last,
    finite_where_flat,
    shift,
    a_batch_is_many_singles,
    scaling,
    chance,
    caller_left_alone,
    second_derivative,
    generator_unpaid,
    mixing_refused,
    shapes_refused,
    never_masked,
    reference,
)
