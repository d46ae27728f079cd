"""What several processes gain over one with as many threads, timed in turn in one job of torchrun."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..core.checks import GradganError, finite
from ..core.world import World
from ..experiment import build, configure
from ..experiment.build import device_of
from ..training.parallel import join, leave
from .measuring import Work, interleaved, machine
from .options import RanksBench
from .result import Cell, Result
from .train import fitting

_LEGEND = "ratio: the rate over that of one process. The global batch is the same; the other processes wait meanwhile."


def ranks(options: RanksBench) -> Result | None:
    """Both ways on copies of one experiment; None on every rank but the first. Raises GradganError without torchrun."""
    finite(options.steps, what="steps", minimum=1)
    config = configure(options.preset, settings=list(options.settings))
    world = join(device_of(config.device))
    if world.size == 1:
        raise GradganError("bench ranks compares processes; start it with torchrun --nproc-per-node 2 -m gradgan ...")
    alone, shared = fitting(build(config, World(device=world.device))), fitting(build(config, world))

    def one() -> None:
        if world.first:
            with _threads(world.size):
                alone(options.steps)
        world.wait()

    def several() -> None:
        with _threads(1):
            shared(options.steps)
        world.wait()

    cases: dict[str, Work] = {
        f"1 process, {world.size} threads": one,
        f"{world.size} processes, 1 thread each": several,
    }
    seconds = interleaved(cases, options.rounds, world.device)
    leave(world)
    return (
        _result(options, {case: options.steps / taken for case, taken in seconds.items()}, world)
        if world.first
        else None
    )


@contextmanager
def _threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _result(options: RanksBench, rates: dict[str, float], world: World) -> Result:
    base = next(iter(rates.values()))
    rows: list[dict[str, Cell]] = [
        {"case": case, "steps/s": rate, "ratio": rate / base} for case, rate in rates.items()
    ]
    about = machine(world.device) | {"rounds": f"{options.rounds} x {options.steps} steps"}
    about.pop("threads")
    shared = f", {' '.join(options.settings)}" if options.settings else ""
    title = f"Training {options.preset}{shared}: whole rounds at the same global batch"
    return Result(f"ranks_{options.preset}", title, about, rows, {"steps/s": ".1f", "ratio": ".2f"}, _LEGEND)
