"""Rules for what is linear in space: average pooling, up- and down-sampling, padding, pixel shuffles, unfolding."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as fn
from torch import Tensor

from .rule import Node, Passage, Rule, Shape, shapes_of

_aten: Any = torch.ops.aten


def _average_pool(pool: Callable) -> Callable:
    def along(node: Node, p: Passage) -> Tensor:
        return pool(p.at(0), node._saved_kernel_size, node._saved_stride, node._saved_padding, node._saved_ceil_mode,
                    node._saved_count_include_pad, node._saved_divisor_override)  # fmt: skip

    return along


def _adaptive_pool(pool: Callable, spatial: int) -> Callable:
    return lambda node, p: pool(p.at(0), shapes_of(node)[0][-spatial:])


def _upsample(operation: Callable, scales: tuple[str, ...], *, aligns: bool) -> Callable:
    def along(node: Node, p: Passage) -> Tensor:
        options = [node._saved_align_corners] if aligns else []
        options += [getattr(node, f"_saved_{name}") for name in scales]
        return operation(p.at(0), node._saved_output_size, *options)

    return along


def _pad(operation: Callable) -> Callable:
    return lambda node, p: operation(p.at(0), node._saved_padding)


def _constant_pad(node: Node, p: Passage) -> Tensor:
    return fn.pad(p.at(0), node._saved_pad)


def _pad_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return len(node._saved_pad) < 2 * len(ins[0]) or node._saved_pad[-2:] == (0, 0)


def _unfold(node: Node, p: Passage) -> Tensor:
    return fn.unfold(p.at(0), node._saved_kernel_size, node._saved_dilation, node._saved_padding, node._saved_stride)


def _folds_still(node: Node, ins: list[Shape], out: list[Shape]) -> bool:
    return ins[0][0] == out[0][0]


_SCALES = {1: ("scales",), 2: ("scales_h", "scales_w"), 3: ("scales_d", "scales_h", "scales_w")}

_UPSAMPLES = {
    "UpsampleNearest1D0": (_aten.upsample_nearest1d, 1, False),
    "UpsampleNearest2D0": (_aten.upsample_nearest2d, 2, False),
    "UpsampleNearest3D0": (_aten.upsample_nearest3d, 3, False),
    "UpsampleNearestExact1D0": (_aten._upsample_nearest_exact1d, 1, False),
    "UpsampleNearestExact2D0": (_aten._upsample_nearest_exact2d, 2, False),
    "UpsampleNearestExact3D0": (_aten._upsample_nearest_exact3d, 3, False),
    "UpsampleLinear1D0": (_aten.upsample_linear1d, 1, True),
    "UpsampleBilinear2D0": (_aten.upsample_bilinear2d, 2, True),
    "UpsampleTrilinear3D0": (_aten.upsample_trilinear3d, 3, True),
    "UpsampleBicubic2D0": (_aten.upsample_bicubic2d, 2, True),
    "UpsampleBilinear2DAa0": (_aten._upsample_bilinear2d_aa, 2, True),
    "UpsampleBicubic2DAa0": (_aten._upsample_bicubic2d_aa, 2, True),
}

_PADS = {
    "ReflectionPad1D0": _aten.reflection_pad1d,
    "ReflectionPad2D0": _aten.reflection_pad2d,
    "ReflectionPad3D0": _aten.reflection_pad3d,
    "ReplicationPad1D0": _aten.replication_pad1d,
    "ReplicationPad2D0": _aten.replication_pad2d,
    "ReplicationPad3D0": _aten.replication_pad3d,
}

RULES: dict[str, Rule] = {
    "AvgPool2D0": Rule(_average_pool(fn.avg_pool2d), varying=(0,)),
    "AvgPool3D0": Rule(_average_pool(fn.avg_pool3d), varying=(0,)),
    "AdaptiveAvgPool2D0": Rule(_adaptive_pool(fn.adaptive_avg_pool2d, 2), varying=(0,)),
    "AdaptiveAvgPool3D0": Rule(_adaptive_pool(fn.adaptive_avg_pool3d, 3), varying=(0,)),
    **{
        name: Rule(_upsample(op, _SCALES[d], aligns=aligns), varying=(0,))
        for name, (op, d, aligns) in _UPSAMPLES.items()
    },
    **{name: Rule(_pad(op), varying=(0,)) for name, op in _PADS.items()},
    "ConstantPadNd0": Rule(_constant_pad, varying=(0,), still=_pad_still),
    "PixelShuffle0": Rule(lambda node, p: fn.pixel_shuffle(p.at(0), node._saved_upscale_factor), varying=(0,)),
    "PixelUnshuffle0": Rule(lambda node, p: fn.pixel_unshuffle(p.at(0), node._saved_downscale_factor), varying=(0,)),
    "ChannelShuffle0": Rule(lambda node, p: fn.channel_shuffle(p.at(0), node._saved_groups), varying=(0,)),
    "Im2Col0": Rule(_unfold, varying=(0,), still=_folds_still),
}
