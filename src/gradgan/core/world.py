"""The processes that train together, and what of the global batch belongs to each. One process is the identity.

The global batch of W ranks is one process's batch: rank r owns its samples r, r + W, r + 2W, ... Whatever is random is
drawn for the global batch by every rank, which keeps its own part; so the streams are the same for any W.
"""

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as fn
from torch import Tensor

from .errors import GradganError, LostRankError

GO_ON = (
    "The last checkpoint is kept: start again with the same command and --resume, or let torchrun do it with "
    "--max-restarts."
)


@dataclass(frozen=True)
class World:
    """Which of how many ranks this process is. With size 1 every method returns what it was given.

    All ranks must call the collective methods (all but `share`) in the same order.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Is it the rank that writes?"""
        return self.rank == 0

    @property
    def part(self) -> slice:
        """This rank's samples of a global batch. Every W-th one, so that the first half of a part lies in the first
        half of the batch."""
        return slice(self.rank, None, self.size)

    def share(self, batch: int, *, halves: bool = False) -> int:
        """How many samples of a global batch each rank has; with `halves`, of each half. Raises GradganError."""
        parts = self.size * (2 if halves else 1)
        if self.size > 1 and batch % parts:
            why = " (a variational run divides each process's part into halves)" if halves else ""
            raise GradganError(
                f"batch={batch} is shared by {self.size} processes and must be a multiple of {parts}{why}. "
                f"Use batch={batch // parts * parts or parts} or batch={batch // parts * parts + parts}."
            )
        return batch // self.size

    # ---- within a graph: differentiable, any number of times --------------------------------------------------------

    def total(self, x: Tensor) -> Tensor:
        """The sum over the ranks of a tensor of one shape."""
        return x if self.size == 1 else _Total.apply(x, self)

    def mean(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The mean over the ranks of each tensor, in one exchange."""
        if self.size == 1:
            return tuple(tensors)
        flat = self.total(torch.cat([t.reshape(-1) for t in tensors])) / self.size
        parts = flat.split([t.numel() for t in tensors])
        return tuple(part.reshape(t.shape) for part, t in zip(parts, tensors, strict=True))

    def gather(self, x: Tensor) -> Tensor:
        """The values (W n,) of the global batch, of which each rank has its part (n,)."""
        if self.size == 1:
            return x
        # A row per sample, a column per rank: read row by row it is the global batch in its order.
        return self.total(fn.pad(x[:, None], (self.rank, self.size - 1 - self.rank))).reshape(-1)

    # ---- beside a graph ---------------------------------------------------------------------------------------------

    @torch.no_grad()
    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over the ranks in the place of each tensor, in one exchange for each of their types."""
        if self.size == 1:
            return
        for dtype in dict.fromkeys(t.dtype for t in tensors):
            own = [t for t in tensors if t.dtype == dtype]
            for t, mean in zip(own, self.mean(own), strict=True):
                t.copy_(mean)  # not a view of the flat tensor: fused Adam wants the parameter's memory layout

    @torch.no_grad()
    def mean_numbers(self, numbers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The mean over the ranks of each number, by name."""
        if self.size == 1 or not numbers:
            return dict(numbers)
        values = torch.stack([value.to(self.device, torch.float64).reshape(()) for value in numbers.values()])
        return dict(zip(numbers, (self.total(values) / self.size).unbind(), strict=True))

    def wait(self) -> None:
        """Go on when every rank has come here."""
        if self.size > 1:
            self.total(torch.zeros(1, device=self.device)).cpu()

    @torch.no_grad()
    def agree(self, tensors: Sequence[Tensor], *, step: int) -> None:
        """Raise GradganError on every rank unless all of them hold the same bits at the same step."""
        if self.size == 1:
            return
        sums = [t.detach().contiguous().view(torch.uint8).to(torch.int64).sum() for t in tensors if t.numel()]
        own = torch.stack([torch.tensor(step, device=self.device), *(s.to(self.device) for s in sums)])
        rows = self.total(fn.one_hot(torch.tensor(self.rank), self.size).to(self.device)[:, None] * own)
        if (rows != rows[0]).any():
            steps = rows[:, 0].tolist()
            what = f"stand at steps {steps}" if len(set(steps)) > 1 else f"hold different weights at step {step}"
            raise GradganError(
                f"the {self.size} processes {what}. All of them need the same run folder, the same gradgan and the "
                "same torch; then go on with --resume."
            )


class _Total(torch.autograd.Function):
    """The sum over the ranks. Each rank's result depends on every rank's input, so its backward is a sum too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, world: World) -> Tensor:
        ctx.world = world
        total = x.contiguous().clone()
        with lost_rank():
            torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _Total.apply(gradients[0], ctx.world), None


@contextmanager
def lost_rank() -> Iterator[None]:
    """Tell in one line that another rank cannot be reached."""
    try:
        yield
    except RuntimeError as error:
        # Whoever keeps the error must not keep the group, which the library's frames hold, alive to Python's end.
        traceback.clear_frames(error.__traceback__)
        raise LostRankError(
            f"another process of this job has died or cannot be reached ({_reason(error)}). {GO_ON}"
        ) from error


def _reason(error: RuntimeError) -> str:
    """The first sentence, without the place in the library's source."""
    first = str(error).strip().splitlines()[0]
    return re.sub(r"\[?/\S+:\d+\]? *", "", first).split(". ")[0]
