"""Mode collapse: generated samples are too much alike, beside real ones."""

from .history import History, earlier, per
from .illness import ILLNESSES, Remedy, Rule, Sign, below


def _alike() -> list[dict[str, float]]:
    return [{"diversity/distance": 0.2, "diversity/nearest": 0.1} for _ in range(20)]


def _spread() -> list[dict[str, float]]:
    return [{"diversity/distance": min(1.0, 0.1 * 1.3**k), "diversity/nearest": 0.8} for k in range(20)]


@ILLNESSES.add(
    paper="arXiv:1712.04086",
    helps="Slow the generator down or let the critic move more often (critic_steps, optimiser.critic_lr), add r1 + r2, "
    "widen the latent.",
    explains=(),
    remedy=Remedy(other_rates=0.5),
    sick=_alike,
    healthy=_spread,
)
def mode_collapse(spread: float = 0.45, recovering: float = 1.15) -> Rule:
    """Generated samples are much closer to one another than real ones are, and do not part.

    The mean distance of two samples is below `spread` of the real one, and has not grown by the factor `recovering`
    over the last five logged steps, as it does in the first steps of every run.
    """

    def rule(history: History) -> list[Sign]:
        distance = history.level("diversity/distance", over=5)
        return [
            (
                below("diversity/distance", "mean distance of two samples, in data widths,", distance, spread),
                below(
                    "diversity/distance",
                    "the same, beside five logged steps before,",
                    per(distance, earlier(distance, 5)),
                    recovering,
                ),
            )
        ]

    return rule
