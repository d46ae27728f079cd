"""System 3, GP-GAN: each player pays for the squared norm of a gradient by its own parameters.

published: critic    E softplus(-D(x)) + E softplus(D(G(z))) + lambda ||grad_thetaD E P(x)||^2
           generator E softplus(-D(G(z))) + lambda ||grad_thetaG E P(G(z))||^2
consensus: each player adds lambda/2 ||(grad_thetaD L_D, grad_thetaG L_G)||^2 instead
"""

from ..losses import non_saturating
from ..penalties import consensus
from ..penalties import gp_gan as parameter_slope
from ..training.objective import Term
from .system import SYSTEMS, System, choose

TERM_OF = {"consensus": Term(consensus, weight=0.1), "published": Term(parameter_slope, weight=0.1)}


@SYSTEMS.add(paper="GP-GAN", readings=tuple(TERM_OF))
def gp_gan(reading: str = "consensus") -> System:
    """GP-GAN: gradient-penalised GAN on parameters.

    `reading="published"`: the printed generator loss has the sign of its adversarial term reversed; as in the printed
    code, it is the non-saturating one here. `reading="consensus"`, the default because it measured better
    (docs/systems.md), is its sound relative (Mescheder et al. 2017, arXiv:1705.10461).
    The optional bound on each player's gradient norm is the config's `clip_gradient`.
    """
    return System("gp_gan", non_saturating, terms=(TERM_OF[choose(reading, TERM_OF, system="gp_gan")],))
