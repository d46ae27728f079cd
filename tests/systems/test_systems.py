"""Every system is what its page says: losses, penalties, players; and they combine."""

import pytest
import torch
from torch import nn

from gradgan.core.errors import GradganError
from gradgan.core.scene import Scene
from gradgan.losses import LOSSES, minimax, non_saturating
from gradgan.networks import NETWORKS
from gradgan.penalties import atgp
from gradgan.systems import SYSTEMS, System, variational
from gradgan.training.objective import Term
from gradgan.training.steps import objective

EVENT = (2,)


def networks_for(system: System, latent: int = 3) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    made = {
        "critic": NETWORKS.make("mlp_critic", event=EVENT, widths=[8], activation="silu"),
        "generator": NETWORKS.make("mlp_generator", event=EVENT, latent=latent, widths=[8], output="linear"),
    }
    for extra in system.extras:
        options = {"latent": latent} if extra.role == "encoder" else {}
        made[extra.player.name] = NETWORKS.make(f"mlp_{extra.role}", event=EVENT, widths=[8], **options)
    return made


def scene_for(system: System, payer: str, networks: dict[str, nn.Module]) -> Scene:
    g = torch.Generator().manual_seed(1)
    real, z = torch.randn(6, 2, generator=g), torch.randn(6, 3, generator=g)
    if system.latents is not None:
        z = system.latents(networks, real, None, z)
    return Scene(payer=payer, networks=networks, loss=system.loss, real=real, z=z, rng=g)


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_every_player_of_every_reading_has_a_finite_objective_on_its_own_network(name):
    for reading in SYSTEMS[name].facts["readings"]:
        for system in (SYSTEMS.make(name, reading=reading), variational(SYSTEMS.make(name, reading=reading))):
            networks = networks_for(system)
            for player in system.players():
                total, numbers = objective(player, scene_for(system, player.name, networks), step=0, progress=0.0)
                assert total is not None and total.isfinite()
                assert all(number.isfinite() for number in numbers.values())
                own = list(networks[player.name].parameters())
                gradient = torch.autograd.grad(total, own, allow_unused=True)
                assert any(g is not None and g.abs().sum() > 0 for g in gradient), (reading, player.name)


def test_an_unknown_reading_names_the_known_ones():
    with pytest.raises(GradganError, match="sound, published"):
        SYSTEMS.make("atgp", reading="wrong")


def test_losses_of_the_readings():
    assert SYSTEMS.make("gan").loss is non_saturating
    assert SYSTEMS.make("gan", reading="minimax").loss is minimax
    assert SYSTEMS.make("atgp").loss is non_saturating
    assert SYSTEMS.make("atgp", reading="published").loss is minimax
    assert SYSTEMS.make("r3gan").loss is LOSSES.make("relativistic") or SYSTEMS.make("r3gan").loss.needs_real


@pytest.mark.parametrize(("reading", "sign"), [("formula", -1.0), ("code", 1.0)])
def test_g_gan_signs(reading, sign):
    (term,) = SYSTEMS.make("g_gan", reading=reading).terms
    assert term.penalty.sign == sign and term.payers == ("generator",)  # type: ignore


def test_wgan_set_up():
    assert (SYSTEMS.make("wgan").clip_weights, SYSTEMS.make("wgan").critic_steps) == (0.01, 5)
    (term,) = SYSTEMS.make("wgan_gp").terms
    assert (term.weight, term.name) == (10.0, "wgan_gp")


def test_atgp_joins_any_system_as_one_more_term():
    joined = SYSTEMS.make("r3gan").with_terms([Term(atgp, 0.5)])
    assert [term.name for term in joined.terms] == ["r1", "r2", "atgp"]
    critic, generator = joined.players()
    assert [t.name for t in critic.terms] == ["r1", "r2", "atgp"] and [t.name for t in generator.terms] == ["atgp"]


def test_a_term_of_a_known_name_takes_the_place_of_the_old_one():
    system = SYSTEMS.make("atgp").with_terms([Term(atgp, 7.0)])
    assert [term.weight for term in system.terms] == [7.0]


def test_half_of_a_variational_step_has_latents_of_the_encoder():
    system = variational(SYSTEMS.make("gan"))
    networks = networks_for(system)
    real, z = torch.randn(6, 2), torch.randn(6, 3)
    given = system.latents(networks, real, None, z)  # type: ignore
    assert torch.equal(given[:3], z[:3]) and not torch.equal(given[3:], z[3:])
    mean, log_variance = networks["encoder"](real[3:])
    torch.testing.assert_close(given[3:], mean + (log_variance / 2).exp() * z[3:])


def test_divergence_is_zero_at_the_prior_and_the_closed_form_elsewhere():
    from gradgan.systems.variational import Divergence

    class Fixed(nn.Module):
        def __init__(self, mean: float, log_variance: float) -> None:
            super().__init__()
            self.values = (mean, log_variance)

        def forward(self, x):
            return torch.full((len(x), 3), self.values[0]), torch.full((len(x), 3), self.values[1])

    system = variational(SYSTEMS.make("gan"))
    for mean, log_variance, wanted in [(0.0, 0.0, 0.0), (2.0, 0.0, 2.0), (0.0, 1.0, 0.5 * (2.718281828 - 2))]:
        networks = networks_for(system) | {"encoder": Fixed(mean, log_variance)}
        scene = Scene(payer="encoder", networks=networks, loss=system.loss, real=torch.randn(4, 2), z=torch.randn(4, 3))
        torch.testing.assert_close(Divergence().on(scene), torch.full((4,), wanted))


def test_variational_refuses_a_second_encoder_and_bad_weights():
    with pytest.raises(GradganError, match="encoder already"):
        variational(variational(SYSTEMS.make("gan")))
    with pytest.raises(GradganError, match="kl must be finite"):
        variational(SYSTEMS.make("gan"), kl=-1.0)


def test_synthetic_gon_is_the_blend_of_true_and_predicted_gradient():
    system = SYSTEMS.make("gc_gan", reading="synthetic")
    networks = networks_for(system)
    (term,) = system.terms
    share = 0.3
    scene = scene_for(system, "generator", networks)
    true = torch.autograd.grad(scene.generator_loss().mean(), scene.fake, retain_graph=True)[0]
    blended = torch.autograd.grad(
        scene.generator_loss().mean() + share * term.penalty.on(scene).mean(), scene.fake, retain_graph=True
    )[0]
    predicted = networks["gon"](scene.fake).detach() / len(scene.fake)
    torch.testing.assert_close(blended, (1 - share) * true + share * predicted)


def test_published_gon_adds_a_constant_to_the_critic_and_its_judge_has_no_minimum():
    system = SYSTEMS.make("gc_gan", reading="published")
    networks = networks_for(system)
    critic = system.players()[0]
    scene = scene_for(system, "critic", networks)
    total, _ = objective(critic, scene, step=0, progress=0.0)
    plain = scene.critic_loss().mean()
    own = list(networks["critic"].parameters())
    for a, b in zip(torch.autograd.grad(total, own, retain_graph=True), torch.autograd.grad(plain, own), strict=True):  # type: ignore
        torch.testing.assert_close(a, b)
    (term,) = system.terms
    losses = []
    for push in (0.0, 10.0, 1000.0):
        networks["gon"].head.bias.data.fill_(push)  # type: ignore
        losses.append(term.penalty.judge_loss(scene_for(system, "gon", networks)).mean().item())  # type: ignore
    assert losses[0] > losses[1] > losses[2] and losses[2] < -1000


def test_matching_gon_reaches_the_generator_only_through_a_smooth_critic():
    system = SYSTEMS.make("gc_gan", reading="matching")
    (term,) = system.terms
    reach = {}
    for activation in ("silu", "leaky_relu"):
        networks = networks_for(system)
        networks["critic"] = NETWORKS.make("mlp_critic", event=EVENT, widths=[8], activation=activation)
        scene = scene_for(system, "generator", networks)
        own = list(networks["generator"].parameters())
        grads = torch.autograd.grad(term.penalty.on(scene).mean(), own, allow_unused=True)
        reach[activation] = sum(float(g.abs().sum()) for g in grads if g is not None)
    assert reach["silu"] > 0 and reach["leaky_relu"] == 0
