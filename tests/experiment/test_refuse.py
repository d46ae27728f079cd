"""A preset whose critic cannot be differentiated twice is refused before its first step, by name."""

import pytest
import torch.nn.functional as fn
from torch import Tensor, nn

from gradgan.core.checks import GradganError
from gradgan.experiment import audit_of_config, audit_of_module, build, configure
from gradgan.networks import NETWORKS

SMALL = ("batch=4", "steps=1", "log.every=1", "critic.name=attention_critic")


class AttentionCritic(nn.Module):
    """A critic of points with torch's default attention over their coordinates."""

    def __init__(self) -> None:
        super().__init__()
        self.lift, self.score = nn.Linear(1, 16), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.lift(x.unsqueeze(2)).unsqueeze(1)
        return self.score(fn.scaled_dot_product_attention(h, 2 * h, h).mean((1, 2)))


@pytest.fixture
def attention(monkeypatch):
    """A critic of that kind in the catalog, for one test."""
    known = dict(NETWORKS._entries)
    monkeypatch.setattr(NETWORKS, "_entries", known)

    @NETWORKS.add(name="attention_critic", paper="none", role="critic", sizes=((2,),))
    def make_attention_critic(event: tuple[int, ...] = (2,), classes: int = 0) -> AttentionCritic:
        """A critic that attends."""
        return AttentionCritic()


@pytest.mark.parametrize("system", ["r3gan", "wgan_gp", "atgp"])
def test_a_penalised_system_is_refused_with_layer_and_replacement(attention, system):
    with pytest.raises(
        GradganError, match=rf"system '{system}': .*AttentionCritic\).*differentiated twice.*sdpa_kernel"
    ):
        build(configure("ring", system=system, settings=SMALL))


@pytest.mark.parametrize(
    ("system", "settings"),
    [("gan", ()), ("r3gan", ("r1.weight=0", "r2.weight=0", "approximate_r1.weight=1", "approximate_r2.weight=1"))],
)
def test_without_such_penalties_it_trains(attention, tmp_path, system, settings):
    from gradgan.experiment import train

    run = train("ring", system=system, settings=[*SMALL, *settings], out=tmp_path / "run")
    assert run.step == 1


def test_the_audit_shows_a_preset_that_build_refuses(attention):
    found = audit_of_config(configure("ring", settings=SMALL))
    assert found.way == "impossible"
    assert found.worst().kind == "AttentionCritic"


def test_the_check_moves_no_chance_and_no_buffer():
    plain = build(configure("ring", settings=("batch=4", "critic.spectral_norm=true", "r1.weight=0", "r2.weight=0")))
    checked = build(configure("ring", settings=("batch=4", "critic.spectral_norm=true")))
    ours, theirs = (e.state.networks["critic"].state_dict() for e in (checked, plain))
    assert all(value.equal(theirs[name]) for name, value in ours.items())
    assert next(checked.state.batches)[0].equal(next(plain.state.batches)[0])


def test_modules_by_name():
    assert audit_of_module("gradgan.networks.mlp:mlp_critic", event=(2,)).way == "sweep"
    assert audit_of_module("gradgan.networks.mlp:mlp_critic", event=(2,), classes=3).way == "sweep"
    assert audit_of_module("torch.nn:Flatten", event=(1, 1)).layers[0].operations == ("View",)


@pytest.mark.parametrize(
    ("what", "event", "message"),
    [
        ("no_such_module:Critic", (2,), "No module named.*package.module:name"),
        ("torch.nn:NoSuchLayer", (2,), "no attribute.*package.module:name"),
        ("math:pi", (2,), "wanted a module or a function that makes one"),
        ("builtins:dict", (2,), "made a dict, wanted a torch.nn.Module"),
        ("torch.nn:Linear", (2,), "missing .* event= and classes= alone"),
        ("gradgan.networks.mlp:mlp_critic", (), "give the shape of one sample"),
        ("torch.nn:Flatten", (3,), "one score per sample"),
    ],
)
def test_what_is_no_critic_is_refused(what, event, message):
    with pytest.raises(GradganError, match=message):
        audit_of_module(what, event=event)


def test_samples_of_another_shape_are_refused(attention):
    with pytest.raises(GradganError, match=r"does not take samples of shape \(2, 3, 3\)"):
        audit_of_module(f"{__name__}:AttentionCritic", event=(3, 3))
