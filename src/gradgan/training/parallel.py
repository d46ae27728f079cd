"""Joining the processes that torchrun started, watching that none of them is lost, and leaving them.

Rank 0 alone writes and prints. The others play the same rounds, call no hook, and end when rank 0 does.
"""

import atexit
import hashlib
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import PrefixStore, TCPStore  # pyright: ignore[reportPrivateImportUsage]

from ..core.checks import GradganError
from ..core.errors import LostRankError
from ..core.launch import Launch, launched
from ..core.world import GO_ON, World, lost_rank
from .hooks import Hook
from .state import Numbers, State

_BEAT = 5.0
"""Seconds between a rank's signs of life."""
_PATIENCE = 40.0
"""A rank that gave none for so many seconds is lost."""
# Rank 0 may draw, measure and save for long between two rounds; who is alive is told by the signs of life.
_TIMEOUT = timedelta(hours=2)
_MEETING = timedelta(minutes=5)
_TELLING = timedelta(seconds=5)


def join(device: torch.device) -> World:
    """The world of the processes that torchrun started, with this one in it: gloo on the CPU, NCCL on CUDA, where each
    process of a machine takes the GPU of its local rank. Without torchrun, one process, and nothing is imported.

    Raises GradganError for more processes than GPUs, and LostRankError where the others cannot be reached.
    """
    place = launched()
    if place.size == 1:
        return World(device=device)
    if not place.first:
        logging.getLogger("gradgan").setLevel(logging.CRITICAL)  # what there is to say is said by rank 0
    if device.type == "cuda":
        device = _own_gpu(place)
    if not dist.is_initialized():
        # Its functions keep, as a default argument, the group that there is when they are first imported, and parts of
        # torch import it late. A group that is kept so outlives `leave`.
        importlib.import_module("torch.distributed.nn")
        with lost_rank():
            # A store of our own prefix: one that torchrun's restarts share would hold the addresses of the dead.
            dist.init_process_group(
                "nccl" if device.type == "cuda" else "gloo",
                store=PrefixStore(_key(place, "group"), _store(_MEETING, hosting=_hosts(place))),
                rank=place.rank,
                world_size=place.size,
                timeout=_TIMEOUT,
                device_id=device if device.type == "cuda" else None,
            )
            _Watch.begin(place)
        if device.type == "cpu":
            atexit.register(_part)
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


@contextmanager
def together() -> Iterator[None]:
    """Within, a rank that is lost is told of at once: torchrun may end this process before anything else is done."""
    try:
        yield
    except LostRankError as error:
        tell(str(error), echo=True)
        raise


def leave(world: World) -> None:
    """Part from the others once all of them have come here. After an error do not: they learn of it by our end."""
    if world.size > 1:
        world.wait()
        _part()


def _part() -> None:
    """End the group and its threads, at the latest when Python ends, however it does: a thread that waits for Python
    then would abort the process ("terminate called without an active exception"). NCCL, which has no such threads and
    may wait here for a rank that is lost, parts only in `leave`."""
    _Watch.end()
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def led_by_rank_0() -> Iterator[None]:
    """Within, Ctrl-C and SIGTERM are left to rank 0, which needs us to finish its round; its end is also ours."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def hooks_of(world: World, hooks: Sequence[Hook], check_every: int) -> list[Hook]:
    """The hooks as this rank has them."""
    if world.size == 1:
        return list(hooks)
    # First, so that weights that differ are never saved.
    return [SameWeights(check_every), *(hooks if world.first else map(Silent, hooks))]


# ---- one message ----------------------------------------------------------------------------------------------------


def tell(message: str, *, echo: bool = False) -> None:
    """Print the message on stderr, unless another rank has printed the same.

    An echo (that a rank was lost) is kept back if anything was told: it is the consequence, not the cause. A store that
    cannot be reached any more keeps nobody silent.
    """
    try:
        store, place = _store(_TELLING), launched()
        anything = store.add(_key(place, "told"), 1)
        this = store.add(_key(place, hashlib.sha256(message.encode()).hexdigest()), 1)
    except (RuntimeError, KeyError, GradganError):
        anything = this = 1
    if (anything if echo else this) == 1:
        print(f"gradgan: {message}", file=sys.stderr, flush=True)


def _store(timeout: timedelta, *, hosting: bool = False) -> TCPStore:
    """A connection to the key-value store at which the processes meet."""
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(host, port, is_master=hosting, timeout=timeout, wait_for_workers=False)


def _hosts(place: Launch) -> bool:
    """Does this process keep the store? torchrun keeps it itself; another launcher leaves it to rank 0."""
    return place.first and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"


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
            cls._running.join(timeout=2 * _BEAT)  # it may be asking a store that is gone
            cls._running = None

    def __init__(self, place: Launch) -> None:
        super().__init__(name="gradgan watch", daemon=True)
        self.place = place
        self.over = threading.Event()
        self.store = _store(_MEETING)

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
            tell(
                f"{who} has given no sign of life for {_PATIENCE:.0f} seconds. {GO_ON}",
                echo=True,
            )
            os._exit(LostRankError.exit_code)
