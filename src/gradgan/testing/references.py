"""Slow, obvious references: one sample at a time, plain loops. The fast code is held against them."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def input_slopes(critic: Callable[[Tensor], Tensor], points: Tensor) -> list[float]:
    """||grad D(x_i)|| for each point: the full Jacobian of the critic at one sample at a time."""
    slopes = []
    for point in points:
        jacobian = torch.autograd.functional.jacobian(lambda x: critic(x[None]).reshape(()), point.detach())
        slopes.append(_length([jacobian]))
    return slopes


def latent_slopes(judge: Callable[[Tensor], Tensor], generator: Callable[[Tensor], Tensor], z: Tensor) -> list[float]:
    """||grad_z judge(G(z_i))|| for each latent: the full Jacobian at one latent at a time."""
    return input_slopes(lambda one: judge(generator(one)), z)


def parameter_slope(values: Callable[[], Tensor], parameters: Iterable[Tensor]) -> float:
    """||grad of the mean of values() by all parameters||: each sample's gradient by itself, averaged by hand."""
    parameters = list(parameters)
    total = [torch.zeros_like(p) for p in parameters]
    n = len(values())
    for i in range(n):
        # A fresh forward for each sample: nothing is shared, nothing is retained.
        gradients = torch.autograd.grad(values()[i], parameters, allow_unused=True, materialize_grads=True)
        total = [sum_so_far + gradient / n for sum_so_far, gradient in zip(total, gradients, strict=True)]
    return _length(total)


def central_difference(value: Callable[[], Tensor], parameters: Iterable[Tensor], direction: list[Tensor]) -> float:
    """The derivative of value() along `direction` in parameter space, from two values a small step apart.

    The parameters are moved in place and put back exactly as they were.
    """
    parameters = list(parameters)
    before = [p.detach().clone() for p in parameters]
    step = 1e-6
    values = []
    try:
        for signed in (step, -step):
            with torch.no_grad():
                for p, start, along in zip(parameters, before, direction, strict=True):
                    p.copy_(start + signed * along)
            values.append(float(value().detach()))
    finally:
        with torch.no_grad():
            for p, start in zip(parameters, before, strict=True):
                p.copy_(start)
    return (values[0] - values[1]) / (2 * step)


def _length(parts: list[Tensor]) -> float:
    return math.sqrt(sum(number * number for part in parts for number in part.detach().flatten().tolist()))
