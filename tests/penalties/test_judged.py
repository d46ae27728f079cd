"""The judged penalties, whose gradients are checked against what their formulas say the generator follows."""

import torch
import torch.nn.functional as fn

from gradgan import penalties
from gradgan.core.scene import Scene
from gradgan.penalties.judged import GON, GonMatching, GonPublished, GonSynthetic, critic_field, judged
from gradgan.testing.tiny import Field, draw, scene, smooth_networks

EVENT = (2, 3)


def gradient_of(value: torch.Tensor, by: list) -> list:
    return list(torch.autograd.grad(value, by, allow_unused=True, materialize_grads=True, retain_graph=True))


def test_synthetic_makes_the_generator_follow_the_blend_of_true_and_predicted_gradients() -> None:
    for weight in (0.0, 0.3, 1.0):
        networks = smooth_networks(EVENT, "field")
        own = list(networks["generator"].parameters())
        step = scene(networks, "generator", event=EVENT)
        total = step.generator_loss().mean() + weight * GonSynthetic().on(step).mean()
        got = gradient_of(total, own)

        fake = step.fake.detach().requires_grad_(True)
        (true,) = torch.autograd.grad(fn.softplus(-networks["critic"](fake)).sum(), fake)
        followed = (1 - weight) * true + weight * networks[GON](fake).detach()
        made = networks["generator"](step.z)
        wanted = torch.autograd.grad((made * followed).flatten(1).sum(1).mean(), own)
        for a, b in zip(got, wanted, strict=True):
            torch.testing.assert_close(a, b)


def test_synthetic_judge_regresses_onto_the_true_gradient() -> None:
    networks = smooth_networks(EVENT, "field")
    step = scene(networks, GON, event=EVENT)
    fake = step.fake.detach().requires_grad_(True)
    (true,) = torch.autograd.grad(fn.softplus(-networks["critic"](fake)).sum(), fake)
    wanted = (networks[GON](fake) - true).square().flatten(1).sum(1)
    torch.testing.assert_close(GonSynthetic().judge_loss(step), wanted)


def test_matching_gradient_at_the_generator_agrees_with_finite_differences() -> None:
    for part in (GonMatching(), GonPublished()):
        networks = smooth_networks(EVENT)
        own = list(networks["generator"].parameters())
        gradient = gradient_of(part.on(scene(networks, "generator", event=EVENT)).mean(), own)
        from gradgan.testing.references import central_difference

        direction = [draw(*p.shape, seed=i) for i, p in enumerate(own)]
        wanted = central_difference(lambda part=part, networks=networks: part.on(
            scene(networks, "generator", event=EVENT)).mean(), own, direction)  # fmt: skip
        got = sum(float((g * d).sum()) for g, d in zip(gradient, direction, strict=True))
        assert abs(got - wanted) < 1e-7


def test_matching_is_blind_through_a_critic_that_is_linear_in_pieces() -> None:
    networks = smooth_networks(EVENT)
    networks["critic"] = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 4), torch.nn.LeakyReLU(0.2),
                                             torch.nn.Linear(4, 1)).double()  # fmt: skip
    value = GonMatching().on(scene(networks, "generator", event=EVENT)).mean()
    assert all(not bool(g.any()) for g in gradient_of(value, list(networks["generator"].parameters())))


def test_published_is_a_constant_for_the_critic_as_printed() -> None:
    value = GonPublished().on(scene(smooth_networks(EVENT), "critic", event=EVENT))
    assert not value.requires_grad


def test_published_judge_gains_by_saying_1_everywhere() -> None:
    def loss(step: Scene) -> float:
        return float(GonPublished().judge_loss(step).mean().detach())

    networks = smooth_networks(EVENT)
    before = loss(scene(networks, GON, event=EVENT))
    for shift in (1.0, 10.0, 100.0):
        networks[GON].shift = shift
        after = loss(scene(networks, GON, event=EVENT))
        assert after < before
        before = after


def test_the_field_is_the_critics_gradient_and_the_judge_scores_it() -> None:
    networks = smooth_networks(EVENT)
    step = scene(networks, "critic", event=EVENT)
    x = step.real.clone().requires_grad_(True)
    (wanted,) = torch.autograd.grad(networks["critic"](x).sum(), x)
    field = critic_field(step, step.real)
    torch.testing.assert_close(field, wanted)
    assert not field.requires_grad
    torch.testing.assert_close(judged(step, field), networks[GON](wanted))


def test_each_judged_penalty_says_what_its_judge_is() -> None:
    for entry in penalties.PENALTIES.values():
        if hasattr(entry.make(), "judge_loss"):
            assert entry.facts["judge"] == ("field" if entry.name == "gon_synthetic" else "critic")
    assert Field(EVENT)(draw(4, *EVENT)).shape == (4, *EVENT)
