"""Before a critic's first step: can it be swept, does it judge each sample by itself, and if not, which layer is it?"""

import logging
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode

from ..core.checks import mixing_layer
from .apart import judged_apart
from .makeup import Makeup, makeup_of
from .parts import Job
from .tape import Obstacle, Tape
from .untouched import untouched

_log = logging.getLogger("gradgan")


@dataclass
class Verdict:
    """What was found: the `obstacle` to a sweep in words, None where there is none, and whether samples are
    `separable`, so that batches may share a critic call."""

    obstacle: str | None
    separable: bool
    said: bool = False


# By the critic's first module, or by the critic where none is found; and for each by what its graph hangs on: the other
# modules and what is done with them, modes, sample shape, types, labels.
_VERDICTS: "weakref.WeakKeyDictionary[Any, dict[tuple, Verdict]]" = weakref.WeakKeyDictionary()

_AT_MOST = 64
"""Verdicts kept for one module: a function may capture a count that never comes again."""

# What was said of which functions. One that is written in the loop is another in every step.
_SAID: set[tuple] = set()


def verdict_of(job: Job, *, met: Obstacle | None = None) -> Verdict:
    """The critic's verdict, found on this batch the first time, after a change of modes or of the samples' shape, and
    when a sweep `met` an obstacle after all."""
    makeup = makeup_of(job.critic)
    try:
        known = _VERDICTS.setdefault(makeup.modules[0] if makeup.modules else job.critic, {})
    except TypeError:  # a callable that cannot be referred to weakly is looked at every time
        known = {}
    key = _key(job, makeup)
    if key not in known or met is not None:
        if len(known) >= _AT_MOST:
            known.clear()
        known[key] = _inspect(job, makeup.modules)
    if met is not None and known[key].obstacle is None:
        known[key].obstacle = met.why
    return known[key]


def say_once(job: Job, verdict: Verdict) -> None:
    """Tell, the first time, that the critic pays for double backward, which layer is why, and what it costs."""
    if not isinstance(job.critic, nn.Module):
        name = (makeup_of(job.critic).name, verdict.obstacle)
        verdict.said = verdict.said or name in _SAID
        _SAID.add(name)
    if verdict.said:
        return
    verdict.said = True
    batches, charged = len(job.batches), len(job.charged)
    plain = 3 * (batches - charged)
    _log.warning(
        "gradient penalties take double backward here: %s. A step costs %d layer products where the sweep takes %d and "
        "an unpenalised step %d.", verdict.obstacle, plain + 6 * charged, plain + 4 * charged, 6,
    )  # fmt: skip


def _key(job: Job, makeup: Makeup) -> tuple:
    real = job.batches["real"]
    others = tuple(weakref.ref(module) for module in makeup.modules[1:])
    layers = tuple((type(layer), layer.training) for module in makeup.modules for layer in module.modules())
    half = torch.is_autocast_enabled(real.device.type)
    code = None if job.labels is None else tuple(job.labels.shape[1:])
    return (others, tuple(makeup.marks), layers), tuple(real.shape[1:]), real.dtype, real.device, half, code


def _inspect(job: Job, modules: Sequence[nn.Module]) -> Verdict:
    if mixing_layer(job.critic) is not None:
        return Verdict("BatchNorm mixes samples", separable=False)
    return Verdict(_obstacle(job, modules), judged_apart(job, modules))


def _obstacle(job: Job, modules: Sequence[nn.Module]) -> str | None:
    """What keeps the real batch from being swept, in words."""
    x = job.batches["real"].detach().requires_grad_()
    with untouched(modules, x.device):
        with _named_outputs(modules) as outputs, _HookWatch() as watch:
            scores = job.scores(x)
        try:
            if watch.hooked:
                raise Obstacle(None, "its forward calls register_hook, and a hook may change the gradient")
            Tape(scores, x)
        except Obstacle as obstacle:
            return _told(obstacle, outputs)
    return None


class _HookWatch(TorchFunctionMode):
    """Notices hooks on activations: autograd would run them with a gradient that the sweep scales only later."""

    hooked = False

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        self.hooked = self.hooked or func is Tensor.register_hook
        return func(*args, **(kwargs or {}))


@contextmanager
def _named_outputs(roots: Iterable[nn.Module]) -> Iterator[list[tuple[str, nn.Module, Node]]]:
    """Each submodule's name and the node of its output, in the order in which they end."""
    outputs: list[tuple[str, nn.Module, Node]] = []
    handles = []
    for name, module in (named for root in roots for named in root.named_modules()):

        def note(module: nn.Module, inputs: object, output: object, name: str = name) -> None:
            if isinstance(output, Tensor) and output.grad_fn is not None:
                outputs.append((name, module, output.grad_fn))

        handles.append(module.register_forward_hook(note))
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _told(obstacle: Obstacle, outputs: list[tuple[str, nn.Module, Node]]) -> str:
    """The obstacle with the name of the innermost module that it arose in: the first to end with it in its graph."""
    for name, module, end in outputs:
        if obstacle.node is not None and _reaches(end, obstacle.node):
            where = f"critic.{name}" if name else "the critic's own forward"
            return f"{where} ({type(module).__name__}): {obstacle.why}"
    return obstacle.why


def _reaches(end: Node, node: Node) -> bool:
    seen = {end}
    stack = [end]
    while stack:
        here = stack.pop()
        if here is node:
            return True
        fresh = {f for f, _ in here.next_functions if f is not None} - seen
        seen |= fresh
        stack += fresh
    return False
