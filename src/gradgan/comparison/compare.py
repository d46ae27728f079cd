"""gradgan.compare: check everything, time a step of each method, run every cell in parallel, tell what came out."""

import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout
from rich.console import Console

from ..core.differences import differences
from ..core.errors import GradganError
from ..core.files import replace_file, to_json, writing
from ..core.pool import Job, Message, crew, run_jobs
from ..experiment.own_features import identity_of
from ..experiment.own_parts import modules_of_own_parts
from ..experiment.reading import read_config, to_yaml
from ..report import write_comparison_page
from .cells import Cell, Configs, cells_of, configs_of
from .collect import Curve, curve_of, is_done
from .costs import Costs, about_costs, measure_costs
from .plan import Plan, make_plan, plan_to_yaml, read_plan
from .recipes import refuse_other_recipes
from .showing import as_plain, csv_text, markdown, print_tables
from .summary import Table, tables_of

Tell = Callable[[Message | str, Sequence[Cell]], None]
"""Called with what happens: a sentence, or a message of a cell's run; and the cells that are run."""


@dataclass(frozen=True)
class Comparison:
    """What came out: its folder, the plan, the tables, and every run's curve."""

    path: Path
    plan: Plan
    tables: list[Table]
    curves: list[Curve]

    def show(self, console: Console | None = None) -> None:
        """Print the tables."""
        print_tables(self.tables, self.plan.reference(), console or Console())


def compare(
    *data: str,
    out: str | Path,
    workers: int | None = None,
    command: str | None = None,
    tell: Tell = lambda message, cells: None,
    **words: Any,
) -> Comparison:
    """Compare methods on data presets over seeds; a comparison that was cut short goes on by the same call.

    `words` are the fields of a `Plan`: systems, variants, methods, settings, seeds, steps or minutes, baseline, ...
    `workers` processes run side by side, as many as there are cores where it is left out. Writes report.html, table.md,
    table.csv, comparison.json, and a run folder for each cell below runs/.
    Raises GradganError for whatever cannot be run, before anything is written.

    >>> gradgan.compare("ring", systems=["gan", "r1", "r3gan"], seeds=5, out="runs/ring")   # doctest: +SKIP
    """
    plan = make_plan({**({"data": list(data)} if data else {}), **words}, source="compare")
    return compare_plan(plan, out=Path(out), workers=workers, command=command, tell=tell)


def compare_plan(
    plan: Plan, *, out: Path, workers: int | None = None, command: str | None = None, tell: Tell
) -> Comparison:
    """`compare` for a Plan."""
    out = out.expanduser()
    workers = crew(workers)
    configs = _built(plan, out, tell)
    imports = modules_of_own_parts(map(to_yaml, configs.values()))
    with _alone(out):
        with writing(out):
            replace_file(out / "comparison.yaml", plan_to_yaml(plan).encode())
        cells, costs = _timed(plan, configs, out, tell)
        _run(cells, out, workers, imports, tell)
        curves = [curve_of(cell, plan.logged) for cell in cells]
        result = Comparison(out, plan, tables_of(plan, curves, costs), curves)
        _write(result, command or _command(out))
    return result


def expected(plan: Plan, *, out: Path, tell: Tell) -> list[tuple[Cell, float]]:
    """The runs that are left, each with the seconds that its steps take alone.

    It only builds the methods and times their steps, which a later `compare_plan` need not do again. The costs are all
    that it leaves, so any other plan may follow in the folder.
    """
    out = out.expanduser()
    configs = _built(plan, out, tell)
    with _alone(out):
        cells, costs = _timed(plan, configs, out, tell)
    return [(c, c.config.steps * costs[c.data, c.method].seconds) for c in cells if not is_done(c)]


def _built(plan: Plan, out: Path, tell: Tell) -> Configs:
    _refuse_other(plan, out)
    tell("building every method", [])
    return configs_of(plan)


def _timed(plan: Plan, configs: Configs, out: Path, tell: Tell) -> tuple[list[Cell], Costs]:
    costs = measure_costs(configs, out / "costs.json", lambda text: tell(text, []))
    seconds = {key: cost.seconds for key, cost in costs.items()}
    cells = cells_of(plan, configs, seconds, out)
    _refuse_other_features(cells)
    refuse_other_recipes(cells)
    return cells, costs


def _run(cells: Sequence[Cell], out: Path, workers: int, imports: Sequence[str], tell: Tell) -> None:
    """Run what is not done. Raises GradganError, after all others have run, for runs that failed without diverging."""
    left = [cell for cell in cells if not is_done(cell)]
    failed = []
    jobs = (Job(cell.name, _words(cell)) for cell in left)
    module, log = f"{__package__}.worker", out / "workers.log"
    for message in run_jobs(jobs, module=module, workers=workers, log=log, imports=imports):
        if message.kind == "failed":
            failed.append(f"{message.job}: {message.words['reason']}")
        tell(message, left)
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise GradganError(f"{failed[0]}{more} The same command tries again what is missing.")


def _words(cell: Cell) -> dict[str, Any]:
    """The job of a cell; a folder in which no run was begun whole is cleared away first."""
    if cell.path.exists() and not (cell.path / "config.yaml").is_file():
        shutil.rmtree(cell.path)
    return {"config": to_yaml(cell.config), "out": str(cell.path)}


def _refuse_other(plan: Plan, out: Path) -> None:
    """Refuse a folder of something else: a comparison may grow, and another baseline be chosen.

    A folder without a plan, but with costs, is what `expected` leaves.
    """
    stored = out / "comparison.yaml"
    if not stored.is_file():
        if out.exists() and (not out.is_dir() or any(not _left_by_trying(p) for p in out.iterdir())):
            raise GradganError(f"{out} is there and holds no comparison; choose another --out.")
        return
    there = make_plan(read_plan(stored), source=str(stored))
    told = differences(_fixed(there, there), _fixed(plan, there))
    if told:
        raise GradganError(f"{out} holds another comparison: {told}. Give the same plan, or choose another --out.")


def _left_by_trying(path: Path) -> bool:
    return path.name == "costs.json" or path.name.startswith(".")


def _refuse_other_features(cells: Sequence[Cell]) -> None:
    """Runs that were measured in another network of the same name do not belong into one table."""
    for cell in cells:
        now, stored = cell.config.evaluate, cell.path / "config.yaml"
        if now.features is None or not stored.is_file():
            continue
        if identity_of(read_config(stored).evaluate) != identity_of(now):
            raise GradganError(
                f"{cell.name} was measured in another network than {now.features} is now. Give the old file, or "
                "compare anew: another --out."
            )


def _fixed(plan: Plan, there: Plan) -> dict[str, Any]:
    """What of a plan must stay in the folder of the plan that is there: all that decides what its runs are.

    Seeds are free; presets, methods and budgets may be added, so only those that are there are told.
    """
    of = yaml.safe_load(plan_to_yaml(plan))
    words = {key: of[key] for key in ("settings", "metrics", "looks")}
    methods, budgets = there.named_methods(), _budgets(there)
    words["data"] = {name: settings for name, settings in of["data"].items() if name in there.data}
    words["methods"] = {name: settings for name, settings in plan.named_methods().items() if name in methods}
    return words | {"budgets": [budget for budget in _budgets(plan) if budget in budgets]}


def _budgets(plan: Plan) -> list[str]:
    told = [f"{amount:g} {unit}" for unit in ("steps", "minutes") for amount in getattr(plan, unit)]
    return sorted(told) or ["the preset's steps"]


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """The comparison's folder, made and locked: two at once would write into the same runs."""
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise GradganError(f"{out} is being worked on by another process; wait for it.") from None
    try:
        yield
    finally:
        lock.release()


def _write(result: Comparison, command: str) -> None:
    from .. import __version__

    about = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "gradgan": __version__}
    about |= about_costs(result.path / "costs.json")
    files = {
        "table.md": markdown(result.tables, result.plan.reference(), command=command, about=about),
        "table.csv": csv_text(result.tables),
        "comparison.json": to_json(
            {"command": command, "about": about, "baseline": result.plan.reference()}
            | as_plain(result.tables, result.curves, result.path),
            indent=1,
        )
        + "\n",
    }
    for name, text in files.items():
        with writing(result.path / name):
            replace_file(result.path / name, text.encode())
    write_comparison_page(result.path)


def _command(out: Path) -> str:
    return shlex.join(["gradgan", "compare", "--config", str(out / "comparison.yaml"), "--out", str(out)])
