"""What every logged number means: its unit and a sentence, in one table that the logs and the report print."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import unknown_name


@dataclass(frozen=True)
class Number:
    """The unit of a logged number, and what it says."""

    unit: str
    sentence: str


PLAYERS: Mapping[str, str] = {
    "critic": "the critic, which tells real samples from generated ones",
    "generator": "the generator, which makes samples from latents",
    "gon": "the gradient optimisation network, a third player that looks at the critic's gradients",
    "encoder": "the encoder, which finds latents for real samples",
}

NUMBERS: Mapping[str, Number] = {
    "critic/loss": Number(
        "nats",
        "How badly the critic tells real from fake on this batch, penalties left out. Nats for logistic losses; scores "
        "for Wasserstein and hinge, scores² for least squares.",
    ),
    "generator/loss": Number("nats", "How badly the generator fools the critic on this batch, penalties left out."),
    "gon/loss": Number(
        "nats", "Loss of the network that judges the critic's gradients on this batch, penalties left out."
    ),
    "encoder/loss": Number("nats", "Adversarial loss of the encoder on this batch, penalties left out."),
    "critic/score_real": Number("score", "Mean score of the real batch; above the fake one while the critic wins."),
    "critic/score_fake": Number("score", "Mean score of the generated batch; far below the real one: fakes are told."),
    "slope/real": Number("score/unit", "Mean ||grad_x D(x)|| at real samples; large: the critic is steep at the data."),
    "slope/fake": Number("score/unit", "Mean ||grad_x D(x)|| at generated samples: the push the generator feels."),
    "slope/latent": Number(
        "1/latent", "Mean ||grad_z P(G(z))||; near 0, the critic's verdict no longer depends on the latent."
    ),
    "critic/told": Number(
        "share",
        "Share of pairs of a real and a generated sample that the critic orders rightly; 0.5: it cannot tell them.",
    ),
    "critic/score_held_out": Number(
        "score", "Mean score of real samples that nobody learns from; should stay beside the training samples' score."
    ),
    "critic/memory": Number(
        "share",
        "Share of pairs in which a training sample is scored above a held-out one: 0.5, nothing is learned by heart.",
    ),
    "generator/pull": Number(
        "1",
        "Mean |slope| of the generator's loss by the fake scores: near 0, a sure critic leaves it nothing to follow.",
    ),
    "generator/unrest": Number(
        "data widths",
        "Mean distance of the generator's samples to its average's, from the same latents; near 0 while it settles.",
    ),
    "diversity/distance": Number("1", "Mean distance of two generated samples, per that of two real ones; 1 is right."),
    "diversity/nearest": Number(
        "1", "Mean distance of a generated sample to the nearest other one, per the same among real ones; 1 is right."
    ),
    "diversity/missed": Number(
        "1", "Mean distance of a real sample to the nearest generated one, per that to the nearest real one; 1 is best."
    ),
    "speed": Number(
        "rounds/s",
        "Rounds (every player moves) per second since the last logged step; evaluations, pictures, checkpoints count.",
    ),
    "modes": Number("modes", "Modes of the data that at least one good sample lies on; all of them is best."),
    "high_quality": Number("share", "Share of samples within three standard deviations of a mode; 1 is best."),
    "reverse_kl": Number("nats", "KL(shares of the good samples per mode || equal shares); 0 is best."),
    "mixture_distance": Number(
        "share", "Total variation between the samples' shares per mode, bad ones apart, and the data's; 0 is best."
    ),
    "classifier_accuracy": Number("share", "Share of held-out real samples that this classifier names rightly."),
    "classes": Number("classes", "Classes that a classifier finds among the samples; all of them is best."),
    "class_kl": Number("nats", "KL(shares of the samples' classes || the data's shares); 0 is best."),
    "class_kl_uniform": Number("nats", "KL(shares of the samples' classes || equal shares); 0: every class as often."),
    "critic_slope": Number("score/unit", "Mean ||grad_x D(x)|| at points drawn between real and generated samples."),
    "critic_lipschitz": Number(
        "score/unit", "Largest ||grad_x D(x)|| seen there: a lower bound of the critic's Lipschitz constant."
    ),
    "latent_sensitivity": Number(
        "unit/latent", "How far a sample moves for a step of 1 of its latent; near 0, the latent is ignored."
    ),
}

IN_FEATURES: Mapping[str, Number] = {
    "frechet": Number(
        "feature²", "Fréchet distance of generated to held-out samples; lower is better, and the floor is the measure."
    ),
    "frechet_floor": Number("feature²", "Fréchet distance of training to held-out samples: what a perfect run has."),
    "frechet_ratio": Number(
        "ratio", "Fréchet distance of generated over that of training samples, both to held-out ones; 1 is best."
    ),
    "kid": Number("mmd²", "Squared maximum mean discrepancy to held-out samples, cubic kernel; 0 is best."),
    "precision": Number("share", "Share of generated samples that lie among the held-out ones; higher is better."),
    "recall": Number("share", "Share of held-out samples that lie among the generated ones; higher is better."),
    "density": Number("ratio", "How densely generated samples lie among the held-out ones; 1 is the data's own."),
    "coverage": Number("share", "Share of held-out samples with a generated one near them; higher is better."),
    "memorisation": Number(
        "probability",
        "How often a generated sample is nearer to the training set than a held-out one is; 0.5 is best, 1 is copies.",
    ),
}
"""Numbers that are measured in some features, logged as NUMBER/FEATURES: frechet_ratio/classifier."""


def describe(name: str, penalties: Mapping[str, tuple[str, str]] | None = None) -> Number:
    """The unit and the sentence of a logged number.

    `penalties` gives unit and sentence of what is logged as PLAYER/PENALTY, by the penalty's name:

    >>> describe("critic/r1", {"r1": ("score²/unit²", "R1: half the squared slope at real samples.")}).unit
    'score²/unit²'

    Raises GradganError for a name that is neither in the table nor made by these rules.
    """
    if name in NUMBERS:
        return NUMBERS[name]
    penalties = penalties or {}
    first, _, second = name.partition("/")
    if first in IN_FEATURES and second:
        number = IN_FEATURES[first]
        return Number(number.unit, f"{number.sentence} Features: {second}.")
    if first == "lr" and second in PLAYERS:
        return Number("per update", f"Learning rate of the {second}'s optimiser.")
    if first in PLAYERS and second == "gradient_norm":
        return Number("loss/parameter", f"Norm of the {first}'s whole parameter gradient, before any clipping.")
    if first in PLAYERS and second == "growth":
        return Number("1", f"Size of the weights of the {first}'s most grown layer, per their size when drawn.")
    if first in PLAYERS and second in penalties:
        unit, sentence = penalties[second]
        return Number(unit, f"{sentence.rstrip('.')}. Mean over the batch, before its weight.")
    player, _, penalty = second.partition("/")
    if first == "force" and player in PLAYERS and penalty in penalties:
        return Number("share", f"How hard {penalty} pulls at the {player}, beside its loss: 0 not at all, 0.5 as hard.")
    if first == "weight" and second in penalties:
        return Number("1", f"What multiplies {second} in this round, as its controller has it.")
    rules = [f"{player}/{what}" for player in PLAYERS for what in ("gradient_norm", "growth", *penalties)]
    rules += [f"{number}/pixels" for number in IN_FEATURES]
    raise unknown_name("number", name, [*NUMBERS, *rules, *(f"lr/{player}" for player in PLAYERS)])
