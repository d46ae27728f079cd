"""Every check at a door: what passes, what is refused, and that the message says got, wanted and mend."""

import functools
from collections.abc import Callable

import pytest
import torch
from torch import nn

from gradgan.core.checks import (
    GradganError,
    NonFiniteError,
    all_finite,
    batch_of,
    finite,
    mixing_layer,
    same_kind,
    same_shape,
    scores_of,
    separate_samples,
    unknown_name,
)
from gradgan.penalties.penalty import probability_of


def test_bad_input_is_a_value_error_and_divergence_an_arithmetic_one_too() -> None:
    assert issubclass(GradganError, ValueError)
    assert issubclass(NonFiniteError, GradganError)
    assert issubclass(NonFiniteError, ArithmeticError)


def test_a_slip_is_answered_with_the_nearest_names() -> None:
    known = ("wgan_gp", "wgan_lp", "r1")
    assert str(unknown_name("penalty", "wgan_pg", known)).startswith(
        "unknown penalty 'wgan_pg'. Perhaps you meant 'wgan"
    )
    assert str(unknown_name("penalty", "xyz", known)) == "unknown penalty 'xyz'. Known: r1, wgan_gp, wgan_lp."


@pytest.mark.parametrize(("n", "m"), [(3, 1), (1, 3), (4, 2)])
def test_unequal_batches_are_refused_with_both_shapes(n: int, m: int) -> None:
    with pytest.raises(GradganError, match=rf"hinge: real \({n},\) and fake \({m},\).*silent broadcast.*draw equal"):
        same_shape(torch.zeros(n), torch.zeros(m), caller="hinge")
    same_shape(torch.zeros(n), torch.zeros(n), caller="hinge")


def test_batches() -> None:
    batch_of(torch.zeros(1, 2), caller="r1")
    for x, message in (
        (torch.zeros(3), r"r1: samples must be a batch.*got shape \(3,\).*x\[None\]"),
        (torch.zeros(0, 3), r"got shape \(0, 3\)"),
        (torch.zeros(2, 3, dtype=torch.uint8), r"must be floating point.*got torch\.uint8.*Scale images first"),
    ):
        with pytest.raises(GradganError, match=message):
            batch_of(x, caller="r1")


def test_batches_of_different_types_or_devices_are_refused_with_the_mend() -> None:
    real = torch.zeros(2, 3)
    same_kind(real, real, caller="wgan_gp")
    for fake, got in ((real.double(), r"torch\.float64 on cpu"), (real.to("meta"), r"torch\.float32 on meta")):
        with pytest.raises(
            GradganError, match=rf"wgan_gp: real is torch\.float32 on cpu and fake {got}.*fake\.to\(real"
        ):
            same_kind(real, fake, caller="wgan_gp")


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1, 1)])
def test_one_score_per_sample_is_taken_in_any_column_shape(shape: tuple[int, ...]) -> None:
    assert scores_of(torch.arange(4.0).reshape(shape), 4, caller="r1").tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("shape", [(), (1,), (4, 2), (1, 4), (2, 2), (8,)])
def test_other_scores_are_refused_with_the_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(GradganError, match=r"returned shape .* for 4 samples, wanted one score per sample.*patch"):
        scores_of(torch.zeros(shape), 4, caller="r1")


@pytest.mark.parametrize("scores", [torch.zeros(4, dtype=torch.complex64), torch.zeros(4) > 0], ids=["complex", "bool"])
def test_scores_without_a_slope_are_refused(scores: torch.Tensor) -> None:
    with pytest.raises(GradganError, match=r"r1: the critic returned torch\.(complex64|bool) scores, wanted floating"):
        scores_of(scores, 4, caller="r1")


def test_a_tuple_of_scores_is_refused_with_the_way_out() -> None:
    # The annotation says Tensor, and type checks would answer first; users have none.
    check = getattr(scores_of, "__wrapped__", scores_of)
    with pytest.raises((GradganError, TypeError), match="tuple"):
        check((torch.zeros(4), torch.zeros(4)), 4, caller="r1")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5, 1.5])
def test_numbers_out_of_range(value: float) -> None:
    with pytest.raises(GradganError, match=rf"share must be finite >= 0 and <= 1, got {value}"):
        finite(value, what="share", minimum=0, maximum=1)


def test_numbers_in_range_come_back_as_floats() -> None:
    assert [finite(v, what="share", minimum=0, maximum=1) for v in (0, 0.5, 1)] == [0.0, 0.5, 1.0]
    assert finite(-7, what="any") == -7.0


def test_batch_norm_mixes_samples_unless_it_uses_its_running_statistics() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3)))
    found = mixing_layer(net)
    assert found is not None
    assert found[0] == "1.0"
    assert mixing_layer(net.eval()) is None
    assert mixing_layer(nn.BatchNorm1d(3, track_running_stats=False).eval()) is not None


@pytest.mark.parametrize("layer", [nn.GroupNorm(1, 4), nn.LayerNorm(4), nn.InstanceNorm1d(4), nn.Dropout()], ids=str)
def test_layers_that_keep_samples_apart(layer: nn.Module) -> None:
    separate_samples(nn.Sequential(layer), caller="r1")


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(4), nn.BatchNorm2d(4), nn.BatchNorm3d(4)], ids=str)
def test_layers_that_mix_are_named_with_the_replacement(layer: nn.Module) -> None:
    with pytest.raises(GradganError, match=r"r1: critic\.0 is BatchNorm.d: it mixes samples.*Use nn\.GroupNorm"):
        separate_samples(nn.Sequential(layer), caller="r1")


MIXING = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
APART = nn.Linear(4, 1)


class Both(nn.Module):
    """Two networks in one module, as trainers hold them."""

    def __init__(self) -> None:
        super().__init__()
        self.critic, self.generator = APART, MIXING
        self.nets = nn.ModuleDict({"critic": APART, "generator": MIXING})

    def judged(self, x: torch.Tensor) -> torch.Tensor:
        return self.critic(x)

    def made(self, x: torch.Tensor) -> torch.Tensor:
        return self.generator(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.made(x)


def through_a_global(x: torch.Tensor) -> torch.Tensor:
    return MIXING(x)


def hidden() -> dict[str, Callable]:
    """Batch norm behind callables of every kind that is looked through."""
    net, labels, both = MIXING, torch.zeros(2), Both()

    def called(x: torch.Tensor, *, by: nn.Module = net) -> torch.Tensor:
        return by(x)

    return {
        "closure": lambda x: net(x, labels),
        "closure in a closure": lambda x: torch.no_grad()(lambda x: net(x))(x),
        "decorated": torch.no_grad()(lambda x: net(x)),
        "default": lambda x, net=net: net(x),
        "keyword default": called,
        "global": through_a_global,
        "partial": functools.partial(net, y=labels),
        "partial of a function": functools.partial(lambda critic, x: critic(x), net),
        "forward": net.forward,
        "forward that calls a method": both.forward,
        "method": both.made,
        "part": lambda x: both.generator(x),
        "part by key": lambda x: both.nets["generator"](x),
        "probability": probability_of(net),
    }


@pytest.mark.parametrize("name", hidden())
def test_batch_norm_is_found_behind_callables(name: str) -> None:
    with pytest.raises(GradganError, match=r"r1: critic\.[\w.]*1 is BatchNorm1d: it mixes samples"):
        separate_samples(hidden()[name], caller="r1")


def test_a_network_that_a_callable_does_not_call_is_not_looked_at() -> None:
    both = Both()
    for critic in (both.judged, lambda x: both.critic(x), lambda x: both.nets["critic"](x), lambda x: APART(x)):
        separate_samples(critic, caller="r1")


def test_any_function_may_be_a_critic() -> None:
    separate_samples(lambda x: x, caller="r1")


def test_the_first_number_that_is_not_finite_is_named_with_its_step() -> None:
    numbers = {
        "critic/loss": torch.zeros(()),
        "penalty/r1": torch.tensor(float("inf")),
        "x": torch.tensor(float("nan")),
    }
    with pytest.raises(NonFiniteError, match=r"step 12: penalty/r1 is inf\. The run has diverged"):
        all_finite(numbers, step=12)
    all_finite({"critic/loss": torch.tensor(1e30)}, step=12)
    all_finite({}, step=12)
