"""Stretches of a run that it went back on: kept readable beside the run, RUN/rolled_back/N/log.jsonl and pictures."""

import shutil
from pathlib import Path

from .files import replace_file, writing
from .record import RunFolder


def set_aside(run: RunFolder, step: int, number: int) -> Path:
    """Move what was logged and drawn after `step` to RUN/rolled_back/NUMBER, and take the run's folder back to `step`.

    Checkpoints after `step` are removed first: whatever cuts this off, the run resumes at `step` or before, and goes
    through the same stretch again.
    """
    folder = run.path / "rolled_back" / str(number)
    lines = (run.path / "log.jsonl").read_bytes().splitlines(keepends=True)
    later = [line for line, entry in zip(lines, run.entries(), strict=False) if entry.step > step]
    with writing(folder):
        for saved, checkpoint in run.checkpoints():
            if saved > step:
                checkpoint.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "samples").mkdir(parents=True)
        replace_file(folder / "log.jsonl", b"".join(later))
        for drawn, picture in run.grids():
            if drawn > step:
                shutil.copy2(picture, folder / "samples" / picture.name)
    run.rewind(step)
    return folder


def forget_after(run: RunFolder, number: int) -> None:
    """Before resuming from a checkpoint that knows of `number` rollbacks: later ones will happen again."""
    with writing(run.path / "rolled_back"):
        for folder in (run.path / "rolled_back").glob("*"):
            if not folder.name.isdigit() or int(folder.name) > number:
                shutil.rmtree(folder)
