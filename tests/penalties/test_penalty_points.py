"""Points: where a penalty looks, as statistics of what is drawn."""

import math

import pytest
import torch

from gradgan.core.checks import GradganError
from gradgan.penalties import PENALTIES
from gradgan.penalties.points import around_real, at_fake, at_real, between

N = 20_000


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shares(event: tuple[int, ...]) -> torch.Tensor:
    """Where on the line from fake (0) to real (1) each value of each point lies."""
    real, fake = torch.randn(N, *event, generator=rng(1)).double(), torch.randn(N, *event, generator=rng(2)).double()
    return ((between(real, fake, rng()) - fake) / (real - fake)).flatten(1)


def test_between_draws_one_share_per_sample_not_per_value_and_not_per_batch() -> None:
    share = shares((3, 2))
    torch.testing.assert_close(share, share[:, :1].expand_as(share), atol=1e-6, rtol=0)
    assert share[:, 0].unique().numel() > 0.99 * N


def test_between_stays_on_the_segment() -> None:
    share = shares((3,))
    assert float(share.min()) > -1e-6
    assert float(share.max()) < 1 + 1e-6


def test_between_is_uniform() -> None:
    share = shares((2,))[:, 0].sort().values
    steps = torch.arange(1, N + 1, dtype=torch.float64) / N
    # Kolmogorov-Smirnov: beyond 1.95 / sqrt(n) with probability 0.001.
    assert float((share - steps).abs().max()) < 1.95 / math.sqrt(N)


def test_between_of_two_equal_batches_is_that_batch() -> None:
    real = torch.randn(5, 3, 2, generator=rng())
    assert torch.equal(between(real, real.clone(), rng()), real)


@pytest.mark.parametrize("noise", [0.1, 2.0])
def test_dragan_draws_gaussian_noise_of_its_standard_deviation_in_the_datas_unit(noise: float) -> None:
    # A batch of spread 100: copied code multiplies by the batch's own standard deviation, and draws U[0, 1).
    real = 100 * torch.randn(N, 4, generator=rng(1), dtype=torch.float64)
    drawn = (PENALTIES.make("dragan", noise=noise).points(real, None, rng()) - real) / noise
    count = drawn.numel()
    assert float(drawn.mean()) == pytest.approx(0, abs=4 / math.sqrt(count))
    assert float(drawn.std()) == pytest.approx(1, abs=4 / math.sqrt(2 * count))
    assert float(drawn.pow(4).mean()) == pytest.approx(3, abs=4 * math.sqrt(96 / count))
    assert float((drawn < 0).double().mean()) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(count))


def test_dragan_draws_each_value_by_itself() -> None:
    drawn = around_real(1.0)(torch.zeros(N, 3, dtype=torch.float64), None, rng())
    off = torch.corrcoef(drawn.T) - torch.eye(3, dtype=torch.float64)
    assert float(off.abs().max()) < 4 / math.sqrt(N)


def test_dragan_draws_the_same_noise_whatever_the_memory_layout() -> None:
    real = torch.randn(2, 3, 4, 5, generator=rng(1))
    assert torch.equal(around_real(0.1)(real.to(memory_format=torch.channels_last), None, rng()),
                       around_real(0.1)(real, None, rng()))  # fmt: skip


def test_dragan_without_noise_looks_at_the_real_samples() -> None:
    real = torch.randn(3, 2, generator=rng())
    assert torch.equal(around_real(0.0)(real, None, rng()), real)


def test_at_real_and_at_fake_are_the_batches_without_their_graph() -> None:
    real, fake = torch.randn(3, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    for points, x in ((at_real, real), (at_fake, fake)):
        got = points(real, fake, None)
        assert torch.equal(got, x)
        assert not got.requires_grad


@pytest.mark.parametrize("name", ["r2", "wgan_gp", "wgan_lp", "zero_gp"])
def test_points_that_need_fakes_ask_for_them(name: str) -> None:
    with pytest.raises(GradganError, match=r"needs the fake samples and got None; pass G\(z\)\.detach\(\)"):
        PENALTIES.make(name)(lambda x: x.sum(1), torch.randn(3, 2))


@pytest.mark.parametrize("name", ["r1", "dragan"])
def test_points_at_the_real_samples_need_no_fakes(name: str) -> None:
    assert PENALTIES.make(name)(lambda x: x.square().sum(1), torch.randn(3, 2)).shape == (3,)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dragan", {"noise": -0.1}),
        ("dragan", {"noise": float("nan")}),
        ("wgan_gp", {"target": -1.0}),
        ("wgan_lp", {"target": float("inf")}),
        ("g_gan", {"sign": 0.5}),
    ],
)
def test_bad_options_are_refused_with_what_was_got(name: str, options: dict) -> None:
    value = next(iter(options.values()))
    with pytest.raises(GradganError, match=str(value)):
        PENALTIES.make(name, **options)
