"""Value and tangent swept as one, h + t / a: where it is done, where it is left, and that both ways agree."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from gradgan import losses
from gradgan.engine import critic_backward, tape
from gradgan.engine.tape import Tape

from .critics import TERMS, Case, error, grads, plans


def carried(critic: nn.Module, *, a: float = 0.5, dtype: torch.dtype = torch.float64) -> bool:
    x = torch.randn(3, 2, 6, 6, dtype=dtype, requires_grad=True)
    critic.to(dtype)
    return Tape(critic(x).flatten(), x).carries(torch.tensor([a, 1.0, -1.0], dtype=dtype))


class Sequence(nn.Sequential):
    """Convolution, `middle`, convolution, linear."""

    def __init__(self, middle: nn.Module, *, bias: bool = True) -> None:
        super().__init__(nn.Conv2d(2, 4, 3, bias=bias), nn.LeakyReLU(0.2), middle, nn.Conv2d(4, 4, 3), nn.ReLU(),
                         nn.Flatten(), nn.LazyLinear(1))  # fmt: skip
        self(torch.zeros(1, 2, 6, 6))


class Shifted(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1.0


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x * 0.7 + self.conv(x)


def test_the_usual_critics_are_swept_together() -> None:
    for middle in (nn.Identity(), nn.MaxPool2d(2, 1), nn.AvgPool2d(2, 1), Residual(), nn.Dropout(0.5), nn.PReLU()):
        assert carried(Sequence(middle)), middle
    assert carried(Sequence(nn.Identity(), bias=False))
    assert carried(Sequence(nn.Identity()), dtype=torch.float32)


def test_a_term_without_a_tangent_is_not_carried() -> None:
    for middle in (Shifted(), nn.ReLU6(), nn.Softshrink(), nn.Hardtanh(-0.1, 0.1), nn.ConstantPad2d(1, 3.0)):
        assert not carried(Sequence(middle)), middle
    frozen = Sequence(nn.Identity())
    frozen[0].bias.requires_grad_(False)
    assert not carried(frozen)


def test_a_sample_that_the_loss_leaves_out_is_not_divided_by() -> None:
    assert not carried(Sequence(nn.Identity()), a=0.0)
    assert not carried(Sequence(nn.Identity()), a=1e-20)
    assert carried(Sequence(nn.Identity()), a=-1e-9)


def both_ways(case: Case, monkeypatch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor]:
    _, together = case.gradient("sweep")
    with monkeypatch.context() as patch:
        patch.setattr(tape, "_DIVIDES", float("inf"))
        _, apart = case.gradient("sweep")
    return together, apart


@settings(max_examples=60)
@given(plans())
def test_both_ways_agree(plan: dict) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        together, apart = both_ways(Case(**plan), monkeypatch)
    assert error(together, apart) <= 1e-12


def test_a_loss_that_hardly_pulls_loses_no_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a saturated one does: t / a dwarfs h, and the sum is what it was."""
    faint = losses.Loss("faint", critic_formula=lambda real, fake: 1e-9 * (fake - real),
                        generator_formula=lambda real, fake: -fake)  # fmt: skip
    case = Case(2, ("leaky_relu", "conv", "relu"), "flatten", loss=faint, dtype=torch.float32)
    together, apart = both_ways(case, monkeypatch)
    assert not torch.equal(together, apart)
    assert error(together, apart) <= 1e-5


def test_half_precision_is_as_near_to_float32_as_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(2, ("leaky_relu", "strided conv", "leaky_relu"), "flatten", n=8, size=12, dtype=torch.float32)
    _, exact = case.gradient("usual")

    def gradient() -> Tensor:
        case.critic.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            critic_backward(case.critic, case.real, case.fake, loss=case.loss, terms=[TERMS["r1"](), TERMS["r2"]()],
                            engine="sweep")  # fmt: skip
        return grads(case.critic)

    together = error(gradient(), exact)
    monkeypatch.setattr(tape, "_DIVIDES", float("inf"))
    apart = error(gradient(), exact)
    assert together < max(1.5 * apart, 0.01)


def test_a_bias_shared_by_two_layers_gets_both_gradients() -> None:
    critic = Sequence(nn.Identity()).double()
    critic[3].bias = critic[0].bias
    real, fake = torch.randn(2, 3, 2, 6, 6, dtype=torch.float64)
    found = []
    for engine in ("sweep", "usual"):
        critic.zero_grad()
        critic_backward(critic, real, fake, loss=losses.relativistic, terms=[TERMS["r1"]()], engine=engine)
        found.append(grads(critic))
    assert error(*found) < 1e-12
