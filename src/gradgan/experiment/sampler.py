"""Samples of a run without its data: the averaged generator of a checkpoint, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..core.checks import GradganError, finite
from ..core.record import RunFolder
from ..core.rng import Streams
from ..data import DATASETS, Dataset, Scale
from ..training import checkpoint
from ..training.hooks import generate
from .build import Facts, dataset_of, network_of
from .complete import complete
from .config import Config
from .machine import device_of
from .newest import load_newest
from .reading import from_yaml


class Sampler:
    """The generator of a run folder's newest or best checkpoint; its data need not be there any more.

    >>> import tempfile, gradgan
    >>> run = gradgan.train("ring", steps=2, settings=["batch=16"], out=tempfile.mkdtemp() + "/run")
    >>> gradgan.Sampler.load(run.path).sample(4, seed=0).equal(run.sample(4, seed=0))
    True
    """

    def __init__(self, config: Config, facts: Facts, generator: nn.Module) -> None:
        """For `load`."""
        self.config = config
        self.generator = generator
        """The averaged generator, in evaluation mode."""
        self.classes = facts.classes
        """Classes of the data; 0 where they have none."""
        self.scale: Scale = facts.scale
        """How networks see the data."""

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto", best: bool = False) -> "Sampler":
        """The run in a folder, at its newest checkpoint, or its best. Raises GradganError where there is none."""
        folder = RunFolder.open(path)
        config = complete(replace(from_yaml(folder.config_text(), source=f"{path}/config.yaml"), device=device))
        facts = _facts(folder.info().get("data", {}), config)
        place = device_of(device)

        def restore(file: Path) -> nn.Module:
            average = checkpoint.load(file, device=str(place))["average"]
            weights = {name.removeprefix("module."): tensor for name, tensor in average.items()}
            weights.pop("n_averaged")
            generator = network_of("generator", config, facts, place)
            generator.load_state_dict(weights)
            return generator.eval().requires_grad_(False)

        return cls(config, facts, load_newest(folder, restore, best=best))

    @cached_property
    def dataset(self) -> Dataset:
        """What was learned, read when it is asked for; raises GradganError where it is not there any more."""
        return dataset_of(self.config)

    def sample(self, n: int, *, seed: int = 0, labels: Sequence[int] | None = None) -> Tensor:
        """n samples (n, *event) in the data's scale, as `Run.sample` draws them."""
        return samples_of(self.generator, self.config, self.classes, n, seed=seed, labels=labels)


def samples_of(
    generator: nn.Module, config: Config, classes: int, n: int, *, seed: int, labels: Sequence[int] | None
) -> Tensor:
    """n samples of a config's generator, the same ones for the same seed; classes drawn uniformly where not given."""
    finite(n, what="n", minimum=1)
    streams = Streams(seed, next(generator.parameters()).device)
    z = torch.randn(n, config.latent, generator=streams["sample"], device=streams.device)
    return generate(generator, z, _labels(config, classes, n, streams, labels))


def _labels(config: Config, classes: int, n: int, streams: Streams, labels: Sequence[int] | None) -> Tensor | None:
    if not config.conditional:
        if labels is not None:
            raise GradganError("labels were given, but the run is not conditional; leave them out.")
        return None
    if labels is None:
        return torch.randint(classes, (n,), generator=streams["label"], device=streams.device)
    if len(labels) != n:
        raise GradganError(f"labels: wanted one per sample, {n}, got {len(labels)}.")
    whole = torch.tensor(list(labels), device=streams.device)
    if whole.dtype != torch.int64 or whole.min() < 0 or whole.max() >= classes:
        raise GradganError(f"labels: wanted whole numbers in 0..{classes - 1}, got {whole.min()}..{whole.max()}.")
    return whole


def _facts(kept: dict[str, Any], config: Config) -> Facts:
    """The data's shape and classes as run.json has them, their scale as the config has it."""
    scale = cast(Scale, config.data.options.get("scale", DATASETS[config.data.name].facts["scale"]))
    event, classes = kept.get("event", []), kept.get("classes")
    if not (event and isinstance(classes, int) and all(isinstance(size, int) for size in event)):
        raise GradganError(
            f"run.json does not say what was learned: got data.event {event}, data.classes {classes}, wanted whole "
            "numbers, as [1, 28, 28] and 10. Restore it, or use Run.load where the data are."
        )
    return Facts(tuple(event), classes, scale)
