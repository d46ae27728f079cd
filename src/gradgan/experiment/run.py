"""A run: train an experiment into a folder, load it again, draw from it."""

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.checks import GradganError
from ..core.files import replace_file, writing
from ..core.glossary import describe
from ..core.png import png_bytes
from ..core.record import LogEntry, RunFolder
from ..core.rng import Streams
from ..data import Dataset, Scale, to_unit
from ..metrics import Estimate
from ..report import grid_of_images, scatter_of_points
from ..training import checkpoint
from ..training.measure import evaluating
from .build import Experiment, build
from .config import Config
from .evaluate import Drawn, Evaluator, evaluator_of
from .newest import from_checkpoint, from_newest, load_newest
from .reading import from_yaml
from .sampler import Sampler, samples_of

POINTS = 1000
"""How many points a picture shows."""


class Run:
    """What an experiment left on disk, and the networks of its newest checkpoint.

    >>> import tempfile, gradgan
    >>> run = gradgan.train("ring", steps=2, settings=["batch=16"], out=tempfile.mkdtemp() + "/run")
    >>> run.sample(4, seed=0).shape
    torch.Size([4, 2])
    """

    def __init__(self, folder: RunFolder, experiment: Experiment) -> None:
        """For `train` and `Run.load`."""
        self.folder = folder
        self.experiment = experiment

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto", best: bool = False) -> "Run":
        """The run in a folder, at its newest checkpoint, or its best. Raises GradganError where there is none."""
        folder = RunFolder.open(path)
        config = from_yaml(folder.config_text(), source=f"{path}/config.yaml")
        run = cls(folder, build(replace(config, device=device)))
        load_newest(folder, run.restore, best=best)
        return run

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def config(self) -> Config:
        """The complete config."""
        return self.experiment.config

    @property
    def step(self) -> int:
        """Rounds played."""
        return self.experiment.state.step

    @property
    def generator(self) -> torch.nn.Module:
        """The averaged generator."""
        return self.experiment.state.generator

    @property
    def dataset(self) -> Dataset:
        """What was learned."""
        return self.experiment.dataset

    @property
    def scale(self) -> Scale:
        """How networks see the data."""
        return self.dataset.scale

    @property
    def report(self) -> Path:
        """The page that shows the run."""
        return self.path / "report.html"

    def log(self) -> list[LogEntry]:
        """Every logged step with its numbers."""
        return self.folder.entries()

    def sample(self, n: int, *, seed: int = 0, labels: Sequence[int] | None = None) -> Tensor:
        """n samples (n, *event) in the data's scale, the same ones for the same seed.

        `labels`, for a conditional run: a class per sample; drawn uniformly where they are left out.
        """
        return samples_of(self.generator, self.config, self.dataset.classes, n, seed=seed, labels=labels)

    def evaluator(self) -> Evaluator:
        """What measures the run, by its config; it keeps what it computes of the real samples."""
        return evaluator_of(self.experiment)

    def evaluate(self, by: Evaluator | None = None) -> dict[str, Estimate]:
        """Each metric with its standard error, on samples of a fixed seed; kept in the run's evaluation.json.

        `by`: another evaluator than the config's, or one that is used for many checkpoints.
        """
        by = by or self.evaluator()
        look = by.look(self.drawn())
        found = look.numbers()
        numbers = {name: {"value": e.value, "error": e.error, "method": e.method} for name, e in found.items()}
        slopes = {place: asdict(histogram) for place, histogram in look.slopes().items()}
        classes = look.classes()
        known = self.folder.evaluations().get(self.step, {})
        before = known.get("features", {})
        # Of features that are another network now, no number is kept under the same name.
        others = {name for name, key in by.keys.items() if before.get(name) != key}
        same = "classes" in known and known.get("samples") == by.samples
        kept = {n: e for n, e in known.get("numbers", {}).items() if n.partition("/")[2] not in others}
        said = {name: asdict(describe(name)) for name in numbers}
        content = {
            "samples": by.samples,
            "unseen": by.parts.unseen,
            "features": {**before, **by.keys},
            "numbers": {**kept, **numbers},
            "slopes": slopes or known.get("slopes", {}),
            # Of another number of samples they are nothing to stand beside these.
            "classes": asdict(classes) if classes else known["classes"] if same else {},
        }
        self.folder.save_evaluation(self.step, content)
        self.folder.update_info(glossary={**self.folder.info()["glossary"], **said})
        return found

    def drawn(self) -> Drawn:
        """The averaged generator's samples and the networks, as an evaluator wants them: from a stream of their own."""
        networks, device = self.experiment.state.networks, self.experiment.state.device
        classes = self.dataset.classes if self.config.conditional else 0
        return Drawn(
            lambda n: self.sample(n, seed=1),
            of_classes=(lambda labels: self.sample(len(labels), seed=1, labels=labels.tolist())) if classes else None,
            critic=_in_evaluation(networks["critic"]),
            generator=self._each_class_in_turn,
            latents=lambda n: torch.randn(n, self.config.latent, generator=Streams(1, device)["sample"], device=device),
        )

    def _each_class_in_turn(self, z: Tensor) -> Tensor:
        """The generator with its labels bound: latents (n, z) -> samples, in evaluation mode."""
        conditional = self.config.conditional
        labels = (torch.arange(len(z), device=z.device) % self.dataset.classes,) if conditional else ()
        return _in_evaluation(self.generator)(z, *labels)

    def restore(self, path: Path, *, globally: bool = False) -> None:
        """Load a checkpoint, torch's global generator only for a run that goes on; GradganError if it is broken."""
        state = self.experiment.state
        from_checkpoint(
            path, lambda p: state.load_state_dict(checkpoint.load(p, device=str(state.device)), globally=globally)
        )

    def take_up(self) -> list[Path] | None:
        """Go to the newest usable checkpoint, torch's global generator with it, to train on. Returns the broken ones
        passed over, None where there was nothing to load; raises GradganError if every one is broken."""
        found = from_newest(self.folder.checkpoints(), lambda path: self.restore(path, globally=True))
        return None if found is None else found[1]


def _in_evaluation(network: torch.nn.Module) -> Callable[..., Tensor]:
    def call(x: Tensor, *labels: Tensor) -> Tensor:
        with evaluating(network):
            return network(x, *labels)

    return call


def picture(of: Run | Sampler, x: Tensor) -> np.ndarray:
    """Samples as an image: a grid of pictures, or a scatter over the real points. Channels that are neither grey nor
    RGB lie side by side, each of them grey."""
    if of.scale != "none":
        if x.shape[1] not in (1, 3):
            x = x.transpose(1, 2).flatten(2)[:, None]
        return grid_of_images((to_unit(x, of.scale) * 255).round().to(torch.uint8).cpu().numpy())
    real: Any = of.dataset.samples[:POINTS].numpy()
    return scatter_of_points(x.cpu().numpy(), real)


def save_samples(
    run: Run | Sampler, out: str | Path, *, n: int = 64, seed: int = 0, labels: Sequence[int] | None = None
) -> Path:
    """Draw n samples into FILE.png (one picture) or FILE.npz (key `samples`, in the data's scale)."""
    out = Path(out)
    if out.suffix not in (".png", ".npz"):
        raise GradganError(f"samples go to a .png or a .npz file, got {str(out)!r}.")
    x = run.sample(n, seed=seed, labels=labels)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".png":
            replace_file(out, png_bytes(picture(run, x)))
        else:
            packed = io.BytesIO()
            np.savez_compressed(packed, samples=x.cpu().numpy())
            replace_file(out, packed.getvalue())
    return out
