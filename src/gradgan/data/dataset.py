"""What a data set is: samples in memory, their labels, and the scale in which networks see them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ..core.catalog import Catalog
from ..core.checks import GradganError, unknown_name

DATASETS = Catalog("data set", facts=("event", "scale", "labelled"))
"""Every data set by name. Facts: `event`, the shape of one sample; `scale`, its default scale; `labelled`, whether it
has labels. `event` and `labelled` are None where the files decide."""

Scale: TypeAlias = Literal["symmetric", "unit", "none"]
"""How networks see the data: images in [-1, 1] ("symmetric") or [0, 1] ("unit"), points as they are ("none")."""

_IMAGE_SCALES = ("symmetric", "unit")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples in memory: images as whole numbers 0..255, (n, c, h, w) uint8; points as (n, d) float32.

    `classes` is 0 where there are no labels. `modes` (m, d) and `spread` are a mixture's centres and
    standard deviation. `channel_classes`, where every channel shows a class of its own: how many there are; the label
    is then the channels' classes read as the digits of one number in that base, the first channel's first.
    `held_out` makes the samples of the same source that are kept from learning; None where nothing was kept.
    Raises GradganError where the parts do not fit each other.
    """

    name: str
    samples: Tensor
    labels: Tensor | None
    classes: int
    kind: Literal["points", "images"]
    scale: Scale
    modes: Tensor | None = None
    spread: float | None = None
    channel_classes: int = 0
    held_out: "Callable[[], Dataset] | None" = None
    class_names: tuple[str, ...] = ()
    """What the classes are called, where they have names."""
    skipped: tuple[str, ...] = ()
    """A line for each sample that could not be read: its name and why."""
    mirror: bool = False
    """Does the loader show half of the images mirrored, left for right?"""

    def __post_init__(self) -> None:
        wanted = (torch.uint8, 4) if self.kind == "images" else (torch.float32, 2)
        if (self.samples.dtype, self.samples.ndim) != wanted or self.samples.numel() == 0:
            raise GradganError(
                f"data set {self.name!r}: {self.kind} must be {wanted[0]} in {wanted[1]} dimensions and not empty, got "
                f"{self.samples.dtype} of shape {tuple(self.samples.shape)}. Images: (n, c, h, w); points: (n, d)."
            )
        if self.kind == "images":
            image_scale(self.scale, what=f"data set {self.name!r}")
        if self.kind == "points" and not self.samples.isfinite().all():
            sound = int(self.samples.isfinite().all(1).sum())
            raise GradganError(
                f"data set {self.name!r}: points must be finite, got nan or inf in {len(self) - sound} of {len(self)}. "
                "Leave those out: samples[samples.isfinite().all(1)]."
            )
        if self.kind == "points" and self.scale != "none":
            raise GradganError(f"data set {self.name!r}: points have scale 'none', got {self.scale!r}.")
        self._check_labels()

    def _check_labels(self) -> None:
        if self.labels is None:
            if self.classes != 0:
                raise GradganError(f"data set {self.name!r}: {self.classes} classes without labels; give classes=0.")
            return
        if self.labels.dtype != torch.int64 or self.labels.shape != (len(self),):
            raise GradganError(
                f"data set {self.name!r}: labels must be int64 of shape ({len(self)},), one per sample, got "
                f"{self.labels.dtype} of shape {tuple(self.labels.shape)}."
            )
        if self.channel_classes and self.classes != self.channel_classes ** self.event[0]:
            raise GradganError(
                f"data set {self.name!r}: {self.channel_classes} classes in each of {self.event[0]} channels make "
                f"{self.channel_classes ** self.event[0]} classes, got {self.classes}."
            )
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= self.classes:
            raise GradganError(
                f"data set {self.name!r}: labels must lie in 0..{self.classes - 1} for {self.classes} classes, got "
                f"{low}..{high}."
            )

    @property
    def event(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self.samples.shape[1:])

    @property
    def channel_labels(self) -> Tensor:
        """The class that each channel shows, (n, c). Raises GradganError where channels have no own classes."""
        if self.labels is None or not self.channel_classes:
            raise GradganError(f"data set {self.name!r} has no classes by channel; stacked_mnist has.")
        places = self.channel_classes ** torch.arange(self.event[0] - 1, -1, -1)
        return self.labels[:, None] // places % self.channel_classes

    def __len__(self) -> int:
        return len(self.samples)

    def scaled(self, index: "int | slice | Tensor") -> Tensor:
        """The samples at `index` as networks see them: float32, in the data set's scale; the caller may change them."""
        return to_scale(self.samples[index], self.scale)

    def to_unit(self, x: Tensor) -> Tensor:
        """Images in the data set's scale, real or generated, as pictures in [0, 1]; what lies outside is clamped.

        Raises GradganError for points, which are no pictures.
        """
        if self.kind == "points":
            raise GradganError(f"data set {self.name!r} holds points, not pictures; draw them as a scatter.")
        return to_unit(x, self.scale)


def image_scale(scale: str, *, what: str) -> None:
    """Refuse a scale that images do not have."""
    if scale not in _IMAGE_SCALES:
        raise unknown_name(f"scale of {what}", str(scale), _IMAGE_SCALES)


def to_scale(samples: Tensor, scale: Scale) -> Tensor:
    """Stored samples as networks see them, on the device where they lie: uint8 or float32 -> a new float32 tensor."""
    if scale == "none":
        return samples.clone()
    # In place on the fresh float copy: one pass of memory less each.
    if scale == "unit":
        return samples.float().div_(255)
    return samples.float().div_(127.5).sub_(1)


def to_unit(x: Tensor, scale: Scale) -> Tensor:
    """Images in their scale as pictures in [0, 1]; what lies outside is clamped. Raises GradganError for points."""
    image_scale(scale, what="pictures")
    return ((x + 1) / 2 if scale == "symmetric" else x).clamp(0, 1)


def drawing(name: str, samples: int, seed: int) -> tuple[int, torch.Generator]:
    """The number of samples to draw, checked, and a generator of the data set's own."""
    if samples < 1:
        raise GradganError(f"{name}.samples must be >= 1, got {samples}.")
    if not 0 <= seed < 2**63:
        raise GradganError(f"{name}.seed must lie in 0..2^63 - 1, got {seed}.")
    return samples, torch.Generator().manual_seed(seed)


def another_seed(seed: int) -> int:
    """The seed of the held-out samples of data that are drawn from `seed`.

    Half the way round the 32 bits that torch's generator on the CPU looks at: 2^62 would draw the same as 0.
    """
    return (seed + 2**31) % 2**32
