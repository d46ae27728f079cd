"""Samples that are kept from training: which ones, and batches of them."""

import torch
from torch import Tensor

from ..core.checks import GradganError
from .dataset import Dataset
from .loader import Batch


def split(samples: int, share: float, *, rng: torch.Generator) -> tuple[Tensor | None, Tensor | None]:
    """Indices to learn from and indices held out, drawn by `rng`; (None, None) where the share is 0.

    Raises GradganError for a share that leaves nothing on either side.

    >>> learned, kept = split(10, 0.3, rng=torch.Generator().manual_seed(0))
    >>> len(learned), len(kept), sorted([*learned.tolist(), *kept.tolist()]) == list(range(10))
    (7, 3, True)
    """
    if share == 0:
        return None, None
    count = round(samples * share)
    if not 0 < count < samples:
        raise GradganError(
            f"data.held_out={share:g} holds out {count} of {samples} samples, which leaves nothing on one side. "
            "Give a share between, or 0 for none."
        )
    order = torch.randperm(samples, generator=rng, device=rng.device).cpu()
    return order[count:].sort().values, order[:count]


class HeldOut:
    """Batches of the held-out samples of a data set, by step: the same step gives the same batch, whoever asks."""

    def __init__(self, dataset: Dataset, indices: Tensor, *, device: torch.device | str = "cpu") -> None:
        """`indices` (k,) are the samples held out."""
        self.dataset = dataset
        self.indices = indices
        self.device = torch.device(device)

    def batch(self, step: int, n: int) -> Batch:
        """n samples (or all of them, if fewer), a stretch of the indices that moves on by n with each step."""
        count = min(n, len(self.indices))
        chosen = self.indices[(torch.arange(count) + step * count) % len(self.indices)]
        labels = None if self.dataset.labels is None else self.dataset.labels[chosen].to(self.device)
        return Batch(self.dataset.scaled(chosen).to(self.device), labels)
