"""How right approximate_r1 is: its bias and noise against r1, on critics that have been trained for a while."""

import torch
from torch import Tensor, nn

from ..core.checks import finite
from ..core.rng import Streams
from ..experiment import Experiment, build, configure
from ..experiment.build import schedule_of
from ..penalties import PENALTIES, r1
from ..training.trainer import fit
from .measuring import machine
from .options import ApproximateBench
from .result import Cell, Result

_LEGEND = """bias %: of the mean over samples and draws, +- its standard error over draws
1 draw %, batch %: standard deviation over draws for one sample, and of the mean over a batch; all of the mean of r1"""
_CRITICS = {"leaky ReLU": "leaky_relu", "SiLU": "silu"}


def approximate(options: ApproximateBench) -> Result:
    """Mean over data and draws, and spread over draws, for each step size, in float32 and in bfloat16."""
    for name in ("steps", "samples", "draws", "batch"):
        finite(getattr(options, name), what=name, minimum=2)
    rows = [row for shown, activation in _CRITICS.items() for row in _rows_of(shown, activation, options)]
    title = (
        f"approximate_r1 against r1: critics of the digits preset after {options.steps} steps, {options.samples} real "
        f"samples, {options.draws} draws at each"
    )
    formats = {"sigma": "g", "r1": ".4g", "approx.": ".4g", "bias %": "+.2f", "+-": ".2f", "1 draw %": ".0f",
               "batch %": ".0f"}  # fmt: skip
    about = machine(torch.device("cpu")) | {"batch": str(options.batch)}
    return Result("approximate", title, about, rows, formats, _LEGEND)


def _rows_of(shown: str, activation: str, options: ApproximateBench) -> list[dict[str, Cell]]:
    experiment = _trained(activation, options.steps)
    critic = experiment.state.networks["critic"].requires_grad_(False).eval()
    real = experiment.dataset.scaled(slice(options.samples))
    exact = r1(critic, real).double().mean().item()
    rows: list[dict[str, Cell]] = []
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        for sigma in options.sigmas:
            with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
                values = _values(critic, real, sigma, options.draws)
            means = values.mean(1)
            # Over the draws only: the samples are the same ones that r1 was taken at.
            error = (means.std() / len(means) ** 0.5).item()
            within = values.var(0).mean().sqrt().item()
            rows.append({
                "critic": shown, "precision": precision, "sigma": sigma, "r1": exact,
                "approx.": means.mean().item(), "bias %": 100 * (means.mean().item() / exact - 1),
                "+-": 100 * error / exact, "1 draw %": 100 * within / exact,
                "batch %": 100 * within / options.batch**0.5 / exact,
            })  # fmt: skip
    return rows


def _values(critic: nn.Module, real: Tensor, sigma: float, draws: int) -> Tensor:
    """(draws, samples)"""
    penalty = PENALTIES.make("approximate_r1", sigma=sigma)
    rng = Streams(0)["penalty"]
    with torch.no_grad():
        return torch.stack([penalty(critic, real, rng=rng) for _ in range(draws)]).double()


def _trained(activation: str, steps: int) -> Experiment:
    experiment = build(configure("digits", settings=[f"critic.activation={activation}"]))
    config = experiment.config
    fit(experiment.state, experiment.players, experiment.system.loss, steps=steps, rates=schedule_of(config.lr))
    return experiment
