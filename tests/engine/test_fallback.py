"""What the sweep does not know takes double backward for the same result, and says so once, naming the layer."""

import logging
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gradgan import losses, penalties
from gradgan.engine import critic_backward
from gradgan.engine.audit import audit
from gradgan.training.objective import Term

from .critics import Case, error, grads
from .pieces import Apply


class Twice(torch.autograd.Function):
    """A custom function: whatever it does, only its author knows its derivative."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return 2 * gradient


class MinibatchDeviation(nn.Module):
    """Adds the batch's standard deviation as a channel, as ProGAN's critic does: samples are judged together."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x.std(0).mean().expand(len(x), 1)], 1)


class Halved(nn.Module):
    """Halves the gradient by a hook, which the forward's graph does not show."""

    def forward(self, x: Tensor) -> Tensor:
        h = 1 * x
        if h.requires_grad:
            h.register_hook(lambda g: g / 2)
        return h


class Recomputed(nn.Module):
    """A layer under checkpointing without re-entrance."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(lambda h: fn.leaky_relu(self.layer(h), 0.2), x, use_reentrant=False)


class Attention(nn.Module):
    """Self-attention over pixels."""

    def forward(self, x: Tensor) -> Tensor:
        h = x.flatten(2)
        return x + (h @ (h.transpose(1, 2) @ h).softmax(-1)).view_as(x)


UNKNOWN: dict[str, Callable[[], nn.Module]] = {
    "GroupNorm": lambda: nn.GroupNorm(2, 4),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(4),
    "SiLU": nn.SiLU,
    "Tanh": nn.Tanh,
    "Softplus": nn.Softplus,
    "Attention": Attention,
    "hook on an activation": Halved,
    "Apply": lambda: Apply(Twice.apply),
    "product": lambda: Apply(lambda x: x * x.abs()),
    "gate": lambda: nn.GLU(1),
    "hypernetwork": lambda: Apply(lambda x: fn.conv2d(x, x[:1, :, :1, :1].mean(0, keepdim=True).expand(4, 4, 1, 1))),
    "roll over samples": lambda: Apply(lambda x: x + x.roll(1, 0)),
    "mean over samples": lambda: Apply(lambda x: x - x.mean(0)),
    "samples as channels": lambda: Apply(lambda x: fn.max_pool2d(x.transpose(0, 1), 1).transpose(0, 1)),
    "views written in place": lambda: nn.CircularPad2d(1),
    "complex scale": lambda: Apply(lambda x, w: (x * w).abs(), torch.randn(4, 1, 1, dtype=torch.complex128)),
    "complex, then real": lambda: Apply(
        lambda x, w: (x * w).abs() + (w * x).imag, torch.tensor([1 + 2j], dtype=torch.complex128)
    ),
}


def with_piece(name: str) -> Case:
    case = Case(2, ("leaky_relu",), "sum", n=4)
    width = 2 if name == "gate" else 4
    case.critic.body.append(UNKNOWN[name]().double())
    case.critic.last = nn.Linear(width, 1).double()
    return case


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_result_is_the_same(name: str) -> None:
    case = with_piece(name)
    _, wanted = case.gradient("usual")
    parts, got = case.gradient("auto")
    assert parts.engine == "double_backward"
    assert error(got, wanted) < 1e-12


@pytest.mark.parametrize("name", ["GroupNorm", "Tanh", "Attention", "Apply"])
def test_it_is_said_once_with_the_layer_and_the_price(name: str, caplog: pytest.LogCaptureFixture) -> None:
    case = with_piece(name)
    with caplog.at_level(logging.INFO, "gradgan"):
        for _ in range(3):
            case.gradient("auto")
    (record,) = caplog.records
    assert f"critic.body.2 ({name})" in record.getMessage()
    assert "12 layer products where the sweep takes 8" in record.getMessage()


def test_nothing_is_said_of_a_critic_that_is_swept_or_pays_nothing(caplog: pytest.LogCaptureFixture) -> None:
    tanh = with_piece("Tanh")
    tanh.terms = []
    tanh.gradient("auto")
    Case(2, ("leaky_relu",), "sum").gradient("auto")
    assert not caplog.records


@pytest.mark.parametrize("engine", ["auto", "double_backward"])
def test_samples_that_are_judged_together_keep_their_batches(engine: str) -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), MinibatchDeviation(), nn.Linear(5, 1)).double()
    real, fake = torch.randn(2, 6, 3, dtype=torch.float64)
    gradients = []
    for way in ("usual", engine):
        for terms in ([], [Term(penalties.r1), Term(penalties.r2)]):
            critic.zero_grad()
            critic_backward(critic, real, 5 + 2 * fake, loss=losses.relativistic, terms=terms, engine=way)
            gradients.append(grads(critic))
    assert error(gradients[2], gradients[0]) < 1e-12
    assert error(gradients[3], gradients[1]) < 1e-12


def test_statistics_of_the_batch_that_no_gradient_shows_keep_their_batches() -> None:
    case = Case(0, ("leaky_relu",), "sum", n=4, terms=("r2",))
    case.critic.body.append(Apply(lambda x: x / x.detach().abs().mean()))
    case.fake = 3 + case.fake
    _, wanted = case.gradient("usual")
    parts, got = case.gradient("auto")
    assert parts.engine == "sweep"
    assert error(got, wanted) < 1e-12
    case.terms = []
    assert error(case.gradient("auto")[1], case.gradient("usual")[1]) < 1e-12


def test_batch_norm_without_a_penalty_sees_real_and_fake_apart() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
    real, fake = torch.randn(6, 3), 3 + torch.randn(6, 3)
    parts = critic_backward(critic, real, fake, loss=losses.relativistic)
    assert int(critic[1].num_batches_tracked) == 2
    torch.testing.assert_close(parts.real_scores.sum(), critic(real).sum().detach())


def test_a_change_of_mode_is_noticed() -> None:
    case = with_piece("Tanh")
    case.critic.body[2] = nn.Identity()
    assert case.gradient("auto")[0].engine == "sweep"
    case.critic.body[2] = nn.Tanh()
    _, wanted = case.gradient("usual")
    parts, got = case.gradient("auto")
    assert parts.engine == "double_backward"
    assert error(got, wanted) < 1e-12


class Complex(nn.Module):
    """Two complex layers, and the absolute value for a score."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8, dtype=torch.complex128), nn.Linear(8, 1, dtype=torch.complex128)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x.to(torch.complex128))).abs()


def test_a_complex_critic_takes_double_backward_and_the_audit_says_so() -> None:
    torch.manual_seed(0)
    critic = Complex()
    real, fake = torch.randn(2, 8, 6, dtype=torch.float64)
    found = []
    for engine in ("auto", "usual"):
        critic.zero_grad()
        parts = critic_backward(critic, real, fake, loss=losses.relativistic, terms=[Term(penalties.r1)], engine=engine)
        found.append(torch.view_as_real(grads(critic)))
        assert parts.engine == {"auto": "double_backward", "usual": "usual"}[engine]
    assert error(*found) < 1e-12
    told = audit(critic, real)
    assert told.way == "double backward"
    assert "complex" in told.worst().why


def test_a_checkpointed_critic_is_swept() -> None:
    case = Case(2, ("leaky_relu",), "sum", n=4)
    case.critic.body.append(Recomputed().double())
    _, wanted = case.gradient("usual")
    assert error(case.gradient("sweep")[1], wanted) < 1e-12


def test_the_sweep_reaches_where_double_backward_does_not() -> None:
    # torch has no second derivative of hardsigmoid, which is a clamp with a float32 slope of 1/6.
    made = []
    for piece in (nn.Hardsigmoid(), Apply(lambda x: (x / 6 + 0.5).clamp(0, 1))):
        case = Case(2, ("leaky_relu",), "sum")
        case.critic.body.append(piece)
        made.append(case.gradient("sweep")[1])
    assert error(made[0], made[1]) < 1e-6
