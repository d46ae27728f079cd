"""What `gradgan compare` does: flags and file to a plan, a bar while it runs, the tables at the end."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from ..comparison import Plan, compare_plan, expected, make_plan, read_plan
from ..comparison.cells import Cell
from ..comparison.plan import listed
from ..core.errors import GradganError
from ..core.pool import Message, crew
from ..report.parts import duration
from .bar import Bar


def run_compare(config: Path | None, flags: dict[str, Any], *, out: Path, workers: int | None, dry_run: bool) -> None:
    """Compare what the file says, changed by the flags that are given; or only tell how long that would take."""
    words = read_plan(config) if config is not None else {}
    own, more = listed(words.get("settings")), flags.pop("settings", [])
    words |= {key: value for key, value in flags.items() if value not in (None, [], {})}
    # What is no list goes on as it is, for make_plan to refuse.
    words["settings"] = [*own, *more] if isinstance(own, list) else own
    plan = make_plan(words, source="compare" if config is None else str(config))
    command = shlex.join(["gradgan", *sys.argv[1:]]) if sys.argv[1:2] == ["compare"] else None
    if dry_run:
        _print_expected(plan, out, crew(workers))
        return
    with _Bar() as bar:
        result = compare_plan(plan, out=out, workers=workers, command=command, tell=bar)
    result.show(Console(width=None if sys.stdout.isatty() else 160))
    print(f"\nreport: {result.path / 'report.html'}\ntables: {result.path / 'table.md'}")


def _print_expected(plan: Plan, out: Path, workers: int) -> None:
    """Steps and time of one run of each method, and of all that are left."""
    with _Bar() as bar:
        left = expected(plan, out=out, tell=bar)
    once = {(cell.data, cell.method, str(cell.budget)): (cell.config.steps, seconds) for cell, seconds in left}
    for (data, method, _), (steps, seconds) in once.items():
        print(f"{data:14} {method:24} {steps:7} steps  {duration(seconds)}")
    total = sum(seconds for _, seconds in left) / workers
    print(f"{len(left)} runs left, {duration(total)} with {workers} side by side, besides looks, pictures and start-up")


def variants_of(groups: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Each --variants NAME KEY=VALUE ... as a name with its settings."""
    variants: dict[str, list[str]] = {}
    for group in groups:
        name, *settings = group
        if "=" in name and not settings:
            raise GradganError(f"--variants wants a name and its settings, got {name!r}. Example: weak r1.weight=0.01")
        if name in variants:
            raise GradganError(f"--variants names {name!r} twice; give each its own name.")
        variants[name] = settings
    return variants


class _Bar(Bar):
    """Steps of all runs together; without a terminal a line for each run that ends."""

    room = 60

    def __init__(self) -> None:
        runs = TextColumn("{task.fields[runs]}")
        super().__init__(TextColumn("{task.description}"), BarColumn(), runs, TimeRemainingColumn(), runs="")
        self.steps: dict[str, int] = {}
        self.ended = 0

    def __call__(self, message: Message | str, cells: Sequence[Cell]) -> None:
        if isinstance(message, str):
            self.say(message)
            return
        budget = {cell.name: cell.config.steps for cell in cells}
        self.steps[message.job] = budget[message.job] if message.kind != "told" else message.words["step"]
        if message.kind != "told":
            self.ended += 1
            how = message.words.get("diverged") or message.words.get("reason") or "done"
            self.say(f"{self.ended}/{len(cells)}  {message.job}  {how}")
        self.bar.update(
            self.task, description="running", completed=sum(self.steps.values()), total=sum(budget.values()),
            runs=f"{self.ended}/{len(cells)} runs",
        )  # fmt: skip
