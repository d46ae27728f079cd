"""Systems: one file per system, its formula on top, then which losses, penalties and players.

>>> from gradgan import systems
>>> [term.name for term in systems.r3gan().terms]
['r1', 'r2']
"""

from .atgp import atgp as atgp
from .classics import dragan as dragan
from .classics import hinge as hinge
from .classics import lsgan as lsgan
from .classics import r1 as r1
from .classics import r1r2 as r1r2
from .classics import r2 as r2
from .g_gan import g_gan as g_gan
from .gan import dcgan as dcgan
from .gan import gan as gan
from .gc_gan import gc_gan as gc_gan
from .gp_gan import gp_gan as gp_gan
from .r3gan import r3gan as r3gan
from .system import SYSTEMS as SYSTEMS
from .system import Extra as Extra
from .system import System as System
from .variational import variational as variational
from .wasserstein import wgan as wgan
from .wasserstein import wgan_gp as wgan_gp
from .wasserstein import wgan_lp as wgan_lp
