"""A bar on a terminal, lines where there is none: what every command that takes long shows on stderr."""

from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress, ProgressColumn

Own = TypeVar("Own", bound="Bar")


class Bar:
    """Shown within a `with`; those who know what is counted move it."""

    room = 70
    """How many letters of a sentence fit before the bar."""

    def __init__(self, *columns: ProgressColumn, title: str = "", total: int | None = None, **fields: Any) -> None:
        self.console = Console(stderr=True)
        self.bar = Progress(*columns, console=self.console)
        self.task = self.bar.add_task(title, total=total, **fields)

    def __enter__(self: Own) -> Own:
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def say(self, text: str) -> None:
        """A sentence: before the bar, or as a line of its own."""
        if self.console.is_terminal:
            self.bar.update(self.task, description=text[: self.room])
        else:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)
