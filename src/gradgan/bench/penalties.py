"""A critic's step with each penalty by each engine, over the step without one."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext

import torch
from torch import nn

from ..core.checks import GradganError, finite
from ..engine import critic_backward
from ..engine.price import PRICES
from ..losses import relativistic
from ..penalties import PENALTIES
from ..training.objective import Term
from .critics import CLASSES, CRITICS
from .measuring import Work, flops, interleaved, machine, peak_memory
from .options import PenaltiesBench
from .result import Cell, Result

_PLAIN = ("none", "plain")
_WEIGHT = 1.0
_SHORT = {"double_backward": "double"}
_LEGEND = """ratio: time over the step without a penalty; limit: the same by layer products (docs/sweep.md)
FLOPs: those counted, over those without a penalty; a little above the limit, because without a penalty
       the first layer needs no gradient by its input
/double, /usual: time over that of shared double backward, of the usual code
MiB: tensors alive at once, as torch's allocator hands them out; MiB/dbl: over shared double backward's"""


def penalties(options: PenaltiesBench) -> Result:
    """Time, memory and FLOPs of every case, critic after critic. Raises GradganError for options that do not fit."""
    finite(options.channels, what="channels", minimum=1)
    finite(options.batch, what="batch", minimum=2)
    if options.size < 8 or options.size % 8:
        raise GradganError(f"size must be a multiple of 8, got {options.size}: the critics halve it three times.")
    device = torch.device(options.device)
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads or threads)
    try:
        rows = [row for critic in options.critics for row in _rows_of(critic, options, device)]
        about = machine(device)
    finally:
        torch.set_num_threads(threads)
    about |= {"precision": options.precision, "rounds": str(options.rounds)}
    title = (
        f"Critic step: batch {options.batch} + {options.batch}, {options.size} x {options.size}, "
        f"{options.channels} channels, channels_last; medians of interleaved rounds in one process"
    )
    formats = {"ms": ".1f", "ratio": ".2f", "limit": ".2f", "FLOPs": ".3f", "/double": ".2f", "/usual": ".2f",
               "MiB": ".0f", "MiB/dbl": ".2f"}  # fmt: skip
    some = "" if set(options.critics) == set(CRITICS) else "_" + "_".join(options.critics)
    return Result(f"penalties_{options.precision}{some}", title, about, rows, formats, _LEGEND)


def _rows_of(name: str, options: PenaltiesBench, device: torch.device) -> Iterator[dict[str, Cell]]:
    critic, cases = cases_of(name, options, device)
    seconds = interleaved(cases, options.rounds, device)
    products = {case: flops(work) for case, work in cases.items()}
    memory = {}
    for case, work in cases.items():
        critic.zero_grad(set_to_none=True)
        memory[case] = peak_memory(work, device)

    def of(numbers: Mapping[tuple[str, str], float], case: tuple[str, str], other: tuple[str, str]) -> float | None:
        return numbers[case] / numbers[other] if other in numbers and case != _PLAIN else None

    for case in cases:
        penalty, engine = case
        way = engine if engine != "plain" else None
        yield {
            "critic": name,
            "penalty": penalty,
            "engine": _SHORT.get(engine, engine),
            "ms": seconds[case] * 1e3,
            "ratio": seconds[case] / seconds[_PLAIN],
            "limit": None if way is None else PRICES[penalty].ratio(way),  # type: ignore[arg-type]
            "FLOPs": products[case] / products[_PLAIN],
            "/double": of(seconds, case, (penalty, "double_backward")),
            "/usual": of(seconds, case, (penalty, "usual")),
            "MiB": memory[case] / 2**20,
            "MiB/dbl": of(memory, case, (penalty, "double_backward")),
        }


def cases_of(name: str, options: PenaltiesBench, device: torch.device) -> tuple[nn.Module, dict[tuple[str, str], Work]]:
    """A critic, and by (penalty, engine) the steps that are compared on it; the first is the one without penalty."""
    torch.manual_seed(0)
    critic = CRITICS[name](options.channels, options.size).to(device)
    critic.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    shape = (options.batch, 3, options.size, options.size)
    real, fake = (torch.randn(shape, device=device).to(memory_format=torch.channels_last) for _ in range(2))
    labels = torch.arange(options.batch, device=device) % CLASSES if name == "projection" else None
    half = options.precision == "bfloat16"

    def step(penalty: str, engine: str) -> Work:
        names = () if penalty == "none" else penalty.split(" + ")
        terms = [Term(PENALTIES.make(part), _WEIGHT) for part in names]
        rng = torch.Generator(device=device).manual_seed(0)

        def work() -> None:
            critic.zero_grad(set_to_none=True)
            with torch.autocast(device.type, torch.bfloat16) if half else nullcontext():
                critic_backward(critic, real, fake, loss=relativistic, terms=terms, labels=labels, rng=rng,
                                engine=engine)  # type: ignore[arg-type]  # fmt: skip

        return work

    cases: dict[tuple[str, str], Work] = {_PLAIN: step("none", "double_backward")}
    for penalty in options.penalties:
        cases |= {(penalty, engine): step(penalty, engine) for engine in options.engines}
    return critic, cases
