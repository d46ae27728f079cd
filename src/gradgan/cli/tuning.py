"""What `gradgan tune` does: flags to a study, a line for each trial, the table and the answer at the end."""

import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from ..core.pool import Message
from .bar import Bar


def run_tune(what: str | Path, *, out: Path, **words: Any) -> None:
    """Search, then print every trial, the answer, and where the page lies."""
    from ..experiment import read_config
    from ..tuning import tune
    from ..tuning.showing import print_answer

    command = shlex.join(["gradgan", *sys.argv[1:]]) if sys.argv[1:2] == ["tune"] else None
    config = read_config(what) if isinstance(what, Path) else what
    with _Bar() as bar:
        answer = tune(config, out=out, command=command, tell=bar, **words)
    print_answer(answer, Console(width=None if sys.stdout.isatty() else 160))
    print(f"\nreport: {out / 'report.html'}\ntables: {out / 'table.md'}")
    if answer.chosen is not None:
        print(f"use it: gradgan train --from {shlex.quote(str(out))}")


class _Bar(Bar):
    """Trials that are over; without a terminal a line for each that ends."""

    def __init__(self) -> None:
        super().__init__(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

    def __call__(self, message: Message | str, over: int, trials: int) -> None:
        if isinstance(message, str):
            self.say(message)
            return
        told = message.words
        if message.kind == "told" or told.get("surplus"):
            return
        point = " ".join(told.get("settings", []))
        how = told.get("reason") or told.get("end", "")
        loss = f"  {told['loss']:.4g}" if isinstance(told.get("loss"), float) else ""
        self.say(f"{over}/{trials}  trial {told.get('trial', '?')}  {point}  {how}{loss}")
        self.bar.update(self.task, completed=over, total=trials)
