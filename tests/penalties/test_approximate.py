"""approximate_r1 and approximate_r2: bias, noise, and the critics that they are for."""

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.checkpoint import checkpoint

from gradgan import penalties
from gradgan.core.checks import GradganError
from gradgan.penalties import PENALTIES


class Quadratic(nn.Module):
    """D(x) = g.x + x'Hx / 2: all derivatives above the second are 0, so the bias formula ends with sigma^2."""

    def __init__(self, g: Tensor, h: Tensor) -> None:
        super().__init__()
        self.g, self.h = nn.Parameter(g), nn.Parameter(h)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.g + ((x @ self.h) * x).sum(1) / 2


def quadratic() -> Quadratic:
    torch.manual_seed(0)
    a = torch.randn(4, 4, dtype=torch.float64)
    return Quadratic(torch.randn(4, dtype=torch.float64) / 4, (a + a.T) / 2)


def draws(critic: nn.Module, x: Tensor, sigma: float, n: int = 200_000) -> Tensor:
    penalty = PENALTIES.make("approximate_r1", sigma=sigma)
    return penalty(critic, x.expand(n, -1), rng=torch.Generator().manual_seed(1)).detach()


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_bias_of_a_quadratic_critic_is_the_formulas(sigma):
    critic, x = quadratic(), torch.zeros(1, 4, dtype=torch.float64)
    h = critic.h.detach()
    bias = sigma**2 / 2 * (h.trace() ** 2 + 2 * h.square().sum()) / 4
    values = draws(critic, x, sigma)
    error = values.std() / len(values) ** 0.5
    assert bias > 20 * error, "otherwise the test sees nothing"
    assert abs(values.mean() - penalties.r1(critic, x) - bias) < 5 * error


def test_the_third_derivative_counts_through_the_gradient_of_the_trace():
    class Cubic(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 0] + x[:, 0] ** 3 / 6  # g = 1, H = 0, grad tr H = 1 at 0

    sigma = 0.3
    values = draws(Cubic(), torch.zeros(1, 1, dtype=torch.float64), sigma)
    # Exactly: 1/2 E (e + sigma^2 e^3 / 6)^2 = 1/2 (1 + sigma^2 + 15 sigma^4 / 36)
    exactly = (1 + sigma**2 + 15 * sigma**4 / 36) / 2
    assert abs(values.mean() - exactly) < 5 * values.std() / len(values) ** 0.5
    assert abs(values.mean() - 0.5 - sigma**2 / 2) < sigma**4


def test_one_draw_has_a_standard_deviation_of_root_two_times_the_value():
    critic = nn.Linear(3, 1, dtype=torch.float64)
    x = torch.zeros(1, 3, dtype=torch.float64)
    assert float(draws(critic, x, 0.01).std() / penalties.r1(critic, x).detach()) == pytest.approx(2**0.5, rel=0.02)


def test_steps_across_a_kink_make_the_mean_too_low_by_order_sigma():
    class Kink(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return fn.leaky_relu(x[:, 0], 0.2)

    # Density 1/2 at the kink, slopes 1 and 0.2: on the mean over the data, - sigma/12 x density x (jump of the slope)^2
    # x E |e|^3 is missing.
    sigma, n = 0.5, 1_000_000
    x = (torch.arange(n, dtype=torch.float64) / n - 0.5)[:, None] * 2
    exact = (0.5 + 0.5 * 0.2**2) / 2
    values = PENALTIES.make("approximate_r1", sigma=sigma)(Kink(), x, rng=torch.Generator().manual_seed(0))
    missing = sigma / 12 * 0.5 * (1 - 0.2) ** 2 * 2 * (2 / torch.pi) ** 0.5
    error = float(values.std()) / n**0.5
    assert missing > 5 * error
    assert float(values.mean()) - exact == pytest.approx(-missing, abs=4 * error)


class Attention(nn.Module):
    """A critic whose attention takes torch's default path, which has no double backward."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.score = nn.Linear(4, 12), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unsqueeze(1).chunk(3, dim=-1)  # (n, heads, length, width)
        return self.score(fn.scaled_dot_product_attention(q, k, v).mean((1, 2)))


class Checkpointed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.score = nn.Sequential(nn.Linear(4, 8), nn.ReLU()), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        # The reentrant way wants an input that requires a gradient, as every recipe with it has.
        x = x.requires_grad_() if x.is_leaf else x
        return self.score(checkpoint(self.body, x, use_reentrant=True).mean(1))


@pytest.mark.parametrize("critic", [Attention, Checkpointed])
def test_critics_without_double_backward_train(critic):
    torch.manual_seed(0)
    network, (real, fake) = critic(), torch.randn(2, 5, 3, 4)
    with pytest.raises(RuntimeError):
        penalties.r1(network, real).mean().backward()
    network.zero_grad()
    for penalty in (penalties.approximate_r1, penalties.approximate_r2):
        penalty(network, real, fake).mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert not real.requires_grad


def test_a_compiled_critic_trains():
    critic = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    compiled = torch.compile(critic, backend="aot_eager")
    x = torch.randn(5, 3)
    # Its words depend on what else was compiled before: no double backward, or buffers given away.
    with pytest.raises(RuntimeError, match=r"double backward|create_graph"):
        penalties.r1(compiled, x).mean().backward()
    wanted, got = (
        penalties.approximate_r1(d, x, rng=torch.Generator().manual_seed(0)).detach() for d in (critic, compiled)
    )
    torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-6)
    penalties.approximate_r1(compiled, x).mean().backward()
    assert critic[0].weight.grad is not None


def test_dropout_drops_the_same_units_in_both_calls():
    critic = nn.Sequential(nn.Linear(3, 64), nn.Dropout(0.5), nn.Linear(64, 1))
    x = torch.zeros(64, 3)
    torch.manual_seed(0)
    value = penalties.approximate_r1(critic, x, rng=torch.Generator().manual_seed(0))
    assert value.max() < 10  # masks of two draws would differ by about 1 / sigma^2
    torch.manual_seed(0)
    critic(x)
    once = torch.get_rng_state()
    torch.manual_seed(0)
    penalties.approximate_r1(critic, x, rng=torch.Generator().manual_seed(0))
    assert torch.equal(once, torch.get_rng_state()), "global chance moves as by one call"


def test_spectral_norm_is_the_same_in_both_calls():
    torch.manual_seed(0)
    critic = nn.Sequential(spectral_norm(nn.Linear(8, 8), n_power_iterations=1), nn.Linear(8, 1))
    x = torch.zeros(4, 8)
    x[:, 0] = 1000.0  # so long a sample that another estimate of the norm would show
    slope = penalties.r1(critic, x).max()
    assert penalties.approximate_r1(critic, x, rng=torch.Generator().manual_seed(0)).max() < 20 * slope + 1e-3


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_sigma_must_be_a_step(sigma):
    with pytest.raises(GradganError, match=r"approximate_r2\.sigma must be"):
        PENALTIES.make("approximate_r2", sigma=sigma)


def test_approximate_r2_wants_the_fake():
    with pytest.raises(GradganError, match="needs the fake samples"):
        penalties.approximate_r2(nn.Linear(2, 1), torch.zeros(1, 2))


def test_half_precision_scores_are_subtracted_in_float32():
    critic = nn.Linear(3, 1).to(torch.bfloat16)
    assert penalties.approximate_r1(critic, torch.randn(4, 3, dtype=torch.bfloat16)).dtype == torch.float32
