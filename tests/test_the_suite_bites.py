"""A suite that cannot fail proves nothing: wrong parts, each with a fault seen in published code, must be refused.

Each test names the claim that has to bite, so that no wrong part is refused for some other reason.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn

from gradgan import losses, penalties
from gradgan.core.gradients import latent_gradient, squared_norm
from gradgan.networks import mlp_critic, mlp_generator
from gradgan.penalties.judged import GonMatching
from gradgan.penalties.points import at_real
from gradgan.testing import check_dataset, check_loss, check_network, check_penalty, check_term
from gradgan.testing.claims import close
from gradgan.training.objective import Term

DISTANCE = {"on_linear": lambda slope: (slope - 1) ** 2}
HALF_SQUARE = {"on_linear": lambda slope: slope**2 / 2}
LATENT_SQUARE = {"on_linear": lambda slope: slope**2 / 16}
NON_SATURATING = losses.LOSSES["non_saturating"].facts


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


# --- latent, parameter and judged penalties ---------------------------------------------------------------------------


class Latent(type(penalties.atgp)):
    """ATGP with a fault in its call."""

    def __init__(self, fault: Callable[[Any, Any, Tensor], Tensor]) -> None:
        super().__init__("atgp", ("critic", "generator"))
        object.__setattr__(self, "fault", fault)

    def __call__(self, critic: Any, generator: Any, z: Tensor) -> Tensor:
        return self.fault(critic, generator, z)


def sigmoid_of(critic: Callable) -> Callable:
    return lambda x: critic(x).sigmoid()


LATENT = [
    ("of the score", lambda d, g, z: squared_norm(latent_gradient(d, g, z)), "Where D"),
    ("mean over the batch", lambda d, g, z: penalties.atgp(d, g, z).mean(), "one value per sample"),
    ("the reward's sign", lambda d, g, z: penalties.g_gan(d, g, z), "Where D"),
    ("batch norm taken", lambda d, g, z: squared_norm(latent_gradient(sigmoid_of(d), g, z)), "BatchNorm is refused"),
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

    def __call__(self, losses: Any, parameters: Any) -> Tensor:
        return 2 * super().__call__(losses, parameters)


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


# --- losses -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class AnyLoss:
    """A loss without the package's own checks at its door, right unless told otherwise."""

    critic: Callable = losses.non_saturating.critic
    generator: Callable = losses.non_saturating.generator
    needs_real: bool = False
    name: str = "wrong"


def test_the_right_loss_passes() -> None:
    check_loss(AnyLoss(), NON_SATURATING)


def bce(real: Tensor, fake: Tensor) -> Tensor:
    return -real.sigmoid().log() - (1 - fake.sigmoid()).log()


def in_place(real: Tensor, fake: Tensor) -> Tensor:
    with torch.no_grad():
        real += 1
        real -= 1.5
    return losses.non_saturating.critic(real, fake)


LOSSES = [
    ("log of sigmoid + eps", {"generator": lambda r, f: -(f.sigmoid() + 1e-12).log()}, "where the critic is sure"),
    ("sign slip", {"generator": lambda r, f: fn.softplus(f)}, "where the critic is sure"),
    ("critic's sign slip", {"critic": lambda r, f: losses.non_saturating.critic(-r, -f)}, "pushes real scores up"),
    ("mean taken", {"critic": lambda r, f: losses.non_saturating.critic(r, f).mean()}, "one value per sample"),
    ("broken broadcast", {"critic": lambda r, f: fn.softplus(-r) + fn.softplus(f)}, "refuses real and fake scores"),
    ("logs of probabilities", {"critic": bce}, r"finite at scores of \+-10000"),
    ("halved", {"critic": lambda r, f: losses.non_saturating.critic(r, f) / 2}, "values at zero scores"),
    ("needs what it hides", {"generator": lambda r, f: fn.softplus(-f) + 0 * r}, "one value per sample"),
    ("needs nothing", {"needs_real": True}, "unequal shapes|is refused by a loss with needs_real"),
    ("caller changed", {"critic": in_place}, "caller's scores|values at zero"),
]


@pytest.mark.parametrize(("sides", "claim"), [p[1:] for p in LOSSES], ids=[p[0] for p in LOSSES])
def test_wrong_losses(sides: dict[str, Any], claim: str) -> None:
    with pytest.raises(AssertionError, match=claim):
        check_loss(AnyLoss(**sides), NON_SATURATING)


def test_a_number_far_below_is_not_close() -> None:
    # mimicry's tests compare `x - 0.3133 < 1e-2` without abs: -1000 passes there.
    for wrong in (-1000.0, float("nan"), float("inf"), 0.3333):
        with pytest.raises(AssertionError, match=r"wanted 0\.3133"):
            close(torch.tensor([wrong]), 0.3133, where="loss", tolerance=1e-2)


# --- terms, networks, data sets ---------------------------------------------------------------------------------------


class Unmultiplied(Term):
    """Paid every k steps and not multiplied by k."""

    def factor(self, progress: float) -> float:
        return self.weight * self.schedule(progress)


class Always(Term):
    """Said to be lazy and paid on each step."""

    def due(self, step: int) -> bool:
        return True


def test_wrong_terms() -> None:
    with pytest.raises(AssertionError, match="sum of its factors"):
        check_term(Unmultiplied(penalties.r1, weight=2.0, every=4))
    with pytest.raises(AssertionError, match="due once in each"):
        check_term(Always(penalties.r1, weight=2.0, every=4))


class Wrong(nn.Module):
    """A critic of points with a fault of choice."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.layer = nn.Linear(2, 4)
        self.head = nn.Linear(4, 1)
        self.unused = nn.Parameter(torch.zeros(3)) if fault == "unused" else None
        self.norm = nn.BatchNorm1d(4) if fault == "mixes" else nn.Identity()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(self.layer(x))
        if self.fault == "random":
            hidden = fn.dropout(hidden, 0.5)
        if self.fault == "constant":
            return (hidden.detach() * 0).sum(1) + self.head.bias
        scores = self.head(hidden.tanh())
        if self.fault == "sqrt":
            scores = scores + x.abs().sum(1, keepdim=True).sqrt()
        return scores if self.fault == "column" else scores.squeeze(1)


NETWORKS = [
    ("unused", "reaches every parameter"),
    ("mixes", "its own sample only"),
    ("random", "same input gives the same output"),
    ("column", "role's shape"),
    ("sqrt", "finite gradients"),
    ("constant", "reaches every parameter"),
]


@pytest.mark.parametrize(("fault", "claim"), NETWORKS, ids=[n[0] for n in NETWORKS])
def test_wrong_networks(fault: str, claim: str) -> None:
    check_network(lambda: Wrong("none"), (2,), 3, 0, "critic")
    with pytest.raises(AssertionError, match=claim):
        check_network(lambda: Wrong(fault), (2,), 3, 0, "critic")


def test_networks_in_the_wrong_role() -> None:
    with pytest.raises(AssertionError, match="role's shape"):
        check_network(mlp_critic, (2,), 3, 0, "field")
    with pytest.raises(AssertionError, match=r"role's shape.*latents must be"):
        check_network(lambda event, latent: mlp_generator(event, latent + 1), (2,), 3, 0, "generator")


class Data:
    """A data set of labelled pictures with a fault of choice."""

    name, classes, event = "wrong", 2, (1, 2, 2)

    def __init__(self, **parts: Any) -> None:
        self.samples = torch.arange(40).remainder(256).to(torch.uint8).reshape(10, 1, 2, 2)
        self.labels: Tensor | None = torch.arange(10) % 2
        self.scale, self.ends = "symmetric", 255.0
        for name, part in parts.items():
            setattr(self, name, part)

    def __len__(self) -> int:
        return len(self.samples)

    def scaled(self, index: Any) -> Tensor:
        return self.samples[index].float() / self.ends * 2 - 1


CLAIMS = {"event": (1, 2, 2), "scale": "symmetric", "labelled": True}
DATA = [
    ("floating images", {"samples": torch.rand(10, 1, 2, 2)}, "samples are uint8"),
    ("another event", {"event": (1, 2, 3)}, "samples are uint8"),
    ("no labels", {"labels": None}, "labels are int64"),
    ("labels as floats", {"labels": torch.zeros(10)}, "labels are int64"),
    ("a class never seen", {"classes": 3}, "labels are int64"),
    ("another scale", {"scale": "unit"}, "within its scale"),
    ("divided by 256", {"ends": 128.0}, "within its scale"),
]


@pytest.mark.parametrize(("parts", "claim"), [d[1:] for d in DATA], ids=[d[0] for d in DATA])
def test_wrong_data_sets(parts: dict[str, Any], claim: str) -> None:
    check_dataset(Data, CLAIMS)
    with pytest.raises(AssertionError, match=claim):
        check_dataset(lambda: Data(**parts), CLAIMS)


def test_data_drawn_from_the_global_generator() -> None:
    def drawn() -> Data:
        return Data(samples=torch.randint(256, (10, 1, 2, 2), dtype=torch.uint8))

    with pytest.raises(AssertionError, match="same options give the same data"):
        check_dataset(drawn, CLAIMS)
