"""Rules where weights act: convolution, matrix products, scales, and sums to which a learned or constant term comes.

A product is linear in its weight and linear in its operand h, so its weight's gradient is the ordinary one with h
replaced by a h + t, or with gy replaced by a gy and h by h + t / a. A term that is added has the gradient a gy.
"""

import torch
from torch import Tensor

from .rule import Node, Passage, Rule, Shape, Weighing, geometry, per_row, shapes_of, signed


def _convolve(node: Node, p: Passage) -> Tensor:
    return torch.convolution(p.at(0), node._saved_weight, None, *geometry(node))


def _convolution_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor | None:
    if slot == 2:
        return w.bias if w.bias is not None else _weighted_sum(w)
    c, weight = w.combined(p, 0, node._saved_input), node._saved_weight
    # With the weight's gradient the bias's comes free, where gy needs no factor and there is a bias that wants it.
    both = w.together and node.next_functions[2][0] is not None
    size = [weight.shape[1] * node._saved_groups if node._saved_transposed else len(weight)] if both else None
    wanted = (False, True, both)
    _, gradient, w.bias = torch.ops.aten.convolution_backward(w.gy, c, weight, size, *geometry(node), wanted)
    return gradient


def _weighted_sum(w: Weighing) -> Tensor | None:
    """sum_i a_i gy_i over everything but the channels, in one pass over gy."""
    if w.together:
        return w.gy.sum([dim for dim in range(w.gy.ndim) if dim != 1])
    if w.a is None:
        return None
    gy = w.gy.flatten(2).sum(2) if w.gy.ndim > 2 else w.gy
    return torch.mv(gy.t(), per_row(w.a, gy).expand(len(gy), 1).reshape(-1))


def _addmm(node: Node, p: Passage) -> Tensor:
    product = torch.mm(p.at(1), node._saved_mat2)
    return product if node._saved_alpha == 1 else product * node._saved_alpha


def _addmm_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor | None:
    factor = node._saved_beta if slot == 0 else node._saved_alpha
    if slot == 0:
        maker, output = node.next_functions[0]
        # A term of another shape than a bias's (k,), such as one a sample, is summed by whoever gets it.
        gradient = _weighted_sum(w) if len(shapes_of(maker)[output]) == 1 else w.scaled()
    else:
        gradient = torch.mm(w.combined(p, 1, node._saved_mat1).t(), w.gy)
    return gradient if gradient is None or factor == 1 else gradient * factor


def _mm_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor:
    return torch.mm(w.combined(p, 0, node._saved_self).t(), w.gy)


def _mv_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor:
    return torch.mv(w.combined(p, 0, node._saved_self).t(), w.gy)


def _bmm(node: Node, p: Passage) -> Tensor:
    if p.t[0] is not None:
        return torch.bmm(p.at(0), node._saved_mat2)
    return torch.bmm(node._saved_self, p.at(1))


def _bmm_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor:
    if slot == 1:
        return torch.bmm(w.combined(p, 0, node._saved_self).transpose(1, 2), w.gy)
    return torch.bmm(w.gy, w.combined(p, 1, node._saved_mat2).transpose(1, 2))


def _mul(node: Node, p: Passage) -> Tensor:
    return p.at(0) * node._saved_other if p.t[0] is not None else p.at(1) * node._saved_self


def _mul_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor:
    return w.gy * w.combined(p, 1 - slot, node._saved_other if slot == 0 else node._saved_self)


def _div_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor:
    return -w.gy * w.combined(p, 0, node._saved_self) / node._saved_other.square()


def _sum(node: Node, p: Passage) -> Tensor:
    """Two of one shape are added in place where possible; otherwise through the node's own backward, see `added`."""
    left, right = p.t
    if left is None or right is None or node._saved_alpha != 1 or left.shape != right.shape:
        return added(node, p)
    if p.owned[0] and left.dtype == right.dtype:
        return left.add_(right)
    return right.add_(left) if p.owned[1] and left.dtype == right.dtype else left + right


def added(node: Node, p: Passage) -> Tensor:
    """The tangent through an elementwise operation, operand by operand, by the node's own backward.

    An elementwise map has a diagonal Jacobian, which is its own transpose: what the backward does to a gradient is
    what the forward does to a tangent.
    """
    out = shapes_of(node)[0]
    total = None
    for slot, t in enumerate(p.t):
        if t is not None:
            if t.shape != out:
                t = t.expand(out).contiguous()
            back = node(t)
            back = back if isinstance(back, Tensor) else back[slot]
            total = back if total is None else total + back
    assert total is not None
    return total


def added_weight(node: Node, slot: int, p: Passage, w: Weighing) -> Tensor | None:
    """What reaches an operand that is only added, picked or placed: the node's own backward of a gy."""
    gradient = w.scaled()
    if gradient is None:
        return None
    back = node(gradient)
    return back if isinstance(back, Tensor) else back[slot]


def _cat(node: Node, p: Passage) -> Tensor:
    (shape,), dim = shapes_of(node), signed(node._saved_dim, len(shapes_of(node)[0]))
    given = next(t for t in p.t if t is not None)
    if any(t is None for t in p.t):
        # What a constant operand adds has no tangent; how wide each one is, the backward knows.
        parts = node(given.new_zeros(()).expand(shape))
        return torch.cat([torch.zeros_like(z) if t is None else t for t, z in zip(p.t, parts, strict=True)], dim)
    return torch.cat(p.t, dim)  # pyright: ignore[reportCallIssue, reportArgumentType]


def _stack(node: Node, p: Passage) -> Tensor:
    given = next(t for t in p.t if t is not None)
    dim = signed(node._saved_dim, given.ndim + 1)
    return torch.stack([torch.zeros_like(given) if t is None else t for t in p.t], dim)


def _cat_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return signed(node._saved_dim, len(out[0])) != 0 and all(i[0] == out[0][0] for i in ins)


def _mm_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return ins[0][0] == out[0][0]


_ADDED = Rule(added, added_weight, alias=True)

RULES: dict[str, Rule] = {
    "Convolution0": Rule(_convolve, _convolution_weight, varying=(0,)),
    "Addmm0": Rule(_addmm, _addmm_weight, varying=(1,)),
    "Mm0": Rule(lambda node, p: torch.mm(p.at(0), node._saved_mat2), _mm_weight, varying=(0,)),
    "Mv0": Rule(lambda node, p: torch.mv(p.at(0), node._saved_vec), _mv_weight, varying=(0,), still=_mm_still),
    "Bmm0": Rule(_bmm, _bmm_weight, varying=(0, 1)),
    "Mul0": Rule(_mul, _mul_weight, varying=(0, 1)),
    "Div0": Rule(lambda node, p: p.at(0) / node._saved_other, _div_weight, varying=(0,)),
    "Add0": Rule(_sum, added_weight, alias=True),
    "Sub0": _ADDED,
    "Rsub1": _ADDED,
    "Lerp0": _ADDED,
    "Where0": _ADDED,
    "Cat0": Rule(_cat, added_weight, still=_cat_still),
    "Stack0": Rule(_stack, added_weight, still=_cat_still),
}
