"""Critic overfitting: the critic knows its training samples by heart."""

from .history import History, per
from .illness import ILLNESSES, Remedy, Rule, Sign, above


def _by_heart() -> list[dict[str, float]]:
    rows = [{"critic/memory": min(1.0, 0.5 + 0.05 * k), "critic/score_real": 2.0} for k in range(20)]
    return [row | {"critic/score_held_out": 1.8 - 0.2 * k, "critic/score_fake": -2.0} for k, row in enumerate(rows)]


def _general() -> list[dict[str, float]]:
    row = {"critic/memory": 0.52, "critic/score_real": 2.0, "critic/score_held_out": 1.9, "critic/score_fake": -2.0}
    return [row for _ in range(20)]


@ILLNESSES.add(
    paper="arXiv:2006.06676",
    helps="More data or augmentation, a smaller critic, a stronger gradient penalty (r1), or stop here: samples get "
    "worse from now on.",
    explains=("mode_collapse",),
    remedy=Remedy(critic_rate=0.5, weights=4.0),
    sick=_by_heart,
    healthy=_general,
)
def critic_overfitting(memory: float = 0.7, share: float = 0.4) -> Rule:
    """The critic scores its training samples above real ones that it has not seen, as if those were fakes.

    More than `memory` of all pairs of a training and a held-out sample have the training sample above, and the
    held-out scores have moved `share` of the way from the training samples' to the fakes': ADA's
    r_v = (E D(train) - E D(held out)) / (E D(train) - E D(fake)). Needs data.held_out.
    """

    def rule(history: History) -> list[Sign]:
        real, kept, fake = (history.level(f"critic/score_{which}", over=5) for which in ("real", "held_out", "fake"))
        return [
            (
                above(
                    "critic/memory",
                    "share of pairs in which the critic prefers the training sample",
                    history.level("critic/memory", over=5),
                    memory,
                ),
                above(
                    "critic/score_held_out",
                    "r_v, the held-out scores' way towards the fakes',",
                    per(real - kept, abs(real - fake)),
                    share,
                ),
            )
        ]

    return rule
