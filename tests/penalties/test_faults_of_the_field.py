"""Faults measured in well-known published code, one test each; what they break is in the test's name."""

import inspect
import math

import pytest
import torch
from torch import Tensor, nn

from gradgan import penalties
from gradgan.core.checks import GradganError, NonFiniteError, all_finite
from gradgan.penalties import PENALTIES, InputGradientPenalty
from gradgan.training.objective import Term

INPUT = [entry for entry in PENALTIES.values() if isinstance(entry.make(), InputGradientPenalty)]
every = pytest.mark.parametrize("entry", INPUT, ids=str)
SHAPES = [(2,), (1, 8, 8), (3, 8, 8), (4, 9), (2, 3, 4, 5)]


def pair(n: int, event: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, *event, generator=generator), torch.randn(n, *event, generator=generator)


def conv_critic(width: int = 4) -> nn.Module:
    generator = torch.Generator().manual_seed(2)
    critic = nn.Sequential(
        nn.Conv2d(3, width, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, width, 3, 2, 1), nn.SiLU(), nn.Flatten(),
        nn.Linear(4 * width, 1),
    )  # fmt: skip
    with torch.no_grad():
        for p in critic.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / 2)
    return critic


@pytest.mark.parametrize("n", [1, 2, 16])
@pytest.mark.parametrize("event", SHAPES, ids=str)
@pytest.mark.parametrize("part", [penalties.wgan_gp, penalties.dragan], ids=lambda part: part.name)
def test_slope_1_costs_exactly_0_for_any_batch_and_shape(part, event: tuple[int, ...], n: int) -> None:
    # torchgan: 9.0 at n = 16, its norm is over the whole batch; PyTorch-GAN's DRAGAN: 0.82, over the channels.
    side = 1 / math.sqrt(math.prod(event))
    value = part(lambda x: x.flatten(1).sum(1) * side, *pair(n, event))
    torch.testing.assert_close(value, torch.zeros(n), atol=1e-10, rtol=0)


@every
def test_gradient_is_finite_where_the_slope_is_0(entry) -> None:
    # GAN_stability: NaN, from a plain sqrt at 0.
    critic = nn.Linear(4, 1)
    nn.init.zeros_(critic.weight)
    entry.make()(critic, *pair(3, (4,))).mean().backward()
    assert critic.weight.grad is not None
    assert bool(critic.weight.grad.isfinite().all())


@every
@pytest.mark.parametrize("event", SHAPES, ids=str)
def test_any_sample_shape_works(entry, event: tuple[int, ...]) -> None:
    # mimicry, R3GAN: RuntimeError, IndexError for anything but pictures.
    assert entry.make()(lambda x: x.square().flatten(1).sum(1), *pair(3, event)).shape == (3,)


@every
def test_channels_last_networks_and_samples_work(entry) -> None:
    # StudioGAN, mimicry: RuntimeError, from .view on gradients.
    real, fake = pair(3, (3, 8, 8))
    critic = conv_critic()
    wanted = entry.make()(critic, real, fake, rng=torch.Generator().manual_seed(3))
    critic = critic.to(memory_format=torch.channels_last)
    real, fake = (x.to(memory_format=torch.channels_last) for x in (real, fake))
    got = entry.make()(critic, real, fake, rng=torch.Generator().manual_seed(3))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    got.mean().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in critic[0].parameters() if p.ndim > 1)


@pytest.mark.parametrize("entry", PENALTIES.values(), ids=str)
def test_the_meaning_of_the_weight_is_stated(entry) -> None:
    # In the field, a weight of 10 means 10, 5 or 1.25 times ||g||^2, and the reader has to find out.
    assert "weight" in (inspect.getdoc(entry.make) or "")


def test_r1_of_weight_10_is_5_times_the_squared_norm() -> None:
    value = Term(penalties.r1, weight=10.0).factor(0.0) * penalties.r1(lambda x: 3 * x[:, 0], *pair(4, (2,))).mean()
    assert float(value) == pytest.approx(5 * 9)


@every
def test_the_callers_tensors_and_modes_are_left_alone(entry) -> None:
    # GAN_stability, StudioGAN: requires_grad_ on the caller's batch.
    real, fake = pair(2, (3, 8, 8))
    before = real.clone(), fake.clone()
    critic = conv_critic()
    critic[3].eval()
    entry.make()(critic, real, fake).mean().backward()
    assert not real.requires_grad
    assert not fake.requires_grad
    assert torch.equal(real, before[0])
    assert torch.equal(fake, before[1])
    assert critic.training
    assert not critic[3].training


@pytest.mark.parametrize("every_k", [1, 4, 16])
def test_lazy_payment_every_k_steps_multiplies_by_k(every_k: int) -> None:
    # lightweight-gan: every 4 steps, not multiplied: the effective weight is a quarter.
    term = Term(penalties.r1, weight=10.0, every=every_k)
    paid = sum(term.factor(0.0) for step in range(160) if term.due(step))
    assert paid == pytest.approx(10.0 * 160)


@every
def test_a_penalty_that_is_not_finite_is_loud(entry) -> None:
    # StyleGAN3, lightweight-gan: masked or dropped, so that divergence looks like training.
    real, fake = pair(3, (4,))
    value = entry.make()(lambda x: x @ torch.tensor([1.0, float("nan"), 1.0, 1.0]), real, fake).mean()
    assert not bool(value.isfinite())
    with pytest.raises(NonFiniteError, match=f"step 7: critic/{entry.name} is nan"):
        all_finite({"critic/loss": torch.zeros(()), f"critic/{entry.name}": value}, step=7)


@every
def test_a_critic_that_mixes_samples_is_refused_by_name(entry) -> None:
    critic = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    with pytest.raises(GradganError, match=r"critic\.1 is BatchNorm1d.*GroupNorm"):
        entry.make()(critic, *pair(3, (4,)))
    entry.make()(critic.eval(), *pair(3, (4,)))
