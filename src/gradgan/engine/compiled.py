"""The compile route: scores, slopes, loss and penalties as one function of the weights, differentiated by torch.func.

A compiled critic cannot be differentiated twice, but a function that differentiates it can be compiled, and then the
whole critic step is one graph. By layer products it is shared double backward.
"""

import functools
from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn.utils import parametrize

from ..core.checks import GradganError
from ..core.gradients import laid_out_as
from ..core.scene import LossLike
from .double import calls
from .parts import Job, Parts, scores_by
from .sweep import depends_on_more

Charged: TypeAlias = tuple[tuple[str, str, Callable[[Tensor], Tensor]], ...]
"""Name, batch and profile of each penalty that is paid."""

Found: TypeAlias = tuple[Tensor, dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]
"""Loss (), scores by batch, means by penalty, slopes by batch."""


def compiled(job: Job, *, together: bool) -> Parts:
    """One call of the compiled step; its gradients are added to `.grad`. `together`: batches may share a critic call.

    Hooks on parameters do not fire. Raises GradganError for a critic with parametrised weights, and for a loss or
    penalty with a learned number of its own.
    """
    critic = compilable(job.critic)
    _nothing_learned_but_weights(job)
    weights = {name: p for name, p in critic.named_parameters() if p.requires_grad}
    # As a tensor: a number that changes along a schedule would be compiled in, anew for each value.
    real = job.batches["real"]
    factors = torch.tensor([charge.factor for charge in job.charges], dtype=real.dtype, device=real.device)
    charged = tuple((charge.name, charge.at, charge.profile) for charge in job.charges)
    shared = tuple(calls(job.charged, together=together) + calls(job.plain, together=together))
    gradients, (loss, scores, means, slopes) = _compiled_step()(
        weights, critic, dict(job.batches), job.labels, factors, job.loss, charged, shared
    )
    for name, weight in weights.items():
        gradient = laid_out_as(weight, gradients[name].detach())
        weight.grad = gradient if weight.grad is None else weight.grad.add_(gradient)
    return job.parts("compiled", loss, scores, means, slopes)


def compilable(critic: object) -> nn.Module:
    """The critic, if it is a module whose weights are all its own."""
    if not isinstance(critic, nn.Module):
        raise GradganError(
            f"engine='compiled' wants a critic that is an nn.Module, got {type(critic).__name__}. Use engine='auto'."
        )
    for name, module in critic.named_modules():
        if parametrize.is_parametrized(module):
            raise GradganError(
                f"engine='compiled' cannot take critic.{name}: its weight is parametrised (spectral or weight norm), "
                "which changes state in every call. Use engine='auto', or leave the norm out."
            )
    return critic


def _nothing_learned_but_weights(job: Job) -> None:
    """Refuse numbers that would get no gradient, by trying loss and profiles on zeros."""
    scores = {name: x.new_zeros(len(x), requires_grad=True) for name, x in job.batches.items()}
    found = {"the loss": depends_on_more(job.adversarial(scores), scores)}
    for charge in job.charges:
        slopes = {charge.at: torch.zeros_like(job.batches[charge.at][:1], requires_grad=True)}
        found[charge.name] = depends_on_more(charge.mean(slopes[charge.at]), slopes)
    for name, learned in found.items():
        if learned:
            raise GradganError(
                f"engine='compiled' differentiates by the critic's weights only, and {name} has a learned number of "
                "its own. Use engine='auto'."
            )


@functools.cache
def _compiled_step() -> Callable[..., tuple[dict[str, Tensor], Found]]:
    return torch.compile(grad(step, has_aux=True), fullgraph=True, dynamic=False)


def step(
    weights: dict[str, Tensor],
    critic: nn.Module,
    batches: Mapping[str, Tensor],
    labels: Tensor | None,
    factors: Tensor,
    loss: LossLike,
    charged: Charged,
    shared: tuple[tuple[str, ...], ...],
) -> tuple[Tensor, Found]:
    """What the step minimises, by its weights, and the parts of it. `shared`: the batches of each critic call."""
    scores: dict[str, Tensor] = {}
    slopes: dict[str, Tensor] = {}
    places = [at for _, at, _ in charged]

    def judged(x: Tensor) -> tuple[Tensor, Tensor]:
        found = scores_by(lambda *given: functional_call(critic, weights, given), x, labels)
        return found.sum(), found

    for names in shared:
        x = torch.cat([batches[name] for name in names])
        sizes = [len(batches[name]) for name in names]
        if names[0] in places:
            slope, found = grad(judged, has_aux=True)(x)
            slopes |= zip(names, slope.split(sizes), strict=True)
        else:
            found = judged(x)[1]
        scores |= zip(names, found.split(sizes), strict=True)
    value = loss.critic(scores["real"], scores["fake"]).mean()
    means = {name: profile(slopes[at]).mean() for name, at, profile in charged}
    total = value
    for factor, mean in zip(factors, means.values(), strict=True):
        total = total + factor * mean
    return total, (value, scores, means, slopes)
