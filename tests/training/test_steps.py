"""One step is the closed form: the Dirac-GAN, whose gradients are written down by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from gradgan.core.rng import Streams
from gradgan.losses import non_saturating, wasserstein
from gradgan.penalties import atgp, r1, wgan_gp
from gradgan.systems import System, gan, wgan
from gradgan.training.objective import Term
from gradgan.training.schedules import Schedule
from gradgan.training.state import State
from gradgan.training.steps import play_round

RATE = 0.1


class Slope(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor([value], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.psi)[:, 0]


class Place(nn.Module):
    def __init__(self, value: float, spread: float = 0.0) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([value], dtype=torch.float64))
        self.spread = spread

    def forward(self, z: Tensor) -> Tensor:
        return self.theta + self.spread * z


class Zeros:
    """Real data at 0, as the Dirac-GAN wants it."""

    def __init__(self, n: int = 4) -> None:
        self.n = n
        self.drawn = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.drawn += 1
        return torch.zeros(self.n, 1, dtype=torch.float64), None

    def state_dict(self):
        return {"drawn": self.drawn}

    def load_state_dict(self, state):
        self.drawn = state["drawn"]


def state_of(psi: float, theta: float, *, spread: float = 0.0, ema: float = 0.9) -> State:
    networks: dict[str, nn.Module] = {"critic": Slope(psi), "generator": Place(theta, spread)}
    optimisers = {name: torch.optim.SGD(net.parameters(), lr=RATE) for name, net in networks.items()}
    return State(networks=networks, optimisers=optimisers, batches=Zeros(), streams=Streams(0), latent=1, ema=ema)


def play(state: State, system: System, rounds: int = 1, **options) -> tuple[float, float]:
    state.latents = lambda n, stream="latent": torch.tensor([[1.0], [-1.0]] * 2, dtype=torch.float64)[:n]  # type: ignore
    for _ in range(rounds):
        play_round(state, system.players(), system.loss, **options)
    return state.networks["critic"].psi.item(), state.networks["generator"].theta.item()  # type: ignore


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_gan_step_is_the_closed_form():
    psi, theta = play(state_of(0.7, 0.4), gan())
    wanted_psi = 0.7 - RATE * 0.4 * sigmoid(0.7 * 0.4)
    wanted_theta = 0.4 + RATE * wanted_psi * sigmoid(-wanted_psi * 0.4)
    assert psi == pytest.approx(wanted_psi, abs=1e-12)
    assert theta == pytest.approx(wanted_theta, abs=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
def test_r1_adds_gamma_psi_to_the_critic_only(gamma):
    psi, theta = play(state_of(0.7, 0.4), gan().with_terms([Term(r1, gamma)]))
    wanted = 0.7 - RATE * (0.4 * sigmoid(0.7 * 0.4) + gamma * 0.7)
    assert psi == pytest.approx(wanted, abs=1e-12)
    assert theta == pytest.approx(0.4 + RATE * wanted * sigmoid(-wanted * 0.4), abs=1e-12)


def test_with_r1_the_wasserstein_game_converges_and_without_it_circles():
    tamed = System("tamed", wasserstein, terms=(Term(r1, 1.0),))
    assert math.hypot(*play(state_of(1.0, 1.0), tamed, 600)) < 1e-10
    assert math.hypot(*play(state_of(1.0, 1.0), System("free", wasserstein), 600)) > 0.5


def test_atgp_is_paid_by_both_and_each_gets_its_own_gradient():
    # At theta = 0 with z = +-1: P'(score) is the same for both latents, penalty = (P' psi s)^2.
    psi, s, w = 0.8, 1.5, 2.0
    plain = play(state_of(psi, 0.0, spread=s), gan())
    paid = play(state_of(psi, 0.0, spread=s), gan().with_terms([Term(atgp, w)]))

    def penalty(p: float) -> float:
        slope = sigmoid(p * s) * sigmoid(-p * s)
        return (slope * p * s) ** 2

    h = 1e-6
    derivative = (penalty(psi + h) - penalty(psi - h)) / (2 * h)
    assert plain[0] - paid[0] == pytest.approx(RATE * w * derivative, abs=1e-9)
    assert atgp.payers == ("critic", "generator")


def test_lazy_payment_multiplies_by_its_interval():
    lazy = gan().with_terms([Term(r1, 0.5, every=3)])
    psis = [0.7]
    state = state_of(0.7, 0.0)
    for _ in range(3):
        psis.append(play(state, lazy)[0])
        state.networks["generator"].theta.data.zero_()  # type: ignore
    assert psis[1] == pytest.approx(0.7 - RATE * 3 * 0.5 * 0.7, abs=1e-12)
    assert psis[2] == psis[1] == psis[3], "not due: nothing is paid"


def test_weight_schedule_scales_the_payment():
    half = System("s", wasserstein, terms=(Term(r1, 1.0, schedule=Schedule("linear")),))
    psi, _ = play(state_of(1.0, 0.0), half, progress=0.5)
    assert psi == pytest.approx(1.0 - RATE * 0.5, abs=1e-12)


def test_clipping_bounds_every_critic_weight_and_five_batches_are_drawn():
    state = state_of(1.0, 1.0)
    psi, _ = play(state, wgan())
    assert abs(psi) <= 0.01
    assert state.batches.drawn == 5  # type: ignore


def test_gradient_clipping_bounds_the_whole_gradient():
    from dataclasses import replace

    psi, _ = play(state_of(1.0, 30.0), replace(System("w", wasserstein), clip_gradient=0.5))
    assert psi == pytest.approx(1.0 - RATE * 0.5, abs=1e-6)


def test_the_average_follows_weights_and_buffers():
    class WithBuffer(Place):
        def __init__(self) -> None:
            super().__init__(0.0)
            self.register_buffer("seen", torch.zeros(1, dtype=torch.float64))

        def forward(self, z: Tensor) -> Tensor:
            self.seen += 1  # type: ignore
            return super().forward(z)

    state = state_of(1.0, 0.0)
    networks = {"critic": Slope(1.0), "generator": WithBuffer()}
    optimisers = {name: torch.optim.SGD(net.parameters(), lr=RATE) for name, net in networks.items()}
    state = State(networks=networks, optimisers=optimisers, batches=Zeros(), streams=Streams(0), latent=1, ema=0.9)
    play(state, gan(), 1)
    first_theta, first_seen = state.generator.theta.item(), state.generator.seen.item()  # type: ignore
    assert first_theta == networks["generator"].theta.item(), "the first update copies"
    play(state, gan(), 1)
    now = networks["generator"]
    assert state.generator.theta.item() == pytest.approx(0.9 * first_theta + 0.1 * now.theta.item())  # type: ignore
    assert state.generator.seen.item() == pytest.approx(0.9 * first_seen + 0.1 * now.seen.item())  # type: ignore


def test_learning_rates_follow_their_schedule():
    state = state_of(1.0, 0.0)
    play(state, gan(), progress=0.5, rates=Schedule("linear"))
    assert state.optimisers["critic"].param_groups[0]["lr"] == pytest.approx(RATE / 2)


def test_measured_numbers_are_those_of_the_batch():
    state = state_of(0.5, 0.25)
    state.latents = lambda n, stream="latent": torch.zeros(n, 1, dtype=torch.float64)  # type: ignore
    system = System("m", non_saturating, terms=(Term(wgan_gp, 0.0), Term(r1, 1e-9)))
    numbers = play_round(state, system.players(), system.loss, measure=True)
    assert numbers["critic/loss"].item() == pytest.approx(math.log(2) - math.log(sigmoid(-0.5 * 0.25)))
    assert numbers["critic/r1"].item() == pytest.approx(0.125)
    psi = state.networks["critic"].psi.item()  # type: ignore
    assert numbers["slope/real"].item() == pytest.approx(abs(psi))
    assert "critic/wgan_gp" not in numbers, "weight 0 is not computed"
