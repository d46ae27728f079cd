"""Training into a run folder: taking it up, playing it through with its hooks, and saying how it ended."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import torch

from ..core.checks import GradganError
from ..core.files import writing
from ..core.launch import launched
from ..core.record import RunFolder
from ..core.rng import Streams, isolated
from ..core.rolled_back import forget_after
from ..core.stopping import Stopping, Terminated, listening
from ..metrics import merit
from ..report import write_report
from ..training.hooks import Evaluate, Halt, Hook, Log, Samples, Save, hooks_from
from ..training.parallel import hooks_of, join, leave, led_by_rank_0, same_weights, together
from ..training.state import Numbers, State
from ..training.watching import Watch
from .about import about
from .build import build
from .choose_metrics import score_of
from .complete import complete
from .config import Config
from .configure import configure
from .evaluate import Evaluator, evaluator_of
from .machine import device_of
from .own_features import identity_of
from .play import play
from .reading import read_config, to_yaml
from .rehearse import rehearse
from .rollback import KEPT, list_rollbacks, play_on
from .run import POINTS, Run, picture
from .skipped import tell_skipped

_LOGGER = logging.getLogger("gradgan")
_PICTURE = 100
"""How many samples a picture of images shows; points show more."""


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
    hooks: Sequence[Hook | Callable[[State, Numbers], object]] = (),
) -> Run:
    """Train a preset or a config into a folder and return the run.

    `settings` are `key=value` as on the command line; `out` is runs/PRESET-SYSTEM-SEED where it is left out; `resume`
    continues the run that lies in `out`, or begins it. `hooks` are called after every round, beside gradgan's own: each
    a function `(state, numbers)`, whose numbers are those of the round if it was measured (every `log` rounds it is),
    else fewer; or an object that has `wants_numbers(step)` too, which asks for a round to be measured.
    Under torchrun its processes share the batch, and rank 0 alone writes; see docs/distributed.md.
    Raises GradganError for bad input before anything is written, NonFiniteError for a run that diverged. Ctrl-C and
    SIGTERM finish the step and save, then raise KeyboardInterrupt and SystemExit(143), see docs/resume.md.
    """
    hooks = hooks_from(hooks)
    wanted = configure(what, system=system, data=data, steps=steps, seed=seed, settings=settings)
    resume = resume or launched().restart > 0  # a job that torchrun has started again goes on
    path = (default_out(wanted) if out is None else Path(out)).expanduser()
    world = join(device_of(wanted.device))
    wanted = _as_begun(wanted, path) if resume else wanted
    experiment = build(wanted, world)
    config = experiment.config
    evaluator = evaluator_of(experiment)
    if config.evaluate.every:
        score_of(experiment.dataset, evaluator.names)
    rehearse(experiment)
    if not world.first:
        return _follow(Run(RunFolder(path), experiment), hooks, evaluator)
    return _lead(Run(_folder(path, config, resume=resume), experiment), hooks, evaluator)


def _lead(run: Run, hooks: Sequence[Hook], evaluator: Evaluator) -> Run:
    """What rank 0 does, which alone writes: train, measure, say in the folder how the run ended, and close it."""
    with listening() as stopping, _global_chance(run):
        try:
            _train_and_measure(run, hooks, evaluator, stopping)
        except BaseException as error:
            stopped = isinstance(error, (KeyboardInterrupt, Terminated))
            _note(run.folder, "stopped" if stopped else "failed", error, report=not stopping.at_once)
            raise
        finally:
            run.folder.close()
        write_report(run.folder)
    return run


def _train_and_measure(run: Run, hooks: Sequence[Hook], evaluator: Evaluator, stopping: Stopping) -> None:
    """From the newest checkpoint to the last step and its results, all of it told in the folder."""
    experiment, folder = run.experiment, run.folder
    _take_up(run)
    experiment.state.world.wait()
    folder.update_info(**about(experiment, evaluator.reported))
    tell_skipped(experiment.dataset, folder)
    with _threads(run.config.threads):
        _fit(run, hooks, evaluator, stopping)
        results = {name: estimate.value for name, estimate in run.evaluate(evaluator).items()}
    folder.update_info(status="finished", message="", results=results)


def _take_up(run: Run) -> None:
    """Put the run where its newest usable checkpoint left it, and its folder with it."""
    broken = run.take_up()
    for path in broken or ():
        run.folder.set_aside(path)
    run.folder.rewind(-1 if broken is None else run.step)
    forget_after(run.folder, len(run.experiment.state.rollbacks))
    list_rollbacks(run.folder, run.experiment.state)


def _follow(run: Run, hooks: Sequence[Hook], evaluator: Evaluator) -> Run:
    """What every rank but the first does: take up what rank 0 took up, play the same rounds, write nothing."""
    with led_by_rank_0(), _global_chance(run), _threads(run.config.threads), together():
        run.experiment.state.world.wait()  # until the folder is as rank 0 goes on from it
        run.take_up()
        _fit(run, hooks, evaluator, Stopping())
    return run


def _note(folder: RunFolder, status: str, error: BaseException, *, report: bool) -> None:
    """Say in the folder how the run ended. A folder that cannot be written is the error already told, not a second."""
    message = str(error) or "interrupted" if status == "stopped" else f"{type(error).__name__}: {error}"
    with suppress(GradganError):
        folder.update_info(status=status, message=message)
        if report:
            write_report(folder)


def _global_chance(run: Run) -> isolated:
    """Within it torch's global generators are the run's own, which dropout draws from; the caller's are left alone."""
    return isolated(run.config.seed, "global", run.experiment.state.device)


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """n CPU threads within, as many as before afterwards; 0 changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _as_begun(wanted: Config, out: Path) -> Config:
    """With the precision that the run in `out` began with, if one is there and auto would choose by this machine."""
    stored = out / "config.yaml"
    with writing(out):
        there = wanted.precision == "auto" and stored.is_file()
    return replace(wanted, precision=complete(read_config(stored)).precision) if there else wanted


def _folder(out: Path, config: Config, *, resume: bool) -> RunFolder:
    """The run's folder. A resumed run may have more steps, other intervals (evaluations too), another alarm or another
    device than it began with."""
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
    _refuse_other_features(before, config)
    same = replace(before, **{key: getattr(config, key) for key in MAY_CHANGE}) == config
    if same and before.steps != config.steps:
        _LOGGER.warning(
            "steps is %d now and was %d: schedules see step/steps, so they go on from another place.",
            config.steps, before.steps,
        )  # fmt: skip
    folder = RunFolder.create(out, config_yaml=stored.read_text(encoding="utf-8") if same else text, resume=True)
    try:
        folder.replace_config(text)
    except BaseException:
        folder.close()
        raise
    return folder


def _refuse_other_features(before: Config, config: Config) -> None:
    """The run's own numbers must not go on under the same name with another network."""
    was, now = identity_of(before.evaluate), identity_of(config.evaluate)
    if was.keys() == now.keys() and was != now:
        raise GradganError(
            f"features {config.evaluate.features}: the run was measured by another network of that name, or on "
            "pictures given otherwise. Give this one another name, or evaluate.features=null."
        )


MAY_CHANGE = ("steps", "log", "sample", "checkpoint", "evaluate", "alarm", "device", "threads")
"""What a resumed run may be given anew."""


def default_out(config: Config) -> Path:
    """Where a run goes unless it is told."""
    return Path("runs") / f"{config.preset}-{config.system}-{config.seed}"


def _fit(run: Run, hooks: Sequence[Hook], evaluator: Evaluator, stopping: Stopping) -> None:
    config, state, world = run.config, run.experiment.state, run.experiment.state.world
    same_weights(state)
    epoch = run.experiment.epoch
    may_go_back = config.alarm.action == "rollback"
    keep = max(config.checkpoint.keep, KEPT) if may_go_back else config.checkpoint.keep
    # Step 0 is before every illness.
    pinned = (0,) if may_go_back else ()
    save = Save(run.folder, config.checkpoint.every or epoch, keep, config.checkpoint.keep_every, pinned)
    samples = _samples_hook(run, config.sample.every or epoch)
    if state.step == 0 and world.first:
        samples.draw(state)
        if may_go_back:
            save.save(state)

    def playing() -> None:
        own = [_log_hook(run, epoch), samples, *_evaluate_hook(run, evaluator), save, *hooks]
        own.append(Halt(stopping, save, config.steps))
        play(run.experiment, hooks=hooks_of(world, own, save.every))

    # Told while still patient: torchrun's SIGTERM must not come before the word that a rank was lost.
    with stopping.patient(), together():
        play_on(run.folder, run.experiment, playing)
        leave(world)
        if world.first:
            _finish(run, samples, save)
    if stopping.signal is not None:
        raise stopping.error("stopped after the last step, which is saved. The same command and --resume measures it.")


def _finish(run: Run, samples: Samples, save: Save) -> None:
    """What the last step wants whatever the intervals are. The picture first: a checkpoint says that all before it is
    there."""
    if run.step not in dict(run.folder.grids()):
        samples.draw(run.experiment.state)
    if run.step not in dict(run.folder.checkpoints()):
        save.save(run.experiment.state)


def _log_hook(run: Run, epoch: int) -> Log:
    """The log, going on from the last line of training; evaluations are lines of their own, without learning rates."""
    last = [entry for entry in run.log() if entry.of_training][-1:]
    mark = (last[0].step, last[0].seconds) if last else None
    alarm = run.config.alarm
    watch = Watch(run.folder, patience=alarm.patience, only_warn=alarm.action == "warn")
    return Log(run.folder, run.config.log.every or epoch, watch, mark=mark)


def _evaluate_hook(run: Run, evaluator: Evaluator) -> list[Evaluate]:
    """Before the checkpoint is written, which holds the best so far."""
    if run.config.evaluate.every == 0:
        return []

    def measure(state: State) -> dict[str, float]:
        return {name: estimate.value for name, estimate in evaluator.measure(run.drawn()).items()}

    score = score_of(run.dataset, evaluator.names)

    def better(value: float, than: float) -> bool:
        return merit(score, value) > merit(score, than)

    return [Evaluate(run.folder, run.config.evaluate.every, measure, score, better)]


def _samples_hook(run: Run, every: int) -> Samples:
    """Pictures from latents that never change, each class in turn where there are classes."""
    config, dataset = run.config, run.dataset
    streams = Streams(config.seed, run.experiment.state.device)
    n = _PICTURE if dataset.kind == "images" else POINTS
    z = torch.randn(n, config.latent, generator=streams["picture"], device=streams.device)
    labels = torch.arange(n, device=streams.device) % dataset.classes if config.conditional else None
    return Samples(run.folder, every, z, labels, lambda x: picture(run, x))
