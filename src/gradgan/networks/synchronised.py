"""Batch normalisation by the statistics of the global batch, for generators that several processes train."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..core.world import World


class GlobalBatchNorm(_BatchNorm):
    """nn.BatchNorm whose mean and variance run over the batches of all ranks, on any device; same names, same state.

    The gradient reaches every rank's samples, any number of times. (nn.SyncBatchNorm refuses the CPU.)
    """

    world = World()

    def _check_input_dim(self, input: Tensor) -> None:
        """The layer it replaces had its own; any number of dimensions is fine here."""

    def forward(self, input: Tensor) -> Tensor:
        """(n, c, ...) -> (n, c, ...)"""
        if not self.training and self.track_running_stats:
            return super().forward(input)
        x = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input
        over = [0, *range(2, x.ndim)]
        (mean,) = self.world.mean([x.mean(over)])
        wide = (1, -1, *[1] * (x.ndim - 2))
        centred = x - mean.reshape(wide)
        # From the centred values, not E x^2 - mean^2, which loses its digits where the mean is large.
        (variance,) = self.world.mean([centred.square().mean(over)])
        if self.training and self.track_running_stats:
            self._follow(mean, variance, x.numel() // x.shape[1] * self.world.size)
        y = centred * (variance + self.eps).rsqrt().reshape(wide)
        if self.affine:
            y = y * self.weight.reshape(wide) + self.bias.reshape(wide)
        return y.to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, n: int) -> None:
        """Move the running statistics, the variance without its bias, as nn.BatchNorm does."""
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_((variance * (n / max(n - 1, 1))).to(self.running_var.dtype), momentum)


def synchronised(network: nn.Module, world: World) -> nn.Module:
    """The network with every BatchNorm's statistics shared by the ranks; itself where there is one rank."""
    if world.size == 1:
        return network
    for name, child in list(network.named_children()):
        if isinstance(child, _BatchNorm):
            setattr(network, name, _shared(child, world))
        else:
            synchronised(child, world)
    return network


def _shared(layer: _BatchNorm, world: World) -> GlobalBatchNorm:
    shared = GlobalBatchNorm(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    like = layer.weight if layer.affine else layer.running_mean
    if like is not None:
        shared.to(like.device, like.dtype)
    shared.load_state_dict(layer.state_dict())
    shared.train(layer.training)
    shared.world = world
    return shared
