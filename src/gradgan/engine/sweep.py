"""The sweep: exact gradients of input-gradient penalties in four layer products a sample, where double backward takes
six or nine. See docs/sweep.md."""

import torch
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

from . import double
from .parts import Job, Parts
from .tape import Roots, Tape

_SHARE_UP_TO = 2**16
"""Batches of up to so many numbers share a critic call, to call it less often. Larger ones are swept one after the
other, which is as fast and keeps one batch's gradients at a time."""


def sweep(job: Job, *, together: bool) -> Parts:
    """Forward; a from the scores; backward to the samples; v from their slopes; forward again for the weights.

    Samples that pay for no slope take the ordinary way, beside the others' weights in one last backward. `together`:
    batches may share a critic call.
    """
    few = sum(job.batches[name].numel() for name in job.charged) <= _SHARE_UP_TO
    swept = [(names, *_judged(job, names)) for names in double.calls(job.charged, together=together and few)]
    plain = [(names, job.scores(job.samples(names))) for names in double.calls(job.plain, together=together)]
    with torch.autocast(job.batches["real"].device.type, enabled=False):
        scores = _cut(job, *((names, s) for names, s, _ in swept), *plain)
        loss = job.adversarial(scores)
        learned: list[Tensor] = []
        a = _gradients(loss, {name: scores[name] for name in ("real", "fake")}, learned)
        means: dict[str, Tensor] = {}
        slopes: dict[str, Tensor] = {}
        roots: Roots = []
        while swept:  # handed over one by one, so that each one's tape is gone before the next one's gradients are made
            roots += _swept(job, a, means, slopes, learned, *swept.pop(0))
        parts = job.parts("sweep", loss, scores, means, slopes)
        _finish(roots, [(s, torch.cat([a[name] for name in names])) for names, s in plain], learned)
    return parts


def _swept(job: Job, a: dict[str, Tensor], means: dict[str, Tensor], slopes: dict[str, Tensor], learned: list[Tensor],
           names: tuple[str, ...], scores: Tensor, tape: Tape) -> Roots:  # fmt: skip
    """What one tape's samples do to the weights; their penalties and slopes are entered beside the others'."""
    joined = _joined(job, names, a, scores)
    here = _cut(job, (names, tape.slopes(joined if tape.carries(joined) else None)))
    charged = job.means(here)
    v = _gradients(job.total(charged), here, learned)
    means |= charged
    slopes |= here
    return tape.sweep(joined, torch.cat([v[name] for name in names]))


def _judged(job: Job, names: tuple[str, ...]) -> tuple[Tensor, Tape]:
    """The scores of these batches, and the tape of how they came about."""
    x = job.samples(names).detach().requires_grad_()
    scores = job.scores(x)
    return scores, Tape(scores, x)


def _cut(job: Job, *batches: tuple[tuple[str, ...], Tensor]) -> dict[str, Tensor]:
    """The batches' numbers by name, cut from the critic's graph, to be differentiated by."""
    cut = {name: part for names, x in batches for name, part in job.apart(names, x.detach()).items()}
    return {name: part.requires_grad_() for name, part in cut.items()}


def _gradients(value: Tensor, by: dict[str, Tensor], learned: list[Tensor]) -> dict[str, Tensor]:
    """The gradient of `value` by each of these, zeros where it does not depend on them. A value that depends on more (a
    temperature, a multiplier) is `learned`: it keeps its graph, for the last backward."""
    more = depends_on_more(value, by)
    found = torch.autograd.grad(value, list(by.values()), retain_graph=more, allow_unused=True, materialize_grads=True)
    learned += [value] * more
    return dict(zip(by, found, strict=True))


def depends_on_more(value: Tensor, by: dict[str, Tensor]) -> bool:
    """Does a leaf that wants a gradient, other than these, take part in `value`?"""
    known = {get_gradient_edge(leaf).node for leaf in by.values()}
    stack = [value.grad_fn]
    seen: set[Node | None] = {None, *known}
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        if node.name() == "torch::autograd::AccumulateGrad":
            return True
        seen.add(node)
        stack += [before for before, _ in node.next_functions]
    return False


def _joined(job: Job, names: tuple[str, ...], a: dict[str, Tensor], swept: Tensor) -> Tensor | None:
    """a for the swept samples: zero at points that the loss does not read, None where it reads none of them."""
    if not any(name in a for name in names):
        return None
    return torch.cat([a[name] if name in a else swept.new_zeros(len(job.batches[name])) for name in names])


def _finish(roots: Roots, plain: list[tuple[Tensor, Tensor]], learned: list[Tensor]) -> None:
    """One ordinary backward for all the rest, so that each parameter's hooks fire once."""
    ends = [*(edge for edge, _ in roots), *(scores for scores, _ in plain), *learned]
    ones = (torch.ones_like(value) for value in learned)
    torch.autograd.backward(ends, [*(gradient for _, gradient in roots), *(a for _, a in plain), *ones])
