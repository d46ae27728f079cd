"""All that a run is at one moment: networks, averages, optimisers, random streams, data position, step."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..core.gradients import laid_out_as
from ..core.rng import Streams, normal
from ..core.world import World
from .signs import sizes

Numbers: TypeAlias = dict[str, Tensor]
"""What a round measured, by the names of the glossary; tensors, so that nobody waits for the device."""


@runtime_checkable
class Batches(Protocol):
    """An endless loader of (real, labels), with a position that can be saved."""

    def __next__(self) -> tuple[Tensor, Tensor | None]: ...
    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@runtime_checkable
class HeldOut(Protocol):
    """Real samples that nobody learns from; which ones are looked at depends on the step alone."""

    def batch(self, step: int, n: int) -> tuple[Tensor, Tensor | None]:
        """n samples (or all, if fewer) and their labels."""
        ...


@dataclass(frozen=True)
class Rollback:
    """One return to an earlier checkpoint: why, from where, and what was changed for the rest of the run."""

    illness: str
    since: int
    left: int
    """The step at which it was decided."""
    to: int
    """The checkpoint's step."""
    rates: dict[str, float]
    """Factors of the players' learning rates."""
    weights: dict[str, float]
    """Factors of the penalties' weights."""


class State:
    """One object that is saved, restored and passed around; `state_dict()` is nested plain data and tensors."""

    def __init__(
        self,
        *,
        networks: Mapping[str, nn.Module],
        optimisers: Mapping[str, torch.optim.Optimizer],
        batches: Batches,
        streams: Streams,
        latent: int,
        ema: float,
        held_out: HeldOut | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """`networks` and `optimisers` by player name; `ema` is the decay of the generator's average per round."""
        self.networks = dict(networks)
        self.optimisers = dict(optimisers)
        self.batches = batches
        self.streams = streams
        self.held_out = held_out
        self.latent = latent
        self.device = torch.device(device)
        self.step = 0
        self.seconds = 0.0
        self.best: dict[str, Any] | None = None
        """The best evaluation so far: the name of its number, its value and its step."""
        self.rollbacks: list[Rollback] = []
        self.controls: dict[str, float] = {}
        """What controllers made of the penalties' weights until now: factors by name."""
        # Buffers too: an average with stale BatchNorm statistics is another network (GAN_stability's fault).
        self.average = AveragedModel(
            self.networks["generator"], multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=True
        )
        self.average.requires_grad_(False)
        self.parameters = {name: list(network.parameters()) for name, network in self.networks.items()}
        # Of the weights as they were drawn: a resumed run draws the same ones before it loads its own.
        self.first_sizes = {name: sizes(own) for name, own in self.parameters.items()}
        self.base_rates = {
            name: [float(group["lr"]) for group in optimiser.param_groups]
            for name, optimiser in self.optimisers.items()
        }

    @property
    def world(self) -> World:
        """The ranks that train together, as the random streams are divided among them."""
        return self.streams.world

    @property
    def generator(self) -> nn.Module:
        """The averaged generator, the one to sample from."""
        return self.average.module

    def latents(self, n: int, stream: str = "latent") -> Tensor:
        """n prior latents from a named stream; with several ranks, this one's n."""
        return normal((n, self.latent), rng=self.streams[stream], like=torch.empty(0, device=self.device))

    def scale_rates(self, factor: float) -> None:
        """Every learning rate times `factor`, from its value at the start, times what rollbacks made of it."""
        for name, optimiser in self.optimisers.items():
            changed = factor * prod(rollback.rates.get(name, 1.0) for rollback in self.rollbacks)
            for group, base in zip(optimiser.param_groups, self.base_rates[name], strict=True):
                group["lr"] = base * changed

    @property
    def weights(self) -> dict[str, float]:
        """What rollbacks and controllers made of the penalties' weights: factors by name, of those changed."""
        names = {name for rollback in self.rollbacks for name in rollback.weights} | set(self.controls)
        changed = {name: prod(rollback.weights.get(name, 1.0) for rollback in self.rollbacks) for name in sorted(names)}
        return {name: factor * self.controls.get(name, 1.0) for name, factor in changed.items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "average": self.average.state_dict(),
            "batches": self.batches.state_dict(),
            "streams": self.streams.state_dict(),
            "rollbacks": [asdict(rollback) for rollback in self.rollbacks],
            "controls": dict(self.controls),
        }

    def load_state_dict(self, saved: dict[str, Any], *, globally: bool = True) -> None:
        """Put everything back, torch's global generator only if `globally`.

        What does not fit raises RuntimeError or KeyError, as torch does.
        """
        self.step = int(saved["step"])
        self.seconds = float(saved["seconds"])
        self.best = saved["best"]
        for name, network in self.networks.items():
            network.load_state_dict(saved["networks"][name])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(saved["optimisers"][name])
            _lay_out_as_parameters(optimiser)
        self.average.load_state_dict(saved["average"])
        self.batches.load_state_dict(saved["batches"])
        self.streams.load_state_dict(saved["streams"], globally=globally)
        # A run that began without a controller has none of its factors.
        self.controls |= {name: float(saved["controls"][name]) for name in self.controls if name in saved["controls"]}
        self.rollbacks = [Rollback(**rollback) for rollback in saved["rollbacks"]]


def _lay_out_as_parameters(optimiser: torch.optim.Optimizer) -> None:
    """Give every moment its parameter's memory layout: files hold them plain."""
    for parameter, moments in optimiser.state.items():
        for name, moment in moments.items():
            if isinstance(moment, Tensor) and moment.ndim > 0:
                if moment.shape != parameter.shape:
                    shapes = f"{tuple(moment.shape)} for a parameter of shape {tuple(parameter.shape)}"
                    raise RuntimeError(f"the optimiser's {name} has shape {shapes}")
                moments[name] = laid_out_as(parameter, moment)
