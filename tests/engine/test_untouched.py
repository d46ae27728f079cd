"""A look at a critic leaves no trace: not in its buffers, nor in graphs that wait for their backward."""

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gradgan import losses, penalties
from gradgan.engine import critic_backward
from gradgan.engine.audit import audit, require_double_backward
from gradgan.training.objective import Term


class Scaled(nn.Module):
    """Reads one buffer, counts calls in a second and replaces a third."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(6, 8), nn.Linear(8, 1)
        self.register_buffer("scale", torch.full((6,), 0.5))
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("average", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.average = 0.9 * self.average + 0.1 * x.detach().mean()
        return self.head(fn.leaky_relu(self.first(x * self.scale), 0.2))


def batches() -> tuple[Tensor, Tensor]:
    real, fake = torch.randn(2, 8, 6, generator=torch.Generator().manual_seed(0))
    return real, 1 + fake


def step(critic: Callable[..., Tensor], engine: str = "auto") -> None:
    real, fake = batches()
    terms = [Term(penalties.r1), Term(penalties.r2)]
    critic_backward(critic, real, fake, loss=losses.relativistic, terms=terms, engine=engine)


LOOKS: dict[str, Callable[[nn.Module], object]] = {
    "first step": step,
    "audit": lambda critic: audit(critic, batches()[0]),
    "second derivative": lambda critic: require_double_backward(critic, batches()[0], caller="test"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_graph_that_waits_for_its_backward_is_not_broken(look: str) -> None:
    critic, generator = Scaled(), nn.Linear(3, 6)
    value = -critic(generator(torch.randn(8, 3))).mean()
    LOOKS[look](critic)
    value.backward()
    assert generator.weight.grad is not None


@pytest.mark.parametrize("look", ["audit", "second derivative"])
def test_buffers_that_the_forward_writes_or_replaces_are_as_they_were(look: str) -> None:
    critic = Scaled()
    before = dict(critic.named_buffers())
    values = copy.deepcopy(before)
    LOOKS[look](critic)
    assert all(before[name] is buffer for name, buffer in critic.named_buffers())
    assert all(torch.equal(values[name], buffer) for name, buffer in critic.named_buffers())


def test_after_a_first_step_buffers_have_seen_two_calls() -> None:
    found = {}
    for engine in ("sweep", "usual"):
        critic = Scaled()
        real, fake = batches()
        critic_backward(critic, real, fake, loss=losses.relativistic, engine=engine)
        found[engine] = dict(critic.named_buffers())
    assert all(torch.equal(found["sweep"][name], wanted) for name, wanted in found["usual"].items())
    assert found["sweep"]["calls"] == 2


def test_a_first_step_moves_spectral_norm_as_a_later_one_does() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(spectral_norm(nn.Linear(6, 8)), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    again = copy.deepcopy(critic)
    step(critic, "usual")
    step(again, "auto")
    assert torch.equal(critic[0].parametrizations.weight[0]._u, again[0].parametrizations.weight[0]._u)
