"""Rounds a second of a preset, case by case, and of the shortest loop by hand."""

import re
from collections.abc import Callable

import torch

from ..core.checks import GradganError, finite
from ..experiment import Experiment, build, configure
from ..experiment.play import play
from ..training.state import Numbers, State
from .by_hand import ring_by_hand
from .measuring import Work, interleaved, machine
from .options import TrainBench
from .result import Cell, Result

_BY_HAND = "by hand"
_LEGEND = "/2: the rate over that of case 2. By hand: the shortest loop with the same networks, batch and optimiser."


def train(options: TrainBench) -> Result:
    """Time every case on its own copy of the experiment, interleaved. Raises GradganError for what does not fit."""
    finite(options.steps, what="steps", minimum=1)
    if not options.cases:
        raise GradganError("no cases to time; give some, as in --cases engine=auto engine=usual.")
    threads = torch.get_num_threads()
    experiments = {case: _built(options, case) for case in options.cases}
    own = next(iter(experiments.values())).config.threads  # as a run of the preset would
    torch.set_num_threads(options.threads or own or threads)
    try:
        players: dict[str, Callable[[int], object]] = {case: fitting(e) for case, e in experiments.items()}
        if options.preset == "ring":
            players[_BY_HAND] = ring_by_hand(_built(options, "engine=auto"))
        device = next(iter(experiments.values())).state.device
        cases: dict[str, Work] = {name: _some(play, options.steps) for name, play in players.items()}
        seconds = interleaved(cases, options.rounds, device)
        about = machine(device)
    finally:
        torch.set_num_threads(threads)
    rates = {case: options.steps / taken for case, taken in seconds.items()}
    rows = [_row(number, case, rates) for number, case in enumerate(rates, 1)]
    shared = f", {' '.join(options.settings)}" if options.settings else ""
    about |= {"rounds": f"{options.rounds} x {options.steps} steps"}
    title = (
        f"Training {options.preset}{shared}: whole rounds, with the numbers that are logged measured but not written"
    )
    formats = {"steps/s": ".1f"} | {heading: ".2f" for heading in rows[0] if heading.startswith("/")}
    return Result(f"train_{options.preset}", title, about, rows, formats, _LEGEND)


def _row(number: int, case: str, rates: dict[str, float]) -> dict[str, Cell]:
    """Its rate, and over that of every case by its number."""
    row: dict[str, Cell] = {"no": number, "case": case, "steps/s": rates[case]}
    return row | {f"/{k}": rates[case] / rate for k, rate in enumerate(rates.values(), 1)}


def _built(options: TrainBench, case: str) -> Experiment:
    # Commas separate settings, but not within a list: widths=[8,8].
    own = [setting.strip() for setting in re.split(r",(?![^\[]*\])", case) if setting.strip()]
    return build(configure(options.preset, settings=[*options.settings, *own]))


def _some(play: Callable[[int], object], rounds: int) -> Work:
    return lambda: play(rounds)


class _Measuring:
    """Wants the numbers where a run would log them, and leaves them unread."""

    def __init__(self, every: int) -> None:
        self.every = every

    def wants_numbers(self, step: int) -> bool:
        """On the steps that would be logged."""
        return self.every > 0 and step % self.every == 0

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Nothing is written."""


def fitting(experiment: Experiment) -> Callable[[int], object]:
    """What trains the experiment on by so many rounds, measuring what a run would log and writing nothing."""
    hook = _Measuring(experiment.config.log.every)
    return lambda rounds: play(experiment, hooks=[hook], steps=experiment.state.step + rounds)
