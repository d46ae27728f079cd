"""Divergence: numbers that are none, samples that leave the data, weights that are blown up."""

import numpy as np

from .history import History, per
from .illness import ILLNESSES, Remedy, Rule, Sign, above, below, not_finite

PLAYERS = ("critic", "generator")


def _gone() -> list[dict[str, float]]:
    return [{"generator/unrest": 10.0**k, "diversity/distance": 10.0**k} for k in range(10)]


def _well() -> list[dict[str, float]]:
    return [{"generator/unrest": 0.5, "diversity/distance": 1.0, "critic/growth": 1.0 + 0.1 * k} for k in range(10)]


@ILLNESSES.add(
    paper="arXiv:1801.04406",
    helps="Lower the learning rate, raise the weight of the gradient penalty, or bound the gradients (clip_gradient).",
    explains=("swamping_penalty", "mode_collapse", "oscillation", "vanishing_gradient"),
    # A fifth: a rate that blows a run up is rarely twice too high, and every return costs a stretch of the run.
    remedy=Remedy(critic_rate=0.2, other_rates=0.2),
    sick=_gone,
    healthy=_well,
)
def divergence(far: float = 4.0, stride: float = 0.4, stuck: float = 1e-3) -> Rule:
    """The run has left the problem: numbers that are not finite, samples far from the data, weights blown up.

    - a logged number is nan or infinite;
    - samples are `far` data widths from each other, or from those of the generator's own average;
    - weights have grown by more than `stride` of their first size per update, as a random walk counts it:
      sqrt((growth^2 - 1) / step);
    - samples are all alike (closer than `stuck` data widths) and the generator's gradient is gone with them.
    """

    def rule(history: History) -> list[Sign]:
        broken = [(not_finite(name, history[name], history.known(name)),) for name in history.names]
        signs: list[Sign] = [sign for sign in broken if sign[0].holds.any()]
        for what, name in (
            ("mean distance of two samples, in data widths,", "diversity/distance"),
            ("mean distance of the generator's samples to its average's, in data widths,", "generator/unrest"),
        ):
            signs.append((above(name, what, history.level(name, over=5), far),))
        for player in PLAYERS:
            # Weights do not jump back, so the newest size says it.
            grown = np.maximum(history[f"{player}/growth"], 1.0)
            with np.errstate(over="ignore"):  # a damaged log's sizes: their square is inf
                pace = np.sqrt((grown**2 - 1) / np.maximum(history.steps, 1))
            signs.append(
                (
                    above(
                        f"{player}/growth",
                        f"growth of the {player}'s weights per update, in their first size,",
                        pace,
                        stride,
                    ),
                )
            )
        alike = below(
            "diversity/distance",
            "mean distance of two samples, in data widths,",
            history.level("diversity/distance", over=5),
            stuck,
        )
        gone = per(history.level("generator/gradient_norm", over=5), history.level("critic/gradient_norm", over=5))
        signs.append(
            (alike, below("generator/gradient_norm", "the generator's gradient, per the critic's,", gone, stuck))
        )
        return signs

    return rule
