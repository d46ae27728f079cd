"""Losses: closed values away from 0, tails, refusals, and the properties that hold for any scores."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.checks import GradganError
from gradgan.losses import Loss, hinge, least_squares, minimax, non_saturating, relativistic, wasserstein
from gradgan.losses import relativistic_average as average

scores = st.lists(st.floats(-50, 50), min_size=1, max_size=6)
POINTWISE = (non_saturating, minimax, hinge, least_squares, wasserstein)
PAIRED = (*POINTWISE, relativistic)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def softplus(x: float) -> float:
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0)


@pytest.mark.parametrize(
    ("loss", "critic", "generator"),
    [
        (non_saturating, softplus(-2) + softplus(-1), softplus(1)),
        (minimax, softplus(-2) + softplus(-1), -softplus(-1)),
        (hinge, 0.0 + 0.0, 1.0),
        (least_squares, 0.5 + 0.5, 2.0),
        (wasserstein, -3.0, 1.0),
        (relativistic, softplus(-3), softplus(3)),
        (average, 2 * softplus(-3), 2 * softplus(3)),
    ],
    ids=str,
)
def test_value_at_real_2_and_fake_minus_1(loss: Loss, critic: float, generator: float) -> None:
    real, fake = tensor(2.0), tensor(-1.0)
    torch.testing.assert_close(loss.critic(real, fake), tensor(critic))
    torch.testing.assert_close(loss.generator(real, fake), tensor(generator))


def test_hinge_charges_scores_inside_its_margin_only() -> None:
    real, fake = tensor(0.25, 1.0, 3.0), tensor(-0.5, -1.0, -3.0)
    torch.testing.assert_close(hinge.critic(real, fake), tensor(0.75 + 0.5, 0.0, 0.0))


@pytest.mark.parametrize("score", [-30.0, -100.0, -1000.0])
def test_non_saturating_has_slope_minus_one_at_very_negative_scores(score: float) -> None:
    fake = torch.tensor([score], requires_grad=True)
    non_saturating.generator(None, fake).sum().backward()
    assert fake.grad is not None
    assert fake.grad.item() == pytest.approx(-1.0, abs=1e-6)


@pytest.mark.parametrize("score", [-30.0, -100.0, -1000.0])
def test_minimax_saturates_there(score: float) -> None:
    fake = torch.tensor([score], requires_grad=True)
    minimax.generator(None, fake).sum().backward()
    assert fake.grad is not None
    assert abs(fake.grad.item()) < 1e-12


@given(real=scores, fake=scores)
def test_minimax_is_a_zero_sum_game_in_the_fake_scores(real: list[float], fake: list[float]) -> None:
    both = tensor(*fake)
    critic = minimax.critic(torch.full_like(both, 60.0), both)
    torch.testing.assert_close(critic, -minimax.generator(None, both), atol=1e-9, rtol=0)


@given(pairs=st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=6))
def test_a_batch_is_many_pairs(pairs: list[tuple[float, float]]) -> None:
    real, fake = tensor(*[p[0] for p in pairs]), tensor(*[p[1] for p in pairs])
    for loss in PAIRED:
        singles = torch.cat([loss.critic(r[None], f[None]) for r, f in zip(real, fake, strict=True)])
        torch.testing.assert_close(loss.critic(real, fake), singles)
        singles = torch.cat([loss.generator(r[None], f[None]) for r, f in zip(real, fake, strict=True)])
        torch.testing.assert_close(loss.generator(real, fake), singles)


@given(pairs=st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=6), c=st.floats(-20, 20))
def test_relativistic_losses_do_not_see_a_shift_of_the_critic(pairs: list[tuple[float, float]], c: float) -> None:
    real, fake = tensor(*[p[0] for p in pairs]), tensor(*[p[1] for p in pairs])
    for loss in (relativistic, average, wasserstein):
        torch.testing.assert_close(loss.critic(real + c, fake + c), loss.critic(real, fake))
    for loss in (relativistic, average):
        torch.testing.assert_close(loss.generator(real + c, fake + c), loss.generator(real, fake))
        torch.testing.assert_close(loss.generator(real, fake), loss.critic(fake, real))


def test_relativistic_average_compares_with_the_mean_of_the_other_side() -> None:
    real, fake = tensor(1.0, 3.0), tensor(-2.0, 0.0)
    wanted = tensor(softplus(-1 - 1) + softplus(-2 - 2), softplus(-1 - 3) + softplus(0 - 2))
    torch.testing.assert_close(average.critic(real, fake), wanted)


@pytest.mark.parametrize("loss", [relativistic, average], ids=str)
def test_a_relativistic_generator_asks_for_the_real_scores(loss: Loss) -> None:
    with pytest.raises(GradganError, match=r"got None; pass critic\(real\)\.detach\(\)"):
        loss.generator(None, torch.zeros(3))
