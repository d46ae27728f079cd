"""Gradients that are differentiated again: the only `create_graph=True` of the package."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from .checks import GradganError, batch_of, scores_of, separate_samples
from .types import Critic, Generator, Latents, Samples, Scores


def _differentiate(value: Tensor, by: list[Tensor], *, caller: str) -> tuple[Tensor, ...]:
    """d(value)/d(by), ready for a second backward; a tensor that value does not depend on gets zeros."""
    if not value.requires_grad:
        # A critic that is constant in its input: its slope is 0, and stays 0 under every change of its weights.
        return tuple(torch.zeros_like(b) for b in by)
    grads = torch.autograd.grad(value, by, create_graph=True, allow_unused=True)
    if all(g is None for g in grads):
        raise GradganError(
            f"{caller}: the value does not depend on what it should be differentiated by. "
            "Do not detach inside the network, and do not run it under torch.no_grad()."
        )
    return tuple(torch.zeros_like(b) if g is None else g for b, g in zip(by, grads, strict=True))


def input_gradient(
    critic: Critic, x: Samples, *, through: bool = False, caller: str = "input_gradient"
) -> tuple[Scores, Samples]:
    """Scores, and the gradient of each score by its own sample, ready for a second backward.

        g_i = grad_{x_i} D(x_i)            shapes: x (n, *event) -> scores (n,), gradient (n, *event)

    `x` is left alone: a detached copy carries the gradient. With `through`, x itself is differentiated by, so that the
    second backward also reaches the network that made x (which must be in a graph).
    Raises GradganError for a critic that mixes samples or does not return one score per sample.
    """
    batch_of(x, caller=caller)
    separate_samples(critic, caller=caller)
    with torch.enable_grad():
        if not through:
            x = x.detach().requires_grad_(True)
        elif not x.requires_grad:
            raise GradganError(f"{caller}: through=True wants an x that was made in a graph, got a detached one.")
        scores = scores_of(critic(x), len(x), caller=caller)
        # Summing gives per-sample gradients only while no layer mixes samples (checked above).
        (gradient,) = _differentiate(scores.sum(), [x], caller=caller)
    return scores, gradient


def latent_gradient(
    judge: Callable[[Samples], Tensor], generator: Generator, z: Latents, *, caller: str = "latent_gradient"
) -> Latents:
    """The gradient of judge(G(z)) by z, each sample's own, ready for a second backward.

        g_i = grad_{z_i} judge(G(z_i))     shapes: z (n, z) -> (n, z)

    It runs through both networks; who pays is decided by whose parameters the later backward reaches.
    """
    batch_of(z, caller=caller, what="latents")
    separate_samples(judge, caller=caller)
    with torch.enable_grad():
        z = z.detach().requires_grad_(True)
        values = scores_of(judge(generator(z)), len(z), caller=caller)
        (gradient,) = _differentiate(values.sum(), [z], caller=caller)
    return gradient


def parameter_gradient(
    value: Tensor, parameters: Iterable[Tensor], *, caller: str = "parameter_gradient"
) -> tuple[Tensor, ...]:
    """The gradient of one number by each parameter, ready for a second backward; frozen parameters are left out.

    Shapes: value () -> a tuple of tensors shaped like the parameters. Raises GradganError where value is not a scalar.
    """
    wanted = [p for p in parameters if p.requires_grad]
    if value.numel() != 1:
        raise GradganError(f"{caller}: wanted one number, got shape {tuple(value.shape)}. Take the mean first.")
    if not wanted:
        raise GradganError(f"{caller}: no parameter requires a gradient. Pass network.parameters(), not frozen.")
    return _differentiate(value.reshape(()), wanted, caller=caller)


def sample_gradient(values: Scores, x: Samples) -> Samples:
    """The gradient of each value by its own sample of a graph that exists already, detached and once only.

    For what is followed or measured, not charged: the slope of a loss at the samples that a generator made.
    """
    (gradient,) = torch.autograd.grad(values.sum(), x, retain_graph=True)
    return gradient


def laid_out_as(parameter: Tensor, x: Tensor) -> Tensor:
    """x in the memory layout of a parameter of its shape: fused optimisers walk both by address."""
    return x if x.stride() == parameter.stride() else torch.empty_like(parameter, dtype=x.dtype).copy_(x)


def squared_norm(gradient: Tensor) -> Scores:
    """||g_i||^2 over everything but the batch: (n, *event) -> (n,). Flat or channels_last, any number of dimensions."""
    return gradient.square().flatten(1).sum(1)


def norm(gradient: Tensor) -> Scores:
    """||g_i|| with derivative 0 at 0 (a plain sqrt has NaN there): (n, *event) -> (n,)."""
    squares = squared_norm(gradient)
    zero = squares == 0
    # Both `where`: the inner one keeps the infinite slope of sqrt at 0 out of the backward, not only out of the value.
    return torch.where(zero, torch.zeros_like(squares), torch.where(zero, torch.ones_like(squares), squares).sqrt())
