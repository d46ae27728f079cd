"""The configuration of an experiment: frozen plain data with a sentence under each field. Imports no torch."""

from dataclasses import dataclass, field
from typing import Any, Literal

Plain = bool | int | float | str | None | list[int] | list[float] | list[str]
Options = dict[str, Plain]


@dataclass(frozen=True)
class ScheduleConfig:
    """How a number changes over the run."""

    shape: Literal["constant", "linear", "cosine"] = "constant"
    """Its course after `hold`."""
    final: float = 0.0
    """The factor at the end of the run (linear, cosine)."""
    warmup: float = 0.0
    """Share of the run during which the factor rises from 0."""
    hold: float = 0.0
    """Share of the run before linear or cosine begins."""


@dataclass(frozen=True)
class ControlConfig:
    """What moves a weight while training, by what is seen (docs/lambda.md)."""

    name: str | None = None
    """The controller's name in its catalog; none where it is left out."""
    options: Options = field(default_factory=dict)
    """The controller's own options, such as hold_slope's target."""


@dataclass(frozen=True)
class PenaltyConfig:
    """One penalty that is paid."""

    weight: float | None = None
    """What multiplies its mean (lambda, gamma); the system's default where it is left out."""
    every: int = 1
    """Paid on each `every`-th step, `every` times as much."""
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    """Changes the weight over the run."""
    options: Options = field(default_factory=dict)
    """The penalty's own options, such as wgan_gp's target."""
    control: ControlConfig = field(default_factory=ControlConfig)
    """Moves the weight by what is seen while training."""


@dataclass(frozen=True)
class NetworkConfig:
    """One network."""

    name: str | None = None
    """Its name in the catalog of networks; for third players the critic's family where it is left out."""
    options: Options = field(default_factory=dict)
    """The network's own options, such as widths or activation."""


@dataclass(frozen=True)
class DataConfig:
    """What is learned."""

    name: str = "digits"
    """Its name in the catalog of data sets."""
    path: str | None = None
    """Folder or file, for data sets that are read from disk."""
    held_out: float = 0.0
    """Share of the samples that is kept from training, to see whether the critic learns the others by heart."""
    options: Options = field(default_factory=dict)
    """The data set's own options, such as scale or samples."""


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam, for every player."""

    lr: float = 2e-4
    """Learning rate."""
    critic_lr: float | None = None
    """The critic's learning rate where it differs."""
    beta1: float = 0.0
    """Decay of the mean gradient."""
    beta2: float = 0.99
    """Decay of the mean squared gradient."""


@dataclass(frozen=True)
class VariationalConfig:
    """An encoder as a third player (VAE-GAN)."""

    on: bool = False
    """Does it play?"""
    reconstruction: float = 1.0
    """Weight of the reconstruction error."""
    kl: float = 0.1
    """Weight of the divergence from the prior."""
    of: Literal["samples", "features"] = "samples"
    """Where the reconstruction is measured: in the samples, or in the critic's penultimate features."""


@dataclass(frozen=True)
class EveryConfig:
    """When something happens."""

    every: int = 100
    """Every so many steps; 0 = once an epoch."""


@dataclass(frozen=True)
class AlarmConfig:
    """What is done when the run's numbers show an illness (docs/alarm.md)."""

    action: Literal["warn", "stop", "rollback"] = "warn"
    """Say so; or stop; or go back to the last checkpoint before it and on with other numbers."""
    patience: int = 6
    """Logged steps in a row that must show a sign; a number that is not finite needs none."""
    rollbacks: int = 3
    """How often a run may go back; then it stops."""


@dataclass(frozen=True)
class CheckpointConfig:
    """When the run is saved."""

    every: int = 1000
    """Every so many steps, and at the end; 0 = once an epoch."""
    keep: int = 2
    """How many of the last are kept."""
    keep_every: int = 0
    """Kept for good: those whose step it divides; 0 = none."""


@dataclass(frozen=True)
class EvaluateConfig:
    """How the averaged generator is measured, during the run and at its end (docs/metrics.md)."""

    every: int = 0
    """Every so many steps, and the best checkpoint is kept; 0 = at the end only."""
    metrics: list[str] = field(default_factory=list)
    """Which, as NAME or NAME/FEATURES; those meant for the data set where none is named."""
    samples: int = 0
    """How many generated samples, of other data than mixtures never more than training samples; 0 = 2500 of a mixture,
    else 10,000."""
    features: str | None = None
    """A file with a network of your own, for metrics as NAME/FILE'S NAME; frechet where no metric is named."""
    features_size: int = 0
    """Side of the pictures that it wants; 0 = as they are."""
    features_range: Literal["bytes", "unit", "symmetric"] = "unit"
    """Numbers that it wants: 0..255, [0, 1] or [-1, 1]."""
    features_rgb: bool = True
    """Are grey pictures repeated to three channels for it?"""
    features_content: str | None = None
    """SHA-256 of the file, filled in: a run, comparison or study keeps to one network."""


@dataclass(frozen=True)
class Config:
    """One experiment, complete."""

    preset: str = "digits"
    """The preset it began from."""
    system: str = "r3gan"
    """Losses, penalties and players, by name."""
    reading: str | None = None
    """Which reading of the system's source; its default where it is left out."""
    penalties: dict[str, PenaltyConfig] = field(default_factory=dict)
    """Penalties by name: those of the system with other numbers, or added to it."""
    conditional: bool = False
    """Are the labels given to both players?"""
    variational: VariationalConfig = field(default_factory=VariationalConfig)
    """VAE-GAN."""
    data: DataConfig = field(default_factory=DataConfig)
    """What is learned."""
    generator: NetworkConfig = field(default_factory=lambda: NetworkConfig("mlp_generator"))
    """The network that makes samples."""
    critic: NetworkConfig = field(default_factory=lambda: NetworkConfig("mlp_critic"))
    """The network that scores them."""
    gon: NetworkConfig = field(default_factory=NetworkConfig)
    """The gradient optimisation network of gc_gan."""
    encoder: NetworkConfig = field(default_factory=NetworkConfig)
    """The encoder of a variational run."""
    latent: int = 64
    """Width of the latent z."""
    batch: int = 64
    """Samples per update."""
    steps: int = 5000
    """Rounds: the critic's updates, then one of everybody else's."""
    critic_steps: int | None = None
    """Critic updates per round; the system's default where it is left out."""
    clip_weights: float | None = None
    """Bound on every weight of the critic after each update; the system's default where it is left out."""
    clip_gradient: float | None = None
    """Bound on the norm of each player's gradient; none where it is left out."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """How the players descend."""
    lr: ScheduleConfig = field(default_factory=ScheduleConfig)
    """How the learning rates change over the run."""
    ema: float = 0.999
    """Decay per step of the generator's average, from which samples are drawn."""
    engine: Literal["auto", "sweep", "double_backward", "usual"] = "auto"
    """How the critic's gradient penalties are differentiated (docs/sweep.md); all give the same gradient."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the networks' products; weights, losses, penalties' reductions and optimisers stay float32. auto: bfloat16
    for convolutional networks, nearly as good at equal steps (docs/evidence/precision.md), where the device is fast at
    it; else float32."""
    compile: bool = False
    """Do the critic's step and the other players' losses go through torch.compile, in place of `engine`?"""
    seed: int = 0
    """Every random stream of the run starts from it."""
    device: str = "auto"
    """auto: CUDA where there is one, else the CPU."""
    threads: int = 0
    """CPU threads; 0 leaves torch's choice. Small networks are fastest, and undisturbed by neighbours, with 1."""
    log: EveryConfig = field(default_factory=lambda: EveryConfig(50))
    """When numbers are logged."""
    sample: EveryConfig = field(default_factory=lambda: EveryConfig(500))
    """When a picture is drawn from fixed latents."""
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    """When the run is saved."""
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    """When it is measured, and by what."""
    alarm: AlarmConfig = field(default_factory=AlarmConfig)
    """What is done when the run falls ill."""


def plain(config: Any) -> Any:
    """The config as nested dictionaries, lists and values."""
    from dataclasses import asdict

    return asdict(config)
