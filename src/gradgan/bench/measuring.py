"""Stopwatch, memory and FLOPs of a piece of work."""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ..core.checks import finite

# The profiler's own library reports its start and stop on stderr unless it is told not to, before its first use.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

Work = Callable[[], object]
Case = TypeVar("Case", bound=Hashable)
_WARM = 2
"""Rounds that are not counted: caches fill, the engine takes its first look, cuDNN chooses."""


def interleaved(cases: Mapping[Case, Work], rounds: int, device: torch.device) -> dict[Case, float]:
    """Median seconds of each case. A round runs every case once, in turn forwards and backwards, so that a machine
    that changes its speed changes it for all of them."""
    finite(rounds, what="rounds", minimum=1)
    seconds: dict[Case, list[float]] = {name: [] for name in cases}
    for turn in range(-_WARM, rounds):
        for name in list(cases)[:: -1 if turn % 2 else 1]:
            taken = _seconds(cases[name], device)
            if turn >= 0:
                seconds[name].append(taken)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _seconds(work: Work, device: torch.device) -> float:
    _wait(device)
    started = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def flops(work: Work) -> int:
    """What torch's own table of FLOPs knows: convolutions and matrix products, forward and backward."""
    with _Counter() as counter:
        work()
    return counter.total


class _Counter(TorchDispatchMode):
    """torch's FlopCounterMode without its module tracker, whose hooks forbid gradients by inner nodes of a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def peak_memory(work: Work, device: torch.device) -> int:
    """Bytes of tensors alive at once, at most, over those alive before: what torch's allocator hands out.

    On the CPU it is read off the profiler's record of every allocation, on CUDA off the allocator's own counter.
    Scratch space that a library allocates by itself is not in it. On the CPU what was alive before and is freed by
    `work` makes no room: the peak is of what `work` itself allocates.
    """
    if device.type == "cuda":
        _wait(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        _wait(device)
        return torch.cuda.max_memory_allocated(device) - before
    # It warns of what was allocated before and is freed within, which is not to be counted here.
    with (
        _unsaid(b"allocated before the profiling started"),
        profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record,
    ):
        work()
    alive = peak = 0
    sizes: dict[int, int] = {}
    for event in sorted(_allocations(record), key=lambda e: e.start_time_ns):
        address, size = event.typed[1].ptr, event.typed[1].alloc_size
        if size > 0:
            sizes[address] = size
        else:
            # A profile knows the size of what an earlier one saw allocated. Its end, perhaps by the garbage collector
            # in the midst of this one, is no room that `work` made.
            size = -sizes.pop(address, 0)
        alive += size
        peak = max(peak, alive)
    return peak


def _allocations(record: profile) -> Iterator[Any]:
    """Every allocation (a size above 0) and release (below 0) of a profile, in no order."""
    waiting: list[Any] = record.profiler.kineto_results.experimental_event_tree()  # pyright: ignore[reportOptionalMemberAccess]
    while waiting:
        event = waiting.pop()
        waiting.extend(event.children)
        if event.name == "[memory]":
            yield event


@contextmanager
def _unsaid(warning: bytes) -> Iterator[None]:
    """Leaves out lines with `warning` from what the process, C++ code too, writes to standard error meanwhile."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            said.seek(0)
            for line in said:
                if warning not in line:
                    os.write(2, line)


def machine(device: torch.device) -> dict[str, str]:
    """Where it was measured."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {"machine": name, "threads": str(torch.get_num_threads()), "torch": torch.__version__}


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as info:
            model = next(line.partition(":")[2].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores seen"
