"""The sweep: exact gradients of input-gradient penalties in four layer products a sample, where double backward takes
six or nine. See docs/sweep.md."""

import torch
from torch import Tensor

from . import double
from .parts import Job, Parts
from .tape import Roots, Tape


def sweep(job: Job) -> Parts:
    """One forward; slopes by one backward; loss and penalties by their values; one more forward for the weights."""
    x = job.samples(job.charged).detach().requires_grad_()
    judged = job.scores(x)
    tape = Tape(judged, x)
    plain = [(names, job.scores(job.samples(names))) for names in double.calls(job.plain, together=True)]
    with torch.autocast(x.device.type, enabled=False):
        slopes = dict(zip(job.charged, tape.slopes().chunk(len(job.charged)), strict=True))
        scores = dict(zip(job.charged, judged.detach().chunk(len(job.charged)), strict=True))
        for names, s in plain:
            scores |= zip(names, s.detach().chunk(len(names)), strict=True)
        loss, pull = _pull(job, scores)
        charged = [pull.get(name) for name in job.charged]
        roots = tape.sweep(_joined(charged, judged), torch.cat(_push(job, slopes)))
        parts = job.parts(loss, scores, slopes, "sweep")
        del tape, judged
        _finish(roots, [(s, torch.cat([pull[name] for name in names])) for names, s in plain])
    return parts


def _pull(job: Job, scores: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss, and a: its gradient by every score that it reads."""
    leaves = {name: scores[name].detach().requires_grad_() for name in ("real", "fake")}
    loss = job.adversarial(leaves)
    gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return loss.detach(), dict(zip(leaves, gradients, strict=True))


def _push(job: Job, slopes: dict[str, Tensor]) -> list[Tensor]:
    """v: the gradient of what is charged by every slope."""
    leaves = {name: slope.detach().requires_grad_() for name, slope in slopes.items()}
    total = torch.stack([charge.value(leaves[charge.at]) for charge in job.charges]).sum()
    return list(torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True))


def _joined(pulls: list[Tensor | None], judged: Tensor) -> Tensor | None:
    """a for the charged batches: zero at points that the loss does not read, None where it reads none of them."""
    if all(pull is None for pull in pulls):
        return None
    n = len(judged) // len(pulls)
    return torch.cat([judged.new_zeros(n) if pull is None else pull for pull in pulls])


def _finish(roots: Roots, plain: list[tuple[Tensor, Tensor]]) -> None:
    """One ordinary backward for all the rest, so that each parameter's hooks fire once."""
    ends = [*(edge for edge, _ in roots), *(scores for scores, _ in plain)]
    torch.autograd.backward(ends, [*(gradient for _, gradient in roots), *(pull for _, pull in plain)])
