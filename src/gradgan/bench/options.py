"""What can be measured, as plain data: the command line's options and the callers' arguments. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CriticName = Literal["sequential", "residual", "spectral", "projection"]
EngineName = Literal["sweep", "double_backward", "usual"]
PenaltyName = Literal["r1", "r1 + r2", "wgan_gp", "dragan"]


@dataclass(frozen=True)
class PenaltiesBench:
    """One critic step with each penalty by each engine, over the step without a penalty."""

    critics: tuple[CriticName, ...] = ("sequential", "residual", "spectral", "projection")
    """Which critics."""
    penalties: tuple[PenaltyName, ...] = ("r1", "r1 + r2", "wgan_gp", "dragan")
    """Which penalties."""
    engines: tuple[EngineName, ...] = ("sweep", "double_backward", "usual")
    """Which ways to differentiate them."""
    channels: int = 64
    """Width of the critics."""
    batch: int = 64
    """Real samples in a step; as many fake ones."""
    size: int = 32
    """Side of the pictures; a multiple of 8."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What layers compute in; bfloat16 is torch.autocast."""
    rounds: int = 11
    """Each round runs every case once; the median of the rounds counts."""
    threads: int | None = None
    """Processor threads; torch's own choice where it is left out."""
    device: str = "cpu"
    """cpu or cuda."""
    out: Path | None = None
    """A folder for the numbers as JSON and the picture."""


@dataclass(frozen=True)
class TrainBench:
    """Rounds a second of a preset by each case, and for ring of the shortest loop by hand."""

    preset: str = "ring"
    """Which preset."""
    cases: tuple[str, ...] = ("engine=auto", "engine=double_backward", "engine=usual")
    """What differs, as in --set; several settings of one case are joined by commas."""
    settings: tuple[str, ...] = ()
    """What all cases share, as in --set."""
    steps: int = 50
    """Rounds of training that are timed together."""
    rounds: int = 11
    """How often each case is timed; the median counts."""
    threads: int | None = None
    """Processor threads; the preset's where it is left out."""
    out: Path | None = None
    """A folder for the numbers as JSON."""


@dataclass(frozen=True)
class RanksBench:
    """Rounds a second by the processes that torchrun started, over one process with as many threads."""

    preset: str = "mnist_conv"
    """Which preset."""
    settings: tuple[str, ...] = ()
    """What both share, as in --set."""
    steps: int = 20
    """Rounds of training that are timed together."""
    rounds: int = 11
    """How often each is timed, in turn; the median counts."""
    out: Path | None = None
    """A folder for the numbers as JSON."""


@dataclass(frozen=True)
class ApproximateBench:
    """Bias and noise of approximate_r1 against r1, on critics of the digits preset that were trained for a while."""

    sigmas: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0)
    """Sizes of the step."""
    steps: int = 500
    """Rounds for which the critics are trained first."""
    samples: int = 500
    """Real samples that are looked at."""
    draws: int = 1000
    """Draws at each of them."""
    batch: int = 64
    """Size of the batches whose noise is told."""
    out: Path | None = None
    """A folder for the numbers as JSON."""


@dataclass(frozen=True)
class MetricsBench:
    """The Fréchet distance, the metric with its error, and scipy's matrix root beside them."""

    features: int = 2048
    """Width of the features."""
    samples: int = 10_000
    """In each of the two sets."""
    rounds: int = 11
    """How often each way is timed; the median counts."""
    threads: int | None = None
    """Processor threads; torch's own choice where it is left out."""
    out: Path | None = None
    """A folder for the numbers as JSON."""
