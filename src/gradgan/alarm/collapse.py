"""Mode collapse: generated samples are too much alike, beside real ones."""

from .history import History, earlier, per
from .illness import ILLNESSES, Remedy, Rule, Sign, above, below


def _alike() -> list[dict[str, float]]:
    return [{"diversity/distance": 0.2, "diversity/nearest": 0.2, "diversity/missed": 3.0} for _ in range(20)]


def _spread() -> list[dict[str, float]]:
    """As at the start of a run: alike at first, then near the data, then apart."""
    return [
        {"diversity/distance": 0.2 * max(1.0, 1.1 ** (k - 10)), "diversity/missed": max(1.1, 2.0 - 0.2 * k)}
        for k in range(30)
    ]


@ILLNESSES.add(
    paper="arXiv:1712.04086",
    helps="Slow the generator down or let the critic move more often (critic_steps, optimiser.critic_lr), add r1 + r2, "
    "widen the latent.",
    explains=("oscillation",),  # samples that are all alike wander from one mode to the next
    remedy=Remedy(other_rates=0.5),
    sick=_alike,
    healthy=_spread,
)
def mode_collapse(spread: float = 0.45, repeated: float = 0.1, missed: float = 1.35, recovering: float = 1.15) -> Rule:
    """Generated samples are much closer to one another than real ones are, far from most of these, and do not part.

    The mean distance of two samples is below `spread` of the real one: all are alike. Or a sample's distance to its
    nearest neighbour is below `repeated` of the real one: however wide the whole, it says few things again and again.
    Either has not grown by the factor `recovering` over the last five logged steps, and a real sample's nearest
    generated one is more than `missed` times as far as its nearest real one. In the first steps of a run samples are
    alike as well; there they part, or come nearer to the data together.
    """

    def rule(history: History) -> list[Sign]:
        far = above(
            "diversity/missed",
            "distance of a real sample to its nearest generated one, in that of real ones,",
            history.level("diversity/missed", over=5),
            missed,
        )
        return [
            (*_alike_and_stays(history, "diversity/distance", "mean distance of two samples", spread, recovering), far),
            (
                *_alike_and_stays(
                    history, "diversity/nearest", "distance of a sample to its nearest neighbour", repeated, recovering
                ),
                far,
            ),
        ]

    return rule


def _alike_and_stays(history: History, name: str, what: str, least: float, recovering: float) -> Sign:
    level = history.level(name, over=5)
    change = per(level, earlier(level, 5))
    return (
        below(name, f"{what}, in that of real ones,", level, least),
        below(name, "the same, beside five logged steps before,", change, recovering),
    )
