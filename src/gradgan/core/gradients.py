"""Gradients that are differentiated again: the only `create_graph=True` of the package."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from .checks import GradganError, batch_of, outside_inference_mode, scores_of, separate_samples
from .types import Critic, Generator, Latents, Samples, Scores


def _differentiate(
    value: Tensor, by: list[Tensor], *, caller: str, is_constant: Callable[[], bool] = lambda: False
) -> tuple[Tensor, ...]:
    """d(value)/d(by), ready for a second backward; a tensor that value does not depend on gets zeros.

    A value whose graph holds none of them is refused, unless `is_constant` says that it truly depends on none: then
    its slope is 0, and stays 0 under every change of the weights.
    """
    grads: tuple[Tensor | None, ...] = (None,) * len(by)
    if value.requires_grad:
        grads = torch.autograd.grad(value, by, create_graph=True, allow_unused=True)
    if all(g is None for g in grads) and not is_constant():
        raise GradganError(
            f"{caller}: got a value whose graph does not hold what it should be differentiated by. "
            "Do not detach the value or within the network, and do not run it under torch.no_grad()."
        )
    return tuple(torch.zeros_like(b) if g is None else g for b, g in zip(by, grads, strict=True))


def _same_elsewhere(values_at: Callable[[Tensor], Tensor], x: Tensor) -> bool:
    """Are the values at other samples the same, to the bit and by the same draws? Only then do they not depend on x:
    a network that ran under no_grad, or detached x, has as little of a graph as one that never looked at it."""
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.no_grad():
        with torch.random.fork_rng(devices):
            other = x.detach() + torch.randn_like(x)
        with torch.random.fork_rng(devices):
            here = values_at(x.detach())
        with torch.random.fork_rng(devices):
            return torch.equal(here, values_at(other))


def input_gradient(
    critic: Critic, x: Samples, *, through: bool = False, caller: str = "input_gradient"
) -> tuple[Scores, Samples]:
    """Scores, and the gradient of each score by its own sample, ready for a second backward.

        g_i = grad_{x_i} D(x_i)            shapes: x (n, *event) -> scores (n,), gradient (n, *event)

    `x` is left alone: a detached copy carries the gradient. With `through`, x itself is differentiated by, so that the
    second backward also reaches the network that made x (which must be in a graph).
    A critic that gives the same scores at other samples has slope 0. One whose scores change with x and carry no graph
    of it (it ran under no_grad, or detached x) is refused: GradganError, also for inference mode and samples made in
    it, for a critic that mixes samples, and for one that does not return one score per sample.
    """
    batch_of(x, caller=caller)
    separate_samples(critic, caller=caller)
    with torch.enable_grad():
        if not through:
            x = x.detach().requires_grad_(True)
        elif not x.requires_grad:
            raise GradganError(f"{caller}: through=True wants an x that was made in a graph, got a detached one.")

        def judged(x: Tensor) -> Tensor:
            return scores_of(critic(x), len(x), caller=caller)

        scores = judged(x)
        # Summing gives per-sample gradients only while no layer mixes samples (checked above).
        (gradient,) = _differentiate(scores.sum(), [x], caller=caller, is_constant=lambda: _same_elsewhere(judged, x))
    return scores, gradient


def latent_gradient(
    judge: Callable[[Samples], Tensor], generator: Generator, z: Latents, *, caller: str = "latent_gradient"
) -> Latents:
    """The gradient of judge(G(z)) by z, each sample's own, ready for a second backward.

        g_i = grad_{z_i} judge(G(z_i))     shapes: z (n, z) -> (n, z)

    It runs through both networks; who pays is decided by whose parameters the later backward reaches. Refused as in
    `input_gradient`: values that change with z and carry no graph of it.
    """
    batch_of(z, caller=caller, what="latents")
    separate_samples(judge, caller=caller)
    with torch.enable_grad():
        z = z.detach().requires_grad_(True)

        def judged(z: Tensor) -> Tensor:
            return scores_of(judge(generator(z)), len(z), caller=caller)

        values = judged(z).sum()
        (gradient,) = _differentiate(values, [z], caller=caller, is_constant=lambda: _same_elsewhere(judged, z))
    return gradient


def parameter_gradient(
    value: Tensor, parameters: Iterable[Tensor], *, caller: str = "parameter_gradient"
) -> tuple[Tensor, ...]:
    """The gradient of one number by each parameter, ready for a second backward; frozen parameters are left out.

    Shapes: value () -> a tuple of tensors shaped like the parameters. A parameter that value does not use gets zeros,
    as long as it uses another. A value that uses none of them is refused, a constant too, for it cannot be told from
    one that was detached or came about under no_grad: GradganError, also where value is not a scalar.
    """
    outside_inference_mode(caller=caller)
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
