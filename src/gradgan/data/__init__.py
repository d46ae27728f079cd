"""Data sets: small ones that need no download, MNIST, your own pictures, and the endless, resumable loader.

>>> from gradgan import data
>>> ring = data.DATASETS.make("ring", samples=1000, seed=1)
>>> ring.event, len(ring), ring.classes
((2,), 1000, 8)
"""

from .dataset import DATASETS as DATASETS
from .dataset import Dataset as Dataset
from .dataset import Scale as Scale
from .dataset import to_scale as to_scale
from .dataset import to_unit as to_unit
from .digits import digits as digits
from .folds import without_fold as without_fold
from .held_out import Part as Part
from .held_out import RealParts as RealParts
from .held_out import real_parts as real_parts
from .held_out import split_off as split_off
from .images import images as images
from .loader import Batch as Batch
from .loader import Loader as Loader
from .mnist import idx as idx
from .mnist import mnist as mnist
from .stacked import stacked_mnist as stacked_mnist
from .toy import dirac as dirac
from .toy import grid as grid
from .toy import ring as ring
from .toy import spiral as spiral
from .unseen import HeldOut as HeldOut
from .unseen import split as split
