"""What every process of tests/training/test_parallel.py computes: gradients case by case, then whole trainings.

python rank.py OUT, with torchrun's environment variables; without them, in one process.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from gradgan.core.world import World
from gradgan.experiment import Experiment, build, configure
from gradgan.experiment.build import schedule_of
from gradgan.losses import LOSSES
from gradgan.penalties import PENALTIES
from gradgan.training.parallel import join, leave
from gradgan.training.steps import play_round

ENGINES = ("auto", "double_backward", "usual")
SMALL = ["batch=12", "data.samples=48", "latent=3", "generator.widths=[8]", "critic.widths=[8]", "penalties={}"]


OF_A_BATCH = ("diversity/", "force/", "critic/told", "critic/memory", "generator/unrest")
"""Numbers that compare the samples of one batch: with several processes, the mean of what each sees in its own."""


def cases() -> dict[str, tuple[list[str], str | None]]:
    """By name: the settings, and a loss in the place of the system's."""
    found: dict[str, tuple[list[str], str | None]] = {}
    for labels in (False, True):
        of = [f"conditional={str(labels).lower()}"]
        word = "labels" if labels else "plain"
        for name in PENALTIES:
            own = [f"{name}.weight=0.7"]
            if name.startswith("gon_"):
                own = ["system=gc_gan", f"reading={name.removeprefix('gon_')}", "critic.activation=silu", *own]
            elif name in ("r1", "r2"):
                own = ["system=gan", "r1.weight=0.3", *own]
            else:
                own = ["system=gan", *own]
            # The engine takes what is said as points x profile; the other penalties go one way only.
            for engine in ENGINES if hasattr(PENALTIES.make(name), "points") else ENGINES[:1]:
                found[f"{name} {engine} {word}"] = ([*of, *own, f"engine={engine}"], None)
        for name in LOSSES:
            for engine in ENGINES:
                found[f"{name} {engine} {word}"] = ([*of, "system=r1", f"engine={engine}"], name)
    for name in ("relativistic", "relativistic_average"):
        found[f"{name} consensus"] = (["system=gan", "consensus.weight=0.5"], name)
        found[f"{name} gon_synthetic"] = (["system=gc_gan", "reading=synthetic", "critic.activation=silu"], name)
    found["variational"] = (["system=r3gan", "variational.on=true"], None)
    found["features"] = (["system=atgp", "variational.on=true", "variational.of=features"], None)
    found["batch norm"] = (["system=r3gan", "generator.norm=batch"], None)
    found["batch norm paid twice"] = (["system=gan", "generator.norm=batch", "consensus.weight=0.5"], None)
    found["clipped"] = (["system=wgan_gp", "clip_gradient=0.01"], None)
    found["spectral norm"] = (["system=r1", "critic.spectral_norm=true"], None)
    return found


class Doubles:
    """A loader whose samples are float64."""

    def __init__(self, batches) -> None:
        self.batches = batches

    def __iter__(self):
        return self

    def __next__(self):
        real, labels = next(self.batches)
        return real.double(), labels

    def state_dict(self):
        return self.batches.state_dict()

    def load_state_dict(self, state):
        self.batches.load_state_dict(state)


def doubled(experiment: Experiment) -> Experiment:
    """The same experiment in float64; random numbers stay those of float32."""
    state = experiment.state
    for network in (*state.networks.values(), state.average):
        network.double()
    state.batches = Doubles(state.batches)
    single = state.latents
    state.latents = lambda n, stream="latent": single(n, stream).double()  # type: ignore[method-assign]
    return experiment


def experiment_of(settings: list[str], loss: str | None, world: World) -> Experiment:
    experiment = build(configure("ring", settings=[*settings[:1], *SMALL, *settings[1:]]), world)
    if loss is None:
        return experiment
    system = replace(experiment.system, loss=LOSSES.make(loss))
    return replace(experiment, system=system, players=system.players())


def play(experiment: Experiment, rounds: int, *, measure: bool = False) -> dict[str, Tensor]:
    config, numbers = experiment.config, {}
    for step in range(rounds):
        numbers = play_round(
            experiment.state,
            experiment.players,
            experiment.system.loss,
            progress=step / rounds,
            latents=experiment.system.latents,
            rates=schedule_of(config.lr),
            conditional=config.conditional,
            measure=measure and step == rounds - 1,
            engine=config.engine,
        )
    return numbers


def gradients(world: World) -> Iterator[tuple[str, Tensor]]:
    """Each player's gradient after one round, and what was measured in it."""
    for name, (settings, loss) in cases().items():
        experiment = doubled(experiment_of(settings, loss, world))
        numbers = play(experiment, 1, measure=True)
        for player, parameters in experiment.state.parameters.items():
            pieces = [p.grad.flatten() for p in parameters if p.grad is not None]
            yield f"{name}|{player}", torch.cat(pieces)
        means = [k for k in sorted(numbers) if not k.startswith(OF_A_BATCH)]
        yield f"{name}|numbers", torch.stack([numbers[k].double().reshape(()) for k in means])


class Unaveraged(World):
    """The fault of a second backward that DDP never reduces: each rank keeps its own gradient."""

    def average_(self, tensors) -> None:
        pass


class OwnMeans(World):
    """The fault of a norm of the rank's own gradient, and of batch normalisation by the rank's own samples."""

    def mean(self, tensors):
        return tuple(tensors)

    def average_(self, tensors) -> None:
        World(self.rank, self.size).average_(tensors)


def faults(world: World) -> Iterator[tuple[str, Tensor]]:
    """What the field does wrong under data parallelism, each once; in one process none of it is wrong."""
    known = cases()
    own = replace(LOSSES.make("relativistic_average"), whole_batch=False)
    for name, wrong in {
        "r1 auto plain": Unaveraged,
        "gp_gan auto plain": OwnMeans,
        "relativistic_average consensus": OwnMeans,
        "batch norm": OwnMeans,
        "relativistic_average auto plain": World,
    }.items():
        settings, loss = known[name]
        experiment = doubled(experiment_of(settings, loss, wrong(world.rank, world.size)))
        if wrong is World:
            system = replace(experiment.system, loss=own)
            experiment = replace(experiment, system=system, players=system.players())
        play(experiment, 1)
        pieces = [p.grad.flatten() for own in experiment.state.parameters.values() for p in own if p.grad is not None]
        yield f"fault|{name}", torch.cat(pieces)


def weights(experiment: Experiment) -> Tensor:
    state = experiment.state
    return torch.cat([t.flatten().double() for n in (*state.networks.values(), state.average) for t in n.parameters()])


TRAININGS = {
    "r3gan": ["system=r3gan"],
    "wgan_gp labels": ["conditional=true", "system=wgan_gp", "critic_steps=2"],
}


def everything(world: World) -> dict[str, Tensor]:
    torch.set_num_threads(1)
    found = dict(gradients(world)) | dict(faults(world))
    for name, settings in TRAININGS.items():
        experiment = doubled(experiment_of([*settings, "optimiser.lr=5e-4"], None, world))
        play(experiment, 200)
        found[f"200 steps|{name}"] = weights(experiment)
    return found


def drift(world: World) -> Tensor:
    """The weights after 500 steps in float32, as they came out."""
    experiment = experiment_of(["system=r3gan"], None, world)
    play(experiment, 500)
    return weights(experiment)


if __name__ == "__main__":
    joined = join(torch.device("cpu"))
    results = everything(joined) | {"500 steps": drift(joined)}
    whole = {name: value.detach().contiguous() for name, value in results.items()}
    save_file(whole, Path(sys.argv[1]) / f"{joined.rank}.safetensors")
    leave(joined)
