"""Controllers: a penalty's weight that follows what is seen while training, instead of a schedule."""

from .controller import CONTROLLERS as CONTROLLERS
from .controller import Controller as Controller
from .overfit import hold_overfit as hold_overfit
from .pixels import pixels_per_batch as pixels_per_batch
from .slope import hold_slope as hold_slope
