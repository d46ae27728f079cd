"""Pieces of critics: every operation that the sweep knows, each as a layer for maps of 0 to 3 spatial dimensions."""

from collections.abc import Callable

import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


class Apply(nn.Module):
    """A function of x and of learned tensors, as a layer; `fixed` tensors are buffers."""

    def __init__(self, f: Callable[..., Tensor], *learned: Tensor, fixed: Tensor | None = None) -> None:
        super().__init__()
        self.f = f
        self.learned = nn.ParameterList(learned)
        self.register_buffer("fixed", fixed)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(x, *self.learned) if self.fixed is None else self.f(x, self.fixed, *self.learned)


class Residual(nn.Module):
    """shortcut(x) + branch(x), or both side by side as channels."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, *, join: str = "sum") -> None:
        super().__init__()
        self.branch, self.shortcut, self.join = branch, shortcut, join

    def forward(self, x: Tensor) -> Tensor:
        if self.join == "cat":
            return torch.cat([self.shortcut(x), self.branch(x)], dim=-(x.ndim - 1))
        if self.join == "in place":
            h = self.branch(x)
            h += self.shortcut(x)
            return h
        return self.shortcut(x) + self.branch(x)


def conv(d: int, c: int, out: int | None = None, **options: object) -> nn.Module:
    """A 3-wide convolution that keeps the size, a linear layer in 0 dimensions."""
    if d == 0:
        return nn.Linear(c, out or c, bias=bool(options.get("bias", True)))
    kernel = {"kernel_size": 3, "padding": 1} | options
    return CONVS[d](c, out or c, **kernel)


def shaped(c: int, d: int) -> tuple[int, ...]:
    """The shape of a number per channel."""
    return (c, *[1] * d)


def _permuted(x: Tensor) -> Tensor:
    n = len(x)
    return x.movedim(1, -1).contiguous().view(n, -1).reshape(n, *x.movedim(1, -1).shape[1:]).movedim(-1, 1)


def _folded(x: Tensor) -> Tensor:
    """Channels folded into the samples' dimension and back, as patch critics do."""
    n, c = x.shape[:2]
    return fn.leaky_relu(x.reshape(n * c, 1, *x.shape[2:]), 0.3).reshape(x.shape) * 2


def _linear_last(x: Tensor, w: Tensor) -> Tensor:
    return fn.linear(x.movedim(1, -1), w).movedim(-1, 1)


def _randn(*shape: int) -> Tensor:
    return torch.randn(*shape)


# Elementwise and structural pieces, for any number of spatial dimensions: (dimensions, channels) -> layer.
ANYWHERE: dict[str, Callable[[int, int], nn.Module]] = {
    "conv": lambda d, c: conv(d, c),
    "conv without bias": lambda d, c: conv(d, c, bias=False),
    "leaky_relu": lambda d, c: nn.LeakyReLU(0.2),
    "leaky_relu in place": lambda d, c: nn.Sequential(conv(d, c), nn.LeakyReLU(0.1, inplace=True)),
    "relu": lambda d, c: nn.ReLU(),
    "relu in place": lambda d, c: nn.Sequential(conv(d, c), nn.ReLU(inplace=True)),
    "prelu": lambda d, c: nn.PReLU(),
    "prelu per channel": lambda d, c: nn.PReLU(c),
    "relu6": lambda d, c: nn.ReLU6(),
    "hardtanh": lambda d, c: nn.Hardtanh(-0.5, 0.7),
    "threshold": lambda d, c: nn.Threshold(0.1, 0.3),
    "hardshrink": lambda d, c: nn.Hardshrink(0.2),
    "softshrink": lambda d, c: nn.Softshrink(0.2),
    "abs": lambda d, c: Apply(torch.abs),
    "clamp": lambda d, c: Apply(lambda x: x.clamp(-0.8, 0.9)),
    "clamp below": lambda d, c: Apply(lambda x: x.clamp(min=-0.1)),
    "clamp_min": lambda d, c: Apply(lambda x: torch.clamp_min(x, -0.1)),
    "clamp_max": lambda d, c: Apply(lambda x: torch.clamp_max(x, 0.5)),
    "maximum": lambda d, c: Apply(lambda x: torch.maximum(x, 0.2 * x)),
    "maximum with a learned": lambda d, c: Apply(torch.maximum, _randn(*shaped(c, d))),
    "minimum": lambda d, c: Apply(lambda x: torch.minimum(x, 1 - x)),
    "where": lambda d, c: Apply(lambda x: torch.where(x > 0, x, 0.1 * x)),
    "lerp": lambda d, c: Residual(conv(d, c), Apply(lambda x: torch.lerp(x, x.abs(), 0.3))),
    "residual": lambda d, c: Residual(nn.Sequential(nn.LeakyReLU(0.2), conv(d, c)), nn.Identity()),
    "residual in place": lambda d, c: Residual(conv(d, c), nn.Identity(), join="in place"),
    "residual of one": lambda d, c: Apply(lambda x: x + x),
    "concatenation": lambda d, c: nn.Sequential(Residual(conv(d, c), nn.Identity(), join="cat"), conv(d, 2 * c, c)),
    "cat with a learned": lambda d, c: nn.Sequential(
        Apply(lambda x, w: torch.cat([x, w.expand_as(x[:, :1])], 1), _randn(1, 1, *[1] * d)), conv(d, c + 1, c)
    ),
    "cat with a constant": lambda d, c: nn.Sequential(
        Apply(lambda x: torch.cat([torch.ones_like(x[:, :2]), x], 1)), conv(d, c + 2, c)
    ),
    "stack": lambda d, c: Apply(lambda x: torch.stack([x, x.abs(), torch.ones_like(x)], 2).sum(2)),
    "learned scale and shift": lambda d, c: Apply(
        lambda x, w, b: x * w + b, _randn(*shaped(c, d)), _randn(*shaped(c, d))
    ),
    "learned scale first": lambda d, c: Apply(lambda x, w: w * x, _randn(1)),
    "learned divisor": lambda d, c: Apply(lambda x, w: x / w, 1 + _randn(*shaped(c, d)).square()),
    "learned subtraction": lambda d, c: Apply(lambda x, w: w - x, _randn(*shaped(c, d))),
    "learned alpha": lambda d, c: Apply(lambda x, w: torch.add(x, w, alpha=0.5), _randn(*shaped(c, d))),
    "learned smooth function of weights": lambda d, c: Apply(lambda x, w: x * w.tanh().exp(), _randn(*shaped(c, d))),
    "weight used twice": lambda d, c: Apply(lambda x, w: (x * w).relu() * w - w, _randn(*shaped(c, d))),
    "constants": lambda d, c: Apply(lambda x: -(2 * x - 1) / 3 + (1 - x)),
    "in place": lambda d, c: nn.Sequential(conv(d, c), Apply(lambda x, w: x.mul_(2).add_(w), _randn(*shaped(c, d)))),
    "dropout, fixed mask": lambda d, c: Apply(lambda x, m: x * m, fixed=(torch.rand(*shaped(c, d)) > 0.3) / 0.7),
    "permute, reshape": lambda d, c: Apply(_permuted),
    "fold into samples": lambda d, c: Apply(_folded),
    "linear over channels": lambda d, c: Apply(_linear_last, _randn(c, c) / c**0.5),
    "linear layer over channels": lambda d, c: nn.Sequential(
        Apply(lambda x: x.movedim(1, -1)), nn.Linear(c, c), Apply(lambda x: x.movedim(-1, 1))
    ),
    "flip, roll": lambda d, c: Apply(lambda x: x.flip(1).roll(1, 1)),
    "index_select": lambda d, c: Apply(lambda x, i: x.index_select(1, i), fixed=torch.randperm(c)),
    "split": lambda d, c: Apply(lambda x: torch.cat([h.abs() for h in x.split(2, 1)], 1)),
    "split by sizes": lambda d, c: Apply(lambda x: torch.cat(x.split([1, c - 1], 1)[::-1], 1)),
    "chunk": lambda d, c: Apply(lambda x: torch.cat([h - k for h in x.chunk(2, 1) for k in x.chunk(2, 1)], 1)),
    "unbind": lambda d, c: Apply(lambda x: torch.stack(x.unbind(1)[::-1], 1)),
    "select": lambda d, c: Apply(lambda x: x + x[:, -1].unsqueeze(1) + x[:, 0][:, None]),
    "channel mean": lambda d, c: Apply(lambda x: x - x.mean(1, keepdim=True)),
    "channel sum": lambda d, c: Apply(lambda x: x + x.sum(1, keepdim=True).expand(-1, c, *[-1] * d)),
    "max over channels": lambda d, c: Apply(lambda x: x + x.max(1, keepdim=True)[0] - x.min(1)[0].unsqueeze(1)),
    "amax over channels": lambda d, c: Apply(lambda x: x + x.amax(1, keepdim=True) - x.amin(1).unsqueeze(1)),
    "clone, to": lambda d, c: Apply(lambda x: x.clone().to(torch.float64).to(x.dtype).contiguous()),
    "detached factor": lambda d, c: Apply(lambda x: x * x.detach().abs()),
    "spectral norm": lambda d, c: spectral_norm(conv(d, c)),
    "weight norm": lambda d, c: weight_norm(conv(d, c)),
    "frozen": lambda d, c: conv(d, c).requires_grad_(False),
    "frozen bias": lambda d, c: _freeze_bias(conv(d, c)),
}

# Pieces for maps with spatial dimensions.
SPATIAL: dict[str, Callable[[int, int], nn.Module]] = {
    "strided conv": lambda d, c: conv(d, c, 2 * c, kernel_size=4, stride=2, padding=1),
    "dilated conv": lambda d, c: conv(d, c, dilation=2, padding=2),
    "grouped conv": lambda d, c: conv(d, c, groups=2),
    "reflecting conv": lambda d, c: conv(d, c, padding_mode="reflect"),
    "same conv": lambda d, c: conv(d, c, padding="same"),
    "transposed conv": lambda d, c: TRANSPOSED[d](c, c, 4, 2, 1),
    "grouped transposed conv": lambda d, c: TRANSPOSED[d](c, c, 3, 2, 1, output_padding=1, groups=2),
    "blur": lambda d, c: Apply(
        lambda x, k: (fn.conv1d, fn.conv2d, fn.conv3d)[d - 1](x, k, padding=1, groups=c),
        fixed=torch.rand(c, 1, *[3] * d),
    ),
    "average pool": lambda d, c: (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[d - 1](2),
    "average pool, padded": lambda d, c: (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[d - 1](
        3, 2, 1, count_include_pad=False, ceil_mode=True
    ),
    "max pool": lambda d, c: (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[d - 1](3, 2, 1),
    "adaptive average pool": lambda d, c: (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[d - 1](3),
    "adaptive max pool": lambda d, c: (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)[d - 1](3),
    "nearest up": lambda d, c: nn.Upsample(scale_factor=2),
    "nearest down": lambda d, c: Apply(lambda x: fn.interpolate(x, size=[3] * d, mode="nearest-exact")),
    "linear up": lambda d, c: nn.Upsample(scale_factor=2, mode=("linear", "bilinear", "trilinear")[d - 1]),
    "linear down, aligned": lambda d, c: Apply(
        lambda x: fn.interpolate(x, [3] * d, mode=("linear", "bilinear", "trilinear")[d - 1], align_corners=True)
    ),
    "area": lambda d, c: Apply(lambda x: fn.interpolate(x, size=[3] * d, mode="area")),
    "zero pad": lambda d, c: Apply(lambda x: fn.pad(x, [1, 0] * d)),
    "constant pad": lambda d, c: Apply(lambda x: fn.pad(x, [1, 2] * d, value=0.5)),
    "reflection pad": lambda d, c: Apply(lambda x: fn.pad(x, [1, 1] * d, mode="reflect")),
    "replication pad": lambda d, c: Apply(lambda x: fn.pad(x, [0, 1] * d, mode="replicate")),
    "slice": lambda d, c: Apply(lambda x: x[..., 1:]),
    "strided slice": lambda d, c: Apply(lambda x: x[..., ::2]),
}

# Pieces for images.
FLAT: dict[str, Callable[[int, int], nn.Module]] = {
    "pixel unshuffle": lambda d, c: nn.Sequential(nn.Upsample(size=4), nn.PixelUnshuffle(2)),
    "pixel shuffle": lambda d, c: nn.Sequential(conv(d, c, 4 * c), nn.PixelShuffle(2)),
    "channel shuffle": lambda d, c: nn.ChannelShuffle(2),
    "bicubic up": lambda d, c: nn.Upsample(scale_factor=2, mode="bicubic"),
    "smooth down": lambda d, c: Apply(lambda x: fn.interpolate(x, size=(3, 3), mode="bilinear", antialias=True)),
    "unfold": lambda d, c: Apply(lambda x: fn.unfold(x, 2).unflatten(2, (x.shape[2] - 1, -1))),
    "transpose": lambda d, c: Apply(lambda x: x.transpose(2, 3).contiguous()),
}


def _freeze_bias(layer: nn.Module) -> nn.Module:
    layer.bias.requires_grad_(False)
    return layer


def pieces(d: int) -> dict[str, Callable[[int, int], nn.Module]]:
    """The pieces for maps with d spatial dimensions."""
    return ANYWHERE | (SPATIAL if d else {}) | (FLAT if d == 2 else {})
