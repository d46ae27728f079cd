"""Joining the processes that torchrun started, watching that none of them is lost, and leaving them.

Rank 0 alone writes and prints. The others play the same rounds, call no hook, and end when rank 0 does.
"""

import hashlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from ..core.checks import GradganError
from ..core.errors import LostRankError
from ..core.launch import Launch, launched
from ..core.world import World, lost_rank
from .hooks import Hook
from .state import Numbers, State

_BEAT = 5.0
"""Seconds between a rank's signs of life."""
_PATIENCE = 40.0
"""A rank that gave none for so many seconds is lost."""
# Rank 0 may draw, measure and save for long between two rounds; who is alive is told by the signs of life.
_TIMEOUT = timedelta(hours=2)
_STORE_TIMEOUT = timedelta(seconds=20)


def join(device: torch.device) -> World:
    """The world of the processes that torchrun started, with this one in it: gloo on the CPU, NCCL on CUDA, where each
    process of a machine takes the GPU of its local rank. Without torchrun, one process, and nothing is imported.

    Raises GradganError for more processes than GPUs, and LostRankError where the others cannot be reached.
    """
    place = launched()
    if place.size == 1:
        return World(device=device)
    if device.type == "cuda":
        device = _own_gpu(place)
    if not dist.is_initialized():
        with lost_rank():
            dist.init_process_group(
                "nccl" if device.type == "cuda" else "gloo",
                timeout=_TIMEOUT,
                device_id=device if device.type == "cuda" else None,
            )
            _Watch.begin(place)
    return World(place.rank, place.size, device)


def _own_gpu(place: Launch) -> torch.device:
    there = torch.cuda.device_count()
    if place.local >= there:
        raise GradganError(
            f"this machine has {there} GPUs and its process {place.local + 1} wants one of its own. Start it with "
            f"torchrun --nproc-per-node {there}, or train on the CPU with --device cpu."
        )
    device = torch.device("cuda", place.local)
    torch.cuda.set_device(device)
    return device


def leave(world: World) -> None:
    """Part from the others once all of them have come here. After an error do not: they learn of it by our end."""
    if world.size > 1:
        world.wait()
        _Watch.end()
        dist.destroy_process_group()


@dataclass
class Silent:
    """A hook as the other ranks have it: asked when to measure, which all ranks do together, and never called."""

    hook: Hook

    def wants_numbers(self, step: int) -> bool:
        """As on rank 0; so it must follow from the step alone."""
        return self.hook.wants_numbers(step)

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Rank 0 does it."""


@dataclass
class SameWeights:
    """Every `every` rounds, all ranks make sure that they hold the same bits."""

    every: int

    def wants_numbers(self, step: int) -> bool:
        """Never."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Raise GradganError on every rank if one has drifted away."""
        if state.step % self.every == 0:
            same_weights(state)


def same_weights(state: State) -> None:
    """Raise GradganError on every rank unless all have the same weights at the same step."""
    state.world.agree([p for own in state.parameters.values() for p in own], step=state.step)


def hooks_of(world: World, hooks: Sequence[Hook], *, check_every: int) -> list[Hook]:
    """The hooks as this rank has them."""
    if world.size == 1:
        return list(hooks)
    # First, so that weights that differ are never saved.
    return [SameWeights(check_every), *(hooks if world.first else map(Silent, hooks))]


# ---- one message ----------------------------------------------------------------------------------------------------


def tell(error: Exception) -> bool:
    """Print the error on stderr, unless another rank has printed the same, or this is only the echo of one told.

    Returns whether it was printed. A store that cannot be reached any more keeps nobody silent.
    """
    message = f"gradgan: {error}"
    echo = isinstance(error, LostRankError)
    try:
        store = _store()
        before = store.add(_key(launched(), "told"), 1) - 1
        same = store.add(_key(launched(), hashlib.sha256(message.encode()).hexdigest()), 1) - 1
    except (RuntimeError, GradganError):
        before = same = 0
    if (before if echo else same) > 0:
        return False
    print(message, file=sys.stderr, flush=True)
    return True


def _store() -> TCPStore:
    """A connection of our own to the key-value store at which the processes met."""
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(host, port, is_master=False, timeout=_STORE_TIMEOUT)


def _key(place: Launch, what: object) -> str:
    return f"gradgan/{place.restart}/{what}"


# ---- signs of life --------------------------------------------------------------------------------------------------


class _Watch(threading.Thread):
    """Gives a sign of life every few seconds, and looks for the next rank's; ends the process if that stays away.

    A process that dies closes its connections, which the others see at once. This is for one that hangs, or whose
    machine is gone.
    """

    _running: "_Watch | None" = None

    @classmethod
    def begin(cls, place: Launch) -> None:
        cls._running = cls(place)
        cls._running.start()

    @classmethod
    def end(cls) -> None:
        if cls._running is not None:
            cls._running.over.set()
            cls._running.join()
            cls._running = None

    def __init__(self, place: Launch) -> None:
        super().__init__(name="gradgan watch", daemon=True)
        self.place = place
        self.over = threading.Event()
        self.store = _store()

    def run(self) -> None:
        own = _key(self.place, f"alive/{self.place.rank}")
        other = (self.place.rank + 1) % self.place.size
        last, since = -1, time.monotonic()
        while not self.over.wait(_BEAT):
            try:
                self.store.add(own, 1)
                now = self.store.add(_key(self.place, f"alive/{other}"), 0)
            except RuntimeError:
                self._lost("the process or machine where they meet")
                return
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                self._lost(f"process {other} of {self.place.size}")
                return

    def _lost(self, who: str) -> None:
        """The main thread waits for that process within the library and cannot be woken."""
        if not self.over.is_set():
            tell(LostRankError(
                f"{who} has given no sign of life for {_PATIENCE:.0f} seconds. The last checkpoint is kept: start "
                "again with the same command and --resume, or use torchrun --max-restarts."
            ))  # fmt: skip
            os._exit(4)
