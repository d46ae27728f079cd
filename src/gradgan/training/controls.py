"""Controlled weights: after a round each controller that is due looks at the critic, and the weight answers."""

from collections.abc import Iterable

import torch

from ..core.checks import scores_of
from ..core.scene import Scene
from ..core.sight import Sight
from ..core.types import Scores
from .measure import evaluating
from .objective import Player, Term
from .state import Numbers, State


def controlled(players: Iterable[Player]) -> dict[str, Term]:
    """Every term with a controller by name, once, whoever pays for it."""
    return {term.name: term for player in players for term in player.terms if term.control is not None}


def steer(state: State, players: Iterable[Player], scene: Scene) -> None:
    """Let every controller that is due after this round look at the critic's scene, and move its weight.

    It draws from no stream of the run and leaves every network's mode, so that the weight depends on the state alone.
    With several ranks each looks at its part of the batch, and the mean counts.
    """
    for name, term in controlled(players).items():
        if term.control is not None and term.control.due(state.step):
            with evaluating(scene.network("critic"), scene.network("generator")):
                sight = Sight(scene.critic, scene.real, scene.fake, _held_out_scores(state, scene), state.step)
                seen = state.world.mean_numbers({name: term.control.look(sight).detach()})[name]
            state.controls[name] = term.control.next(state.controls[name], float(seen))


@torch.no_grad()
def _held_out_scores(state: State, scene: Scene) -> Scores | None:
    if state.held_out is None:
        return None
    kept, labels = state.held_out.batch(state.step, len(scene.real))
    critic = scene.network("critic")
    scores = critic(kept) if scene.labels is None else critic(kept, labels)
    return scores_of(scores, len(kept), caller="critic").float()


def weights_now(state: State, players: Iterable[Player], progress: float) -> Numbers:
    """What multiplies each controlled penalty's mean, laziness apart, as weight/PENALTY."""
    factors = state.weights
    return {
        f"weight/{name}": torch.tensor(term.factor(progress) / term.every * factors.get(name, 1.0))
        for name, term in controlled(players).items()
    }
