"""What `gradgan evaluate` does: measure checkpoints of a run, print a table, write JSON and the report."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..core.errors import GradganError
from ..metrics import Estimate, Range


def print_evaluation(
    path: Path,
    *,
    which: str,
    metrics: Sequence[str],
    samples: int,
    given: tuple[Path | None, int, Range, bool],
) -> None:
    """Measure the last, the best or all kept checkpoints, with the real side computed once.

    `given`: a file of features, and how it wants its pictures.
    """
    from ..experiment import Run, all_metrics, default_metrics, evaluator_of
    from ..experiment.own_features import name_of, tried_features
    from ..report import write_report

    run = Run.load(path, best=which == "best")
    if samples < 0:
        raise GradganError(f"samples must be >= 0, got {samples}.")
    features, size, range, rgb = given
    said = run.config.evaluate
    own = [] if features is None else [tried_features(features, run.dataset, size=size, range=range, rgb=rgb)]
    if not own and (size or range != "unit" or not rgb):
        raise GradganError(
            "--features-size, --features-range and --features-rgb describe a file; give it: --features FILE"
        )
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
    print(f"report: {write_report(run.folder)}")


def _table(found: dict[int, dict[str, Estimate]]) -> Table:
    """A line for each number, a column for each checkpoint."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("number", no_wrap=True, min_width=max(map(len, next(iter(found.values())))))
    for step in found:
        table.add_column(f"step {step}", justify="right", overflow="fold")
    for name in next(iter(found.values())):
        table.add_row(name, *(str(numbers[name]) for numbers in found.values()))
    return table


def _said(samples: int, unseen: bool, kind: str) -> str:
    real = "samples that no run learns from" if unseen else "a fixed fifth of the data, which the run has learned from"
    return f"{samples} generated samples ± one standard error; held-out {kind}: {real}"
