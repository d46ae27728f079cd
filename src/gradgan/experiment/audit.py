"""What a critic allows, layer by layer: of a config's critic, or of anybody's module by its name."""

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence

import torch
from torch import nn

from ..core.checks import GradganError
from ..core.rng import isolated
from ..engine.audit import Audit, audit
from .build import dataset_of, device_of, networks_of, system_with_terms
from .complete import complete
from .config import Config
from .refuse import LOOKED_AT, looked_at


def audit_of_config(config: Config) -> Audit:
    """The audit of a config's critic, also of one that could not be trained."""
    config = complete(config)
    device, dataset = device_of(config.device), dataset_of(config)
    critic = networks_of(config, dataset, system_with_terms(config), device)["critic"]
    return audit(critic, *looked_at(config, dataset, device))


def audit_of_module(what: str, *, event: Sequence[int], classes: int = 0) -> Audit:
    """The audit of the critic that `package.module:name` is or makes.

    `name`: a module, or a function or class called without arguments, or with `event=` (and `classes=`) if it takes
    them. `event` is the shape of one sample; with `classes` the critic is called with labels too.
    Raises GradganError where there is no such thing, and where what it makes cannot be called with such samples.
    """
    if not event or min(event) < 1:
        raise GradganError(f"{what}: give the shape of one sample, for instance --event 3 32 32.")
    with isolated(0, "audit"):
        critic = _made(what, event=tuple(event), classes=classes)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(LOOKED_AT, *event, generator=generator)
    labels = torch.arange(LOOKED_AT) % classes if classes else None
    first = next(critic.parameters(), None)
    if first is not None:
        x, labels = x.to(first.device, first.dtype), None if labels is None else labels.to(first.device)
    try:
        return audit(critic, x, labels)
    except (RuntimeError, TypeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise GradganError(f"{what} does not take samples of shape {tuple(x.shape)}: {reason}. See --event.") from error


def _made(what: str, **options: object) -> nn.Module:
    """The module at, or made by, `package.module:name`."""
    place, _, name = what.partition(":")
    if "" not in sys.path:  # an installed command does not look where it is called, as `python -m` does
        sys.path.insert(0, "")
    try:
        made = getattr(importlib.import_module(place), name)
    except (ImportError, AttributeError) as error:
        raise GradganError(f"{what}: {error}. Write package.module:name, as Python would import it.") from error
    if not isinstance(made, nn.Module):
        if not callable(made):
            raise GradganError(f"{what} is a {type(made).__name__}, wanted a module or a function that makes one.")
        made = _called(made, what, options)
    if not isinstance(made, nn.Module):
        raise GradganError(f"{what} made a {type(made).__name__}, wanted a torch.nn.Module.")
    return made


def _called(make: Callable[..., object], what: str, options: dict[str, object]) -> object:
    """What `make` returns, given those of the options that it takes."""
    try:
        takes = inspect.signature(make).parameters
    except ValueError:  # some of Python's own have no signature to be read
        takes = {}
    try:
        return make(**{k: v for k, v in options.items() if k in takes})
    except TypeError as error:
        raise GradganError(
            f"{what}: {error}. Name something that is called with nothing, or with event= and classes= alone."
        ) from error
