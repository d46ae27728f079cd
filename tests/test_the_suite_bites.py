"""A suite that cannot fail proves nothing: wrong losses, terms, networks, data sets and metrics must be refused.

Each test names the claim that has to bite, so that no wrong part is refused for some other reason. Wrong penalties are
in test_the_suite_bites_penalties.py.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn

from gradgan import losses, penalties
from gradgan.metrics import INPUTS, METRICS, Estimate
from gradgan.networks import mlp_critic, mlp_generator
from gradgan.testing import check_dataset, check_loss, check_metric, check_network, check_term
from gradgan.testing.claims import close
from gradgan.training.objective import Term

NON_SATURATING = losses.LOSSES["non_saturating"].facts

# --- losses -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class AnyLoss:
    """A loss without the package's own checks at its door, right unless told otherwise."""

    critic: Callable = losses.non_saturating.critic
    generator: Callable = losses.non_saturating.generator
    needs_real: bool = False
    whole_batch: bool = True
    name: str = "wrong"


def test_the_right_loss_passes() -> None:
    check_loss(AnyLoss(), NON_SATURATING)


def bce(real: Tensor, fake: Tensor) -> Tensor:
    return -real.sigmoid().log() - (1 - fake.sigmoid()).log()


def averaged(real: Tensor, fake: Tensor) -> Tensor:
    return losses.non_saturating.critic(real - real.mean() / 9, fake)


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
    ("hides that it compares with the mean", {"critic": averaged, "whole_batch": False}, "judges each pair by itself"),
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


# --- metrics ----------------------------------------------------------------------------------------------------------


def distance(given: Any) -> Estimate:
    return METRICS.make("frechet")(given)


def drawn_globally(given: Any) -> Estimate:
    return Estimate(distance(given).value + float(torch.rand(())), 0.1, "blocks")


def in_place_features(given: Any) -> Estimate:
    given.generated.add_(1)
    return distance(given)


WRONG_METRICS = [
    ("sign slip", lambda g: Estimate(-distance(g).value, 1 / len(g.generated), "blocks"), "in the direction"),
    ("constant", lambda g: Estimate(0.0, 0.0, "blocks"), "in the direction"),
    ("biased", lambda g: Estimate(distance(g).value + 50, distance(g).error, "blocks"), "in the direction"),
    ("no error", lambda g: Estimate(distance(g).value, float("nan"), "blocks"), "standard error that is not negative"),
    ("an error of one sample", lambda g: Estimate(distance(g).value, 1.0, "blocks"), "error falls"),
    ("chance of the caller", drawn_globally, "gives the same again"),
    ("input changed", in_place_features, "gives the same again"),
]


@dataclasses.dataclass
class AnyMetric:
    """A metric without the package's own checks."""

    formula: Callable
    name: str = "wrong"

    def __call__(self, given: Any) -> Any:
        return self.formula(given)


@pytest.mark.parametrize(("formula", "claim"), [m[1:] for m in WRONG_METRICS], ids=[m[0] for m in WRONG_METRICS])
def test_wrong_metrics(formula: Callable, claim: str) -> None:
    facts = METRICS["frechet"].facts
    check_metric(AnyMetric(distance), facts, INPUTS["features"])
    with pytest.raises(AssertionError, match=claim):
        check_metric(AnyMetric(formula), facts, INPUTS["features"])


def test_a_slope_that_is_not_the_linear_one() -> None:
    entry = METRICS["critic_slope"]
    with pytest.raises(AssertionError, match="linear network"):
        check_metric(AnyMetric(lambda g: Estimate(2 * entry.make()(g).value, 0.0, "samples")), entry.facts,
                     INPUTS["critic"])  # fmt: skip
