"""check_loss: what every adversarial loss must do."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..core.scene import LossLike
from .claims import claim, close, is_finite, one_each, prove, refused


@runtime_checkable
class NamedLoss(LossLike, Protocol):
    """A loss as `check_loss` takes it: two functions of scores and a name."""

    @property
    def name(self) -> str:
        """The key in its catalog."""
        ...


def check_loss(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """Prove an adversarial loss: `loss.critic(real, fake)` and `loss.generator(real, fake)`, scores (n,) -> (n,).

    `facts["at_zero"]`: its (critic, generator) values where all scores are 0; `facts["far_below"]`: the slope of the
    generator's loss by the fake score where that score is -30 and the real one 0.
    Raises AssertionError for the first property that does not hold, with what was got and what was wanted.
    """
    prove(f"loss {loss.name!r}", PROPERTIES, loss, facts)


def _slopes(formula: Callable[[Tensor, Tensor], Tensor], real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Value of formula(real, fake), and the derivatives of its sum by the real and by the fake scores."""
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    value = formula(real, fake)
    by_real, by_fake = torch.autograd.grad(value.sum(), (real, fake), allow_unused=True, materialize_grads=True)
    return value.detach(), by_real, by_fake


def _generator(loss: NamedLoss) -> Callable[[Tensor, Tensor], Tensor]:
    """The generator's side as callers use it: the real scores are given only to losses that say they need them."""
    return lambda real, fake: loss.generator(real if loss.needs_real else None, fake)


def _one_value_per_sample(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """It gives one value per sample, before any mean."""
    for n in (1, 2, 5):
        scores = torch.linspace(-1, 1, n)
        one_each(loss.critic(scores, scores.flip(0)), n, where=f"critic side, n = {n}")
        one_each(_generator(loss)(scores.flip(0), scores), n, where=f"generator side, n = {n}")


def _at_zero(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """Its values at zero scores are facts["at_zero"]."""
    for n in (1, 5):
        zero = torch.zeros(n, dtype=torch.float64)
        close(loss.critic(zero, zero), float(facts["at_zero"][0]), where="critic side")
        close(_generator(loss)(zero, zero), float(facts["at_zero"][1]), where="generator side")


def _far_below(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """The slope of the generator's loss where the critic is sure (fake = -30, real = 0) is facts["far_below"]."""
    for dtype in (torch.float32, torch.float64):
        zero = torch.zeros(3, dtype=dtype)
        _, _, slope = _slopes(_generator(loss), zero, zero - 30)
        close(slope, float(facts["far_below"]), where=f"{dtype}", tolerance=1e-6)


def _finite_in_the_tails(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """Its values and gradients are finite at scores of +-10000 in float32."""
    for side, formula in (("critic", loss.critic), ("generator", _generator(loss))):
        for real in (-1e4, 0.0, 1e4):
            for fake in (-1e4, 0.0, 1e4):
                for number in _slopes(formula, torch.full((2,), real), torch.full((2,), fake)):
                    is_finite(number, where=f"{side} side at real {real:g}, fake {fake:g}")


def _shapes_refused(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """It refuses real and fake scores of unequal shapes, which would broadcast in silence."""
    for n, m in ((3, 1), (1, 3), (3, 2)):
        refused(lambda n=n, m=m: loss.critic(torch.zeros(n), torch.zeros(m)), where=f"critic side, ({n},) and ({m},)")
        if loss.needs_real:
            refused(lambda n=n, m=m: loss.generator(torch.zeros(n), torch.zeros(m)),
                    where=f"generator side, ({n},) and ({m},)")  # fmt: skip
    refused(lambda: loss.critic(torch.zeros(3, 1), torch.zeros(3)), where="critic side, (3, 1) and (3,)")


def _needs_real(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """generator(None, fake) is refused by a loss with needs_real, and by no other."""
    if loss.needs_real:
        refused(lambda: loss.generator(None, torch.zeros(3)), where="needs_real is True")
    else:
        one_each(loss.generator(None, torch.zeros(3)), 3, where="needs_real is False")


def _whole_batch(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """A loss that says whole_batch = False judges each pair by itself."""
    if getattr(loss, "whole_batch", True):
        return
    real, fake = torch.tensor([-2.0, 0.5, 3.0]), torch.tensor([1.0, -0.7, 2.0])
    for side, formula in (("critic", loss.critic), ("generator", _generator(loss))):
        singles = torch.cat([formula(real[i : i + 1], fake[i : i + 1]) for i in range(3)])
        close(formula(real, fake), singles, where=f"{side} side, a batch against its pairs one by one")


def _gradients(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """Its gradients agree with finite differences in float64."""
    real = torch.tensor([-2.3, -0.4, 0.35, 1.7], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([0.6, -1.9, 2.2, -0.7], dtype=torch.float64, requires_grad=True)
    for formula in (loss.critic, _generator(loss)):
        torch.autograd.gradcheck(formula, (real, fake))


def _directions(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """The critic pushes real scores up and fake ones down; the generator pushes its own up."""
    zero = torch.zeros(3)
    # Least squares wants fake scores at 0 exactly, so look where the critic is wrong.
    _, by_real, by_fake = _slopes(loss.critic, zero - 0.5, zero + 0.5)
    claim(bool((by_real < 0).all()), f"critic's slope by a real score of -1/2: got {by_real[0]:.3g}, wanted below 0")
    claim(bool((by_fake > 0).all()), f"critic's slope by a fake score of 1/2: got {by_fake[0]:.3g}, wanted above 0")
    _, _, slope = _slopes(_generator(loss), zero, zero)
    claim(bool((slope < 0).all()), f"generator's slope by its score at 0: got {slope[0]:.3g}, wanted below 0")


def _caller_left_alone(loss: NamedLoss, facts: Mapping[str, Any]) -> None:
    """The caller's scores are left as they were."""
    for formula in (loss.critic, _generator(loss)):
        real, fake = torch.tensor([0.5, -2.0]), torch.tensor([1.5, -0.5])
        formula(real, fake)
        close(real, torch.tensor([0.5, -2.0]), where="real scores")
        close(fake, torch.tensor([1.5, -0.5]), where="fake scores")
        claim(not (real.requires_grad or fake.requires_grad), "got requires_grad on the scores, wanted them as given")


PROPERTIES = (
    _one_value_per_sample,
    _at_zero,
    _far_below,
    _finite_in_the_tails,
    _shapes_refused,
    _needs_real,
    _whole_batch,
    _gradients,
    _directions,
    _caller_left_alone,
)
