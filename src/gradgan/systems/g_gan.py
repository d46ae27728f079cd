"""System 4, G-GAN: the generator is rewarded for slope along the latent, the critic is unchanged.

generator: E softplus(-D(G(z))) - lambda E ||grad_z P(G(z))||^2        (printed code: + lambda)
"""

from ..losses import non_saturating
from ..penalties import PENALTIES
from ..training.objective import Term
from .system import SYSTEMS, System, choose

SIGN_OF = {"formula": -1.0, "code": 1.0}


@SYSTEMS.add(paper="G-GAN", readings=tuple(SIGN_OF))
def g_gan(reading: str = "formula") -> System:
    """G-GAN: do not let the generator become insensitive to z, which is what mode collapse is.

    `reading="formula"` subtracts the squared slope (a reward), `reading="code"` adds it (a price, as the printed
    code does). Its published base has tanh output in [-1, 1]. Relatives: mode-seeking (arXiv:1903.05628), path length
    (arXiv:1912.04958).
    """
    sign = SIGN_OF[choose(reading, SIGN_OF, system="g_gan")]
    return System("g_gan", non_saturating, terms=(Term(PENALTIES.make("g_gan", sign=sign), weight=0.1),))
