"""The run folder: what an experiment leaves on disk, how it is written, and how it is read again.

RUN/config.yaml                             the complete config, loadable again
RUN/run.json                                version, status, system, data, parameters, citations, glossary, results
RUN/log.jsonl                               a line per logged step: {"step": 100, "seconds": 1.23, "numbers": {...}}
RUN/tensorboard/events.out.tfevents.*       the same numbers, and the sample grids as images
RUN/samples/step_00000100.png
RUN/checkpoints/step_00000100.safetensors   written by training, listed here
RUN/checkpoints/best_00000100.safetensors   the best by the run's own score, where it was evaluated while it ran
RUN/evaluation.json                         by step: number of samples, and value, error and method of each metric
RUN/skipped.txt                             the samples that could not be read and were left out, if any
RUN/rolled_back/N/                          log and pictures of the N-th stretch that the run went back on
RUN/report.html
"""

import json
import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np

from .differences import differences
from .errors import GradganError
from .events import EventFile
from .files import remove_parts, replace_file, sync_folder, to_json, write_all, writing
from .info import misfit
from .lock import Lock
from .plain_yaml import read_yaml
from .png import png_bytes

_OURS = ("run.json", "log.jsonl", "tensorboard", "samples", "checkpoints", "evaluation.json", "report.html")


@dataclass(frozen=True)
class LogEntry:
    """One logged step: seconds since the run began, and its numbers by name."""

    step: int
    seconds: float
    numbers: dict[str, float]

    @property
    def of_training(self) -> bool:
        """Is it a line of training, which tells the learning rates, and not one of an evaluation?"""
        return any(name.startswith("lr/") for name in self.numbers)


class RunFolder:
    """A run on disk: where each thing lies, and how it is written."""

    path: Path

    def __init__(self, path: Path) -> None:
        """For `create` and `open`, which check what lies there."""
        self.path = path
        self._log: int | None = None
        self._lock: Lock | None = None
        self._events = EventFile(path / "tensorboard")

    @classmethod
    def create(cls, path: str | Path, *, config_yaml: str, resume: bool = False) -> "RunFolder":
        """A run folder to write to: a new one, or with `resume` the one that lies there, if one does, of this config.

        It is locked until `close`. Raises GradganError where a run lies already and `resume` is not set, where it has
        another config or another process writes to it, and where it cannot be written. Nothing half-made is left.
        """
        run = cls(Path(path).expanduser())
        if not run._lies():
            run._begin(config_yaml)
            return run
        if not resume:
            raise run._taken()
        run._same_config(config_yaml)
        with writing(run.path):
            run._lock = Lock(run.path)
        try:
            with writing(run.path):
                run._mend()
            run.update_info(status="running", message="")
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """The run that lies at `path`, for reading. Raises GradganError where there is none."""
        run = cls(Path(path).expanduser())
        missing = [name for name in ("config.yaml", "run.json") if not (run.path / name).is_file()]
        if missing:
            what = "is not a run folder" if run.path.is_dir() else "is not there, or not a folder"
            raise GradganError(
                f"{path} {what}: {missing[0]} is missing. Give the folder that --out named when the run was trained."
            )
        return run

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ---- what the run is -------------------------------------------------------------------------------------------

    def config_text(self) -> str:
        """The text of config.yaml."""
        return self._read("config.yaml")

    def replace_config(self, text: str) -> None:
        """Write another config.yaml, for a run that goes on with more steps or other intervals."""
        with writing(self.path / "config.yaml"):
            replace_file(self.path / "config.yaml", text.encode())

    def info(self) -> dict[str, Any]:
        """What run.json holds."""
        try:
            info = json.loads(self._read("run.json"))
        except (ValueError, RecursionError) as error:
            raise GradganError(f"{self.path / 'run.json'} is not JSON ({error}). Restore it, or train anew.") from None
        wrong = misfit(info)
        if wrong:
            raise GradganError(f"{self.path / 'run.json'} is damaged: {wrong}. Restore it, or train anew.")
        for name in ("system", "data", "parameters", "glossary"):
            info.setdefault(name, {})
        info.setdefault("citations", [])
        # Only here are "nan" and "inf" numbers; elsewhere they may be somebody's words.
        results = info.get("results") or {}
        info["results"] = {name: float(v) if v in ("nan", "inf", "-inf") else v for name, v in results.items()}
        return info

    def update_info(self, **fields: Any) -> None:
        """Set these fields of run.json, the others stay; a reader sees the old file or the new one, never half."""
        text = to_json({**self.info(), **fields}, indent=2)
        with writing(self.path / "run.json"):
            replace_file(self.path / "run.json", (text + "\n").encode())

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def log(self, step: int, seconds: SupportsFloat, numbers: Mapping[str, SupportsFloat]) -> None:
        """Append one step to log.jsonl, flushed, and to TensorBoard's file."""
        values = {name: float(value) for name, value in numbers.items()}
        line = to_json({"step": int(step), "seconds": float(seconds), "numbers": values})
        with writing(self.path / "log.jsonl"):
            if self._log is None:
                self._log = os.open(self.path / "log.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            write_all(self._log, (line + "\n").encode())
            self._events.scalars(int(step), values)

    def sync(self) -> None:
        """Put what was logged until now on the disk, where a power cut does not reach it."""
        with writing(self.path / "log.jsonl"):
            if self._log is not None:
                os.fsync(self._log)
            self._events.sync()
            sync_folder(self.path)

    def entries(self) -> list[LogEntry]:
        """The logged steps. A last line cut in writing is left out; any other broken line is a GradganError."""
        path = self.path / "log.jsonl"
        return [_entry(line, f"{path}, line {number}") for number, line in enumerate(self._lines(), start=1)]

    def _lines(self) -> list[bytes]:
        path = self.path / "log.jsonl"
        try:
            # Every whole line ends in a newline, so what follows the last one was cut (or is empty).
            return path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        except OSError as error:
            raise GradganError(f"cannot read {path}: {error.strerror or error}.") from None

    def rewind(self, step: int) -> None:
        """Before resuming at `step`: drop what was logged, sampled and saved after it, here and for TensorBoard."""
        kept = [line + b"\n" for line, entry in zip(self._lines(), self.entries(), strict=True) if entry.step <= step]
        self._close_files()
        with writing(self.path / "log.jsonl"):
            # Checkpoints first: one that stayed behind a shortened log would be resumed from.
            for later, path in [*self.checkpoints(), *self.best_checkpoints(), *self.grids()]:
                if later > step:
                    path.unlink()
            replace_file(self.path / "log.jsonl", b"".join(kept))
            self._events.restart(step + 1)

    def save_evaluation(self, step: int, content: Mapping[str, Any]) -> Path:
        """Set what is known of the samples at `step` in evaluation.json; the other steps stay."""
        path = self.path / "evaluation.json"
        known = {**self.evaluations(), int(step): content}
        with writing(path):
            replace_file(path, (to_json(dict(sorted(known.items())), indent=1) + "\n").encode())
        return path

    def evaluations(self) -> dict[int, dict[str, Any]]:
        """What evaluation.json holds, by step."""
        if not (self.path / "evaluation.json").exists():
            return {}
        try:
            known = {int(step): dict(content) for step, content in json.loads(self._read("evaluation.json")).items()}
            if not all(isinstance(content.get("numbers", {}), dict) for content in known.values()):
                raise ValueError
            return known
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise GradganError(
                f"{self.path / 'evaluation.json'} is broken. Delete it; gradgan evaluate {self.path} writes it again."
            ) from None

    # ---- pictures and checkpoints ----------------------------------------------------------------------------------

    def save_grid(self, step: int, image: np.ndarray) -> Path:
        """Write a picture of samples, uint8 (h, w) or (h, w, 3), to samples/ and to TensorBoard's file."""
        path = self.path / "samples" / f"step_{step:08d}.png"
        data = png_bytes(image)
        with writing(path):
            path.parent.mkdir(exist_ok=True)
            replace_file(path, data)
            self._events.image(step, "samples", image)
        return path

    def grids(self) -> list[tuple[int, Path]]:
        """The pictures of samples with their steps, newest last."""
        return self._steps("samples", "png")

    def checkpoints(self) -> list[tuple[int, Path]]:
        """The checkpoints with their steps, newest last."""
        return self._steps("checkpoints", "safetensors")

    def best_checkpoints(self) -> list[tuple[int, Path]]:
        """The best checkpoint last, before it those that were the best at a checkpoint that is kept, with their steps.

        None where the run was not evaluated while it ran.
        """
        return self._steps("checkpoints", "safetensors", prefix="best")

    def best_path(self, step: int) -> Path:
        """Where the best checkpoint belongs if it is that of `step`."""
        return self.checkpoint_path(step, prefix="best")

    def checkpoint_path(self, step: int, *, prefix: str = "step") -> Path:
        """Where the checkpoint of `step` belongs; its folder is made if need be."""
        path = self.path / "checkpoints" / f"{prefix}_{step:08d}.safetensors"
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        return path

    def set_aside(self, checkpoint: Path) -> Path:
        """Rename a checkpoint that cannot be used, so that it is neither listed nor lost."""
        aside = checkpoint.with_name(checkpoint.name + ".broken")
        with writing(checkpoint):
            checkpoint.replace(aside)
        return aside

    def close(self) -> None:
        """Close the files and give the folder free."""
        self._close_files()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # ---- within ----------------------------------------------------------------------------------------------------

    def _close_files(self) -> None:
        if self._log is not None:
            os.close(self._log)
            self._log = None
        self._events.close()

    def _lies(self) -> bool:
        return (self.path / "config.yaml").is_file()

    def _taken(self) -> GradganError:
        return GradganError(f"{self.path} holds a run already; add --resume to continue it, or choose another --out.")

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except OSError as error:
            raise GradganError(f"cannot read {self.path / name}: {error.strerror or error}.") from None
        except UnicodeDecodeError:
            raise GradganError(f"{self.path / name} is not text (UTF-8). Restore it, or train anew.") from None

    def _steps(self, folder: str, suffix: str, *, prefix: str = "step") -> list[tuple[int, Path]]:
        found = [
            (int(match[1]), path)
            for path in (self.path / folder).glob(f"{prefix}_*.{suffix}")
            if (match := re.fullmatch(rf"{prefix}_([0-9]{{1,18}})\.{suffix}", path.name)) and path.is_file()
        ]
        return sorted(found)

    def _begin(self, config_yaml: str) -> None:
        """Make the folder; config.yaml comes last, so a folder that has one is a whole run.

        Our run.json alone is what a process left that was killed in between; it is written over.
        """
        stray = [name for name in _OURS if (self.path / name).exists()]
        if stray and not (stray == ["run.json"] and "gradgan" in self.info()):
            raise GradganError(
                f"{self.path} holds {stray[0]} but no config.yaml, so it is not a whole run. "
                "Choose another --out, or delete it."
            )
        from .. import __version__

        info = {
            "gradgan": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": "running",
            "message": "",
            "system": {},
            "data": {},
            "parameters": {},
            "citations": [],
            "glossary": {},
            "results": {},
        }
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            with writing(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                self._lock = Lock(self.path)
                if self._lies():
                    raise self._taken()
                replace_file(self.path / "run.json", (to_json(info, indent=2) + "\n").encode())
                replace_file(self.path / "config.yaml", config_yaml.encode())
        except BaseException:
            with suppress(OSError):
                if self._lock is not None and not self._lies():
                    (self.path / "run.json").unlink(missing_ok=True)
            self.close()
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()
            raise

    def _same_config(self, config_yaml: str) -> None:
        """Refuse to resume a run of another config, naming the first keys that differ."""
        if self.config_text() == config_yaml:
            return
        source = str(self.path / "config.yaml")
        told = differences(*(read_yaml(text, source=source) for text in (self.config_text(), config_yaml)))
        if not told:
            return
        raise GradganError(
            f"{self.path} holds a run of another config: {told}. "
            "Resume with the config it was made with, choose another --out, or delete it."
        )

    def _mend(self) -> None:
        """Drop what a process that was killed had begun to write: parts of files, and the log's torn last line."""
        for folder in (self.path, self.path / "samples", self.path / "checkpoints"):
            remove_parts(folder)
        path = self.path / "log.jsonl"
        if path.exists():
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                replace_file(path, whole)


def _entry(line: bytes, where: str) -> LogEntry:
    try:
        raw = json.loads(line)
        numbers = {str(name): float(value) for name, value in raw["numbers"].items()}
        entry = LogEntry(int(raw["step"]), float(raw["seconds"]), numbers)
        if not (0 <= entry.step < 2**63 and math.isfinite(entry.seconds)):
            raise ValueError
        return entry
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        shown = line[:60].decode("utf-8", "replace")
        raise GradganError(
            f'{where} is broken: got {shown!r}, wanted {{"step": ..., "seconds": ..., "numbers": {{...}}}}. '
            "Delete that line, or resume from an earlier checkpoint."
        ) from None
