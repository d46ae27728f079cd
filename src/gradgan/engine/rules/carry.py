"""Which nodes carry values as they carry tangents: with kinks frozen, their map is a matrix, or one and a known bias.

Where every node of a tape is of that kind, one forward carries the value h and the tangent t together, as h + t / a.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .rule import Node, Passage, geometry

Carry = Callable[[Node, Passage], Tensor | tuple[Tensor, ...]]
"""As Rule.along, of h + t / a."""

_MATRICES = frozenset(
    ("LeakyRelu0", "LeakyRelu1", "Relu0", "PreluKernel0", "Abs0", "Neg0", "Hardshrink0", "NativeDropout0",
     "MaxPool2DWithIndices0", "MaxPool3DWithIndices0", "AdaptiveMaxPool2D0", "AdaptiveMaxPool3D0", "Max0",
     "Min0", "Amax0", "Amin0", "Mm0", "Mv0", "Bmm0", "Mul0", "Div0", "View0", "UnsafeView0", "ReshapeAlias0",
     "Squeeze0", "Squeeze1", "Squeeze2", "Unsqueeze0", "Clone0", "Alias0", "ToCopy0", "Permute0", "Transpose0",
     "Slice0", "Select0", "Split0", "SplitWithSizes0", "Unbind0", "Expand0", "Flip0", "Roll0", "IndexSelect0",
     "Sum1", "Mean1", "AvgPool2D0", "AvgPool3D0", "AdaptiveAvgPool2D0", "AdaptiveAvgPool3D0", "PixelShuffle0",
     "PixelUnshuffle0", "ChannelShuffle0", "UpsampleNearest1D0", "UpsampleNearest2D0", "UpsampleNearest3D0",
     "UpsampleLinear1D0", "UpsampleBilinear2D0")
)  # fmt: skip
_WITHOUT_CONSTANTS = frozenset(("Add0", "Sub0", "Cat0", "Stack0", "Maximum0", "Minimum0"))
"""Matrices while every operand varies with the samples; a constant operand is a term that no tangent has."""


def carry(name: str, node: Node, along: Carry, *, all_vary: bool) -> Carry | None:
    """How the node `name`, which carries tangents by `along`, carries h + t / a; None where it cannot."""
    if name in _MATRICES or (name in _WITHOUT_CONSTANTS and all_vary):
        return along
    if name == "Convolution0":
        none = sum(node._saved_bias_sym_sizes_opt) == 0
        return along if none else _biased(_convolution, node.next_functions[2][0])
    if name == "Addmm0":
        return _biased(_addmm, node.next_functions[0][0])
    return None


def _biased(with_bias: Callable[[Node, Passage, Tensor], Tensor], maker: Node) -> Carry | None:
    """The operation with its bias, if that is a parameter as it is; a frozen one is not in autograd's record."""
    if maker is not None and maker.name() == "ToCopyBackward0":  # autocast
        maker = maker.next_functions[0][0]
    if maker is None or maker.name() != "torch::autograd::AccumulateGrad":
        return None
    bias = maker.variable
    return lambda node, p: with_bias(node, p, bias)


def _convolution(node: Node, p: Passage, bias: Tensor) -> Tensor:
    c = p.at(0)
    return torch.convolution(c, node._saved_weight, bias.to(c.dtype), *geometry(node))


def _addmm(node: Node, p: Passage, bias: Tensor) -> Tensor:
    c = p.at(1)
    return torch.addmm(bias.to(c.dtype), c, node._saved_mat2, beta=node._saved_beta, alpha=node._saved_alpha)
