"""An endless, seeded stream of batches that a resumed run takes up bit for bit."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..core.checks import GradganError
from .dataset import Dataset, to_scale

# Up to this many bytes the stored samples are moved to the device once, which saves a copy in every step.
_RESIDENT = 2 << 30


class Batch(NamedTuple):
    """One batch of real samples (n, *event), as networks see them, and their labels (n,) where there are any."""

    real: Tensor
    labels: Tensor | None


class Loader:
    """Batches without end: a fresh permutation of the samples for each epoch, its last partial batch dropped.

    `rng` draws the permutations, and which images are mirrored where the data set asks for it, at the start of each
    epoch and at no other time. `indices` (k,) restricts it to a part of the data set, as for cross-validation. Raises
    GradganError for a batch larger than the data and for indices outside it.

    >>> from gradgan.data import DATASETS
    >>> loader = Loader(DATASETS.make("ring", samples=100), 32, rng=torch.Generator().manual_seed(0))
    >>> next(loader).real.shape, loader.batches_per_epoch
    (torch.Size([32, 2]), 3)
    """

    def __init__(
        self,
        dataset: Dataset,
        batch: int,
        *,
        rng: torch.Generator,
        device: torch.device | str = "cpu",
        indices: Tensor | None = None,
        part: slice = slice(None),
    ) -> None:
        """`device` is where the batches are wanted; images travel there as bytes and are scaled there. Of each batch
        only `part` is handed out, for one of several ranks."""
        self.dataset = dataset
        self.batch = batch
        self.device = torch.device(device)
        self._part = part
        self._rng = rng
        self._indices = _checked(dataset, indices)
        self.samples = len(dataset) if self._indices is None else len(self._indices)
        if not 1 <= batch <= self.samples:
            raise GradganError(
                f"batch must lie in 1..{self.samples}, the samples of {dataset.name!r} in use, got {batch}. "
                "Give a smaller batch or more data."
            )
        self.batches_per_epoch = self.samples // batch
        size = dataset.samples.numel() * dataset.samples.element_size()
        self._home = self.device if size <= _RESIDENT else torch.device("cpu")
        self._samples = dataset.samples.to(self._home)
        self._labels = None if dataset.labels is None else dataset.labels.to(self._home)
        self.epoch = 0
        """How many epochs have been handed out whole."""
        self._position = 0
        self._order: Tensor | None = None
        self._mirrored: Tensor | None = None
        self._epoch_start = rng.get_state()

    def __iter__(self) -> "Loader":
        return self

    def __next__(self) -> Batch:
        order = self._begin() if self._order is None else self._order
        chosen = order.narrow(0, self._position * self.batch, self.batch)[self._part]
        stored = self._samples.index_select(0, chosen)
        if self._mirrored is not None:
            turn = self._mirrored.index_select(0, chosen)[:, None, None, None]
            stored = torch.where(turn, stored.flip(-1), stored)
        real = to_scale(stored.to(self.device), self.dataset.scale)
        labels = None if self._labels is None else self._labels.index_select(0, chosen).to(self.device)
        self._position += 1
        if self._position == self.batches_per_epoch:
            self.epoch, self._position, self._order = self.epoch + 1, 0, None
        return Batch(real, labels)

    def _begin(self) -> Tensor:
        """Draw the epoch's permutation, after noting the generator's state, from which it can be drawn again."""
        self._epoch_start = self._rng.get_state()
        order = torch.randperm(self.samples, generator=self._rng, device=self._rng.device).to(self._home)
        if self._indices is not None:
            order = self._indices.to(self._home).index_select(0, order)
        if self.dataset.mirror:
            # For every sample and the whole epoch at once, so that a resumed run has only one place to take up.
            turns = torch.randint(2, (len(self.dataset),), generator=self._rng, device=self._rng.device)
            self._mirrored = turns.bool().to(self._home)
        self._order = order
        return order

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: plain whole numbers, and the generator's state at the start of the epoch."""
        between = self._order is None
        return {
            "rng": self._rng.get_state() if between else self._epoch_start.clone(),
            "epoch": self.epoch,
            "position": self._position,
            "batch": self.batch,
            "samples": self.samples,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; the loader must have the same batch and as many samples, else GradganError."""
        for what in ("batch", "samples"):
            if state[what] != getattr(self, what):
                raise GradganError(
                    f"the saved run drew from {state['samples']} samples in batches of {state['batch']}, this one from "
                    f"{self.samples} in batches of {self.batch}. Resume with the same data and batch."
                )
        if not 0 <= state["position"] < self.batches_per_epoch:
            raise GradganError(
                f"the saved loader stands at batch {state['position']} of {self.batches_per_epoch}: the checkpoint is "
                "damaged; take another."
            )
        self._rng.set_state(state["rng"].cpu())
        self.epoch, self._position, self._order = int(state["epoch"]), int(state["position"]), None
        if self._position:
            self._begin()


def _checked(dataset: Dataset, indices: Tensor | None) -> Tensor | None:
    """The indices as int64, all of them within the data set."""
    if indices is None:
        return None
    if indices.ndim != 1 or indices.dtype != torch.int64:
        raise GradganError(
            f"indices must be int64 of shape (k,), got {indices.dtype} of shape {tuple(indices.shape)}. "
            "From a mask: mask.nonzero()[:, 0]."
        )
    if len(indices) and (int(indices.min()) < 0 or int(indices.max()) >= len(dataset)):
        raise GradganError(
            f"indices must lie in 0..{len(dataset) - 1}, the samples of {dataset.name!r}, got "
            f"{int(indices.min())}..{int(indices.max())}."
        )
    return indices
