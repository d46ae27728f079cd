"""The audit names every layer's way, agrees with the engine, and refuses what cannot be differentiated twice."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from gradgan import losses, penalties
from gradgan.core.checks import GradganError
from gradgan.engine import critic_backward
from gradgan.engine.audit import audit, require_double_backward
from gradgan.engine.price import PRICES, Price
from gradgan.training.objective import Term

WIDTH, LENGTH = 16, 4


class Attention(nn.Module):
    """Self-attention by torch's default path."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unsqueeze(1).chunk(3, -1)
        return x + fn.scaled_dot_product_attention(q, k, v).squeeze(1)


class Multihead(nn.Module):
    def __init__(self, *, need_weights: bool) -> None:
        super().__init__()
        self.attend, self.need_weights = nn.MultiheadAttention(WIDTH, 2, batch_first=True), need_weights

    def forward(self, x: Tensor) -> Tensor:
        return self.attend(x, x, x, need_weights=self.need_weights)[0]


class Distances(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cdist(x, x)


class Checkpointed(nn.Module):
    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.inner, self.reentrant = nn.Linear(WIDTH, WIDTH), reentrant

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(self.inner, x, use_reentrant=self.reentrant)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)  # type: ignore[attr-defined]
        return x**2

    @staticmethod
    @once_differentiable
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return 2 * x * gradient


class Once(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return Square.apply(x)


class CutOff(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return 2 * gradient.detach()


class Stepped(nn.Module):
    """A step whose derivative is 0, beside the samples themselves."""

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sign(x)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.GRU(WIDTH, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.cells(x)[0]


def critic_with(layer: nn.Module) -> nn.Sequential:
    """A critic of sequences (n, LENGTH, WIDTH) whose layer 2 is the one in question."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2), layer, nn.Flatten())
    width = body.eval()(torch.randn(2, LENGTH, WIDTH).requires_grad_()).shape[1]
    return nn.Sequential(*body.train(), nn.Linear(width, 1))


def samples(n: int = 2) -> Tensor:
    return torch.randn(n, LENGTH, WIDTH, generator=torch.Generator().manual_seed(1))


LAYERS: dict[str, tuple[Callable[[], nn.Module], str, str]] = {
    "Conv1d": (lambda: nn.Conv1d(LENGTH, 3, 3), "sweep", ""),
    "SiLU": (nn.SiLU, "double backward", "Silu is not known"),
    "LayerNorm": (lambda: nn.LayerNorm(WIDTH), "double backward", "NativeLayerNorm is not known"),
    "weights": (lambda: Multihead(need_weights=True), "double backward", ""),
    "checkpoint": (lambda: Checkpointed(reentrant=False), "sweep", ""),
    "GRU": (Recurrent, "double backward", ""),
    "step": (Stepped, "double backward", "Sign is not known"),
    "Attention": (Attention, "impossible", "sdpa_kernel"),
    "no weights": (lambda: Multihead(need_weights=False), "impossible", "need_weights=True"),
    "Distances": (Distances, "impossible", "Write the distance out"),
    "reentrant": (lambda: Checkpointed(reentrant=True), "impossible", "use_reentrant=False"),
    "Once": (Once, "impossible", "Write it out"),
    "BatchNorm": (lambda: nn.BatchNorm1d(LENGTH), "impossible", "GroupNorm"),
}


@pytest.mark.parametrize(("make", "way", "says"), LAYERS.values(), ids=list(LAYERS))
def test_the_layer_in_question_is_named_with_its_way(make, way, says):
    critic = critic_with(make())
    found = audit(critic, samples())
    assert found.way == way
    by_name = {layer.name: layer for layer in found.layers}
    for name in ("0", "1", "4"):
        assert by_name[name].way == "sweep", "its neighbours are not blamed"
        assert not by_name[name].why
    if way != "sweep":
        assert found.worst().name.startswith("2")
        assert says in found.worst().why + found.worst().replacement
    if way != "impossible":
        require_double_backward(critic, samples(), caller="test")


@pytest.mark.parametrize("name", ["Conv1d", "SiLU", "LayerNorm", "weights", "checkpoint", "GRU"])
def test_it_agrees_with_what_the_engine_does(name):
    make, way, _ = LAYERS[name]
    parts = critic_backward(
        critic_with(make()), samples(3), samples(3), loss=losses.relativistic, terms=[Term(penalties.r1)]
    )
    assert parts.engine == way.replace(" ", "_")


@pytest.mark.parametrize("name", ["Attention", "no weights", "Distances", "reentrant", "Once"])
def test_what_cannot_work_is_refused_with_layer_and_replacement(name):
    make, _, says = LAYERS[name]
    with pytest.raises(GradganError, match=r"^here: critic\.2\S* \(\w+\) cannot be differentiated twice") as refusal:
        require_double_backward(critic_with(make()), samples(), caller="here")
    assert says in str(refusal.value)
    assert "approximate_r1" in str(refusal.value)


def test_a_compiled_critic_is_refused_as_a_whole():
    critic = torch.compile(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)), backend="aot_eager")
    with pytest.raises(GradganError, match="_orig_mod"):
        require_double_backward(critic, torch.randn(2, 2), caller="here")


def test_operations_belong_to_the_innermost_module_that_did_them():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.layer(fn.silu(x))

    found = {layer.name: layer for layer in audit(critic_with(Block()), samples()).layers}
    assert found["2"].operations == ("Silu", "Add")
    assert found["2"].way == "double backward"
    assert found["2.layer"].way == "sweep"


def test_a_custom_function_that_detaches_within_its_backward_is_told():
    class Silent(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return CutOff.apply(x)

    assert audit(critic_with(Silent()), samples()).worst().name == "2"


def test_labels_and_critics_that_are_functions():
    class Projection(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.classes = nn.Linear(3, 4), nn.Embedding(5, 4)

        def forward(self, x: Tensor, labels: Tensor) -> Tensor:
            return (fn.relu(self.body(x)) * self.classes(labels)).sum(1)

    assert audit(Projection(), torch.randn(2, 3), torch.tensor([0, 4])).way == "sweep"
    weight = torch.randn(3)
    found = audit(lambda x: torch.tanh(x @ weight), torch.randn(2, 3))
    assert found.way == "double backward"
    assert "the critic's own forward" in found.worst().place


@pytest.mark.parametrize("name", ["BatchNorm", "reentrant", "Attention"])
def test_the_critic_and_chance_are_left_as_they_were(name):
    critic = nn.Sequential(critic_with(LAYERS[name][0]()), nn.Dropout(0.1))
    x = samples()
    before, chance = {k: v.clone() for k, v in critic.state_dict().items()}, torch.get_rng_state()
    audit(critic, x)
    assert torch.equal(chance, torch.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in critic.state_dict().items())
    assert all(p.grad is None for p in critic.parameters())
    assert not x.requires_grad
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in critic.modules())


def test_a_critic_without_one_score_per_sample_is_refused():
    with pytest.raises(GradganError, match="one score per sample"):
        audit(nn.Linear(WIDTH, 2), torch.randn(2, WIDTH))


def test_prices_are_those_of_the_table():
    table = {name: tuple(price.units(way) for way in ("sweep", "double_backward", "usual"))
             for name, price in PRICES.items()}  # fmt: skip
    assert table == {"r1": (7, 9, 12), "r1 + r2": (8, 12, 18), "wgan_gp": (10, 12, 12), "dragan": (10, 12, 12)}
    assert Price(2, 1).units("approximate") == 12
    assert Price(2, 2).ratio("sweep") == pytest.approx(4 / 3)
