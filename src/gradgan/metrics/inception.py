"""The Inception network of published Frechet distances, built here so that its weights can come from a plain file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypedDict

import torch
import torch.nn.functional as fn
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..core.checks import GradganError
from ..core.rng import isolated

_SIDE = 299
_SLACK = 1e-3
_BATCH = 32
_COUNTER = ".num_batches_tracked"
_HEAD = {"fc.weight": (1008, 2048), "fc.bias": (1008,)}


class Inception(nn.Module):
    """Pictures (n, 3, h, w) in [0, 1] to features (n, 2048) of Inception-v3 as the Frechet distance was defined with.

    Not the network of today's model zoos: TensorFlow's of 2015-12-05, whose average pools leave the padding out of the
    mean, whose last block pools by the maximum, and whose pictures are rounded to bytes, stretched to 299 x 299 by
    TensorFlow 1's rule and scaled as (x - 128) / 128. Parameters bear the names of its conversions to PyTorch.
    Papers: Szegedy et al. 2016, arXiv:1512.00567, tab. 1; Heusel et al. 2017, arXiv:1706.08500 (the distance).
    """

    def __init__(self) -> None:
        """Untrained: give it weights, as `inception_of_file` does."""
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.Mixed_5b = _fives(192, 32)
        self.Mixed_5c = _fives(256, 64)
        self.Mixed_5d = _fives(288, 64)
        self.Mixed_6a = _first_reduction()
        self.Mixed_6b = _sevens(128)
        self.Mixed_6c = _sevens(160)
        self.Mixed_6d = _sevens(160)
        self.Mixed_6e = _sevens(192)
        self.Mixed_7a = _second_reduction()
        self.Mixed_7b = _Wide(1280, "average")
        self.Mixed_7c = _Wide(2048, "maximum")

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) in [0, 1] -> (n, 2048). Raises GradganError for other ranges and numbers of channels."""
        if x.ndim != 4 or x.shape[1] != 3:
            raise GradganError(f"Inception wants pictures (n, 3, h, w), got {tuple(x.shape)}: leave rgb as it is.")
        if x.amin() < -_SLACK or x.amax() > 1 + _SLACK:
            raise GradganError(
                f"Inception wants pictures in [0, 1] and scales them itself, got {x.amin():.3g} to {x.amax():.3g}. "
                "Leave --features-range out."
            )
        # In small parts: 13 MB of memory for each picture.
        return torch.cat([self._features((part.float() * 255).round()) for part in x.split(_BATCH)])

    def _features(self, x: Tensor) -> Tensor:
        x = (stretched(x, _SIDE) - 128) / 128
        for name, layer in self.named_children():
            x = layer(x)
            if name in ("Conv2d_2b_3x3", "Conv2d_4a_3x3"):
                x = fn.max_pool2d(x, 3, 2)
        return x.mean((2, 3))


def inception_of_file(path: str | Path) -> Inception:
    """The network with the weights of a .safetensors file, its tensors named as in the conversions to PyTorch.

    The head (fc.*, 1008 classes) and counters of training are left out. A .pth of such a conversion becomes this file
    by `safetensors.torch.save_file(torch.load(pth, weights_only=True), path)`.
    Raises GradganError for a file that is broken or holds another network.
    """
    try:
        given = load_file(path)
    except (SafetensorError, OSError) as error:
        raise GradganError(f"features {path} is not a readable safetensors file ({error}).") from None
    with isolated(0, "init/inception"):  # the caller's chance is left alone
        network = Inception()
    _refuse_others(network.state_dict(), given, path)
    network.load_state_dict(given, strict=False)
    return network.eval().requires_grad_(False)


def _refuse_others(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], path: str | Path) -> None:
    for name, tensor in wanted.items():
        if name.endswith(_COUNTER):
            continue
        got = given.get(name)
        if got is None or got.shape != tensor.shape:
            raise GradganError(
                f"features {path}: wanted the weights of Inception-v3 (2015-12-05), {name} {tuple(tensor.shape)} among "
                f"them, got {'none of that name' if got is None else tuple(got.shape)}. Other networks: export them as "
                "TorchScript or ONNX."
            )
    # Today's model zoos have the same layers, trained otherwise: they differ by their head and its helper.
    more = [name for name, tensor in given.items() if name not in wanted and _HEAD.get(name) != tuple(tensor.shape)]
    if more:
        shown = ", ".join(f"{name} {tuple(given[name].shape)}" for name in more[:3])
        raise GradganError(
            f"features {path}: holds {shown}, which the Inception-v3 of 2015-12-05 has not; torchvision's is another "
            "network. Take the weights that were converted for the Frechet distance."
        )


def stretched(x: Tensor, side: int) -> Tensor:
    """Bilinear resizing to side x side by TensorFlow 1's rule: output i lies at input i h / side, no half pixels.

    Shapes: (n, c, h, w) -> (n, c, side, side).
    """
    for axis in (2, 3):
        size = x.shape[axis]
        at = torch.arange(side, device=x.device) * (size / side)
        low = at.long()
        high = (low + 1).clamp(max=size - 1)
        part = (at - low).to(x.dtype).reshape((-1, 1) if axis == 2 else (-1,))
        below = x.index_select(axis, low)
        x = below + (x.index_select(axis, high) - below) * part
    return x


_Size: TypeAlias = int | tuple[int, int]


class _Conv(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, before: int, out: int, kernel: _Size, stride: int = 1, padding: _Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return fn.relu(self.bn(self.conv(x)))


class _Branches(nn.Module):
    """Chains of convolutions side by side, each a list of their names, and a pool; all put together by channels."""

    def __init__(self, convolutions: Mapping[str, _Conv], chains: Sequence[Sequence[str]], pool: str) -> None:
        super().__init__()
        for name, convolution in convolutions.items():
            self.add_module(name, convolution)
        self.chains, self.pool = [tuple(chain) for chain in chains], pool

    def forward(self, x: Tensor) -> Tensor:
        found = [self.along(chain, x) for chain in self.chains]
        pooled = _pooled(x, self.pool)
        last = self.along(("branch_pool",), pooled) if hasattr(self, "branch_pool") else pooled
        return torch.cat([*found, last], 1)

    def along(self, chain: Sequence[str], x: Tensor) -> Tensor:
        for name in chain:
            x = self.get_submodule(name)(x)
        return x


def _pooled(x: Tensor, how: str) -> Tensor:
    """3 x 3: the average of what lies in the picture, the maximum, or the maximum of every other pixel."""
    if how == "average":
        return fn.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return fn.max_pool2d(x, 3, 1, 1) if how == "maximum" else fn.max_pool2d(x, 3, 2)


_DOUBLE = ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")


class _Line(TypedDict):
    kernel: tuple[int, int]
    padding: tuple[int, int]


def _line(length: int) -> tuple[_Line, _Line]:
    """A lying and a standing convolution that keep the size."""
    return {"kernel": (1, length), "padding": (0, length // 2)}, {"kernel": (length, 1), "padding": (length // 2, 0)}


_LYING, _STANDING = _line(7)


def _fives(before: int, pool: int) -> _Branches:
    """Blocks at 35 x 35."""
    return _Branches(
        {
            "branch1x1": _Conv(before, 64, 1),
            "branch5x5_1": _Conv(before, 48, 1),
            "branch5x5_2": _Conv(48, 64, 5, padding=2),
            "branch3x3dbl_1": _Conv(before, 64, 1),
            "branch3x3dbl_2": _Conv(64, 96, 3, padding=1),
            "branch3x3dbl_3": _Conv(96, 96, 3, padding=1),
            "branch_pool": _Conv(before, pool, 1),
        },
        [("branch1x1",), ("branch5x5_1", "branch5x5_2"), _DOUBLE],
        "average",
    )


def _first_reduction() -> _Branches:
    """35 x 35 to 17 x 17."""
    return _Branches(
        {
            "branch3x3": _Conv(288, 384, 3, stride=2),
            "branch3x3dbl_1": _Conv(288, 64, 1),
            "branch3x3dbl_2": _Conv(64, 96, 3, padding=1),
            "branch3x3dbl_3": _Conv(96, 96, 3, stride=2),
        },
        [("branch3x3",), _DOUBLE],
        "reduction",
    )


def _sevens(inner: int) -> _Branches:
    """Blocks at 17 x 17: 7 x 7 convolutions in two steps, lying and standing."""
    return _Branches(
        {
            "branch1x1": _Conv(768, 192, 1),
            "branch7x7_1": _Conv(768, inner, 1),
            "branch7x7_2": _Conv(inner, inner, **_LYING),
            "branch7x7_3": _Conv(inner, 192, **_STANDING),
            "branch7x7dbl_1": _Conv(768, inner, 1),
            "branch7x7dbl_2": _Conv(inner, inner, **_STANDING),
            "branch7x7dbl_3": _Conv(inner, inner, **_LYING),
            "branch7x7dbl_4": _Conv(inner, inner, **_STANDING),
            "branch7x7dbl_5": _Conv(inner, 192, **_LYING),
            "branch_pool": _Conv(768, 192, 1),
        },
        [
            ("branch1x1",),
            tuple(f"branch7x7_{k}" for k in (1, 2, 3)),
            tuple(f"branch7x7dbl_{k}" for k in (1, 2, 3, 4, 5)),
        ],
        "average",
    )


def _second_reduction() -> _Branches:
    """17 x 17 to 8 x 8."""
    return _Branches(
        {
            "branch3x3_1": _Conv(768, 192, 1),
            "branch3x3_2": _Conv(192, 320, 3, stride=2),
            "branch7x7x3_1": _Conv(768, 192, 1),
            "branch7x7x3_2": _Conv(192, 192, **_LYING),
            "branch7x7x3_3": _Conv(192, 192, **_STANDING),
            "branch7x7x3_4": _Conv(192, 192, 3, stride=2),
        },
        [("branch3x3_1", "branch3x3_2"), tuple(f"branch7x7x3_{k}" for k in (1, 2, 3, 4))],
        "reduction",
    )


class _Wide(_Branches):
    """Blocks at 8 x 8: two chains end in a lying and a standing convolution side by side."""

    def __init__(self, before: int, pool: str) -> None:
        lying, standing = _line(3)
        convolutions = {
            "branch1x1": _Conv(before, 320, 1),
            "branch3x3_1": _Conv(before, 384, 1),
            "branch3x3_2a": _Conv(384, 384, **lying),
            "branch3x3_2b": _Conv(384, 384, **standing),
            "branch3x3dbl_1": _Conv(before, 448, 1),
            "branch3x3dbl_2": _Conv(448, 384, 3, padding=1),
            "branch3x3dbl_3a": _Conv(384, 384, **lying),
            "branch3x3dbl_3b": _Conv(384, 384, **standing),
            "branch_pool": _Conv(before, 192, 1),
        }
        forks = {"branch3x3_2": ("branch3x3_1",), "branch3x3dbl_3": ("branch3x3dbl_1", "branch3x3dbl_2")}
        ends = [(*chain, f"{fork}{side}") for fork, chain in forks.items() for side in "ab"]
        super().__init__(convolutions, [("branch1x1",), *ends], pool)
