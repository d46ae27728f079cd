"""What a measurement leaves: rows of named numbers, printed as a table, written as JSON."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..core.files import replace_file, to_json, writing

Cell = str | int | float | None


@dataclass(frozen=True)
class Result:
    """A title, where and how it was measured, and the rows, all with the same keys.

    The key of a column is its heading; `formats` are format specifications for its numbers; `legend` explains them.
    """

    name: str
    title: str
    about: dict[str, str]
    rows: list[dict[str, Cell]]
    formats: dict[str, str]
    legend: str

    def show(self, console: Console | None = None) -> None:
        """Print it; what repeats in the first column is left out."""
        console = console or Console()
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for heading in self.rows[0]:
            table.add_column(heading, justify="right" if heading in self.formats else "left", no_wrap=True)
        first, before = next(iter(self.rows[0])), None
        grouped = len({row[first] for row in self.rows}) < len(self.rows)
        for row in self.rows:
            if grouped and before not in (None, row[first]):
                table.add_row()
            cells = [self._shown(heading, value) for heading, value in row.items()]
            table.add_row("" if row[first] == before else cells[0], *cells[1:])
            before = row[first]
        console.print(f"{self.title}\n" + ", ".join(f"{k} {v}" for k, v in self.about.items()), highlight=False)
        console.print(table, highlight=False)
        console.print(self.legend, highlight=False)

    def _shown(self, heading: str, value: Cell) -> str:
        if value is None:
            return ""
        return format(value, self.formats[heading]) if heading in self.formats else str(value)

    def write(self, out: Path) -> Path:
        """NAME.json in the folder `out`, which is made."""
        path = out / f"{self.name}.json"
        with writing(path):
            out.mkdir(parents=True, exist_ok=True)
            content = {"title": self.title, "about": self.about, "rows": self.rows, "legend": self.legend}
            replace_file(path, (to_json(content, indent=1) + "\n").encode())
        return path
