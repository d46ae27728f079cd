"""The properties of any penalty in a training step: penalty.on(scene) -> (n,) or ()."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .claims import claim, close, is_finite, not_finite, refused
from .references import central_difference, parameter_slope
from .tiny import (
    LATENT,
    Field,
    Labelled,
    LinearCritic,
    LinearGenerator,
    Mixing,
    PairedLoss,
    SmoothCritic,
    draw,
    pair,
    scene,
    smooth_networks,
    weight_of_slope,
)

Facts = Mapping[str, Any]
EVENT = (2, 3)
N = 4


def _networks(facts: Facts, seed: int = 0) -> dict[str, nn.Module]:
    return smooth_networks(EVENT, facts.get("judge", "critic"), seed)


def one_value(penalty: Any, facts: Facts) -> None:
    """It gives one value per sample or one per batch, before any weight, to each of its payers."""
    claim(len(penalty.payers) > 0, "got no payers, wanted the names of the players that pay")
    for payer in penalty.payers:
        got = penalty.on(scene(_networks(facts), payer, event=EVENT, n=N))
        claim(got.shape in ((N,), ()), f"{payer} pays: got shape {tuple(got.shape)}, wanted ({N},) or ()")
        is_finite(got, where=f"{payer} pays")


def labels_bound(penalty: Any, facts: Facts) -> None:
    """With labels in the scene, each network is called with them, each sample with its own."""
    first, second = _networks(facts), _networks(facts, seed=50)
    both = {"critic": Labelled(first["critic"], second["critic"]),
            "generator": Labelled(first["generator"], second["generator"]), "gon": first["gon"]}  # fmt: skip
    second["gon"] = first["gon"]
    for payer in penalty.payers:
        alone = [penalty.on(scene(networks, payer, event=EVENT, n=N)).detach() for networks in (first, second)]
        for k, wanted in enumerate(alone):
            labels = torch.full((N,), k)
            got = penalty.on(scene(both, payer, event=EVENT, labels=labels, n=N))
            close(got, wanted, where=f"{payer} pays, all labels {k}")
        if alone[0].ndim == 1:
            labels = torch.tensor([0, 1, 1, 0])
            got = penalty.on(scene(both, payer, event=EVENT, labels=labels, n=N))
            close(got, torch.where(labels == 0, *alone), where=f"{payer} pays, labels 0 1 1 0")


def step_left_alone(penalty: Any, facts: Facts) -> None:
    """In a step, the batch, the modes and the .grad of every network are left as they were, and global chance too."""
    for payer in penalty.payers:
        networks = _networks(facts)
        networks["critic"].eval()
        step = scene(networks, payer, event=EVENT, n=N)
        real, z, state = step.real.clone(), step.z.clone(), torch.get_rng_state()
        first = penalty.on(step)
        claim(torch.equal(state, torch.get_rng_state()), f"{payer} pays: got a moved global random generator")
        claim(torch.equal(real, step.real) and torch.equal(z, step.z), f"{payer} pays: got a changed batch")
        claim(not (step.real.requires_grad or step.z.requires_grad), f"{payer} pays: got requires_grad on the batch")
        for name, network in networks.items():
            claim(network.training is (name != "critic"), f"{payer} pays: got the mode of {name} changed")
            claim(all(p.grad is None for p in network.parameters()), f"{payer} pays: got a .grad at {name}")
        again = penalty.on(scene(networks, payer, event=EVENT, n=N))
        close(again, first.detach(), where=f"{payer} pays, the same step again", tolerance=0.0)


def after_the_loss(penalty: Any, facts: Facts) -> None:
    """In a step, neither its value nor its gradient depends on whether the losses were computed before it."""
    for payer in penalty.payers:
        networks = _networks(facts)
        own = list(networks[payer].parameters())
        answers = []
        for before in (False, True):
            step = scene(networks, payer, event=EVENT, n=N, loss=PairedLoss())
            if before:
                _ = step.critic_loss() if payer == "critic" else step.generator_loss()
            value = penalty.on(step).mean()
            answers.append(value.detach())
            if value.requires_grad:
                answers += torch.autograd.grad(value, own, allow_unused=True, materialize_grads=True)
        half = len(answers) // 2
        for got, wanted in zip(answers[half:], answers[:half], strict=True):
            close(got, wanted, where=f"{payer} pays, loss computed first")


def loud(penalty: Any, facts: Facts) -> None:
    """In a step, a critic that is not finite gives a value that is not finite."""
    for payer in penalty.payers:
        networks = _networks(facts)
        with torch.no_grad():
            next(networks["critic"].parameters()).fill_(float("nan"))
        not_finite(penalty.on(scene(networks, payer, event=EVENT, n=N)), where=f"{payer} pays, critic of NaN")


def step_derivative(penalty: Any, facts: Facts) -> None:
    """In a step, its gradient to the payer's parameters agrees with finite differences, and is there."""
    for payer in penalty.payers:
        networks = _networks(facts)
        own = list(networks[payer].parameters())

        def value(payer: str = payer, networks: dict[str, nn.Module] = networks) -> Tensor:
            return penalty.on(scene(networks, payer, event=EVENT, n=N)).mean()

        here = value()
        size = float(here.detach())
        gradient = torch.autograd.grad(here, own, allow_unused=True, materialize_grads=True)
        moved = any(bool(g.abs().max() > 1e-9) for g in gradient)
        claim(moved or size == 0, f"{payer} pays: got {size:.3g} without a gradient at its own parameters")
        for seed in (1, 2):
            direction = [draw(*p.shape, seed=seed + 7 * i) for i, p in enumerate(own)]
            got = torch.stack([(g * d).sum() for g, d in zip(gradient, direction, strict=True)]).sum()
            close(got, central_difference(value, own, direction), where=f"{payer} pays", tolerance=1e-6)


def mixing(penalty: Any, facts: Facts) -> None:
    """In a step, with and without labels, a critic with BatchNorm in train mode is refused exactly if per_sample."""
    for labels in (None, torch.zeros(N, dtype=torch.long)):
        networks = _networks(facts)
        networks["critic"] = Mixing(EVENT)
        if labels is not None:
            networks["generator"] = Labelled(networks["generator"])
        for payer in penalty.payers:
            where = f"{payer} pays, {'with' if labels is not None else 'without'} labels"

            def value(payer: str = payer, labels: Tensor | None = labels, networks: Any = networks) -> Tensor:
                return penalty.on(scene(networks, payer, event=EVENT, labels=labels, n=N))

            networks["critic"].train()
            if penalty.per_sample:
                refused(value, where=f"{where}, train mode")
            else:
                is_finite(value(), where=f"{where}, train mode")
            networks["critic"].eval()
            is_finite(value(), where=f"{where}, eval mode")


def parameter_on_linear(penalty: Any, facts: Facts) -> None:
    """Where the mean score is 0 with slope s by the payer's parameters, it is facts["on_linear"](s)."""
    d = 6
    zero = torch.zeros(d, dtype=torch.float64)
    for slope in (0.0, 0.5, 2.0):
        for n in (1, 4):
            # The slope of a linear critic's mean score by its weights is the mean sample; a generator's, by its shift,
            # is the critic's weight.
            spread = pair(n, EVENT)[0]
            real = spread - spread.mean(0) + weight_of_slope(slope, EVENT).reshape(EVENT)
            z = torch.zeros(n, LATENT, dtype=torch.float64)
            networks = {"critic": LinearCritic(zero), "generator": LinearGenerator(draw(LATENT, d), zero, EVENT)}
            for payer in penalty.payers:
                if payer == "generator":
                    networks["critic"] = LinearCritic(weight_of_slope(slope, EVENT))
                got = penalty.on(scene(networks, payer, event=EVENT, real=real, z=z, n=n))
                where = f"{payer} pays, slope {slope:g}, n = {n}"
                close(got, torch.tensor(float(facts["on_linear"](slope)), dtype=torch.float64), where=where)


def parameter_reference(penalty: Any, facts: Facts) -> None:
    """It is facts["on_linear"] of the slope that a loop over samples, each by itself, finds."""
    of_score = getattr(penalty, "of", "probability") == "score"
    for payer in penalty.payers:
        networks = _networks(facts)
        step = scene(networks, payer, event=EVENT, n=N)

        def values(payer: str = payer, step: Any = step) -> Tensor:
            scores = step.critic(step.real if payer == "critic" else step.generator(step.z))
            return scores if of_score else scores.sigmoid()

        slope = parameter_slope(values, networks[payer].parameters()) * (1 if of_score else 4)
        got = penalty.on(scene(networks, payer, event=EVENT, n=N))
        close(got, torch.tensor(float(facts["on_linear"](slope)), dtype=torch.float64), where=f"{payer} pays")


def parameter_refusals(penalty: Any, facts: Facts) -> None:
    """A value per sample and a player whose parameters are all frozen are refused."""
    critic = SmoothCritic(EVENT)
    scores = critic(pair(3, EVENT)[0])
    refused(lambda: penalty(scores, critic), where="three values instead of their mean")
    critic.requires_grad_(False)
    refused(lambda: penalty(scores.mean(), critic), where="frozen parameters")


def consensus_on_linear(penalty: Any, facts: Facts) -> None:
    """At the Dirac-GAN's equilibrium, with a critic of slope s, it is facts["on_linear"](s)."""
    zero = torch.zeros(6, dtype=torch.float64)
    real, z = torch.zeros(3, *EVENT, dtype=torch.float64), torch.zeros(3, LATENT, dtype=torch.float64)
    for slope in (0.0, 0.5, 2.0):
        networks = {"critic": LinearCritic(weight_of_slope(slope, EVENT)),
                    "generator": LinearGenerator(draw(LATENT, 6), zero, EVENT)}  # fmt: skip
        for payer in penalty.payers:
            got = penalty.on(scene(networks, payer, event=EVENT, n=3, real=real, z=z))
            close(got, torch.tensor(float(facts["on_linear"](slope)), dtype=torch.float64), where=f"slope {slope:g}")


def consensus_reference(penalty: Any, facts: Facts) -> None:
    """It is facts["on_linear"] of twice the field's length, found by a loop over samples, for every payer."""
    networks = _networks(facts)
    step = scene(networks, "generator", event=EVENT, n=N)
    sides: dict[str, Callable[[], Tensor]] = {
        "critic": lambda: step.loss.critic(step.critic(step.real), step.critic(step.generator(step.z))),
        "generator": lambda: step.loss.generator(None, step.critic(step.generator(step.z))),
    }
    lengths = [parameter_slope(values, networks[name].parameters()) for name, values in sides.items()]
    # The fact is stated at score 0, where the generator's loss has half the critic's slope.
    wanted = facts["on_linear"](2 * sum(length**2 for length in lengths) ** 0.5)
    for payer in penalty.payers:
        got = penalty.on(scene(networks, payer, event=EVENT, n=N))
        close(got, torch.tensor(float(wanted), dtype=torch.float64), where=f"{payer} pays")


def judged_on_linear(penalty: Any, facts: Facts) -> None:
    """With a linear critic of slope s, samples across that slope and a judge that says 0, it is on_linear(s)."""
    for slope in (0.0, 0.5, 2.0):
        weight = weight_of_slope(1.0, EVENT)
        matrix = draw(LATENT, 6)
        across = matrix - torch.outer(matrix @ weight, weight)
        judge = Field(EVENT, scale=0.0) if facts.get("judge") == "field" else SmoothCritic(EVENT, scale=0.0)
        networks = {"critic": LinearCritic(slope * weight), "gon": judge,
                    "generator": LinearGenerator(across, torch.zeros(6, dtype=torch.float64), EVENT)}  # fmt: skip
        for payer in penalty.payers:
            got = penalty.on(scene(networks, payer, event=EVENT, n=N))
            close(got, float(facts["on_linear"](slope)), where=f"{payer} pays, slope {slope:g}")


def judge_pays_alone(penalty: Any, facts: Facts) -> None:
    """The judge's loss is one value per sample, and its gradient reaches the judge only."""
    networks = _networks(facts)
    value = penalty.judge_loss(scene(networks, "gon", event=EVENT, n=N))
    claim(value.shape == (N,), f"judge_loss: got shape {tuple(value.shape)}, wanted ({N},)")
    for name, network in networks.items():
        reached = torch.autograd.grad(value.sum(), list(network.parameters()), allow_unused=True, retain_graph=True)
        got = any(g is not None and bool(g.abs().max() > 0) for g in reached)
        claim(got is (name == "gon"), f"judge_loss: got {'a' if got else 'no'} gradient at {name}")


def generator_is_reached(penalty: Any, facts: Facts) -> None:
    """With a smooth critic a gradient, finite and not 0, reaches the generator where it pays."""
    networks = _networks(facts)
    value = penalty.on(scene(networks, "generator", event=EVENT, n=N)).sum()
    gradients = torch.autograd.grad(value, list(networks["generator"].parameters()))
    for gradient in gradients:
        is_finite(gradient, where="gradient at the generator")
    claim(any(bool(g.abs().max() > 1e-9) for g in gradients), "got a gradient of 0 at the generator")


COMMON = (one_value, labels_bound, step_left_alone, after_the_loss, loud, mixing)
PER_SAMPLE = (*COMMON, step_derivative)
PARAMETER = (parameter_on_linear, *COMMON, step_derivative, parameter_reference, parameter_refusals)
CONSENSUS = (consensus_on_linear, *COMMON, step_derivative, consensus_reference)
JUDGED = (judged_on_linear, *COMMON, judge_pays_alone, generator_is_reached)
