"""Proofs for parts, the package's own and yours: check_* raise AssertionError that says what was got and wanted.

>>> from gradgan import losses, testing
>>> testing.check_loss(losses.hinge, {"at_zero": (2.0, 0.0), "far_below": -1.0})
"""

from .datasets import check_dataset as check_dataset
from .losses import check_loss as check_loss
from .metrics import check_metric as check_metric
from .networks import check_network as check_network
from .penalties import check_penalty as check_penalty
from .terms import check_term as check_term
