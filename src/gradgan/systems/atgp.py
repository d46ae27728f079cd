"""System 2, ATGP: both players pay for the slope of the critic's probability along the latent.

critic:    E softplus(-D(x)) + E softplus(D(G(z))) + lambda E ||grad_z P(G(z))||^2
generator: E softplus(-D(G(z))) + lambda E ||grad_z P(G(z))||^2        (published: -E softplus(D(G(z))) instead)
"""

from ..losses import minimax, non_saturating
from ..penalties import atgp as slope_along_z
from ..training.objective import Term
from .system import SYSTEMS, System, choose

LOSS_OF = {"sound": non_saturating, "published": minimax}


@SYSTEMS.add(paper="ATGP", readings=tuple(LOSS_OF))
def atgp(reading: str = "sound") -> System:
    """ATGP: adversarial training with gradient penalisation along the latent.

    The published generator loss saturates; the sound reading is the same with the non-saturating one. In the critic's
    step the gradient runs through the generator to z, but only the critic's parameters receive it. Its penalty `atgp`
    can be added to any system, conditional and variational ones included. lambda is meant to be cross-validated.
    """
    return System("atgp", LOSS_OF[choose(reading, LOSS_OF, system="atgp")], terms=(Term(slope_along_z, weight=1.0),))
