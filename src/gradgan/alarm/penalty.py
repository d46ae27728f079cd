"""Dead penalties: a weight too small to act, or one that swamps the loss."""

from .history import History
from .illness import ILLNESSES, Remedy, Rule, Sign, above, below


def _forces(history: History) -> list[tuple[str, str]]:
    """(number, words) of every penalty whose force is logged."""
    named = {name: name.split("/") for name in history.names if name.startswith("force/")}
    # A log may hold numbers of somebody else's.
    parts = {name: found for name, found in named.items() if len(found) == 3}
    return [(name, f"force of {what} on the {player}, beside its loss,") for name, (_, player, what) in parts.items()]


def _force(value: float) -> list[dict[str, float]]:
    return [{"force/critic/r1": value, "critic/told": 0.7} for _ in range(20)]


@ILLNESSES.add(
    paper="arXiv:1801.04406",
    helps="Raise its weight tenfold until its force is felt (0.05 to 0.5 of the gradient is usual), or take it out.",
    explains=("critic_overfitting", "oscillation"),
    remedy=Remedy(weights=10.0),
    sick=lambda: _force(1e-6),
    healthy=lambda: _force(0.1),
)
def idle_penalty(force: float = 1e-3) -> Rule:
    """A penalty does nothing: its gradient is next to none beside the loss's.

    Its force, ||weighted gradient of the penalty|| as a share of itself and the loss's gradient, is below `force`.
    """

    def rule(history: History) -> list[Sign]:
        return [(below(name, what, history.level(name, over=5), force),) for name, what in _forces(history)]

    return rule


@ILLNESSES.add(
    paper="arXiv:1801.04406",
    helps="Lower its weight tenfold until the loss is felt again (a force of 0.05 to 0.5 is usual).",
    explains=("mode_collapse", "oscillation"),
    remedy=Remedy(weights=0.1),
    sick=lambda: _force(0.999),
    healthy=lambda: _force(0.4),
)
def swamping_penalty(force: float = 0.85) -> Rule:
    """A penalty swamps the loss: the player minimises the penalty and hardly anything else.

    Its force, ||weighted gradient of the penalty|| as a share of itself and the loss's gradient, is above `force`.
    """

    def rule(history: History) -> list[Sign]:
        return [(above(name, what, history.level(name, over=5), force),) for name, what in _forces(history)]

    return rule
