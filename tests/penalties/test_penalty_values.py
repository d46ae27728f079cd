"""Penalties: closed values on quadratic critics, and properties over random shapes."""

import inspect
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gradgan import penalties
from gradgan.core.checks import GradganError
from gradgan.core.gradients import squared_norm
from gradgan.penalties import PENALTIES, InputGradientPenalty
from gradgan.testing.references import input_slopes

INPUT = [entry for entry in PENALTIES.values() if isinstance(entry.make(), InputGradientPenalty)]
every = pytest.mark.parametrize("entry", INPUT, ids=str)
shapes = st.tuples(st.integers(1, 6), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 2**31))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=rng(seed), dtype=torch.float64)


class Quadratic:
    """D(x) = 1/2 x.A x, with A symmetric; its gradient is A x."""

    def __init__(self, d: int, seed: int = 7) -> None:
        half = draw(d, d, seed=seed)
        self.matrix = half + half.T

    def __call__(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return ((flat @ self.matrix) * flat).sum(1) / 2

    def gradient(self, x: Tensor) -> Tensor:
        return (x.flatten(1) @ self.matrix).reshape(x.shape)


@given(shapes)
def test_on_a_quadratic_critic_each_penalty_is_its_formula(drawn: tuple[int, list[int], int]) -> None:
    n, event, seed = drawn
    real, fake = draw(n, *event, seed=seed), draw(n, *event, seed=seed + 1)
    critic = Quadratic(prod(event))
    share = torch.rand(n, generator=rng(seed), dtype=torch.float64).reshape(n, *[1] * len(event))
    between = share * real + (1 - share) * fake
    around = real + 0.1 * torch.randn(real.shape, generator=rng(seed), dtype=torch.float64)
    slope = {name: squared_norm(critic.gradient(x)) for name, x in
             (("real", real), ("fake", fake), ("between", between), ("around", around))}  # fmt: skip
    wanted = {
        "r1": slope["real"] / 2,
        "r2": slope["fake"] / 2,
        "zero_gp": slope["between"],
        "wgan_gp": (slope["between"].sqrt() - 1).square(),
        "wgan_lp": (slope["between"].sqrt() - 1).clamp(min=0).square(),
        "dragan": (slope["around"].sqrt() - 1).square(),
    }
    assert set(wanted) == {entry.name for entry in INPUT}, "a new input-gradient penalty: write its formula here"
    for name, value in wanted.items():
        got = PENALTIES[name].make()(critic, real, fake, rng=rng(seed))
        torch.testing.assert_close(got, value, rtol=1e-9, atol=1e-9)


@given(shapes, st.floats(-5, 5))
def test_shift_of_the_critic_changes_nothing(drawn: tuple[int, list[int], int], c: float) -> None:
    n, event, seed = drawn
    real, fake, critic = draw(n, *event, seed=seed), draw(n, *event, seed=seed + 1), Quadratic(prod(event))
    for entry in INPUT:
        plain = entry.make()(critic, real, fake, rng=rng(seed))
        torch.testing.assert_close(entry.make()(lambda x: critic(x) + c, real, fake, rng=rng(seed)), plain)


@given(shapes, st.floats(-5, 5))
def test_zero_centred_penalties_scale_with_the_square(drawn: tuple[int, list[int], int], c: float) -> None:
    n, event, seed = drawn
    real, fake, critic = draw(n, *event, seed=seed), draw(n, *event, seed=seed + 1), Quadratic(prod(event))
    for part in (penalties.r1, penalties.r2, penalties.zero_gp):
        plain = part(critic, real, fake, rng=rng(seed))
        torch.testing.assert_close(part(lambda x: c * critic(x), real, fake, rng=rng(seed)), c * c * plain)


@given(shapes)
def test_the_slow_reference_agrees_at_the_same_points(drawn: tuple[int, list[int], int]) -> None:
    n, event, seed = drawn
    real, fake, critic = draw(n, *event, seed=seed), draw(n, *event, seed=seed + 1), Quadratic(prod(event))
    for entry in INPUT:
        part = entry.make()
        slopes = input_slopes(critic, part.points(real, fake, rng(seed)))
        wanted = torch.tensor([entry.facts["on_linear"](slope) for slope in slopes], dtype=torch.float64)
        torch.testing.assert_close(part(critic, real, fake, rng=rng(seed)), wanted, rtol=1e-8, atol=1e-8)


@given(st.integers(1, 6), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 2**31))
def test_zero_lambda_points_are_without_a_graph(n: int, event: list[int], seed: int) -> None:
    real = draw(n, *event, seed=seed).requires_grad_()
    fake = draw(n, *event, seed=seed + 1).requires_grad_()
    for entry in INPUT:
        points = entry.make().points(real, fake, rng(seed))
        assert points.shape == real.shape
        assert not points.requires_grad


@every
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 1, 1, 1)])
def test_a_critic_may_answer_with_a_column(entry, shape) -> None:
    real, fake, critic = draw(3, 4), draw(3, 4, seed=1), Quadratic(4)
    got = entry.make()(lambda x: critic(x).reshape(shape), real, fake, rng=rng())
    torch.testing.assert_close(got, entry.make()(critic, real, fake, rng=rng()))


@given(st.floats(0.1, 3), st.integers(1, 5))
def test_atgp_and_g_gan_on_a_quadratic_game(scale: float, n: int) -> None:
    """With G(z) = scale z and D quadratic, grad_z P = P (1 - P) scale A scale z."""
    critic, z = Quadratic(3), draw(n, 3) / 4
    score = critic(scale * z)
    slope = score.sigmoid() * (1 - score.sigmoid())
    wanted = slope.square() * squared_norm(scale * critic.gradient(scale * z))
    torch.testing.assert_close(penalties.atgp(critic, lambda z: scale * z, z), wanted)
    torch.testing.assert_close(penalties.g_gan(critic, lambda z: scale * z, z), -wanted)
    printed = PENALTIES.make("g_gan", sign=1.0)
    torch.testing.assert_close(printed(critic, lambda z: scale * z, z), wanted)


def test_gp_gan_takes_all_parameters_together_of_the_batch_mean() -> None:
    weight, bias = draw(4).requires_grad_(), torch.zeros((), dtype=torch.float64, requires_grad=True)
    x = draw(6, 4, seed=2)
    p = (x @ weight + bias).sigmoid()
    slope = (p * (1 - p)).detach()
    wanted = (slope[:, None] * x).mean(0).square().sum() + slope.mean().square()
    torch.testing.assert_close(penalties.gp_gan(p.mean(), [weight, bias]), wanted)


def test_consensus_is_half_the_squared_length_of_both_gradients() -> None:
    one, two = draw(3).requires_grad_(), draw(2, seed=1).requires_grad_()
    losses = (one.square().sum() * two.sum(), -one.sum() * two.square().sum())
    by_one, by_two = 2 * one * two.sum(), -2 * one.sum() * two
    wanted = (by_one.square().sum() + by_two.square().sum()) / 2
    torch.testing.assert_close(penalties.consensus(losses, ([one], [two])), wanted.detach(), check_stride=False)


def test_consensus_takes_networks_and_refuses_what_does_not_pair_up() -> None:
    critic, generator = torch.nn.Linear(2, 1), torch.nn.Linear(1, 2)
    x = torch.ones(3, 2)
    losses = (critic(x).mean(), critic(generator(x[:, :1])).mean())
    both = penalties.consensus(losses, (critic, generator))
    lists = tuple(list(network.parameters()) for network in (critic, generator))
    assert torch.equal(both, penalties.consensus(losses, lists))
    with pytest.raises(GradganError, match=r"got 1 losses and parameters of 2 players.*consensus\(\(critic_loss"):
        penalties.consensus(losses[:1], (critic, generator))
    call = inspect.unwrap(type(penalties.consensus).__call__)
    with pytest.raises(GradganError, match="losses must be a tuple with one entry per player, got Tensor"):
        call(penalties.consensus, losses[0], (critic,))
