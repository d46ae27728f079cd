"""Rules that move numbers about: views, permutations, slices, sums. The samples' dimension must stay where it is."""

from collections.abc import Callable

import torch
from torch import Tensor

from .rule import Node, Passage, Rule, Shape, shapes_of, signed


def _reshape(node: Node, p: Passage) -> Tensor:
    return p.at(0).reshape(shapes_of(node)[0])


def _same(node: Node, p: Passage) -> Tensor:
    return p.at(0).to(node._input_metadata[0].dtype)


def _permute(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    return t.permute([signed(d, t.ndim) for d in node._saved_dims])


def _transpose(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    return t.transpose(signed(node._saved_dim0, t.ndim), signed(node._saved_dim1, t.ndim))


def _slice(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    dim = signed(node._saved_dim, t.ndim)
    return torch.ops.aten.slice(t, dim, node._saved_start, node._saved_end, node._saved_step)


def _select(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    dim = signed(node._saved_dim, t.ndim)
    return t.select(dim, signed(node._saved_index, t.shape[dim]))


def _split(node: Node, p: Passage) -> tuple[Tensor, ...]:
    t = p.at(0)
    return t.split(node._saved_split_size, signed(node._saved_dim, t.ndim))


def _split_sizes(node: Node, p: Passage) -> tuple[Tensor, ...]:
    t = p.at(0)
    return t.split(list(node._saved_split_sizes), signed(node._saved_dim, t.ndim))


def _unbind(node: Node, p: Passage) -> tuple[Tensor, ...]:
    t = p.at(0)
    return t.unbind(signed(node._saved_dim, t.ndim))


def _expand(node: Node, p: Passage) -> Tensor:
    # Made whole, because a tangent may be overwritten by what comes next.
    return p.at(0).expand(shapes_of(node)[0]).contiguous()


def _flip(node: Node, p: Passage) -> Tensor:
    return p.at(0).flip(node._saved_dims)


def _roll(node: Node, p: Passage) -> Tensor:
    return p.at(0).roll(node._saved_shifts, node._saved_dims)


def _index_select(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    return t.index_select(signed(node._saved_dim, t.ndim), node._saved_index)


def _dims(node: Node, ndim: int) -> list[int]:
    return [signed(d, ndim) for d in node._saved_dim]


def _sum(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    return t.sum(_dims(node, t.ndim), keepdim=node._saved_keepdim, dtype=node._input_metadata[0].dtype)


def _mean(node: Node, p: Passage) -> Tensor:
    t = p.at(0)
    return t.mean(_dims(node, t.ndim), keepdim=node._saved_keepdim, dtype=node._input_metadata[0].dtype)


def _permute_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return signed(node._saved_dims[0], len(ins[0])) == 0


def _transpose_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return all(signed(d, len(ins[0])) != 0 for d in (node._saved_dim0, node._saved_dim1))


def _rows_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    # In row-major order each sample is one block, and stays one wherever the rows are a multiple of the samples.
    return True


def _dim_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    dims = node._saved_dim if isinstance(node._saved_dim, tuple) else (node._saved_dim,)
    return len(dims) > 0 and all(signed(d, len(ins[0])) != 0 for d in dims)


def _dims_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return len(node._saved_dims) > 0 and all(signed(d, len(ins[0])) != 0 for d in node._saved_dims)


def _expand_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return len(ins[0]) == len(out[0]) and ins[0][0] == out[0][0]


def _view(along: Callable, still: Callable) -> Rule:
    return Rule(along, varying=(0,), alias=True, still=still)


_ROW_MAJOR = ("View0", "UnsafeView0", "ReshapeAlias0", "Squeeze0", "Squeeze1", "Squeeze2", "Unsqueeze0")
_COPIES = ("Clone0", "Alias0", "ToCopy0")

RULES: dict[str, Rule] = {
    **dict.fromkeys(_ROW_MAJOR, _view(_reshape, _rows_still)),
    **dict.fromkeys(_COPIES, _view(_same, _rows_still)),
    "Permute0": _view(_permute, _permute_still),
    "Transpose0": _view(_transpose, _transpose_still),
    "Slice0": _view(_slice, _dim_still),
    "Select0": _view(_select, _dim_still),
    "Split0": _view(_split, _dim_still),
    "SplitWithSizes0": _view(_split_sizes, _dim_still),
    "Unbind0": _view(_unbind, _dim_still),
    "Expand0": Rule(_expand, varying=(0,), still=_expand_still, alias=True),
    "Flip0": Rule(_flip, varying=(0,), still=_dims_still),
    "Roll0": Rule(_roll, varying=(0,), still=_dims_still),
    "IndexSelect0": Rule(_index_select, varying=(0,), still=_dim_still),
    "Sum1": Rule(_sum, varying=(0,), still=_dim_still),
    "Mean1": Rule(_mean, varying=(0,), still=_dim_still),
}
