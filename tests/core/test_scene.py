"""Scenes: who sees the fakes with their graph, what is computed once, how labels are bound."""

import pytest
import torch
from torch import Tensor, nn

from gradgan.core.checks import GradganError
from gradgan.core.scene import LossLike, Penalty, Scene
from gradgan.losses import non_saturating, relativistic
from gradgan.penalties import PENALTIES
from gradgan.testing.tiny import LATENT, Labelled, SmoothCritic, SmoothGenerator, draw, pair, smooth_networks

EVENT, N = (2, 3), 4


def scene(payer: str, networks: dict | None = None, **parts) -> Scene:
    given = {"payer": payer, "networks": networks or smooth_networks(EVENT), "loss": non_saturating,
             "real": pair(N, EVENT)[0], "z": draw(N, LATENT)}  # fmt: skip
    return Scene(**{**given, **parts})


@pytest.mark.parametrize(
    ("payer", "graph"), [("critic", False), ("gon", False), ("generator", True), ("encoder", True)]
)
def test_only_those_who_make_samples_see_the_fakes_with_their_graph(payer: str, graph: bool) -> None:
    assert scene(payer).fake.requires_grad is graph


class Counting(nn.Module):
    """Counts the calls of a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.calls = network, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.network(x)


def test_fakes_and_scores_are_computed_once() -> None:
    networks = {"critic": Counting(SmoothCritic(EVENT)), "generator": Counting(SmoothGenerator(EVENT))}
    step = scene("critic", networks)
    for _ in range(2):
        step.critic_loss()
        assert step.fake is step.fake
    assert networks["generator"].calls == 1
    assert networks["critic"].calls == 2


def test_losses_are_the_losses_of_the_scores() -> None:
    for loss in (non_saturating, relativistic):
        step = scene("generator", loss=loss)
        torch.testing.assert_close(step.critic_loss(), loss.critic(step.real_scores, step.fake_scores))
        torch.testing.assert_close(step.generator_loss(), loss.generator(step.real_scores, step.fake_scores))


def test_the_generators_loss_scores_the_real_samples_only_if_it_reads_them() -> None:
    for loss, calls in ((non_saturating, 1), (relativistic, 2)):
        networks = {"critic": Counting(SmoothCritic(EVENT)), "generator": SmoothGenerator(EVENT)}
        scene("generator", networks, loss=loss).generator_loss()
        assert networks["critic"].calls == calls


def test_a_generators_loss_carries_no_graph_of_the_real_scores_and_leaves_theirs_to_others() -> None:
    step = scene("generator", loss=relativistic)
    wanted = relativistic.generator(step.critic(step.real).detach(), step.fake_scores)
    own = list(step.parameters("critic"))
    for got, want in zip(torch.autograd.grad(step.generator_loss().sum(), own, retain_graph=True),
                         torch.autograd.grad(wanted.sum(), own), strict=True):  # fmt: skip
        torch.testing.assert_close(got, want)
    assert step.real_scores.requires_grad


def test_labels_go_to_both_networks() -> None:
    one, two = smooth_networks(EVENT), smooth_networks(EVENT, seed=50)
    networks = {name: Labelled(one[name], two[name]) for name in ("critic", "generator")}
    labels = torch.tensor([0, 1, 1, 0])
    step = scene("critic", networks, labels=labels)
    wanted = torch.where(labels == 0, *(n["critic"](n["generator"](step.z)) for n in (one, two)))
    torch.testing.assert_close(step.fake_scores, wanted)


def test_an_unknown_player_is_refused_with_the_known_ones() -> None:
    with pytest.raises(GradganError, match="this system has no player 'encoder'; it has critic, generator"):
        scene("critic").network("encoder")


def test_a_critic_without_one_score_per_sample_is_refused() -> None:
    networks = smooth_networks(EVENT) | {"critic": nn.Flatten()}
    with pytest.raises(GradganError, match=r"critic: the critic returned shape \(4, 6\) for 4 samples"):
        _ = scene("critic", networks).real_scores


def test_parameters_are_those_of_the_player() -> None:
    step = scene("critic")
    assert list(step.parameters("generator")) == list(step.networks["generator"].parameters())


def test_losses_and_penalties_of_the_package_are_what_scenes_and_terms_expect() -> None:
    assert isinstance(non_saturating, LossLike)
    assert all(isinstance(entry.make(), Penalty) for entry in PENALTIES.values())
