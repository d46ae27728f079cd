"""Every check at a door, and its message: what was got, what was wanted, how to mend it."""

import math

import torch
from torch import Tensor, nn

from .callables import modules_of, path
from .errors import GradganError as GradganError
from .errors import NonFiniteError as NonFiniteError
from .errors import SickRunError as SickRunError
from .errors import shown as shown
from .errors import unknown_name as unknown_name


def same_shape(real: Tensor, fake: Tensor, *, caller: str) -> None:
    """Refuse a silent broadcast between two batches."""
    if real.shape != fake.shape:
        raise GradganError(
            f"{caller}: real {tuple(real.shape)} and fake {tuple(fake.shape)} must have the same shape. "
            "A silent broadcast would compare every real with every fake; draw equal batches or slice the longer one."
        )


def same_kind(real: Tensor, fake: Tensor, *, caller: str) -> None:
    """Refuse two batches of different shapes, types or devices."""
    same_shape(real, fake, caller=caller)
    if (real.dtype, real.device) != (fake.dtype, fake.device):
        raise GradganError(
            f"{caller}: real is {real.dtype} on {real.device} and fake {fake.dtype} on {fake.device}; wanted the same. "
            "Convert one: fake.to(real)."
        )


def outside_inference_mode(*, caller: str) -> None:
    """Refuse torch.inference_mode(), in which no graph is kept, and slopes would be 0."""
    if torch.is_inference_mode_enabled():
        raise GradganError(
            f"{caller}: called within torch.inference_mode(), where nothing can be differentiated. Use torch.no_grad()."
        )


def batch_of(x: object, *, caller: str, what: str = "samples") -> None:
    """Refuse what is no tensor, an empty batch, a missing batch dimension, and what has no gradient: whole numbers,
    and anything made in inference mode or asked for within it."""
    if not isinstance(x, Tensor):
        raise GradganError(f"{caller}: {what} must be a tensor (n, *event), got {type(x).__name__}.")
    outside_inference_mode(caller=caller)
    if x.is_inference():
        raise GradganError(
            f"{caller}: got {what} made in torch.inference_mode(), by which nothing can be differentiated. Clone what "
            "was made there outside, x.clone(), or make it under torch.no_grad()."
        )
    if x.ndim < 2 or len(x) == 0:
        raise GradganError(
            f"{caller}: {what} must be a batch (n, *event) with n >= 1, got shape {tuple(x.shape)}. "
            "Add a batch dimension, x[None] for one sample."
        )
    if not x.is_floating_point():
        raise GradganError(
            f"{caller}: {what} must be floating point to be differentiated, got {x.dtype}. "
            "Scale images first: x.float() / 127.5 - 1."
        )


def scores_of(scores: Tensor, n: int, *, caller: str) -> Tensor:
    """The critic's output as (n,) scores; (n,), (n, 1) and (n, 1, 1, ...) are taken, anything else refused."""
    if not isinstance(scores, Tensor):
        raise GradganError(
            f"{caller}: the critic returned {type(scores).__name__}, wanted a tensor of {n} scores. "
            "Wrap it: lambda x: critic(x)[0]."
        )
    if scores.numel() != n or scores.ndim == 0 or scores.shape[0] != n:
        raise GradganError(
            f"{caller}: the critic returned shape {tuple(scores.shape)} for {n} samples, wanted one score per sample, "
            f"({n},) or ({n}, 1). Average a patch critic's map first: lambda x: critic(x).flatten(1).mean(1)."
        )
    if not scores.is_floating_point():
        mend = "Take one real number of each" if scores.is_complex() else "Leave out what rounds or compares"
        raise GradganError(f"{caller}: the critic returned {scores.dtype} scores, wanted floating point. {mend}.")
    return scores.reshape(n)


def finite(value: float, *, what: str, minimum: float | None = None, maximum: float | None = None) -> float:
    """A finite number within [minimum, maximum]; `what` names it in the message."""
    low = "" if minimum is None else f" >= {minimum:g}"
    high = "" if maximum is None else f" <= {maximum:g}"
    bad = not math.isfinite(value) or (minimum is not None and value < minimum)
    if bad or (maximum is not None and value > maximum):
        raise GradganError(f"{what} must be finite{low}{' and' if low and high else ''}{high}, got {value}.")
    return float(value)


_MIXING = (nn.modules.batchnorm._BatchNorm,)


def mixing_layer(network: object) -> tuple[str, nn.Module] | None:
    """The first layer whose output for one sample depends on the others of the batch (BatchNorm in train mode)."""
    for within, module in modules_of(network):
        for name, layer in module.named_modules():
            if isinstance(layer, _MIXING) and (layer.training or not layer.track_running_stats):
                return path(within, name), layer
    return None


def separate_samples(network: object, *, caller: str, who: str = "critic") -> None:
    """Refuse a network in which the gradient by one sample (or latent) has no meaning of its own."""
    found = mixing_layer(network)
    if found is not None:
        name, layer = found
        raise GradganError(
            f"{caller}: {path(who, name)} is {type(layer).__name__}: it mixes samples, so a per-sample input gradient "
            f"has no meaning. Use nn.GroupNorm(1, channels) or none, {who}.norm=none (arXiv:1704.00028, sec. 4)."
        )


def all_finite(numbers: dict[str, Tensor], *, step: int) -> None:
    """Raise for the first number that is not finite, by name; one host synchronisation for all of them."""
    names = list(numbers)
    if not names:
        return
    values = torch.stack([numbers[name].detach().double().reshape(()).cpu() for name in names])
    bad = (~values.isfinite()).nonzero()
    if len(bad):
        index = int(bad[0])
        raise NonFiniteError(
            f"step {step}: {names[index]} is {values[index].item()}. The run has diverged; the checkpoints before this "
            "step are intact. Usual cures: a lower learning rate, a different penalty weight, --resume from before."
        )
