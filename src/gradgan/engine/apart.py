"""Are samples judged apart, so that a real and a fake batch may share a critic call?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .parts import Job
from .untouched import exchanged, untouched

_FEW = 2
"""Samples of each batch that are looked at."""


def judged_apart(job: Job, modules: Sequence[nn.Module]) -> bool:
    """Is every number on the way from a few samples to their scores a matter of real samples or of fake ones alone?

    Scores do not tell: a layer that starts at zero hides what lies before it and a gate of zero what it shuts off, and
    both open later. So the numbers within are compared too, and the weights are others than the critic's, none of them
    zero. Three calls; a critic that cannot judge so few samples is taken to judge them together.
    """
    labels = None if job.labels is None else job.labels[:_FEW]
    few = replace(job, batches={name: job.batches[name][:_FEW] for name in ("real", "fake")}, labels=labels)
    x = few.samples(("real", "fake")).detach()
    real, fake = slice(len(x) // 2), slice(len(x) // 2, None)

    def values(given: Tensor) -> tuple[Tensor, list[Tensor]]:
        with untouched(modules, x.device), exchanged(modules, parameters=_Other()), _Values() as found:
            return few.scores(given), found.values

    try:
        # What is compiled would be compiled anew for these few samples.
        with torch.compiler.set_stance("force_eager"):
            scores, before = values(x)
            touched: list[Tensor | None] = [None] * len(before)
            for changed, kept in ((real, fake), (fake, real)):
                seen, after = values(_with_others(x, changed))
                if not torch.equal(seen[kept], scores[kept]) or not _untouched_twice(before, after, touched):
                    return False
    except Exception:  # whatever a critic raises when it is given other samples and weights than it was made for
        return False
    return True


def _untouched_twice(before: list[Tensor], after: list[Tensor], touched: list[Tensor | None]) -> bool:
    """Did no number change that an earlier change had `touched`? Enters those that did."""
    if [value.shape for value in before] != [value.shape for value in after]:
        return False
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        differs, earlier = old != new, touched[place]
        if earlier is not None and bool((differs & earlier).any()):
            return False
        touched[place] = differs
    return True


def _with_others(x: Tensor, changed: slice) -> Tensor:
    """x with other samples at `changed`."""
    others = x.clone()
    others[changed] = 1 - 2 * others[changed]
    return others


class _Other:
    """Other weights of the same kind: near by and of the same sign, above zero where they are zero. The same at every
    look, and drawn from a generator of their own."""

    def __init__(self) -> None:
        self._drawn: dict[torch.device, torch.Generator] = {}

    def __call__(self, weight: Tensor) -> Tensor:
        if not (weight.is_floating_point() or weight.is_complex()):
            return weight
        if weight.device not in self._drawn:
            self._drawn[weight.device] = torch.Generator(weight.device).manual_seed(0)
        share = torch.rand(weight.shape, generator=self._drawn[weight.device], device=weight.device) + 0.5
        other = torch.where(weight == 0, 0.1, weight) * share
        return nn.Parameter(other.to(weight.dtype), requires_grad=False)


class _Values(TorchDispatchMode):
    """Keeps all that operations give while it is on, but for views, which show what is kept already."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        given = func(*args, **(kwargs or {}))
        if not _gives_nothing_new(func):
            self.values += [value.detach().clone() for value in tree_leaves(given) if isinstance(value, Tensor)]
        return given


def _gives_nothing_new(func: Any) -> bool:
    """Is its result a view of an operand, or memory that holds no numbers yet?"""
    alias = [one.alias_info for one in func._schema.returns]
    view = any(info is not None and not info.is_write for info in alias)
    return view or "empty" in func._schema.name
