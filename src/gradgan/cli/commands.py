"""The commands, one function each; what they need is imported when they are called."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ..bench.options import ApproximateBench, MetricsBench, PenaltiesBench, RanksBench, TrainBench
from ..core.errors import GradganError
from ..core.launch import launched

if TYPE_CHECKING:
    from ..experiment import Config

Settings = Annotated[
    tuple[tuple[str, ...], ...],
    tyro.conf.arg(name="set", metavar="KEY=VALUE ...", help="change the config, e.g. r1.weight=5 data.path=FOLDER"),
]

Variants = Annotated[
    tuple[tuple[str, ...], ...],
    tyro.conf.arg(metavar="NAME KEY=VALUE ...", help="settings by name, run with every system; may be repeated"),
]

Over = Annotated[
    tuple[tuple[str, ...], ...],
    tyro.conf.arg(metavar="FIELD[=RANGE] ...", help="what to search: r1.weight=1e-3..10 critic.activation=relu,silu; "
                  "r1.weight+r2.weight are tied"),
]  # fmt: skip


def train(
    preset: tyro.conf.Positional[str | None] = None,
    *,
    system: str | None = None,
    data: str | None = None,
    steps: int | None = None,
    seed: int | None = None,
    out: Path | None = None,
    data_path: Annotated[str | None, tyro.conf.arg(name="data.path")] = None,
    device: str | None = None,
    precision: str | None = None,
    compile: bool = False,
    on_alarm: Literal["warn", "stop", "rollback"] | None = None,
    settings: tyro.conf.UseAppendAction[Settings] = (),
    config: Path | None = None,
    study: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
    resume: bool = False,
    dry_run: bool = False,
) -> None:
    """Train a GAN, and leave a run folder with samples, numbers, checkpoints and report.html.

    Args:
        preset: digits (the default), ring, grid, mnist_mlp, mnist_conv, mnist_conditional, stacked_mnist or images.
        system: losses, penalties and players by name; `gradgan parts system` lists them.
        data: the data set by name; `gradgan parts data` lists them.
        steps: rounds to play.
        seed: where every random stream of the run starts.
        out: the run folder; runs/PRESET-SYSTEM-SEED where it is left out.
        data_path: folder or file, for data sets that are read from disk.
        device: auto (CUDA where there is one, else the CPU), cpu or cuda.
        precision: auto, float32 or bfloat16 (of the networks' products).
        compile: put the steps through torch.compile.
        on_alarm: what to do when the run falls ill: say so (the default), stop, or go back and on (docs/alarm.md).
        config: a YAML file instead of a preset, such as a run's config.yaml.
        study: the folder of a study (gradgan tune) instead of a preset: its config with the values that it chose.
        resume: continue the run in --out if there is one, else begin it.
        dry_run: print the complete config and train nothing.
    """
    from ..experiment import complete, configure, default_out, to_yaml

    flags = {
        "device": device,
        "data.path": data_path,
        "precision": precision,
        "compile": compile or None,
        "alarm.action": on_alarm,
    }
    chosen = configure(
        _begun_from(preset, config, study),
        system=system,
        data=data,
        steps=steps,
        seed=seed,
        settings=[*(f"{key}={value}" for key, value in flags.items() if value is not None), *_flat(settings)],
    )
    if dry_run:
        print(to_yaml(complete(chosen)), end="")
        return
    _run_and_tell(chosen, default_out(chosen) if out is None else out, resume=resume)


def sample(
    run: tyro.conf.Positional[Path],
    *,
    out: Path,
    n: int = 64,
    seed: int = 0,
    label: int | None = None,
) -> None:
    """Draw samples from a run into a picture (.png) or an array (.npz); its data need not be there any more.

    Args:
        run: the run folder.
        out: FILE.png for one picture of all, FILE.npz for the samples themselves (key `samples`).
        n: how many.
        seed: the same seed gives the same samples.
        label: one class for all of them, for a conditional run.
    """
    from ..experiment import Sampler, save_samples

    labels = None if label is None else [label] * n
    save_samples(Sampler.load(run), out, n=n, seed=seed, labels=labels)
    print(out)


def export(run: tyro.conf.Positional[Path], *, out: Path, best: bool = False) -> None:
    """Write a run's generator as a file that runs without gradgan, and try it: ONNX, or PyTorch's .pt2.

    Args:
        run: the run folder; its data need not be there any more.
        out: FILE.onnx (wants gradgan[onnx]) or FILE.pt2.
        best: the best checkpoint instead of the newest.
    """
    from ..experiment import Sampler
    from ..experiment import export as write

    done = write(Sampler.load(run, device="cpu", best=best), out)
    print(done.path)
    print(done)


def evaluate(
    run: tyro.conf.Positional[Path],
    *,
    which: Literal["last", "best", "all"] = "last",
    metrics: tuple[str, ...] = (),
    samples: int = 0,
    features: Path | None = None,
    features_size: int | None = None,
    features_range: Literal["bytes", "unit", "symmetric"] | None = None,
    features_rgb: bool | None = None,
) -> None:
    """Measure a run's samples, each number with its standard error; also into RUN/evaluation.json and the report.

    Args:
        run: the run folder.
        which: the newest checkpoint, the best one, or all that are kept.
        metrics: by name, as frechet_ratio/classifier; `all` for every one; the run's own where they are left out.
        samples: how many; the run's own number where it is left out.
        features: a TorchScript (.pt) or ONNX (.onnx) network, for NAME/FILE'S NAME; it is run, so trust its source. Or
            the published Inception's weights (.safetensors).
        features_size: side of the pictures that it wants; as they are where it is left out.
        features_range: numbers that it wants: 0..255, [0, 1] or [-1, 1].
        features_rgb: False: grey pictures as one channel, not repeated to three.
    """
    from .evaluating import print_evaluation

    given = (features, features_size, features_range, features_rgb)
    print_evaluation(run, which=which, metrics=metrics, samples=samples, given=given)


def parts(kind: tyro.conf.Positional[str] = "all") -> None:
    """List every loss, penalty, system, network, data set, metric, controller and preset, with line and paper.

    Args:
        kind: all, loss, penalty, system, network, data, metric, controller or preset.
    """
    from .listing import print_parts

    print_parts(kind)


def cite(what: tyro.conf.Positional[str]) -> None:
    """Print the papers that a run or a preset uses.

    Args:
        what: a run folder or a preset.
    """
    from .listing import print_citations

    print_citations(what)


def report(run: tyro.conf.Positional[Path]) -> None:
    """Write a run's report.html again from what lies in its folder.

    Args:
        run: the run folder.
    """
    from ..core.record import RunFolder
    from ..report import write_report

    print(write_report(RunFolder.open(run)))


def doctor(run: tyro.conf.Positional[Path]) -> None:
    """Say whether a run is or was sick, of what, since when, and what usually helps; and write its report again.

    Args:
        run: the run folder.
    """
    from .doctoring import print_diagnosis

    print_diagnosis(run)


def dynamics(
    system: tyro.conf.Positional[str],
    *,
    weight: float | None = None,
    spread: float | None = None,
    out: Path | None = None,
    reading: str | None = None,
) -> None:
    """Show a system on the Dirac-GAN: eigenvalues at the equilibrium, trajectory, phase portrait.

    Args:
        system: its name; `gradgan parts system` lists them. `all`: a page of every system.
        weight: the weight of each of its penalties; 1 where it is left out.
        spread: s in G(z) = theta + s z, E z^2 = 1; 1 for the systems that look along the latent, else 0.
        out: FILE.png for the phase portrait; of `all` the folder for dynamics.md and dynamics.png, here by default.
        reading: which reading of the system's source.
    """
    from .listing import print_dynamics

    print_dynamics(system, weight=weight, spread=spread, out=out, reading=reading)


def audit(
    what: tyro.conf.Positional[str],
    *,
    event: tuple[int, ...] = (),
    classes: int = 0,
    system: str | None = None,
    settings: tyro.conf.UseAppendAction[Settings] = (),
) -> None:
    """Show layer by layer how a critic's gradient penalties can be differentiated, and what they cost.

    Args:
        what: a preset, or your own critic as package.module:name (a module, or what makes one).
        event: the shape of one sample, for a module, as in --event 3 32 32.
        classes: for a module that is called with labels too.
        system: of a preset, another system; its critic may differ.
    """
    from .auditing import print_audit

    print_audit(what, event=event, classes=classes, system=system, settings=_flat(settings))


def bench(
    what: Annotated[
        Annotated[PenaltiesBench, tyro.conf.subcommand("penalties")]
        | Annotated[TrainBench, tyro.conf.subcommand("train")]
        | Annotated[RanksBench, tyro.conf.subcommand("ranks")]
        | Annotated[ApproximateBench, tyro.conf.subcommand("approximate")]
        | Annotated[MetricsBench, tyro.conf.subcommand("metrics")],
        tyro.conf.arg(name="", prefix_name=False),
    ],
) -> None:
    """Measure gradgan on this machine: penalties, train, ranks, approximate or metrics. Leave the machine idle."""
    from .benching import run_bench

    run_bench(what)


def compare(
    data: tyro.conf.Positional[tuple[str, ...]] = (),
    *,
    out: Path,
    systems: tuple[str, ...] = (),
    variants: tyro.conf.UseAppendAction[Variants] = (),
    settings: tyro.conf.UseAppendAction[Settings] = (),
    seeds: tuple[int, ...] | None = None,
    steps: tuple[int, ...] = (),
    minutes: tuple[float, ...] = (),
    baseline: str | None = None,
    metrics: tuple[str, ...] = (),
    logged: tuple[str, ...] = (),
    looks: int | None = None,
    workers: int | None = None,
    config: Path | None = None,
    dry_run: bool = False,
) -> None:
    """Compare systems and settings over seeds, in parallel; the same command goes on with what was cut short.

    Args:
        data: presets, such as ring grid.
        out: the comparison's folder: tables, and a run folder for each cell.
        systems: systems by name; the presets' own where they are left out.
        seeds: one number: so many, from 0 on; several: these.
        steps: budgets in steps; the preset's where they are left out.
        minutes: budgets in minutes of training alone, at each method's own pace, instead of steps.
        baseline: the method that differences are taken to; gan if it is compared, else the first.
        metrics: which metrics to tell; those meant for the data where they are left out.
        logged: logged numbers to tell beside them, such as generator/gradient_norm.
        looks: how many times along a run metrics are taken.
        workers: processes side by side; as many as there are cores where it is left out.
        config: a YAML file with the same fields; flags override it, and --set joins its settings.
        dry_run: build every method, time a step of each, tell how long all would take, and run nothing.
    """
    from .comparing import run_compare, variants_of

    flags = {
        "data": list(data), "systems": list(systems), "variants": variants_of(variants), "settings": _flat(settings),
        "steps": list(steps), "minutes": list(minutes), "baseline": baseline, "metrics": list(metrics),
        "logged": list(logged), "looks": looks,
    }  # fmt: skip
    if seeds is not None:
        flags["seeds"] = seeds[0] if len(seeds) == 1 else list(seeds)
    run_compare(config, flags, out=out, workers=workers, dry_run=dry_run)


def tune(
    preset: tyro.conf.Positional[str | None] = None,
    *,
    over: tyro.conf.UseAppendAction[Over],
    out: Path,
    system: str | None = None,
    data: str | None = None,
    steps: int | None = None,
    settings: tyro.conf.UseAppendAction[Settings] = (),
    config: Path | None = None,
    metric: str | None = None,
    trials: int = 30,
    folds: int = 3,
    seeds: int = 1,
    looks: int = 10,
    seed: int = 0,
    sampler: Literal["tpe", "gp", "grid", "random"] = "tpe",
    pruner: Literal["none", "median", "halving", "hyperband"] = "median",
    storage: str | None = None,
    workers: int | None = None,
) -> None:
    """Search weights or other fields by cross-validation; the same command goes on with, or joins, the study.

    Args:
        preset: digits (the default), ring, grid, mnist_mlp, mnist_conv, mnist_conditional, stacked_mnist or images.
        out: the study's folder; its name is the study's name in the storage.
        system: losses, penalties and players by name.
        data: the data set by name.
        steps: rounds of each run; the preset's where they are left out.
        config: a YAML file instead of a preset.
        metric: what is sought, as NAME or NAME/FEATURES, f1 and density_coverage too; the data's own where left out.
        trials: how many points are tried, the default and none among them.
        folds: parts of the data; each run learns from all but one and is judged against that one.
        seeds: runs on each fold; every run has a seed of its own.
        looks: how many times along its runs a trial is judged.
        seed: where the search's own chance starts.
        sampler: how the next point is chosen.
        pruner: which trials are ended early.
        storage: FILE.db, FILE.journal or a URL such as postgresql+psycopg://USER@HOST/DATABASE; OUT/study.db.
        workers: trials side by side; as many as there are cores where it is left out.
    """
    from .tuning import run_tune

    if preset is not None and config is not None:
        raise GradganError(f"give a preset or --config, not both: got {preset} and {config}.")
    run_tune(
        preset or "digits" if config is None else config,
        over=_flat(over), out=out, system=system, data=data, steps=steps, settings=_flat(settings), metric=metric,
        trials=trials, folds=folds, seeds=seeds, looks=looks, seed=seed, sampler=sampler, pruner=pruner,
        storage=storage, workers=workers,
    )  # fmt: skip


def _begun_from(preset: str | None, config: Path | None, study: Path | None) -> "str | Config":
    """A preset's name, or the config of a file or of a study."""
    from ..experiment import read_config, tuned_config

    given = {"a preset": preset, "--config": config, "--from": study}
    if len(several := [name for name, value in given.items() if value is not None]) > 1:
        raise GradganError(f"give {' or '.join(several)}, not both.")
    if study is not None:
        return tuned_config(study)
    return read_config(config) if config is not None else preset or "digits"


def _run_and_tell(chosen: "Config", folder: Path, *, resume: bool) -> None:
    """Train with a line of progress, then print the outcome; other ranks than 0 train in silence."""
    from ..experiment import train as run_training
    from .progress import Progress

    if not launched().first:
        run_training(chosen, out=folder, resume=resume)  # rank 0 shows and prints
        return
    with Progress(f"{chosen.preset} · {chosen.system}", chosen.steps, every=chosen.log.every) as progress:
        run = run_training(chosen, out=folder, resume=resume, hooks=[progress])
    for name, value in run.folder.info()["results"].items():
        print(f"{name:20} {value:.4g}")
    print(f"report: {run.report}")


def _flat(settings: tuple[tuple[str, ...], ...]) -> list[str]:
    return [assignment for group in settings for assignment in group]


_ALL = (train, sample, export, evaluate, compare, tune, report, doctor, parts, cite, dynamics, audit, bench)
COMMANDS = {command.__name__: command for command in _ALL}
