"""The classics that differ from the base by their loss or by one penalty at or around the data.

lsgan, hinge: another loss            dragan: (||g|| - 1)^2 around real, weight 10
r1: 1/2 ||g||^2 at real               r1r2: the same at real and at fake
"""

from ..losses import hinge as hinge_loss
from ..losses import least_squares, non_saturating
from ..penalties import dragan as around_real
from ..penalties import r1 as at_real
from ..penalties import r2 as at_fake
from ..training.objective import Term
from .system import SYSTEMS, System, choose

_ONLY = {"published": None}


@SYSTEMS.add(paper="arXiv:1611.04076", readings=("published",))
def lsgan(reading: str = "published") -> System:
    """LSGAN: least squares losses, no penalty. Paper: Mao et al. 2017, arXiv:1611.04076."""
    choose(reading, _ONLY, system="lsgan")
    return System("lsgan", least_squares)


@SYSTEMS.add(paper="arXiv:1705.02894", readings=("published",))
def hinge(reading: str = "published") -> System:
    """Hinge: hinge losses, no penalty; usually with spectral norm on the critic.

    `--set critic.spectral_norm=true` (Miyato et al. 2018, arXiv:1802.05957). Paper: arXiv:1705.02894.
    """
    choose(reading, _ONLY, system="hinge")
    return System("hinge", hinge_loss)


@SYSTEMS.add(paper="arXiv:1705.07215", readings=("published",))
def dragan(reading: str = "published") -> System:
    """DRAGAN: the base, and the critic's slope pulled to 1 around each real sample, weight 10.

    Paper: Kodali et al. 2017, arXiv:1705.07215.
    """
    choose(reading, _ONLY, system="dragan")
    return System("dragan", non_saturating, terms=(Term(around_real, weight=10.0),))


@SYSTEMS.add(paper="arXiv:1801.04406", readings=("published",))
def r1(reading: str = "published") -> System:
    """R1: the base, and half the squared slope at the real samples. Paper: Mescheder et al. 2018, arXiv:1801.04406."""
    choose(reading, _ONLY, system="r1")
    return System("r1", non_saturating, terms=(Term(at_real, weight=1.0),))


@SYSTEMS.add(paper="arXiv:1801.04406", readings=("published",))
def r2(reading: str = "published") -> System:
    """R2: the base, and half the squared slope at the fake samples. Paper: Mescheder et al. 2018, arXiv:1801.04406."""
    choose(reading, _ONLY, system="r2")
    return System("r2", non_saturating, terms=(Term(at_fake, weight=1.0),))


@SYSTEMS.add(paper="arXiv:1801.04406", readings=("published",))
def r1r2(reading: str = "published") -> System:
    """R1 + R2: the base, and half the squared slope at real and at fake samples. Paper: arXiv:1801.04406."""
    choose(reading, _ONLY, system="r1r2")
    return System("r1r2", non_saturating, terms=(Term(at_real, weight=1.0), Term(at_fake, weight=1.0)))
