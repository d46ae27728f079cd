"""What an adversarial loss is: two pure functions of scores, one value per sample."""

from collections.abc import Callable
from dataclasses import dataclass

from ..core.catalog import Catalog
from ..core.checks import GradganError, same_shape
from ..core.types import Scores

LOSSES = Catalog("loss", facts=("at_zero", "far_below"))
"""Every loss by name. Facts: `at_zero`, its (critic, generator) values where all scores are 0; `far_below`, the slope
of the generator's loss by the fake score where that score is -30 and the real one 0."""


@dataclass(frozen=True)
class Loss:
    """An adversarial loss; both sides are minimised by their player.

    `critic_formula(real, fake)` and `generator_formula(real, fake)` take scores (n,) and give one value per sample.
    A loss whose generator side reads the real scores says so with `needs_real`, one whose value for a pair depends on
    the other pairs with `whole_batch`: several processes then exchange their scores before they call it.
    """

    name: str
    critic_formula: Callable[[Scores, Scores], Scores]
    generator_formula: Callable[[Scores | None, Scores], Scores]
    needs_real: bool = False
    whole_batch: bool = False

    def critic(self, real: Scores, fake: Scores) -> Scores:
        """The critic's loss for each pair of scores: (n,), (n,) -> (n,)."""
        same_shape(real, fake, caller=f"{self.name}.critic")
        return self.critic_formula(real, fake)

    def generator(self, real: Scores | None, fake: Scores) -> Scores:
        """The generator's loss for each fake score: (n,) -> (n,). `real` may be None unless `needs_real`."""
        if self.needs_real:
            if real is None:
                raise GradganError(
                    f"{self.name}.generator compares with real scores and got None; pass critic(real).detach()."
                )
            same_shape(real, fake, caller=f"{self.name}.generator")
        return self.generator_formula(real, fake)

    def __str__(self) -> str:
        return self.name
