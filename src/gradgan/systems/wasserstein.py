"""The Wasserstein family: clipping, gradient penalty, one-sided penalty.

critic: E D(G(z)) - E D(x) + penalty        generator: -E D(G(z))
"""

from ..losses import wasserstein
from ..penalties import wgan_gp as gradient_penalty
from ..penalties import wgan_lp as lipschitz_penalty
from ..training.objective import Term
from .system import SYSTEMS, System, choose

_ONLY = {"published": None}


@SYSTEMS.add(paper="arXiv:1701.07875", readings=("published",))
def wgan(reading: str = "published") -> System:
    """WGAN: five critic steps a round, every critic weight clipped to [-0.01, 0.01].

    Paper: Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1.
    """
    choose(reading, _ONLY, system="wgan")
    return System("wgan", wasserstein, critic_steps=5, clip_weights=0.01)


@SYSTEMS.add(paper="arXiv:1704.00028", readings=("published",))
def wgan_gp(reading: str = "published") -> System:
    """WGAN-GP: five critic steps a round, (||g|| - 1)^2 between real and fake, weight 10.

    Paper: Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1.
    """
    choose(reading, _ONLY, system="wgan_gp")
    return System("wgan_gp", wasserstein, terms=(Term(gradient_penalty, weight=10.0),), critic_steps=5)


@SYSTEMS.add(paper="arXiv:1709.08894", readings=("published",))
def wgan_lp(reading: str = "published") -> System:
    """WGAN-LP: as WGAN-GP, but only slopes above 1 are charged.

    Paper: Petzka et al. 2018, arXiv:1709.08894.
    """
    choose(reading, _ONLY, system="wgan_lp")
    return System("wgan_lp", wasserstein, terms=(Term(lipschitz_penalty, weight=10.0),), critic_steps=5)
