"""The tape: autograd's own record of a critic's forward, read as a chain of linear maps and masks, and swept forward.

Nothing is intercepted: the record is the graph that an ordinary forward leaves behind, so hand-written forwards,
functional calls, in-place operations, parametrisations, autocast and detach all mean what they mean to autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

from .rules import RULES
from .rules.carry import Carry, carry
from .rules.rule import Passage, Rule, Shape, Weighing, per_row, shapes_of

Roots = list[tuple[GradientEdge, Tensor]]
"""Where the gradient enters the graph of the weights, and with what."""

Sources = tuple[tuple[int, int] | None, ...]
"""For each operand of a node the (place, output) of the tangent that it reads, None where it is constant."""


_DIVIDES = 1e-12
"""The smallest |a| with which value and tangent are swept together: t / a stays far from where float32 ends."""


class Obstacle(Exception):
    """A node that the tape cannot sweep, and why."""

    def __init__(self, node: Node | None, why: str) -> None:
        super().__init__(why)
        self.node = node
        self.why = why


@dataclass(slots=True)
class Step:
    """One node of the tape.

    sources   where the operands' tangents are
    weights   the operands that depend on the critic's weights alone
    edge      which of the kept gradients is this node's, -1 where it has no weights
    carry     how the node passes on value and tangent together, None where it cannot
    """

    node: Node
    rule: Rule
    sources: Sources
    weights: tuple[int, ...]
    edge: int
    carry: Carry | None


class Tape:
    """The part of a graph between the samples x and their scores, in the order of the forward."""

    def __init__(self, scores: Tensor, x: Tensor) -> None:
        """`x` (n, *event) is the leaf that `scores` (n,) came from. Raises Obstacle where a node has no rule."""
        self._scores = scores
        self._x = x
        self._steps: list[Step] = []
        self._edges: list[GradientEdge] = []
        self._kept: list[Tensor | None] = []
        # By place: whose memory its tangent may lie in; which places lie in its memory; how often that is read, after
        # which it may be overwritten. Place 0 is the caller's v, which one read too many keeps from that.
        self._owners: list[int] = [0]
        self._sharing: list[list[int]] = [[0]]
        self._reads: list[int] = [1]
        self._together = False
        self._record()

    def _record(self) -> None:
        leaf, root = get_gradient_edge(self._x).node, self._scores.grad_fn
        depends = {} if root is None else _forward_order(root, leaf)
        if root is None or not depends[root]:
            raise Obstacle(None, "the scores do not depend on the samples")
        places: dict[Node, int] = {leaf: 0}
        shapes: list[list[Shape]] = [[tuple(self._x.shape)]]
        owners = self._owners
        for node in (node for node, varies in depends.items() if varies and node is not leaf):
            edges = node.next_functions
            sources = tuple((places[f], i) if f is not None and depends[f] else None for f, i in edges)
            weights = tuple(slot for slot, (f, _) in enumerate(edges) if f is not None and not depends[f])
            out = shapes_of(node)
            rule = _rule_for(node, sources, weights, [s and shapes[s[0]][s[1]] for s in sources], out, len(self._x))
            read = [owners[s[0]] for s in sources if s is not None]
            for owner in read:
                self._reads[owner] += 1
            places[node] = len(owners)
            shapes.append(out)
            carried = carry(plain_name(node), node, rule.along, all_vary=None not in sources)
            self._steps.append(Step(node, rule, sources, weights, len(self._edges) if weights else -1, carried))
            self._remember(read[0] if rule.alias and len(read) == 1 else len(owners))
            if weights:
                self._edges.append(GradientEdge(node, 0))

    def _remember(self, owner: int) -> None:
        """The next place's tangent may lie in the memory of the one at `owner`."""
        place = len(self._owners)
        self._owners.append(owner)
        self._sharing.append([])
        self._reads.append(0)
        self._sharing[owner].append(place)

    def carries(self, a: Tensor | None) -> bool:
        """Can value and tangent be swept together, as h + t / a? Where every node passes both on, and each a divides.

        Not on a GPU, which would have to be waited for to look at `a`, and not in float16, which `a` may leave.
        """
        if a is None or a.device.type != "cpu" or torch.float16 in (self._scores.dtype, a.dtype):
            return False
        return all(step.carry for step in self._steps) and bool(a.abs().min() > _DIVIDES)

    def slopes(self, a: Tensor | None = None) -> Tensor:
        """Each score's gradient by its own sample, (n, *event); what reaches each layer's output is kept.

        With `a` (n,), for which `carries` holds, that is kept times a, and what is swept is h + t / a.
        """
        self._together = a is not None
        seed = torch.ones_like(self._scores) if a is None else a.to(self._scores.dtype)
        wanted: list[Tensor | GradientEdge] = [self._x, *self._edges]
        slopes, *self._kept = torch.autograd.grad(self._scores, wanted, seed, retain_graph=True)  # pyright: ignore
        return slopes if a is None else slopes / per_row(a, slopes)

    def sweep(self, a: Tensor | None, v: Tensor) -> Roots:
        """The gradient of sum_i a_i D(x_i) + <v, slopes> by all that the weights feed into the tape.

        `a` (n,), or None for zeros; `v` (n, *event). Uses up what `slopes` kept.
        """
        roots: Roots = []
        with torch.no_grad():
            if self._together:
                assert a is not None
                v = torch.addcdiv(self._x, v, per_row(a, v))
            tangents: list[tuple[Tensor, ...]] = [(v,)]
            left = list(self._reads)
            for step in self._steps:
                passage = self._passage(step, tangents, left)
                along = (step.carry if self._together else step.rule.along)(step.node, passage)  # pyright: ignore
                tangents.append(along if isinstance(along, tuple) else (along,))
                if step.weights:
                    roots += self._weigh(step, passage, a)
        return roots

    def _passage(self, step: Step, tangents: list[tuple[Tensor, ...]], left: list[int]) -> Passage:
        """The tangents that a node reads; memory read for the last time is let go, and may be overwritten."""
        t = [None if s is None else tangents[s[0]][s[1]] for s in step.sources]
        read = [None if s is None else self._owners[s[0]] for s in step.sources]
        for owner in read:
            if owner is not None:
                left[owner] -= 1
        last = [owner is not None and left[owner] == 0 for owner in read]
        for owner in {owner for owner, done in zip(read, last, strict=True) if owner is not None and done}:
            for place in self._sharing[owner]:
                if place < len(tangents):
                    tangents[place] = ()
        alone = [done and read.count(owner) == 1 for owner, done in zip(read, last, strict=True)]
        return Passage(t, [free and _overwritable(x) for free, x in zip(alone, t, strict=True)])

    def _weigh(self, step: Step, passage: Passage, a: Tensor | None) -> Roots:
        """What reaches the weights of one node; what was kept for it is let go."""
        gy, self._kept[step.edge] = self._kept[step.edge], None
        assert gy is not None and step.rule.weigh is not None
        weighing = Weighing(gy, a, self._together)
        roots: Roots = []
        for slot in step.weights:
            gradient = step.rule.weigh(step.node, slot, passage, weighing)
            if gradient is not None:
                maker, output = step.node.next_functions[slot]
                assert maker is not None
                shape = shapes_of(maker)[output]
                gradient = gradient if gradient.shape == shape else gradient.sum_to_size(shape)
                roots.append((GradientEdge(maker, output), gradient))
        return roots


def _overwritable(t: Tensor | None) -> bool:
    """Does it pay to work in this tangent's memory? On a processor torch is faster at half precision in fresh memory (a
    mask over 8 MiB took 1.2 ms so and 1.8 ms in place), and slower at float32 (1.2 and 1.0 ms)."""
    return t is not None and (t.device.type != "cpu" or t.dtype in (torch.float32, torch.float64))


def _rule_for(
    node: Node,
    sources: Sources,
    weights: tuple[int, ...],
    shapes: list[Shape | None],
    out: list[Shape],
    n: int,
) -> Rule:
    """The node's rule, if it is there and holds for this node."""
    name = plain_name(node)
    rule = RULES.get(name)
    name = name.rstrip("0123456789")
    if rule is None:
        raise Obstacle(node, f"{name} is not known to be piecewise linear")
    if any(made.dtype.is_complex for made in node._input_metadata):  # pyright: ignore[reportAttributeAccessIssue]
        # abs and casts to real are no masks there, and products want conjugates.
        raise Obstacle(node, f"{name} makes complex numbers")
    varying = tuple(slot for slot, source in enumerate(sources) if source is not None)
    if rule.varying is not None and (len(varying) != 1 or varying[0] not in rule.varying):
        raise Obstacle(node, f"{name} is not linear in what varies with the samples")
    if weights and rule.weigh is None:
        raise Obstacle(node, f"{name} with an operand that is learned has no rule")
    if n == 1:
        return rule
    ins = [shape for shape in shapes if shape is not None]
    apart = all(len(shape) > 0 and shape[0] % n == 0 for shape in out)
    if rule.still is None:
        apart = apart and all(len(i) == len(o) and i[0] == o[0] for i in ins for o in out)
    elif apart:
        apart = rule.still(node, ins, out)
    if not apart:
        raise Obstacle(node, f"{name} moves or mixes the samples' dimension")
    return rule


def plain_name(node: Node) -> str:
    """Autograd's name for the forward operation: ConvolutionBackward0 -> Convolution0."""
    return node.name().rpartition("::")[2].replace("Backward", "")


def _forward_order(root: Node, leaf: Node) -> dict[Node, bool]:
    """Every node that the root's value came from, operands first, with: does it depend on the leaf?"""
    depends = {leaf: True}
    stack = [root]
    while stack:
        node = stack[-1]
        operands = [f for f, _ in node.next_functions if f is not None]
        waiting = [f for f in operands if f not in depends]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if node not in depends:
            depends[node] = any(depends[f] for f in operands)
    return depends
