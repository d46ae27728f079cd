"""R3GAN: the relativistic paired loss with R1 and R2.

critic:    E softplus(-(D(x) - D(G(z)))) + gamma/2 E ||grad D(x)||^2 + gamma/2 E ||grad D(G(z))||^2
generator: E softplus(-(D(G(z)) - D(x)))
"""

from ..losses import relativistic
from ..penalties import r1, r2
from ..training.objective import Term
from .system import SYSTEMS, System, choose


@SYSTEMS.add(paper="arXiv:2501.05441", readings=("published",))
def r3gan(reading: str = "published") -> System:
    """R3GAN: relativistic pairing, R1 and R2 of one weight gamma each.

    Paper: Huang et al. 2024, arXiv:2501.05441, eq. 2 and 3.
    """
    choose(reading, {"published": None}, system="r3gan")
    return System("r3gan", relativistic, terms=(Term(r1, weight=1.0), Term(r2, weight=1.0)))
