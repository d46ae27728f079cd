"""System 5, GC-GAN: a third player, the gradient optimisation network Q, judges the critic's gradient field.

g(x) = grad_x D(x), q = Q's score
matching:  generator adds weight E softplus(-q(g(G(z)))); Q: E softplus(-q(g(x))) + E softplus(q(g(G(z))))
published: the same for the generator; Q: -E softplus(q(g(G(z)))) - E softplus(q(g(x))), pushed to say 1 everywhere
synthetic: Q: E ||Q(x) - grad_x L(x)||^2 at x = G(z); the generator follows (1 - weight) true + weight Q
"""

from ..core.scene import Scene
from ..core.types import Scores
from ..losses import non_saturating
from ..penalties import PENALTIES
from ..penalties.judged import GON
from ..training.objective import Player, Term
from .system import SYSTEMS, Extra, System, choose

ROLE_OF = {"matching": "critic", "published": "critic", "synthetic": "field"}
_WEIGHT_OF = {"matching": 0.1, "published": 1.0, "synthetic": 0.5}


@SYSTEMS.add(paper="GC-GAN", readings=tuple(ROLE_OF))
def gc_gan(reading: str = "matching") -> System:
    """GC-GAN: gradient convexification with a gradient optimisation network.

    Needs a smooth critic (SiLU, softplus): with ReLU-like ones g is piecewise constant and, in the matching and
    published readings, no gradient reaches the generator. The printed GON(D(x)) and GON(G(z)) have one type only if
    Q looks at the critic's gradient, which is the slip mended in every reading.
    """
    penalty = PENALTIES.make(f"gon_{choose(reading, ROLE_OF, system='gc_gan')}")

    def judge_loss(scene: Scene) -> Scores:
        return penalty.judge_loss(scene)

    return System(
        "gc_gan",
        non_saturating,
        terms=(Term(penalty, weight=_WEIGHT_OF[reading]),),
        extras=(Extra(Player(GON, judge_loss), ROLE_OF[reading]),),
        smooth_critic=True,
    )
