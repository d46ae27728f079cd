"""The balance of the players: a critic so sure that the generator learns nothing, and players that chase each other."""

import numpy as np

from .history import History
from .illness import ILLNESSES, Remedy, Rule, Sign, above, below


def _sure() -> list[dict[str, float]]:
    return [{"critic/told": 1.0, "generator/pull": 0.5 * 0.3**k} for k in range(20)]


def _even() -> list[dict[str, float]]:
    return [{"critic/told": 0.7, "generator/pull": 0.5} for _ in range(20)]


@ILLNESSES.add(
    paper="arXiv:1701.04862",
    helps="Use the non-saturating loss, fewer or slower critic updates, or a gradient penalty (r1, wgan_gp).",
    explains=("mode_collapse",),
    remedy=Remedy(critic_rate=0.5),
    sick=_sure,
    healthy=_even,
)
def vanishing_gradient(pull: float = 0.05, told: float = 0.95) -> Rule:
    """The critic tells real from fake without fail, and what is left of the generator's gradient is next to nothing.

    The mean slope of the generator's loss by the scores is below `pull`, while more than `told` of all pairs of a real
    and a generated sample are ordered rightly. A generator that has won has a small gradient too; there the critic
    cannot tell.
    """

    def rule(history: History) -> list[Sign]:
        return [
            (
                below(
                    "generator/pull",
                    "slope of the generator's loss by the scores",
                    history.level("generator/pull", over=5),
                    pull,
                ),
                above(
                    "critic/told",
                    "share of pairs that the critic orders rightly",
                    history.level("critic/told", over=5),
                    told,
                ),
            )
        ]

    return rule


def _turns(side: np.ndarray) -> int:
    """How often the sign changes, zeros left out: [1, 0, -1, -1, 1] -> 2."""
    taken = side[side != 0]
    return int((taken[1:] != taken[:-1]).sum())


def _chasing() -> list[dict[str, float]]:
    return [{"critic/told": 0.5 + 0.45 * (-1) ** (k // 3), "generator/unrest": 1.0} for k in range(40)]


def _settled() -> list[dict[str, float]]:
    """On the spot where the data is, which side is which is a matter of chance."""
    return [{"critic/told": 0.5 + 0.45 * (-1) ** (k // 3), "generator/unrest": 0.001} for k in range(40)]


@ILLNESSES.add(
    paper="arXiv:1801.04406",
    helps="Add a zero-centred gradient penalty (r1, r2), take momentum out (optimiser.beta1=0), lower the learning "
    "rate.",
    explains=(),
    remedy=Remedy(critic_rate=0.5, other_rates=0.5, weights=2.0),
    sick=_chasing,
    healthy=_settled,
)
def oscillation(wrong: float = 0.25, right: float = 0.75, turns: int = 2, unrest: float = 0.2) -> Rule:
    """The players chase each other: again and again the generator runs past what the critic has just learned.

    Over the last ten logged steps the share of pairs that the critic orders rightly went at least `turns` times from
    above `right` to below `wrong`, where just after its update the critic prefers the fakes, or back; and the samples
    move by more than `unrest` data widths around their average's.
    """

    def rule(history: History) -> list[Sign]:
        told = history["critic/told"]
        side = np.where(told > right, 1, np.where(told < wrong, -1, 0))
        counted = np.array([_turns(side[max(0, row - 9) : row + 1]) for row in range(len(side))], dtype=float)
        return [
            (
                above(
                    "critic/told",
                    "turns of the critic, from ordering most pairs rightly to ordering most wrongly or back, in ten "
                    "logged steps,",
                    counted,
                    turns - 0.5,
                ),
                above(
                    "generator/unrest",
                    "mean distance of the generator's samples to its average's, in data widths,",
                    history.level("generator/unrest", over=5),
                    unrest,
                ),
            )
        ]

    return rule
