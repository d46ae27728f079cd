"""Vital signs against slow references, and what they must not depend on."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.scene import Scene
from gradgan.losses import LOSSES
from gradgan.penalties import PENALTIES
from gradgan.testing.tiny import LATENT, SmoothCritic, SmoothGenerator, draw
from gradgan.training.measure import forces
from gradgan.training.objective import Player, Term
from gradgan.training.schedules import Schedule
from gradgan.training.signs import diversity, growth, pull, sizes, told, unrest

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=6)


@given(scores, scores)
def test_told_counts_pairs(higher, lower):
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in higher for b in lower]
    fast = told(torch.tensor(higher, dtype=torch.float32), torch.tensor(lower, dtype=torch.float32))
    assert fast.item() == pytest.approx(sum(pairs) / len(pairs))


def test_told_is_the_same_for_any_scale_and_never_hides_a_broken_score():
    a, b = draw(9, seed=1).float(), draw(7, seed=2).float()
    assert told(a, b) == told(1e3 * a - 7, 1e3 * b - 7) == told(a.exp(), b.exp())
    assert told(torch.tensor([float("nan"), 1.0]), b).isnan()


@pytest.mark.parametrize("name", list(LOSSES))
def test_pull_is_the_slope_of_the_generators_loss(name):
    loss = LOSSES.make(name)
    real, fake = draw(5, seed=1), draw(5, seed=2)
    step = 1e-6
    slopes = []
    for k in range(5):
        up, down = fake.clone(), fake.clone()
        up[k] += step
        down[k] -= step
        given_real = real if loss.needs_real else None
        slopes.append((loss.generator(given_real, up).sum() - loss.generator(given_real, down).sum()) / (2 * step))
    assert pull(loss, real, fake).item() == pytest.approx(torch.stack(slopes).abs().mean().item(), abs=1e-6)


@pytest.mark.parametrize("event", [(2,), (1, 3, 3)])
def test_diversity_is_that_of_plain_loops(event):
    real, fake = draw(6, *event, seed=1).float(), 0.5 * draw(6, *event, seed=2).float()

    def nearest(x, others, itself):
        return min((x - o).norm() for k, o in enumerate(others) if k != itself)

    def pairs(x):
        return torch.stack([(a - b).norm() for i, a in enumerate(x) for j, b in enumerate(x) if i != j]).mean()

    unit = torch.stack([nearest(x, real, k) for k, x in enumerate(real)]).mean()
    slow = {
        "diversity/distance": pairs(fake) / pairs(real),
        "diversity/nearest": torch.stack([nearest(x, fake, k) for k, x in enumerate(fake)]).mean() / unit,
        "diversity/missed": torch.stack([nearest(x, fake, -1) for x in real]).mean() / unit,
    }
    fast = diversity(real, fake)
    for name, value in slow.items():
        torch.testing.assert_close(fast[name], value)
    for name, value in diversity(100 * real, 100 * fake).items():
        torch.testing.assert_close(value, fast[name])


def test_a_collapsed_batch_and_a_batch_like_the_data():
    real = draw(50, 4, seed=1).float()
    assert diversity(real, real[:1].expand(50, 4))["diversity/distance"] == 0
    assert diversity(real, real)["diversity/distance"] == 1
    assert diversity(real, torch.full((50, 4), float("nan")))["diversity/distance"].isnan()
    assert diversity(torch.zeros(50, 4), real)["diversity/distance"].isfinite()
    assert all(value == 1 for value in diversity(torch.zeros(50, 4), torch.zeros(50, 4)).values())


def test_unrest_is_the_way_to_the_average_in_data_widths():
    real = torch.tensor([[0.0], [2.0]])
    assert unrest(real, real, real) == 0
    assert unrest(real, real + 6, real).item() == pytest.approx(3.0)


def test_growth_is_that_of_the_most_grown_layer_and_biases_do_not_count():
    layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    first = sizes(layers.parameters())
    with torch.no_grad():
        layers[1].weight.mul_(5)
        layers[0].bias.mul_(100)
    assert len(first) == 2 and growth(sizes(layers.parameters()), first).item() == pytest.approx(5)
    assert growth(torch.tensor([3.0, 1.0]), torch.tensor([0.0, 1.0])) == 1


def scene(payer: str) -> Scene:
    return Scene(
        payer=payer, networks={"critic": SmoothCritic((2,)), "generator": SmoothGenerator((2,))},
        loss=LOSSES.make("non_saturating"), real=draw(4, 2, seed=1), z=draw(4, LATENT, seed=2),
        rng=torch.Generator().manual_seed(1),
    )  # fmt: skip


@pytest.mark.parametrize(("payer", "loss", "name"), [
    ("critic", Scene.critic_loss, "r1"), ("critic", Scene.critic_loss, "wgan_gp"),
    ("generator", Scene.generator_loss, "g_gan"),
])  # fmt: skip
def test_force_is_the_weighted_penaltys_share_of_the_gradients(payer, loss, name):
    here = scene(payer)
    before = here.rng.get_state()
    term = Term(PENALTIES.make(name), weight=3.0, every=4, schedule=Schedule("linear"))
    number = forces(Player(payer, loss, (term,)), here, progress=0.5)[f"force/{payer}/{name}"]
    assert torch.equal(here.rng.get_state(), before), "chance of the run was used"

    again = scene(payer)
    again.rng = torch.Generator().manual_seed(0)
    own = list(again.parameters(payer))

    def length(value):
        return torch.cat(
            [
                g.flatten()
                for g in torch.autograd.grad(value, own, retain_graph=True, allow_unused=True)
                if g is not None
            ]
        ).norm()

    paid, adversarial = length(1.5 * term.penalty.on(again).mean()), length(loss(again).mean())
    torch.testing.assert_close(number, paid / (paid + adversarial))
    assert all(p.grad is None for p in own)


def test_a_weight_of_nothing_and_a_weight_beyond_all():
    def force(weight):
        term = Term(PENALTIES.make("r1"), weight=weight)
        return forces(Player("critic", Scene.critic_loss, (term,)), scene("critic"), progress=0.0)["force/critic/r1"]

    assert force(1e-9) < 1e-6 and force(1e9) > 0.999
    assert forces(Player("critic", Scene.critic_loss), scene("critic"), progress=0.0) == {}
