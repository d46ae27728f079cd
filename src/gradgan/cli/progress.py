"""The progress bar: where the run stands, and the few numbers that matter."""

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from ..training.state import Numbers, State
from .bar import Bar

_SHOWN = {"critic/loss": "critic", "generator/loss": "generator", "slope/real": "slope"}


class Progress(Bar):
    """A hook that moves a bar; without a terminal it prints a line now and then instead."""

    def __init__(self, title: str, steps: int, *, every: int) -> None:
        """`every`: how many rounds apart the numbers are read, each a wait for the device."""
        self.every = max(1, every)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        super().__init__(*columns, TextColumn("{task.fields[numbers]}"), title=title, total=steps, numbers="")
        self.steps = steps
        self._line = max(self.every, steps // 10 // self.every * self.every)

    def wants_numbers(self, step: int) -> bool:
        """It shows what others had measured."""
        return False

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Move on by a round."""
        if state.step % self.every:
            self.bar.update(self.task, completed=state.step)
            return
        shown = "  ".join(f"{word} {float(numbers[name]):.3f}" for name, word in _SHOWN.items() if name in numbers)
        self.bar.update(self.task, completed=state.step, numbers=shown)
        if not self.console.is_terminal and state.step % self._line == 0:
            self.console.print(f"step {state.step}/{self.steps}  {state.seconds:.0f} s  {shown}", highlight=False)
