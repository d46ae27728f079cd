"""What a system is: a loss, penalties, and who plays. Data, so that combining two is one more term, not a new class."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..core.catalog import Catalog
from ..core.checks import GradganError
from ..core.scene import Scene
from ..losses import Loss
from ..training.objective import Player, Term
from ..training.steps import LatentSource

SYSTEMS = Catalog("system", facts=("readings",))
"""Every system by name. Fact: `readings`, the readings of its source that `make(reading=...)` takes, default first."""


@dataclass(frozen=True)
class Extra:
    """A third player and the kind of network it needs (a role of the networks' catalog)."""

    player: Player
    role: str


@dataclass(frozen=True)
class System:
    """Losses + penalties + players. `players()` is what a trainer plays; the rest is there to be read and changed."""

    name: str
    loss: Loss
    terms: tuple[Term, ...] = ()
    critic_steps: int = 1
    clip_weights: float | None = None
    clip_gradient: float | None = None
    extras: tuple[Extra, ...] = ()
    latents: LatentSource | None = None
    smooth_critic: bool = False
    """Does it need a critic whose slope varies (SiLU, softplus, tanh ... instead of ReLU-like)?"""
    convolutional: bool = False
    """Is it a set-up for convolutional networks?"""

    def players(self) -> tuple[Player, ...]:
        """Critic, third players, generator: in the order in which a round lets them move."""
        critic = Player(
            "critic",
            Scene.critic_loss,
            self._paid_by("critic"),
            steps=self.critic_steps,
            clip_weights=self.clip_weights,
            clip_gradient=self.clip_gradient,
        )
        generator = Player(
            "generator", Scene.generator_loss, self._paid_by("generator"), clip_gradient=self.clip_gradient
        )
        return (critic, *(extra.player for extra in self.extras), generator)

    def with_terms(self, terms: Iterable[Term]) -> "System":
        """The same system with these terms; a term of a known name takes the place of the old one."""
        merged: dict[str, Term] = {term.name: term for term in self.terms}
        for term in terms:
            merged[term.name] = term
        return replace(self, terms=tuple(merged.values()))

    def _paid_by(self, name: str) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if name in term.payers)


def choose(reading: str, known: Mapping[str, object], *, system: str) -> str:
    """The reading, or an error that names the ones there are."""
    if reading not in known:
        raise GradganError(f"system {system!r} has the readings {', '.join(known)}, got {reading!r}.")
    return reading
