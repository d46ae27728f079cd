"""A look at a critic leaves no trace: not in its buffers, nor in graphs that wait for their backward."""

import copy
import functools
import logging
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

from .critics import error, grads


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


class Trainer:
    """What a loop of one's own looks like: networks by name, and a method that judges."""

    def __init__(self, critic: nn.Module) -> None:
        self.networks = {"critic": critic}

    def judge(self, x: Tensor) -> Tensor:
        return self.networks["critic"](x)

    def __call__(self, x: Tensor) -> Tensor:
        return self.judge(x)


def _judged_with(critic: nn.Module, scale: float, x: Tensor) -> Tensor:
    return scale * critic(x)


WRAPPED: dict[str, Callable[[nn.Module], Callable[..., Tensor]]] = {
    "module": lambda critic: critic,
    "lambda": lambda critic: lambda x: critic(x),
    "default": lambda critic: lambda x, c=critic: c(x),
    "method": lambda critic: critic.forward,
    "partial": lambda critic: functools.partial(_judged_with, critic, 0.5),
    "method of a trainer": lambda critic: Trainer(critic).judge,
    "trainer in a lambda": lambda critic: (lambda trainer: lambda x: trainer.judge(x) + 0.0)(Trainer(critic)),
    "trainer": Trainer,
    "lambda in a lambda": lambda critic: (lambda inner: lambda x: inner(x[:]))(lambda x: critic(x)),
}


@pytest.mark.parametrize("wrap", WRAPPED)
def test_a_critic_is_looked_at_once_however_it_is_called(wrap: str) -> None:
    critic = Scaled()
    calls: list[int] = []
    critic.register_forward_pre_hook(lambda module, inputs: calls.append(len(inputs[0])))
    counted = []
    for _ in range(3):
        calls.clear()
        step(WRAPPED[wrap](critic))
        counted.append(list(calls))
    assert critic.calls == 6, "the buffer saw two calls a step and none of a look"
    if wrap != "method":  # forward by itself runs no hooks
        assert counted == [[8, 4, 4, 4, 8, 8], [8, 8], [8, 8]]


def _global_judge(x: Tensor) -> Tensor:
    return GLOBAL(x)


GLOBAL = Scaled()


def test_a_critic_that_a_function_finds_among_its_globals_is_looked_at_once() -> None:
    for _ in range(2):
        step(lambda x: _global_judge(x))
    assert GLOBAL.calls == 4


def test_what_is_looked_at_is_told_apart_by_what_is_done_with_it() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    real, fake = batches()

    def gradient(engine: str, *, mixing: bool) -> Tensor:
        critic.zero_grad()
        critic_backward(lambda x: critic(x) * critic(x).mean().abs() if mixing else critic(x), real, fake,
                        loss=losses.relativistic, terms=[Term(penalties.r1)], engine=engine)  # fmt: skip
        return grads(critic)

    for mixing in (False, True):
        assert error(gradient("auto", mixing=mixing), gradient("usual", mixing=mixing)) < 1e-5


def test_it_is_said_once_of_a_function_that_is_written_anew_in_every_step(caplog: pytest.LogCaptureFixture) -> None:
    critic = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    hidden = iter(lambda: critic, None)
    with caplog.at_level(logging.INFO, "gradgan"):
        for _ in range(3):
            step(lambda x: critic(x))
        (told,) = caplog.records
        assert "critic.1 (Tanh)" in told.getMessage()
        caplog.clear()
        for _ in range(3):
            step(lambda x: next(hidden)(x))
    assert len(caplog.records) == 1


def test_a_first_step_moves_spectral_norm_as_a_later_one_does() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(spectral_norm(nn.Linear(6, 8)), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    again = copy.deepcopy(critic)
    step(critic, "usual")
    step(again, "auto")
    assert torch.equal(critic[0].parametrizations.weight[0]._u, again[0].parametrizations.weight[0]._u)
