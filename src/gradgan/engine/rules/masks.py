"""Rules for kinks: what is linear on either side. The mask is autograd's own, also exactly at 0."""

import torch
from torch import Tensor

from .affine import added, added_weight
from .rule import Node, Passage, Rule, Shape, Weighing, shapes_of, signed

_leaky = torch.ops.aten.leaky_relu_backward
_threshold = torch.ops.aten.threshold_backward


def _leaky_relu(node: Node, p: Passage) -> Tensor:
    return _masked_leaky(p, node._saved_self, node._saved_negative_slope, False)


def _leaky_relu_in_place(node: Node, p: Passage) -> Tensor:
    return _masked_leaky(p, node._saved_result, node._saved_negative_slope, True)


def _masked_leaky(p: Passage, h: Tensor, slope: float, is_result: bool) -> Tensor:
    t = p.at(0)
    if p.owned[0]:
        return _leaky.grad_input(t, h, slope, is_result, grad_input=t)
    return _leaky(t, h, slope, is_result)


def _relu(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    if p.owned[0]:
        return _threshold.grad_input(t, node._saved_result, 0, grad_input=t)
    return _threshold(t, node._saved_result, 0)


def _prelu(node: Node, p: Passage) -> Tensor:
    # At exactly 0 torch's first derivative is the weight, but its second takes the slope there for 1; and so does this,
    # so that both ways agree.
    t = p.at(0)
    return torch.where(node._saved_self >= 0, t, t * node._saved_weight)


def _prelu_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor:
    h = node._saved_self
    return (w.gy * w.combined(p, 0, h)).masked_fill_(h >= 0, 0)


def _max_pool(spatial: int):
    """The tangent at the place that was the largest of each window."""

    def along(node: Node, p: Passage) -> Tensor:
        t, where = p.at(0), node._saved_result1
        return t.flatten(-spatial).gather(-1, where.flatten(-spatial)).reshape(where.shape)

    return along


def _max_along(node: Node, p: Passage) -> Tensor:
    t, where = p.at(0), node._saved_indices
    dim = signed(node._saved_dim, t.ndim)
    return t.gather(dim, where if node._saved_keepdim else where.unsqueeze(dim)).reshape(where.shape)


def _extreme(node: Node, p: Passage) -> Tensor:
    """amax and amin: ties share, as in their backward."""
    t, h, result = p.at(0), node._saved_self, node._saved_result
    dims = sorted(signed(d, h.ndim) for d in node._saved_dim)
    if not node._saved_keepdim:
        for dim in dims:
            result = result.unsqueeze(dim)
    ties = (h == result).to(t.dtype)
    return ((ties * t).sum(dims, keepdim=True) / ties.sum(dims, keepdim=True)).reshape(shapes_of(node)[0])


def _dim_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    dims = node._saved_dim if isinstance(node._saved_dim, tuple) else (node._saved_dim,)
    return len(dims) > 0 and all(signed(d, len(ins[0])) != 0 for d in dims)


_DIAGONAL = ("Abs0", "Neg0", "Clamp1", "ClampMin0", "ClampMax0", "Hardtanh0", "Threshold0", "Hardshrink0",
             "Softshrink0", "Hardsigmoid0", "NativeDropout0")  # fmt: skip

RULES: dict[str, Rule] = {
    "LeakyRelu0": Rule(_leaky_relu, varying=(0,)),
    "LeakyRelu1": Rule(_leaky_relu_in_place, varying=(0,)),
    "Relu0": Rule(_relu, varying=(0,)),
    "PreluKernel0": Rule(_prelu, _prelu_weight, varying=(0,)),
    "MaxPool2DWithIndices0": Rule(_max_pool(2), varying=(0,)),
    "MaxPool3DWithIndices0": Rule(_max_pool(3), varying=(0,)),
    "AdaptiveMaxPool2D0": Rule(_max_pool(2), varying=(0,)),
    "AdaptiveMaxPool3D0": Rule(_max_pool(3), varying=(0,)),
    "Max0": Rule(_max_along, varying=(0,), still=_dim_still),
    "Min0": Rule(_max_along, varying=(0,), still=_dim_still),
    "Amax0": Rule(_extreme, varying=(0,), still=_dim_still),
    "Amin0": Rule(_extreme, varying=(0,), still=_dim_still),
    "Maximum0": Rule(added, added_weight, alias=True),
    "Minimum0": Rule(added, added_weight, alias=True),
    **{name: Rule(added, varying=(0,), alias=True) for name in _DIAGONAL},
}
