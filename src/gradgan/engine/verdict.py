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
from .parts import Job
from .tape import Obstacle, Tape

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


def verdict_of(job: Job) -> Verdict:
    """The critic's verdict, found by one forward on this batch the first time and after a change of mode or shape."""
    try:
        known = _VERDICTS.setdefault(job.critic, {})
    except TypeError:  # a callable that cannot be referred to weakly is looked at every time
        known = {}
    key = _key(job)
    if key not in known:
        known[key] = _inspect(job)
    return known[key]


def forget(job: Job) -> None:
    """Look at this critic again next time."""
    _VERDICTS.pop(job.critic, None)


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
    with _unnoticed(job.critic, job.batches["real"].device), _named_outputs(job.critic) as outputs:
        x = job.samples(("real", "fake")).detach().requires_grad_()
        with _HookWatch() as watch:
            scores = job.scores(x)
        try:
            if watch.hooked:
                raise Obstacle(None, "its forward calls register_hook, and a hook may change the gradient")
            Tape(scores, x)
        except Obstacle as obstacle:
            return Verdict(_told(obstacle, outputs), separable=_judged_apart(scores, x))
    return Verdict(None, separable=True)


class _HookWatch(TorchFunctionMode):
    """Notices hooks on activations: autograd would run them with a gradient that the sweep scales only later."""

    hooked = False

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        self.hooked = self.hooked or func is Tensor.register_hook
        return func(*args, **(kwargs or {}))


def _judged_apart(scores: Tensor, x: Tensor) -> bool:
    """Does the first score depend on its own sample only, and no other score on the first sample?"""
    if not scores.requires_grad:
        return True
    (own,) = torch.autograd.grad(scores[0], x, retain_graph=True, allow_unused=True)
    (others,) = torch.autograd.grad(scores[1:].sum(), x, allow_unused=True)
    return (own is None or not own[1:].any()) and (others is None or not others[0].any())


@contextmanager
def _unnoticed(critic: object, device: torch.device) -> Iterator[None]:
    """Leave random generators and buffers as they were; a parametrisation's own (spectral norm's vectors) belong to
    the weights of this step, which are kept for it."""
    buffers = dict(critic.named_buffers()) if isinstance(critic, nn.Module) else {}
    before = {name: b.clone() for name, b in buffers.items() if "parametrizations." not in name}
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
    with torch.no_grad():
        for name, value in before.items():
            buffers[name].copy_(value)


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
