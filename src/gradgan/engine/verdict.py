"""Before a critic's first step: can it be swept, does it judge each sample by itself, and if not, which layer is it?"""

import logging
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode

from ..core.checks import mixing_layer
from .apart import judged_apart
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


# By critic, and for each by what its graph hangs on: modes, sample shape, types, labels.
_VERDICTS: "weakref.WeakKeyDictionary[Any, dict[tuple, Verdict]]" = weakref.WeakKeyDictionary()


def verdict_of(job: Job, *, met: Obstacle | None = None) -> Verdict:
    """The critic's verdict, found on this batch the first time, after a change of modes or of the samples' shape, and
    when a sweep `met` an obstacle after all."""
    try:
        known = _VERDICTS.setdefault(job.critic, {})
    except TypeError:  # a callable that cannot be referred to weakly is looked at every time
        known = {}
    key = _key(job)
    if key not in known or met is not None:
        known[key] = _inspect(job)
    if met is not None and known[key].obstacle is None:
        known[key].obstacle = met.why
    return known[key]


def say_once(job: Job, verdict: Verdict) -> None:
    """Tell, the first time, that the critic pays for double backward, which layer is why, and what it costs."""
    if verdict.said:
        return
    verdict.said = True
    batches, charged = len(job.batches), len(job.charged)
    plain = 3 * (batches - charged)
    _log.warning(
        "gradient penalties take double backward here: %s. A step costs %d layer products where the sweep takes %d and "
        "an unpenalised step %d.", verdict.obstacle, plain + 6 * charged, plain + 4 * charged, 6,
    )  # fmt: skip


def _key(job: Job) -> tuple:
    real = job.batches["real"]
    modes = tuple(m.training for m in job.critic.modules()) if isinstance(job.critic, nn.Module) else ()
    half = torch.is_autocast_enabled(real.device.type)
    return modes, tuple(real.shape[1:]), real.dtype, real.device, half, job.labels is None


def _inspect(job: Job) -> Verdict:
    if mixing_layer(job.critic) is not None:
        return Verdict("BatchNorm mixes samples", separable=False)
    modules = (job.critic,) if isinstance(job.critic, nn.Module) else ()
    return Verdict(_obstacle(job, modules), judged_apart(job, modules))


def _obstacle(job: Job, modules: tuple[nn.Module, ...]) -> str | None:
    """What keeps the real batch from being swept, in words."""
    x = job.batches["real"].detach().requires_grad_()
    with untouched(modules, x.device):
        with _named_outputs(job.critic) as outputs, _HookWatch() as watch:
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
def _named_outputs(critic: object) -> Iterator[list[tuple[str, nn.Module, Node]]]:
    """Each submodule's name and the node of its output, in the order in which they end."""
    outputs: list[tuple[str, nn.Module, Node]] = []
    handles = []
    for name, module in critic.named_modules() if isinstance(critic, nn.Module) else ():

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
