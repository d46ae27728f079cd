"""What `auto` stands for on this machine: the device, and the precision of the networks' products."""

import torch

from ..core.checks import GradganError
from ..core.precision import fast_at_bfloat16
from ..training.steps import Precision
from .config import Config

_MEASURED = ("conv_generator", "conv_critic")
"""Networks whose training in bfloat16 was measured: nearly as good at equal steps (docs/evidence/precision.md).
Small fully connected ones gain nothing by it, and nobody has measured the others."""


def device_of(name: str) -> torch.device:
    """The device that `auto` or a torch name stands for."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.Generator(device)
    except (RuntimeError, AssertionError) as error:
        raise GradganError(f"device {name!r} is not to be had here; use auto, cpu or cuda.") from error
    return device


def precision_of(config: Config) -> Precision:
    """What the networks of this experiment compute in: bfloat16 for `auto` where the device is fast at it and the
    networks are those it was measured with."""
    if config.precision != "auto":
        return config.precision
    names = (config.generator.name, config.critic.name)
    equal = all(name in _MEASURED for name in names)
    return "bfloat16" if equal and fast_at_bfloat16(device_of(config.device)) else "float32"
