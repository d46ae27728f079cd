"""The words used everywhere, as types.

n = samples in a batch; *event = the shape of one sample; z = latent width.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from jaxtyping import Float, Int
from torch import Tensor

Samples: TypeAlias = Float[Tensor, "n *event"]
"""A batch of samples (or of gradients by samples), real or generated."""

Scores: TypeAlias = Float[Tensor, " n"]
"""One number per sample: a critic's score (a logit), a loss or a penalty before its mean."""

Latents: TypeAlias = Float[Tensor, "n z"]
"""A batch of latent vectors, z ~ N(0, I) unless an encoder gave them."""

Labels: TypeAlias = Int[Tensor, " n"]
"""A class number per sample."""

Scalar: TypeAlias = Float[Tensor, ""]
"""One number for the whole batch."""

Critic: TypeAlias = Callable[..., Tensor]
"""Samples -> scores, (n,) or (n, 1); an `nn.Module` or any callable, labels already bound."""

Generator: TypeAlias = Callable[..., Tensor]
"""Latents -> samples; an `nn.Module` or any callable, labels already bound."""

Options: TypeAlias = dict[str, Any]
"""Plain data (numbers, strings, booleans) that a catalog's factory takes by keyword."""
