"""The audit: layer by layer, can a critic be swept, does it take double backward, or can neither be?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

from ..core.checks import GradganError, mixing_layer, scores_of
from ..core.gradients import input_gradient, squared_norm
from ..core.types import Critic, Labels, Samples
from .makeup import makeup_of
from .replacements import replacement_of
from .rules.rule import shapes_of
from .tape import Obstacle, _forward_order, _rule_for, plain_name
from .untouched import untouched

Way = Literal["sweep", "double backward", "impossible"]
_WAYS: tuple[Way, ...] = ("sweep", "double backward", "impossible")
_OWN = "the critic's own forward"


@dataclass(frozen=True)
class Layer:
    """What one module did by itself in the forward, its children left out.

    name         as in `named_modules()`, "" for the critic itself
    kind         its class
    operations   autograd's names of what it did to the samples, in order
    way          how its part of a slope can be differentiated again
    why          the reason where that is not the sweep, and `replacement` what to write instead where it is impossible
    """

    name: str
    kind: str
    operations: tuple[str, ...]
    way: Way
    why: str = ""
    replacement: str = ""

    @property
    def place(self) -> str:
        """The layer in words."""
        return f"critic.{self.name} ({self.kind})" if self.name else f"{_OWN} ({self.kind})"


@dataclass(frozen=True)
class Audit:
    """Every layer that touches the samples, in the order of the forward."""

    layers: tuple[Layer, ...]

    @property
    def way(self) -> Way:
        """How the critic as a whole is differentiated: by the worst of its layers."""
        return _WAYS[max((_WAYS.index(layer.way) for layer in self.layers), default=0)]

    def worst(self) -> Layer:
        """The first layer that stands in the way most."""
        return next(layer for layer in self.layers if layer.way == self.way)


def audit(critic: Critic, x: Samples, labels: Labels | None = None) -> Audit:
    """Look at what a critic does to these samples; two of them are enough. The critic is left as it was.

    The sweep's own rules are asked for every operation; what they do not know is differentiated twice by trial.
    Shapes: x (n, *event), labels (n,). Raises GradganError for a critic that does not return one score per sample.
    """
    with untouched(makeup_of(critic).modules, x.device), torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        with _calls(critic) as calls:
            scores = critic(x) if labels is None else critic(x, labels)
        scores_of(scores, len(x), caller="audit")
        layers = _layers(critic, scores, x, calls)
        failure = None if mixing_layer(critic) is not None else _trial(critic, x, labels)
    layers = [_refused(layer, critic) for layer in layers]
    if failure is not None and all(layer.way != "impossible" for layer in layers):
        kind = type(critic).__name__
        layers.append(Layer("", kind, (), "impossible", failure, replacement_of("", kind)))
    return Audit(tuple(layers))


def require_double_backward(critic: Critic, x: Samples, labels: Labels | None = None, *, caller: str) -> None:
    """Refuse a critic that cannot be differentiated twice, naming the layer and what to write instead.

    One forward and two backwards of these samples; raises GradganError.
    """
    with untouched(makeup_of(critic).modules, x.device), torch.enable_grad():
        failure = _trial(critic, x, labels)
    if failure is not None:
        layer = audit(critic, x, labels).worst()
        raise GradganError(
            f"{caller}: {layer.place} cannot be differentiated twice, which its gradient penalty needs: {layer.why}. "
            f"{layer.replacement}, or pay approximate_r1 and approximate_r2 instead."
        )


@dataclass(frozen=True)
class _Call:
    """One call of a module: the nodes it made are numbered from `first` to below `end`."""

    name: str
    kind: str
    first: int
    end: int


@contextmanager
def _calls(critic: object) -> Iterator[list[_Call]]:
    """The calls of every submodule, each noted when it ends, so that inner ones come before outer ones."""
    calls: list[_Call] = []
    open_calls: list[int] = []
    handles = []
    for name, module in _watchable(critic):

        def enter(module: nn.Module, inputs: object) -> None:
            open_calls.append(_number())

        def leave(module: nn.Module, inputs: object, output: object, name: str = name) -> None:
            calls.append(_Call(name, type(module).__name__, open_calls.pop(), _number()))

        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _watchable(critic: object) -> Iterator[tuple[str, nn.Module]]:
    """Every submodule with its name, but not what lies in a compiled one: hooks would be compiled into it."""
    compiled: list[str] = []
    for name, module in critic.named_modules() if isinstance(critic, nn.Module) else ():
        if any(not above or name.startswith(f"{above}.") for above in compiled):
            continue
        if type(module).__name__ == "OptimizedModule":
            compiled.append(name)
        if module._compiled_call_impl is not None:
            compiled.append(name)
            continue
        yield name, module


def _number() -> int:
    """The number that the next node of autograd's graph will have."""
    return torch.autograd._get_sequence_nr()  # pyright: ignore[reportPrivateImportUsage]


def _layers(critic: object, scores: Tensor, x: Tensor, calls: list[_Call]) -> list[Layer]:
    """The varying part of the graph, each node at the innermost module that made it."""
    leaf, root = get_gradient_edge(x).node, scores.grad_fn
    depends = {} if root is None else _forward_order(root, leaf)
    found: dict[str, Layer] = {}
    for node in sorted((n for n, varies in depends.items() if varies and n is not leaf), key=_sequence):
        inner = (call for call in calls if call.first <= _sequence(node) < call.end)
        call = next(inner, _Call("", type(critic).__name__, 0, 0))
        layer = found.get(call.name, Layer(call.name, call.kind, (), "sweep"))
        found[call.name] = _with(layer, node, depends, x)
    return list(found.values())


def _with(layer: Layer, node: Node, depends: dict[Node, bool], x: Tensor) -> Layer:
    """The layer with one more operation; what was said of an earlier one stays unless this one is worse."""
    name = plain_name(node).rstrip("0123456789")
    layer = replace(layer, operations=(*layer.operations, name))
    obstacle = _obstacle(node, depends, x)
    way = "sweep" if obstacle is None else "double backward"
    if way == "double backward" and not _twice(node):
        way, obstacle = "impossible", f"{name} has no second derivative in PyTorch"
    if _WAYS.index(way) <= _WAYS.index(layer.way):
        return layer
    mend = replacement_of(name, layer.kind) if way == "impossible" else ""
    return replace(layer, way=way, why=obstacle or "", replacement=mend)


def _obstacle(node: Node, depends: dict[Node, bool], x: Tensor) -> str | None:
    """What the tape says of this node, None where it can sweep it."""
    edges = node.next_functions
    sources = tuple((0, i) if f is not None and depends[f] else None for f, i in edges)
    weights = tuple(slot for slot, (f, _) in enumerate(edges) if f is not None and not depends[f])
    leaf = get_gradient_edge(x).node
    shapes = [
        None if s is None or f is None else tuple(x.shape) if f is leaf else shapes_of(f)[i]
        for s, (f, i) in zip(sources, edges, strict=True)
    ]
    try:
        _rule_for(node, sources, weights, shapes, shapes_of(node), len(x))
    except Obstacle as obstacle:
        return obstacle.why
    return None


def _twice(node: Any) -> bool:
    """Can this node's backward be differentiated? It is called by itself, and its result differentiated."""
    if plain_name(node).startswith("CheckpointFunction"):  # its backward would write into .grad
        return False
    metadata = node._input_metadata
    given = [torch.ones(m.shape, dtype=m.dtype, device=m.device, requires_grad=True) for m in metadata]
    by: list[Any] = [GradientEdge(f, i) for f, i in node.next_functions if f is not None]
    try:
        # A function written in Python is called by its `apply`, one of torch's own directly.
        back = getattr(node, "apply", node)(*given)
        parts = [b for b in (back if isinstance(back, tuple) else (back,)) if isinstance(b, Tensor)]
        # What does not depend on the gradient that came in was either zero (sign, round) or cut off within.
        cut = any(not b.requires_grad and bool(b.any()) for b in parts)
        parts = [b for b in parts if b.requires_grad]
        if cut or _dead_end(parts):
            return False
        if not parts:
            return True
        ends = [b.sum() for b in parts]
        ones = [torch.ones_like(end) for end in ends]
        torch.autograd.grad(ends, [*given, *by], ones, allow_unused=True, retain_graph=True)
    except RuntimeError:
        return False
    return True


def _dead_end(values: list[Tensor]) -> bool:
    """Is there a node in the graph of these that only raises? A gradient that asks for nothing behind it would pass."""
    seen: set[Node] = set()
    stack = [v.grad_fn for v in values if v.grad_fn is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            if plain_name(node) in ("Error", "NotImplemented"):
                return True
            stack += [f for f, _ in node.next_functions if f is not None]
    return False


def _refused(layer: Layer, critic: object) -> Layer:
    """A layer that mixes samples has no slope by each of them, whatever its derivatives are."""
    mixing = mixing_layer(critic)
    if mixing is None or layer.name != mixing[0]:
        return layer
    why = "it mixes samples, so a per-sample input gradient has no meaning"
    return replace(layer, way="impossible", why=why, replacement=replacement_of("", layer.kind))


def _trial(critic: Critic, x: Tensor, labels: Tensor | None) -> str | None:
    """Differentiate the slopes once more, as a penalty does: the first line of torch's complaint, None without one."""
    try:
        _, slopes = input_gradient(lambda samples: _scores(critic, samples, labels), x, caller="audit")
        if slopes.requires_grad:
            weights = critic.parameters() if isinstance(critic, nn.Module) else ()
            by = [p for p in weights if p.requires_grad]
            torch.autograd.grad(squared_norm(slopes).sum(), by or [slopes], allow_unused=True, retain_graph=True)
            if _dead_end([slopes]):
                return "an operation of its forward has no second derivative"
    except RuntimeError as error:
        return str(error).strip().split("\n", 1)[0].rstrip(".")
    return None


def _scores(critic: Critic, x: Tensor, labels: Tensor | None) -> Tensor:
    scores = critic(x) if labels is None else critic(x, labels)
    return scores_of(scores, len(x), caller="audit")


def _sequence(node: Node) -> int:
    return node._sequence_nr()
