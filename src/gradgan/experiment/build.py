"""The only place where names become objects: a complete config -> data, networks, optimisers, state, players."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..control import CONTROLLERS, Controller
from ..core.checks import GradganError, separate_samples
from ..core.rng import Streams, isolated
from ..core.world import World
from ..data import DATASETS, Dataset, HeldOut, Loader, Scale, split
from ..networks import NETWORKS, synchronised
from ..penalties import PENALTIES, LatentPenalty
from ..systems import System
from ..training.objective import Player, Term
from ..training.schedules import Schedule
from ..training.state import State
from .complete import complete, schedule_fields, system_of
from .config import Config, ControlConfig, NetworkConfig, ScheduleConfig
from .machine import device_of
from .refuse import refuse_undifferentiable


@dataclass
class Experiment:
    """Everything that a config describes, ready to train."""

    config: Config
    dataset: Dataset
    system: System
    players: tuple[Player, ...]
    state: State
    epoch: int
    """Rounds in which the critic goes once through what is learned from."""
    kept: Tensor | None
    """Indices of the samples that `data.held_out` keeps from learning."""


def build(config: Config, world: World | None = None, *, dataset: Dataset | None = None) -> Experiment:
    """Make the experiment of a config. Raises GradganError for whatever does not fit, before anything is written.

    `world`: the ranks that share its batch; one where it is left out. `dataset`: what is learned, where that is only a
    part of what the config names, such as a fold.
    """
    config = complete(config)
    world = world or World(device=device_of(config.device))
    world.share(config.batch, halves=config.variational.on)
    if world.size > 1 and config.alarm.action == "rollback":
        raise GradganError(
            f"alarm.action=rollback is for one process, and torchrun started {world.size}. "
            "Use --on-alarm stop, and --resume with other numbers."
        )
    device = world.device
    dataset = dataset or dataset_of(config)
    if config.conditional and dataset.labels is None:
        raise GradganError(
            f"conditional=true wants labels, and data set {dataset.name!r} has none. Use --set conditional=false."
        )
    system = system_with_terms(config)
    players = system.players()
    networks = networks_of(config, dataset, system, device)
    networks = {name: synchronised(network, world) for name, network in networks.items()}
    if any(term.penalty.per_sample for term in system.terms):
        separate_samples(networks["critic"], caller=f"system {config.system!r}")
    if any(isinstance(term.penalty, LatentPenalty) for term in system.terms):
        separate_samples(networks["generator"], caller=f"system {config.system!r}", who="generator")
    refuse_undifferentiable(config, dataset, system, networks["critic"], device)
    streams = Streams(config.seed, device, world=world)
    learned, kept = split(len(dataset), config.data.held_out, rng=streams["data/held_out"])
    batches = Loader(dataset, config.batch, rng=streams["data"], device=device, indices=learned, part=world.part)
    state = State(
        networks=networks,
        optimisers={name: optimiser_of(config, name, network) for name, network in networks.items()},
        batches=batches,
        held_out=None if kept is None else HeldOut(dataset, kept, device=device),
        streams=streams,
        latent=config.latent,
        ema=config.ema,
        device=device,
    )
    state.controls = first_factors(config, system, dataset)
    epoch = max(1, batches.batches_per_epoch // (config.critic_steps or 1))
    return Experiment(config, dataset, system, players, state, epoch, kept)


def dataset_of(config: Config) -> Dataset:
    """The data set of a complete config."""
    options: dict[str, Any] = dict(config.data.options)
    if "path" in DATASETS[config.data.name].options:
        options["path"] = config.data.path
    elif config.data.path is not None:
        raise GradganError(f"data set {config.data.name!r} is not read from disk; leave data.path out.")
    return DATASETS.make(config.data.name, **options)


def system_with_terms(config: Config) -> System:
    """The system with the penalties, weights, laziness and schedules of a complete config."""
    terms = []
    for name, penalty in config.penalties.items():
        part = PENALTIES.make(name, **penalty.options)
        if penalty.weight is None:
            raise GradganError(f"penalty {name!r} has no weight; complete the config first.")
        terms.append(
            Term(
                part, penalty.weight, penalty.every, schedule_of(penalty.schedule),
                control=controller_of(penalty.control),
            )
        )  # fmt: skip
    system = system_of(config)
    theirs = {term.name for term in system.terms}
    for name in config.penalties:
        if name.startswith("gon_") and name not in theirs:
            raise GradganError(
                f"{name} needs the third player that judges by it; use --system gc_gan --set "
                f"reading={name.removeprefix('gon_')}."
            )
    return replace(
        system.with_terms(terms),
        critic_steps=config.critic_steps or system.critic_steps,
        clip_weights=config.clip_weights,
        clip_gradient=config.clip_gradient,
    )


def controller_of(control: ControlConfig) -> Controller | None:
    """The controller of a weight, if there is one."""
    return None if control.name is None else CONTROLLERS.make(control.name, **control.options)


def first_factors(config: Config, system: System, dataset: Dataset) -> dict[str, float]:
    """What each controlled weight is multiplied by at first. Raises GradganError for a controller that cannot look."""
    factors = {}
    for term in system.terms:
        if isinstance(term.control, Controller):
            if CONTROLLERS[term.control.name].facts["wants_held_out"] and not config.data.held_out:
                raise GradganError(
                    f"{term.name}.control {term.control.name} looks at held-out samples; set data.held_out=0.1."
                )
            factors[term.name] = term.control.first(dataset.event, config.batch)
    return factors


@dataclass(frozen=True)
class Facts:
    """What networks are built for, where it was kept of a data set that need not be there any more."""

    event: tuple[int, ...]
    classes: int
    scale: Scale


def networks_of(config: Config, dataset: Dataset, system: System, device: torch.device) -> dict[str, nn.Module]:
    """Every player's network by name, each initialised from its own stream of the seed."""
    players = ["critic", *(extra.player.name for extra in system.extras), "generator"]
    return {player: network_of(player, config, dataset, device) for player in players}


def network_of(player: str, config: Config, dataset: Dataset | Facts, device: torch.device) -> nn.Module:
    """One player's network, initialised from its own stream of the seed."""
    network: NetworkConfig = getattr(config, player)
    given = {
        "event": dataset.event,
        "latent": config.latent,
        "classes": dataset.classes if config.conditional and player != "gon" else 0,
        # The last activation that reaches exactly the data's scale.
        "output": {"symmetric": "tanh", "unit": "sigmoid", "none": "linear"}[dataset.scale],
    }
    name = network.name or ""
    takes = NETWORKS[name].options
    options = {**network.options, **{k: v for k, v in given.items() if k in takes}}
    with isolated(config.seed, f"init/{player}"):
        # channels_last: convolutions are a tenth to a third faster so; other layers are not touched by it.
        return NETWORKS.make(name, **options).to(device, memory_format=torch.channels_last)


def optimiser_of(config: Config, player: str, network: nn.Module) -> torch.optim.Optimizer:
    """Adam for one player; fused, which is exact and saves a third of a toy step."""
    chosen = config.optimiser
    rate = chosen.critic_lr if player == "critic" and chosen.critic_lr is not None else chosen.lr
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(chosen.beta1, chosen.beta2), fused=True)


def schedule_of(schedule: ScheduleConfig) -> Schedule:
    """A schedule as the training room knows it."""
    return Schedule(**schedule_fields(schedule))  # type: ignore[arg-type]
