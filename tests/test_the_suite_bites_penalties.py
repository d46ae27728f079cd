"""Wrong penalties, most with a fault seen in published code: each must be refused, and for its own reason.

Each test names the claim that has to bite, so that no wrong part is refused for some other reason.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn

from gradgan import penalties
from gradgan.core.gradients import latent_gradient, squared_norm
from gradgan.penalties.judged import GonMatching
from gradgan.penalties.points import at_real
from gradgan.testing import check_penalty

DISTANCE = {"on_linear": lambda slope: (slope - 1) ** 2}
HALF_SQUARE = {"on_linear": lambda slope: slope**2 / 2}
LATENT_SQUARE = {"on_linear": lambda slope: slope**2 / 16}


def per_sample_norm(gradient: Tensor) -> Tensor:
    return gradient.flatten(1).square().sum(1).sqrt()


def gradient_at(critic: Callable, x: Tensor, graph: bool = True) -> Tensor:
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=graph)
    return gradient


# --- input-gradient penalties -----------------------------------------------------------------------------------------


def with_profile(profile: Callable[[Tensor], Tensor]) -> Any:
    return dataclasses.replace(penalties.wgan_gp, profile=profile)


PROFILES = [
    ("norm over the whole batch", lambda g: (g.norm() - 1).square().expand(len(g)), "On a linear critic"),
    ("norm over the channels", lambda g: (g.norm(dim=1) - 1).square().flatten(1).mean(1), "On a linear critic"),
    ("plain sqrt at 0", lambda g: (per_sample_norm(g) - 1).square(), "finite where the slope is 0"),
    ("view on gradients", lambda g: penalties.wgan_gp.profile(g.view(len(g), -1)), "channels_last"),
    ("non-finite masked", lambda g: penalties.wgan_gp.profile(g).nan_to_num(0.0, 0.0, 0.0), "is not finite gives"),
    ("graph dropped", lambda g: penalties.wgan_gp.profile(g.detach()), "does not require grad"),
    ("norm padded by eps", lambda g: ((squared_norm(g) + 1e-4).sqrt() - 1).square(), "On a linear critic"),
    ("weight taken inside", lambda g: 10 * penalties.wgan_gp.profile(g), "On a linear critic"),
]


@pytest.mark.parametrize(("profile", "claim"), [p[1:] for p in PROFILES], ids=[p[0] for p in PROFILES])
def test_wrong_profiles_of_wgan_gp(profile: Callable, claim: str) -> None:
    with pytest.raises(AssertionError, match=claim):
        check_penalty(with_profile(profile), DISTANCE)


def test_r1_without_its_half() -> None:
    with pytest.raises(AssertionError, match=r"On a linear critic.*got 0\.25 at \(0,\), wanted 0\.125"):
        check_penalty(dataclasses.replace(penalties.r1, profile=squared_norm), HALF_SQUARE)


def at_real_itself(real: Tensor, fake: Tensor | None, rng: torch.Generator | None) -> Tensor:
    return real.requires_grad_(True)


def r1_by_hand(critic: nn.Module, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    if real.shape != fake.shape or len(real) == 0:
        raise ValueError("unequal")
    for layer in critic.modules() if isinstance(critic, nn.Module) else ():
        if isinstance(layer, nn.BatchNorm1d) and layer.training:
            raise ValueError("mixes samples")
    if critic(real).shape != (len(real),):
        raise ValueError("one score per sample")
    return squared_norm(gradient_at(critic, real)) / 2


def test_a_plain_function_that_is_right_passes() -> None:
    check_penalty(r1_by_hand, HALF_SQUARE)


def changes_the_caller(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    real.requires_grad_(True)
    return r1_by_hand(critic, real, fake)


def calls_eval(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    if isinstance(critic, nn.Module):
        critic.eval()
    return r1_by_hand(critic, real, fake)


def calls_backward(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    real = real.detach().requires_grad_(True)
    critic(real).sum().backward(create_graph=False)
    return r1_by_hand(critic, real, fake)


def draws_globally(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    torch.rand(1)
    return r1_by_hand(critic, real, fake)


def takes_the_mean(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    return r1_by_hand(critic, real, fake).mean()


def broadcasts(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    return r1_by_hand(critic, real + 0 * fake, real)


def takes_batch_norm(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    return r1_by_hand(lambda x: critic(x), real, fake)


def pays_at_attached_fakes(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    r1_by_hand(critic, real, fake)
    x = fake if fake.requires_grad else fake.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return squared_norm(gradient) / 2


def mixes_the_batch(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    value = r1_by_hand(critic, real, fake)
    return value.mean().expand(len(value))


def of_the_probability(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    r1_by_hand(critic, real, fake)
    return 16 * squared_norm(gradient_at(lambda x: critic(x).sigmoid(), real)) / 2


def through_one_side_only(critic: Any, real: Tensor, fake: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    # One of the two factors of ||g||^2 is treated as a constant: the value is right and its gradient is half of it.
    r1_by_hand(critic, real, fake)
    gradient = gradient_at(critic, real)
    return (gradient * gradient.detach()).flatten(1).sum(1) / 2


FUNCTIONS = [
    (changes_the_caller, "caller's tensors.*requires_grad changed"),
    (calls_eval, "caller's tensors.*modes changed"),
    (calls_backward, "caller's tensors.*before any backward"),
    (takes_the_mean, "wanted one value per sample"),
    (draws_globally, "global one is not touched"),
    (broadcasts, "unequal shapes are refused"),
    (takes_batch_norm, "BatchNorm is refused"),
    (pays_at_attached_fakes, "No gradient reaches the network that made the fake|caller's tensors.*fake.grad"),
    (mixes_the_batch, "does not depend on the rest of the batch"),
    (of_the_probability, "On a linear critic"),
    (through_one_side_only, "finite differences"),
]


@pytest.mark.parametrize(("penalty", "claim"), FUNCTIONS, ids=[f[0].__name__ for f in FUNCTIONS])
def test_wrong_functions_of_samples(penalty: Callable, claim: str) -> None:
    with pytest.raises(AssertionError, match=claim):
        check_penalty(penalty, HALF_SQUARE)


def test_points_that_touch_the_callers_tensors() -> None:
    with pytest.raises(AssertionError, match="caller's tensors"):
        check_penalty(dataclasses.replace(penalties.r1, points=at_real_itself), HALF_SQUARE)


def test_noise_drawn_in_memory_order() -> None:
    def around(real: Tensor, fake: Tensor | None, rng: torch.Generator | None) -> Tensor:
        return real.detach() + 0.1 * torch.empty_like(real).normal_(generator=rng)

    with pytest.raises(AssertionError, match="channels_last"):
        check_penalty(dataclasses.replace(penalties.dragan, points=around), DISTANCE)


def test_r1_called_without_the_labels_in_a_step() -> None:
    class Forgets(type(penalties.r1)):
        def on(self, scene: Any) -> Tensor:
            return self(scene.network("critic"), scene.real, scene.fake, rng=scene.rng)

    forgets = Forgets("r1", at_real, penalties.r1.profile)
    with pytest.raises(AssertionError, match="With labels in the scene"):
        check_penalty(forgets, HALF_SQUARE)


# --- estimates --------------------------------------------------------------------------------------------------------


class Estimate(type(penalties.approximate_r1)):
    """approximate_r1 with a fault in what it makes of the two scores."""

    def __init__(self, fault: Callable[[Tensor], Tensor], sigma: float = 0.01) -> None:
        super().__init__("approximate_r1", at_real, sigma)
        object.__setattr__(self, "fault", fault)

    def __call__(self, critic: Any, real: Tensor, fake: Any = None, *, rng: Any = None) -> Tensor:
        return self.fault(super().__call__(critic, real, fake, rng=rng))


class OneStepForAll(type(penalties.approximate_r1)):
    """approximate_r1 with one draw for the whole batch: right on average, but its draws are no draws."""

    def __call__(self, critic: Any, real: Tensor, fake: Any = None, *, rng: Any = None) -> Tensor:
        super().__call__(critic, real, fake, rng=rng)
        step = self.sigma * torch.randn(real.shape[1:], generator=rng, dtype=real.dtype)
        there, here = critic(real.detach() + step), critic(real.detach())
        return ((there - here) / self.sigma).square() / 2


ESTIMATES = [
    ("without its half", Estimate(lambda v: 2 * v), "On a linear critic of slope s its mean"),
    ("not divided by sigma", Estimate(lambda v: v * 0.01**2), "On a linear critic of slope s its mean"),
    ("a step too long", Estimate(lambda v: v, sigma=1.0), "value of the exact penalty that it estimates"),
    ("graph halved", Estimate(lambda v: (v + v.detach()) / 2), "gradient to the critic's weights is, on average"),
    ("mixed", Estimate(lambda v: (v + 1e-3 * v.mean()) / (1 + 1e-3)), "when the rest of the batch is replaced"),
    ("one step for all", OneStepForAll("approximate_r1", at_real, 0.01), "On a linear critic of slope s its mean"),
]


@pytest.mark.parametrize(("penalty", "claim"), [e[1:] for e in ESTIMATES], ids=[e[0] for e in ESTIMATES])
def test_wrong_estimates(penalty: Any, claim: str) -> None:
    with pytest.raises(AssertionError, match=claim):
        check_penalty(penalty, penalties.PENALTIES["approximate_r1"].facts)


# --- latent, parameter and judged penalties ---------------------------------------------------------------------------


class Latent(type(penalties.atgp)):
    """ATGP with a fault in its call."""

    def __init__(self, fault: Callable[[Any, Any, Tensor], Tensor]) -> None:
        super().__init__("atgp", ("critic", "generator"))
        object.__setattr__(self, "fault", fault)

    def __call__(self, critic: Any, generator: Any, z: Tensor) -> Tensor:
        return self.fault(critic, generator, z)


def takes_batch_norm_along_the_latent(critic: Any, generator: Any, z: Tensor) -> Tensor:
    with torch.enable_grad():
        z = z.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(generator(z)).sigmoid().sum(), z, create_graph=True)
    return squared_norm(gradient)


LATENT = [
    ("of the score", lambda d, g, z: squared_norm(latent_gradient(d, g, z)), "Where D"),
    ("mean over the batch", lambda d, g, z: penalties.atgp(d, g, z).mean(), "one value per sample"),
    ("the reward's sign", lambda d, g, z: penalties.g_gan(d, g, z), "Where D"),
    ("batch norm taken", takes_batch_norm_along_the_latent, "BatchNorm is refused"),
    ("masked", lambda d, g, z: penalties.atgp(d, g, z).nan_to_num(0.0), "is not finite gives"),
    ("graph dropped", lambda d, g, z: penalties.atgp(d, g, z).detach().requires_grad_(), "finite differences"),
    ("of log P", lambda d, g, z: squared_norm(latent_gradient(lambda x: fn.logsigmoid(d(x)) / 2, g, z)), "full Jac"),
]


@pytest.mark.parametrize(("fault", "claim"), [p[1:] for p in LATENT], ids=[p[0] for p in LATENT])
def test_wrong_penalties_along_the_latent(fault: Callable, claim: str) -> None:
    if claim == "full Jac":
        # Refuses BatchNorm and is right at score 0; elsewhere the slope of log P is not that of P.
        wrong = fault
        fault = lambda d, g, z: penalties.atgp(d, g, z) * 0 + wrong(d, g, z)  # noqa: E731
    with pytest.raises(AssertionError, match=claim):
        check_penalty(Latent(fault), LATENT_SQUARE)


class PerSample(type(penalties.gp_gan)):
    """GP-GAN that averages each sample's squared norm instead of squaring the average."""

    def on(self, scene: Any) -> Tensor:
        scores = scene.real_scores if scene.payer == "critic" else scene.fake_scores
        own = list(scene.parameters(scene.payer))
        return torch.stack([self(score, own) for score in scores.sigmoid()]).mean()


class OthersParameters(type(penalties.gp_gan)):
    """GP-GAN in which the generator pays for the critic's parameters."""

    def on(self, scene: Any) -> Tensor:
        scores = scene.real_scores if scene.payer == "critic" else scene.fake_scores
        return self(scores.sigmoid().mean(), list(scene.parameters("critic")))


class WholeFieldUnhalved(type(penalties.consensus)):
    """Consensus without its half."""

    def on(self, scene: Any) -> Tensor:
        return 2 * super().on(scene)


def test_wrong_penalties_on_parameters() -> None:
    facts = penalties.PENALTIES["gp_gan"].facts
    for wrong in (PerSample, OthersParameters):
        with pytest.raises(AssertionError, match="Where the mean score is 0"):
            check_penalty(wrong("gp_gan", ("critic", "generator")), facts)
    with pytest.raises(AssertionError, match="At the Dirac-GAN's equilibrium"):
        check_penalty(WholeFieldUnhalved(), penalties.PENALTIES["consensus"].facts)


class Detached(GonMatching):
    """GC-GAN whose field is cut off from the generator, so that nothing is learnt from the judge."""

    def on(self, scene: Any) -> Tensor:
        gradient = gradient_at(scene.critic, scene.fake)
        return fn.softplus(-scene.network("gon")(gradient))


class JudgeMovesOthers(GonMatching):
    """GC-GAN whose judge's loss also trains the critic."""

    def judge_loss(self, scene: Any) -> Tensor:
        return super().judge_loss(scene) + scene.critic(scene.real)


def test_wrong_judged_penalties() -> None:
    facts = penalties.PENALTIES["gon_matching"].facts
    with pytest.raises(AssertionError, match=r"BatchNorm|reaches the generator"):
        check_penalty(Detached(), facts)
    with pytest.raises(AssertionError, match="its gradient reaches the judge only"):
        check_penalty(JudgeMovesOthers(), facts)


def test_a_penalty_of_no_known_kind() -> None:
    with pytest.raises(AssertionError, match="wanted one of"):
        check_penalty(lambda x, y: x, DISTANCE)
