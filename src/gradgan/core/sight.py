"""What a controller of a weight may look at, after a round."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .types import Critic, Samples


@dataclass(frozen=True, eq=False)
class Sight:
    """The last real and generated batch of the critic, and the scores of held-out samples if there are any.

    The critic is in evaluation mode, with the batch's labels bound. `step` seeds whatever is drawn, so that looking
    moves no stream of the run.
    """

    critic: Critic
    real: Samples
    fake: Samples
    held_out_scores: Float[Tensor, " m"] | None
    step: int
