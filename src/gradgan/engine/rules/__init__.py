"""The rules of the sweep by operation, as autograd names it: which tangent comes out, and what reaches the weights."""

from . import affine, masks, resample, shape
from .rule import Rule

RULES: dict[str, Rule] = {**affine.RULES, **masks.RULES, **shape.RULES, **resample.RULES}
"""Everything that can be swept. What is not here falls back to double backward."""
