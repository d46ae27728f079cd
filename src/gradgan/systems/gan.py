"""System 1: the base.

critic:    E softplus(-D(x)) + E softplus(D(G(z)))
generator: E softplus(-D(G(z)))  (non-saturating)   or   -E softplus(D(G(z)))  (minimax)
"""

from ..losses import minimax, non_saturating
from .system import SYSTEMS, System, choose

LOSS_OF = {"non_saturating": non_saturating, "minimax": minimax}


@SYSTEMS.add(paper="arXiv:1406.2661", readings=tuple(LOSS_OF))
def gan(reading: str = "non_saturating") -> System:
    """GAN: the base, no penalty.

    `reading="minimax"` gives the generator eq. 1 of the paper, which saturates. Preset `mnist_mlp` is the published
    set-up. Paper: Goodfellow et al. 2014, arXiv:1406.2661.
    """
    return System("gan", LOSS_OF[choose(reading, LOSS_OF, system="gan")])


@SYSTEMS.add(paper="arXiv:1511.06434", readings=("non_saturating",))
def dcgan(reading: str = "non_saturating") -> System:
    """DCGAN: the base with convolutional networks.

    Paper: Radford et al. 2016, arXiv:1511.06434. Its critic has no batch normalisation here, so that penalties can be
    added to it.
    """
    choose(reading, {"non_saturating": None}, system="dcgan")
    return System("dcgan", non_saturating, convolutional=True)
