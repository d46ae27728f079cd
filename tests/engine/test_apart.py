"""Which critics judge each sample by itself, told at the first look, whatever their weights are then."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.nn.utils import spectral_norm as hooked_spectral_norm
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.utils.checkpoint import checkpoint

from gradgan import losses, penalties
from gradgan.engine import critic_backward
from gradgan.engine.parts import job_of
from gradgan.engine.verdict import verdict_of
from gradgan.networks import NETWORKS
from gradgan.training.objective import Term

from .critics import error, grads
from .pieces import Apply

WIDTH = 6


def deviation(h: Tensor) -> Tensor:
    return h.std(0).mean().expand(len(h), 1)


def in_groups(h: Tensor) -> Tensor:
    """As in StyleGAN2: strided groups of up to four samples."""
    groups = h.reshape(min(4, len(h)), -1, h.shape[1])
    return groups.std(0, correction=0).mean(1, keepdim=True).repeat(len(groups), 1)


class Mixing(nn.Module):
    """`statistic` of hidden values, shut off by `gate` before the head."""

    def __init__(self, statistic: Callable[[Tensor], Tensor], gate: object = 1.0) -> None:
        super().__init__()
        self.first, self.head, self.statistic = nn.Linear(WIDTH, 8), nn.Linear(9, 1), statistic
        self.gate: object
        if isinstance(gate, Tensor) and not isinstance(gate, nn.Parameter):
            self.register_buffer("gate", gate)
        else:
            self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        h = fn.leaky_relu(self.first(x), 0.2)
        return self.head(torch.cat([h, self.statistic(h) * self.gate], 1))


class Branch(nn.Module):
    """A residual branch that starts at zero, before what mixes or after it."""

    def __init__(self, *, before: bool) -> None:
        super().__init__()
        self.first, self.branch, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 1)
        self.before = before
        nn.init.zeros_(self.branch.weight)
        nn.init.zeros_(self.branch.bias)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        inner = self.branch(h) if self.before else h
        mixed = inner * inner.mean(0) - inner.roll(1, 0)
        return self.head(h + (mixed if self.before else self.branch(mixed)))


def zero_head(statistic: Callable[[Tensor], Tensor]) -> Mixing:
    critic = Mixing(statistic)
    nn.init.zeros_(critic.head.weight)
    nn.init.zeros_(critic.head.bias)
    return critic


MIXING: dict[str, Callable[[], nn.Module]] = {
    "in the open": lambda: Mixing(deviation),
    "zero head": lambda: zero_head(deviation),
    "zero head, groups": lambda: zero_head(in_groups),
    "zero head, detached": lambda: zero_head(lambda h: deviation(h).detach()),
    "zero gate": lambda: Mixing(deviation, nn.Parameter(torch.zeros(1))),
    "zero gate that is a buffer": lambda: Mixing(deviation, torch.zeros(1)),
    "zero gate that is a number": lambda: Mixing(deviation, 0.0),
    "gate below rounding": lambda: Mixing(deviation, nn.Parameter(torch.full((1,), 1e-12))),
    "zero branch before": lambda: Branch(before=True),
    "zero branch after": lambda: Branch(before=False),
    "first of the batch": lambda: zero_head(lambda h: h[:1, :1].expand(len(h), 1)),
    "largest of the batch": lambda: zero_head(lambda h: h.amax(0)[None, :1].expand(len(h), 1)),
    "too few samples": lambda: Mixing(lambda h: h.reshape(8, -1).std(0)[:1].expand(len(h), 1)),
}


def open_up(critic: nn.Module) -> None:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in (*critic.parameters(), *critic.buffers()):
            tensor += 0.5 * torch.randn(tensor.shape, generator=generator)
    if getattr(critic, "gate", None) == 0.0:
        critic.gate = 0.7


@pytest.mark.parametrize("engine", ["auto", "double_backward"])
@pytest.mark.parametrize("name", MIXING)
def test_a_critic_that_mixes_samples_keeps_its_batches(name: str, engine: str) -> None:
    torch.manual_seed(0)
    critic = MIXING[name]().double()
    real, fake = torch.randn(8, WIDTH, dtype=torch.float64), 3 * torch.randn(8, WIDTH, dtype=torch.float64)
    terms = [Term(penalties.r1, 1.0), Term(penalties.r2, 1.0)]
    for _ in range(2):
        found = {}
        for way in (engine, "usual"):
            critic.zero_grad()
            critic_backward(critic, real, fake, loss=losses.relativistic, terms=terms, engine=way)
            found[way] = grads(critic)
        assert error(found[engine], found["usual"]) < 1e-12
        open_up(critic)


class Turned(nn.Module):
    """Samples as the second dimension, as recurrent networks and attention have them."""

    def __init__(self) -> None:
        super().__init__()
        self.attend, self.cells, self.head = nn.MultiheadAttention(2, 1), nn.GRU(2, 4), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x.view(len(x), 3, 2).transpose(0, 1)
        return self.head(self.cells(self.attend(h, h, h)[0])[0][-1])


class Checkpointed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(self.body, x, use_reentrant=False)


class Deep(nn.Sequential):
    """A layer between two."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__(nn.Linear(WIDTH, 8), layer, nn.Linear(8, 1))


APART: dict[str, Callable[[], nn.Module]] = {
    "zero head": lambda: nn.Sequential(nn.Linear(WIDTH, 8), nn.ReLU(), nn.Linear(8, 1)).apply(_zeroed),
    "samples second": Turned,
    "dropout": lambda: Deep(nn.Dropout(0.5)),
    "group norm": lambda: Deep(nn.GroupNorm(2, 8)),
    "batch norm at rest": lambda: Deep(nn.BatchNorm1d(8)).eval(),
    "spectral norm": lambda: Deep(spectral_norm(nn.Linear(8, 8))),
    "spectral norm by hooks": lambda: Deep(hooked_spectral_norm(nn.Linear(8, 8))),
    "weight norm": lambda: Deep(weight_norm(nn.Linear(8, 8))),
    "checkpoint": Checkpointed,
    "logarithm of a weight": lambda: Deep(Apply(lambda x, w: x * w.log(), torch.rand(8))),
}


def _zeroed(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.weight)


def separable(critic: nn.Module, event: tuple[int, ...], labels: Tensor | None = None) -> bool:
    real, fake = torch.randn(2, 3, *event, generator=torch.Generator().manual_seed(1))
    job = job_of(critic, real, fake, loss=losses.relativistic, terms=(Term(penalties.r1),), labels=labels, rng=None,
                 step=0, progress=0.0)  # fmt: skip
    return verdict_of(job).separable


@pytest.mark.parametrize("name", APART)
def test_a_critic_that_judges_samples_apart_may_join_its_batches(name: str) -> None:
    torch.manual_seed(0)
    assert separable(APART[name](), (WIDTH,))


CRITICS = [name for name in NETWORKS if NETWORKS[name].facts["role"] == "critic"]


@pytest.mark.parametrize("name", CRITICS)
def test_every_critic_of_the_catalog_may_join_its_batches(name: str) -> None:
    entry = NETWORKS[name]
    event = entry.facts["sizes"][0]
    assert separable(entry.make(event=event), event)
    assert separable(entry.make(event=event, classes=3), event, torch.arange(3))


def test_the_look_leaves_weights_chance_and_kept_casts_as_they_were() -> None:
    torch.manual_seed(0)
    critic = Deep(spectral_norm(nn.Linear(8, 8)))
    before, chance = {k: v.clone() for k, v in critic.state_dict().items()}, torch.get_rng_state()
    objects = [*critic.parameters(), *critic.buffers()]
    assert separable(critic, (WIDTH,))
    assert all(torch.equal(before[k], v) for k, v in critic.state_dict().items())
    assert all(a is b for a, b in zip(objects, [*critic.parameters(), *critic.buffers()], strict=True))
    assert torch.equal(chance, torch.get_rng_state())
