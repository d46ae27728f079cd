"""What a rule is: how the tape carries a tangent through one kind of node, and what reaches the node's weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Shape = tuple[int, ...]
Node = Any
"""A node of autograd's graph; what it saved is read by attributes that torch makes at run time."""


@dataclass(slots=True)
class Passage:
    """What comes to one node in the sweep.

    t       the tangent of each operand, None where the operand is constant along the samples
    owned   may the tangent's memory be overwritten? Nobody else will read it.
    """

    t: list[Tensor | None]
    owned: list[bool]

    def at(self, slot: int) -> Tensor:
        """The tangent of operand `slot`, which the rule has as varying."""
        t = self.t[slot]
        assert t is not None
        return t


@dataclass(slots=True)
class Weighing:
    """What is known where weights meet the tape.

    gy          the gradient of the scores by the node's output; a gy where `together`
    a           the loss's gradient by the batch's scores, (n,), None for zeros
    together    is what comes as t already h + t / a?
    bias        the gradient of a bias, if it was found with the weight's
    """

    gy: Tensor
    a: Tensor | None
    together: bool = False
    bias: Tensor | None = None

    def combined(self, p: Passage, slot: int, h: Tensor) -> Tensor:
        """a_i h_i + t_i for operand `slot`, whose value was h; in the memory of t if that is owned.

        Over a_i where `together`, since gy has it."""
        t = p.at(slot)
        if self.a is None or self.together:
            return t
        a = per_row(self.a, h)
        return t.addcmul_(h, a) if p.owned[slot] and t.dtype == h.dtype else torch.addcmul(t, h, a)

    def scaled(self) -> Tensor | None:
        """a_i gy_i"""
        if self.together:
            return self.gy
        return None if self.a is None else self.gy * per_row(self.a, self.gy)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of node is swept.

    along    (node, passage) -> the tangent of the output (of each output, as a tuple)
    weigh    (node, slot, passage, weighing) -> the gradient by operand `slot`, which depends on weights alone;
             None where no operand may
    varying  the operands that may depend on the samples; None for any of them
    alias    may the result share memory with its only operand?
    still    (node, shape of each varying operand, shapes of the outputs) -> does dimension 0 stay the samples'?
    """

    along: Callable[[Node, Passage], Tensor | tuple[Tensor, ...]]
    weigh: Callable[[Node, int, Passage, Weighing], Tensor | None] | None = None
    varying: tuple[int, ...] | None = None
    alias: bool = False
    still: Callable[[Node, list[Shape], list[Shape]], bool] | None = None


def shapes_of(node: Node) -> list[Shape]:
    """The shape of each output of the forward operation."""
    return [tuple(m.shape) for m in node._input_metadata]


def geometry(node: Node) -> tuple:
    """What a convolution was called with, after its bias."""
    return (node._saved_stride, node._saved_padding, node._saved_dilation, node._saved_transposed,
            node._saved_output_padding, node._saved_groups)  # fmt: skip


def per_row(a: Tensor, like: Tensor) -> Tensor:
    """a (n,) shaped to multiply `like` (n r, ...), r rows for each sample, and of its type."""
    if len(a) == 1:
        return a.to(like.dtype).reshape([1] * like.ndim)
    rows = len(like) // len(a)
    if rows > 1:
        a = a.repeat_interleave(rows)
    return a.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))


def signed(dim: int, ndim: int) -> int:
    """A saved dimension as 0 ... ndim - 1; autograd shows negative ones as huge unsigned numbers."""
    return (dim - 2**64 if dim >= 2**63 else dim) % max(ndim, 1)
