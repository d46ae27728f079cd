"""What `gradgan evaluate` does: measure checkpoints of a run, print a table, write JSON and the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ..core.errors import GradganError
from ..metrics import Estimate, Own, Range

if TYPE_CHECKING:
    from ..experiment import Run


def print_evaluation(
    path: Path,
    *,
    which: str,
    metrics: Sequence[str],
    samples: int,
    given: tuple[Path | None, int | None, Range | None, bool | None],
) -> None:
    """Measure the last, the best or all kept checkpoints, with the real side computed once.

    `given`: a file of features, and how it wants its pictures.
    """
    from ..experiment import Run, all_metrics, default_metrics, evaluator_of
    from ..experiment.own_features import name_of
    from ..report import write_report

    run = Run.load(path, best=which == "best")
    if samples < 0:
        raise GradganError(f"samples must be >= 0, got {samples}.")
    said = run.config.evaluate
    own = _own(given, run)
    names = tuple(metrics) or tuple(said.metrics)
    if names == ("all",):
        files = dict.fromkeys([*filter(None, [name_of(said)]), *(one.name for one in own)])
        names = all_metrics(run.dataset, files, networks=True)
    if own and not metrics:
        names = (*(names or default_metrics(run.dataset)), f"frechet/{own[0].name}")
    evaluator = evaluator_of(run.experiment, names, samples=samples, features=own)
    found = {}
    if which == "all":
        for step, checkpoint in sorted(
            {**dict(run.folder.checkpoints()), **dict(run.folder.best_checkpoints())}.items()
        ):
            run.restore(checkpoint)
            found[step] = run.evaluate(evaluator)
    else:
        found[run.step] = run.evaluate(evaluator)
    console = Console()
    console.print(_table(found), highlight=False)
    console.print(_said(evaluator.samples, evaluator.parts.unseen, run.dataset.kind), highlight=False)
    if evaluator.asks("classes"):
        shares = run.folder.evaluations()[max(found)]["classes"]
        console.print(_classes(shares, run.dataset.class_names), highlight=False, markup=False, end="")
    print(f"report: {write_report(run.folder)}")


def _own(given: tuple[Path | None, int | None, Range | None, bool | None], run: "Run") -> list[Own]:
    """The features of the flags; what they leave open of the config's own file, which may have moved, is as there."""
    from ..experiment.config import EvaluateConfig
    from ..experiment.own_features import name_of, tried_features

    path, size, range, rgb = given
    if path is None:
        if (size, range, rgb) != (None, None, None):
            raise GradganError(
                "--features-size, --features-range, --features-rgb describe a file; give --features FILE"
            )
        return []
    said = run.config.evaluate if name_of(run.config.evaluate) == path.stem else EvaluateConfig()
    return [
        tried_features(
            path, run.dataset,
            size=said.features_size if size is None else size,
            range=range or said.features_range,
            rgb=said.features_rgb if rgb is None else rgb,
        )
    ]  # fmt: skip


def _table(found: dict[int, dict[str, Estimate]]) -> Table:
    """A line for each number, a column for each checkpoint."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("number", no_wrap=True, min_width=max(map(len, next(iter(found.values())))))
    for step in found:
        table.add_column(f"step {step}", justify="right", overflow="fold")
    for name in next(iter(found.values())):
        table.add_row(name, *(str(numbers[name]) for numbers in found.values()))
    return table


_MOST_CLASSES = 20
"""Of which a line can be read."""


def _classes(found: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    """The class histogram of the newest checkpoint, where it is short."""
    if len(found["data"]) > _MOST_CLASSES:
        return ""
    names = names or list(map(str, range(len(found["data"]))))
    each = zip(names, found["samples"], found["errors"], found["data"], strict=True)
    shares = (f"{name}: {100 * p:.1f} ± {100 * error:.1f} ({100 * of:.1f})" for name, p, error, of in each)
    return f"classes, % of the samples (of the data): {', '.join(shares)}\n"


def _said(samples: int, unseen: bool, kind: str) -> str:
    real = "samples that no run learns from" if unseen else "a fixed fifth of the data, which the run has learned from"
    return f"{samples} generated samples ± one standard error; held-out {kind}: {real}"
