"""Adversarial losses: pure functions of scores, one value per sample, safe in the far tails.

>>> import torch
>>> from gradgan import losses
>>> losses.non_saturating.generator(None, torch.tensor([-100.0, 0.0]))
tensor([100.0000,   0.6931])
"""

from .loss import LOSSES as LOSSES
from .loss import Loss as Loss
from .pointwise import hinge as hinge
from .pointwise import least_squares as least_squares
from .pointwise import minimax as minimax
from .pointwise import non_saturating as non_saturating
from .pointwise import wasserstein as wasserstein
from .relativistic import relativistic as relativistic
from .relativistic import relativistic_average as relativistic_average
