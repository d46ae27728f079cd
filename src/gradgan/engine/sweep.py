"""The sweep: exact gradients of input-gradient penalties in four layer products a sample, where double backward takes
six or nine. See docs/sweep.md."""

import torch
from torch import Tensor

from . import double
from .parts import Job, Parts
from .tape import Roots, Tape


def sweep(job: Job) -> Parts:
    """Forward; backward to the samples; a and v from the values; forward again for the weights.

    Samples that pay for no slope take the ordinary way, beside the others' weights in one last backward.
    """
    x = job.samples(job.charged).detach().requires_grad_()
    swept = job.scores(x)
    tape = Tape(swept, x)
    plain = [(names, job.scores(job.samples(names))) for names in double.calls(job.plain, together=True)]
    with torch.autocast(x.device.type, enabled=False):
        slopes = _leaves((job.charged, tape.slopes()))
        scores = _leaves((job.charged, swept), *plain)
        loss, means = job.adversarial(scores), job.means(slopes)
        v, a = _gradients(job.total(loss, means), slopes, {name: scores[name] for name in ("real", "fake")})
        roots = tape.sweep(_joined(job.charged, a, swept), torch.cat([v[name] for name in job.charged]))
        parts = job.parts("sweep", loss, scores, means, slopes)
        del tape, swept
        _finish(roots, [(s, torch.cat([a[name] for name in names])) for names, s in plain])
    return parts


def _leaves(*batches: tuple[tuple[str, ...], Tensor]) -> dict[str, Tensor]:
    """The batches' numbers by name, cut from the critic's graph, to be differentiated by."""
    cut = {name: part for names, x in batches for name, part in zip(names, x.detach().chunk(len(names)), strict=True)}
    return {name: part.requires_grad_() for name, part in cut.items()}


def _gradients(total: Tensor, *by: dict[str, Tensor]) -> tuple[dict[str, Tensor], ...]:
    """The gradient of `total` by all of these, zeros where it does not depend on them."""
    leaves = [leaf for group in by for leaf in group.values()]
    found = iter(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))
    return tuple({name: next(found) for name in group} for group in by)


def _joined(names: tuple[str, ...], a: dict[str, Tensor], swept: Tensor) -> Tensor | None:
    """a for the swept samples: zero at points that the loss does not read, None where it reads none of them."""
    if not any(name in a for name in names):
        return None
    zero = swept.new_zeros(len(swept) // len(names))
    return torch.cat([a.get(name, zero) for name in names])


def _finish(roots: Roots, plain: list[tuple[Tensor, Tensor]]) -> None:
    """One ordinary backward for all the rest, so that each parameter's hooks fire once."""
    ends = [*(edge for edge, _ in roots), *(scores for scores, _ in plain)]
    torch.autograd.backward(ends, [*(gradient for _, gradient in roots), *(a for _, a in plain)])
