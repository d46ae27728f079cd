"""A run: train an experiment into a folder, load it again, draw from it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.checks import GradganError, finite
from ..core.files import writing
from ..core.glossary import describe
from ..core.launch import launched
from ..core.png import png_bytes
from ..core.record import LogEntry, RunFolder
from ..core.rng import Streams
from ..data import Dataset
from ..metrics import Estimate
from ..report import grid_of_images, scatter_of_points, write_report
from ..training import checkpoint
from ..training.hooks import Evaluate, Hook, Log, Samples, Save, generate
from ..training.measure import evaluating
from ..training.parallel import hooks_of, join, leave, led_by_rank_0, same_weights, together
from ..training.state import State
from ..training.trainer import fit
from .about import about
from .build import Experiment, build, device_of, schedule_of
from .choose_metrics import is_better, score_of
from .complete import complete
from .config import Config
from .configure import configure
from .evaluate import Drawn, Evaluator
from .reading import from_yaml, read_config, to_yaml
from .rehearse import rehearse
from .skipped import tell_skipped

_PICTURE = 100
"""How many samples a picture of images shows; points show more."""
_POINTS = 1000


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
        found = folder.best_checkpoints() if best else folder.checkpoints()
        if not found:
            how = "Evaluate while it trains: evaluate.every=500" if best else "Train it on"
            kind = "best checkpoint" if best else "checkpoint yet"
            raise GradganError(f"{path} holds no {kind}. {how}: gradgan train ... --out {path} --resume")
        run.restore(found[-1][1])
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
        finite(n, what="n", minimum=1)
        streams = Streams(seed, self.experiment.state.device)
        z = torch.randn(n, self.config.latent, generator=streams["sample"], device=streams.device)
        return generate(self.generator, z, self._labels(n, streams, labels))

    def _labels(self, n: int, streams: Streams, labels: Sequence[int] | None) -> Tensor | None:
        if not self.config.conditional:
            if labels is not None:
                raise GradganError("labels were given, but the run is not conditional; leave them out.")
            return None
        if labels is None:
            return torch.randint(self.dataset.classes, (n,), generator=streams["label"], device=streams.device)
        if len(labels) != n:
            raise GradganError(f"labels: wanted one per sample, {n}, got {len(labels)}.")
        return torch.tensor(list(labels), device=streams.device)

    def evaluator(self) -> Evaluator:
        """What measures the run, by its config; it keeps what it computes of the real samples."""
        chosen = self.config.evaluate
        return Evaluator(self.dataset, chosen.metrics, samples=chosen.samples)

    def evaluate(self, by: Evaluator | None = None) -> dict[str, Estimate]:
        """Each metric with its standard error, on samples of a fixed seed; kept in the run's evaluation.json.

        `by`: another evaluator than the config's, or one that is used for many checkpoints.
        """
        by = by or self.evaluator()
        found = by.measure(self.drawn())
        numbers = {name: {"value": e.value, "error": e.error, "method": e.method} for name, e in found.items()}
        known = self.folder.evaluations().get(self.step, {}).get("numbers", {})
        said = {name: asdict(describe(name)) for name in numbers}
        self.folder.save_evaluation(
            self.step, {"samples": by.samples, "unseen": by.parts.unseen, "numbers": {**known, **numbers}}
        )
        self.folder.update_info(glossary={**self.folder.info()["glossary"], **said})
        return found

    def drawn(self) -> Drawn:
        """The averaged generator's samples and the networks, as an evaluator wants them: from a stream of their own."""
        networks, device = self.experiment.state.networks, self.experiment.state.device
        classes = self.dataset.classes if self.config.conditional else 0
        return Drawn(
            lambda n: self.sample(n, seed=1),
            critic=_in_evaluation(networks["critic"], classes),
            generator=_in_evaluation(self.generator, classes),
            latents=lambda n: torch.randn(n, self.config.latent, generator=Streams(1, device)["sample"], device=device),
        )

    def restore(self, path: Path, *, globally: bool = False) -> None:
        """Load a checkpoint; torch's global generator only for a run that goes on."""
        state = self.experiment.state
        try:
            state.load_state_dict(checkpoint.load(path, device=str(state.device)), globally=globally)
        except (RuntimeError, KeyError) as error:
            first = str(error).splitlines()[0]
            raise GradganError(f"{path} does not fit the run's config: {first}") from error


def _in_evaluation(network: torch.nn.Module, classes: int) -> Callable[[Tensor], Tensor]:
    """The network in evaluation mode; one that takes labels gets each class in turn."""

    def call(x: Tensor) -> Tensor:
        labels = (torch.arange(len(x), device=x.device) % classes,) if classes else ()
        with evaluating(network):
            return network(x, *labels)

    return call


def train(
    what: str | Config = "digits",
    *,
    system: str | None = None,
    data: str | None = None,
    steps: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    resume: bool = False,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Train a preset or a config into a folder and return the run.

    `settings` are `key=value` as on the command line; `out` is runs/PRESET-SYSTEM-SEED where it is left out; `resume`
    continues the run that lies in `out`, or begins it. `hooks` are called after every round, beside gradgan's own.
    Under torchrun its processes share the batch, and rank 0 alone writes; see docs/distributed.md.
    Raises GradganError for bad input before anything is written, NonFiniteError for a run that diverged.
    """
    wanted = configure(what, system=system, data=data, steps=steps, seed=seed, settings=settings)
    world = join(device_of(wanted.device))
    experiment = build(wanted, world)
    config = experiment.config
    evaluator = Evaluator(experiment.dataset, config.evaluate.metrics, samples=config.evaluate.samples)
    if config.evaluate.every:
        score_of(experiment.dataset, evaluator.names)
    rehearse(experiment)
    path = (default_out(config) if out is None else Path(out)).expanduser()
    if not world.first:
        return _follow(Run(RunFolder(path), experiment), hooks, evaluator)
    # A job that torchrun has started again goes on.
    folder = _folder(path, config, resume=resume or launched().restart > 0)
    run = Run(folder, experiment)
    try:
        folder.rewind(run.step if _take_up(run) else -1)
        world.wait()
        folder.update_info(**about(experiment, evaluator.reported))
        tell_skipped(experiment.dataset, folder)
        with _threads(config.threads), together():
            _fit(run, hooks, evaluator)
            results = {name: estimate.value for name, estimate in run.evaluate(evaluator).items()}
        folder.update_info(status="finished", message="", results=results)
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        message = "interrupted" if stopped else f"{type(error).__name__}: {error}"
        folder.update_info(status="stopped" if stopped else "failed", message=message)
        raise
    finally:
        folder.close()
        write_report(folder)
    return run


def _take_up(run: Run) -> bool:
    """Load the newest checkpoint of a run that goes on, if there is one."""
    found = run.folder.checkpoints()
    if found:
        run.restore(found[-1][1], globally=True)
    return bool(found)


def _follow(run: Run, hooks: Sequence[Hook], evaluator: Evaluator) -> Run:
    """What every rank but the first does: take up what rank 0 took up, play the same rounds, write nothing."""
    with led_by_rank_0(), _threads(run.config.threads), together():
        run.experiment.state.world.wait()  # until the folder is as rank 0 goes on from it
        _take_up(run)
        _fit(run, hooks, evaluator)
    return run


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """n CPU threads within, as many as before afterwards; 0 changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _folder(out: Path, config: Config, *, resume: bool) -> RunFolder:
    """The run's folder. A resumed run may have more steps, other intervals or another device than it began with."""
    text = to_yaml(config)
    stored = out / "config.yaml"
    with writing(out):
        there = resume and stored.is_file()
    if not there:
        return RunFolder.create(out, config_yaml=text, resume=resume)
    reached = max((step for step, _ in RunFolder.open(out).checkpoints()), default=0)
    if reached > config.steps:
        raise GradganError(f"{out} stands at step {reached} already, got steps={config.steps}. Give more to go on.")
    # Completed anew, so that a run of an older gradgan, which knew fewer keys, can go on.
    before = complete(read_config(stored))
    same = replace(before, **{key: getattr(config, key) for key in _MAY_CHANGE}) == config
    if same and before.steps != config.steps:
        logging.getLogger("gradgan").warning(
            "steps is %d now and was %d: schedules see step/steps, so they go on from another place.",
            config.steps, before.steps,
        )  # fmt: skip
    folder = RunFolder.create(out, config_yaml=stored.read_text(encoding="utf-8") if same else text, resume=True)
    folder.replace_config(text)
    return folder


_MAY_CHANGE = ("steps", "log", "sample", "checkpoint", "evaluate", "device", "threads")
"""What a resumed run may be given anew."""


def default_out(config: Config) -> Path:
    """Where a run goes unless it is told."""
    return Path("runs") / f"{config.preset}-{config.system}-{config.seed}"


def _fit(run: Run, hooks: Sequence[Hook], evaluator: Evaluator) -> None:
    config, state, world = run.config, run.experiment.state, run.experiment.state.world
    same_weights(state)
    # 0 = once an epoch: a round takes critic_steps batches from the data.
    epoch = max(1, len(run.dataset) // config.batch // (config.critic_steps or 1))
    save = Save(run.folder, config.checkpoint.every or epoch, config.checkpoint.keep)
    samples = _samples_hook(run, config.sample.every or epoch)
    if state.step == 0 and world.first:
        samples.draw(state)
    own = [Log(run.folder, config.log.every or epoch), samples, *_evaluate_hook(run, evaluator), save, *hooks]
    fit(
        state,
        run.experiment.players,
        run.experiment.system.loss,
        steps=config.steps,
        hooks=hooks_of(world, own, save.every),
        latents=run.experiment.system.latents,
        rates=schedule_of(config.lr),
        conditional=config.conditional,
        engine=config.engine,
        precision=config.precision,
    )
    leave(world)
    if not world.first:
        return
    if state.step % save.every:
        save.save(state)
    if state.step % samples.every:
        samples.draw(state)


def _evaluate_hook(run: Run, evaluator: Evaluator) -> list[Evaluate]:
    """Before the checkpoint is written, which holds the best so far."""
    if run.config.evaluate.every == 0:
        return []

    def measure(state: State) -> dict[str, float]:
        return {name: estimate.value for name, estimate in evaluator.measure(run.drawn()).items()}

    score = score_of(run.dataset, evaluator.names)
    return [Evaluate(run.folder, run.config.evaluate.every, measure, score, partial(is_better, score))]


def _samples_hook(run: Run, every: int) -> Samples:
    """Pictures from latents that never change, each class in turn where there are classes."""
    config, dataset = run.config, run.dataset
    streams = Streams(config.seed, run.experiment.state.device)
    n = _PICTURE if dataset.kind == "images" else _POINTS
    z = torch.randn(n, config.latent, generator=streams["picture"], device=streams.device)
    labels = torch.arange(n, device=streams.device) % dataset.classes if config.conditional else None
    return Samples(run.folder, every, z, labels, lambda x: picture(dataset, x))


def picture(dataset: Dataset, x: Tensor) -> np.ndarray:
    """Samples as an image: a grid of pictures, or a scatter over the real points."""
    if dataset.kind == "images":
        return grid_of_images((dataset.to_unit(x) * 255).round().to(torch.uint8).cpu().numpy())
    real: Any = dataset.samples[:_POINTS].numpy()
    return scatter_of_points(x.cpu().numpy(), real)


def save_samples(run: Run, out: str | Path, *, n: int = 64, seed: int = 0, labels: Sequence[int] | None = None) -> Path:
    """Draw n samples into FILE.png (one picture) or FILE.npz (key `samples`, in the data's scale)."""
    out = Path(out)
    if out.suffix not in (".png", ".npz"):
        raise GradganError(f"samples go to a .png or a .npz file, got {str(out)!r}.")
    x = run.sample(n, seed=seed, labels=labels)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".png":
            out.write_bytes(png_bytes(picture(run.dataset, x)))
        else:
            np.savez_compressed(out, samples=x.cpu().numpy())
    return out
