"""The run folder: what an experiment leaves on disk, how it is written, and how it is read again.

RUN/config.yaml                             the complete config, loadable again
RUN/run.json                                version, status, system, data, parameters, citations, glossary, results
RUN/log.jsonl                               a line per logged step: {"step": 100, "seconds": 1.23, "numbers": {...}}
RUN/tensorboard/events.out.tfevents.*       the same numbers, and the sample grids as images
RUN/samples/step_00000100.png
RUN/checkpoints/step_00000100.safetensors   written by training, listed here
RUN/checkpoints/best_00000100.safetensors   the best by the run's own score, where it was evaluated while it ran
RUN/evaluation.json                         by step: number of samples, and value, error and method of each metric
RUN/report.html
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, SupportsFloat, TextIO

import numpy as np
import yaml

from .differences import differences
from .errors import GradganError
from .events import EventFile
from .files import replace_file, to_json, writing
from .png import png_bytes

_OURS = ("run.json", "log.jsonl", "tensorboard", "samples", "checkpoints", "evaluation.json", "report.html")


@dataclass(frozen=True)
class LogEntry:
    """One logged step: seconds since the run began, and its numbers by name."""

    step: int
    seconds: float
    numbers: dict[str, float]


class RunFolder:
    """A run on disk: where each thing lies, and how it is written."""

    path: Path

    def __init__(self, path: Path) -> None:
        """For `create` and `open`, which check what lies there."""
        self.path = path
        self._log: TextIO | None = None
        self._events = EventFile(path / "tensorboard")

    @classmethod
    def create(cls, path: str | Path, *, config_yaml: str, resume: bool = False) -> "RunFolder":
        """A run folder to write to: a new one, or with `resume` the one that lies there, if one does, of this config.

        Raises GradganError where a run lies already and `resume` is not set, where it has another config, and where the
        folder cannot be written. Nothing half-made is left behind.
        """
        run = cls(Path(path).expanduser())
        lies = (run.path / "config.yaml").is_file()
        if lies and not resume:
            raise GradganError(f"{path} holds a run already; add --resume to continue it, or choose another --out.")
        if lies:
            run._same_config(config_yaml)
            with writing(run.path):
                run._drop_torn_line()
            run.update_info(status="running", message="")
            return run
        run._begin(config_yaml)
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
        except ValueError as error:
            raise GradganError(f"{self.path / 'run.json'} is not JSON ({error}). Restore it, or train anew.") from None
        if not isinstance(info, dict):
            raise GradganError(f"{self.path / 'run.json'} must hold an object, got {type(info).__name__}.")
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
                self._log = (self.path / "log.jsonl").open("a", encoding="utf-8")
            self._log.write(line + "\n")
            self._log.flush()
            self._events.scalars(int(step), values)

    def entries(self) -> list[LogEntry]:
        """The logged steps. A last line cut in writing is left out; any other broken line is a GradganError."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return []
        # Every whole line ends in a newline, so what follows the last one was cut (or is empty).
        lines = path.read_bytes().split(b"\n")[:-1]
        return [_entry(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]

    def rewind(self, step: int) -> None:
        """Before resuming at `step`: drop what was logged and sampled after it, here and for TensorBoard."""
        kept = [entry for entry in self.entries() if entry.step <= step]
        lines = [to_json({"step": e.step, "seconds": e.seconds, "numbers": e.numbers}) + "\n" for e in kept]
        self.close()
        with writing(self.path / "log.jsonl"):
            replace_file(self.path / "log.jsonl", "".join(lines).encode())
            for later, file in (*self.grids(), *self.best_checkpoints()):
                if later > step:
                    file.unlink()
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
            return {int(step): content for step, content in json.loads(self._read("evaluation.json")).items()}
        except (ValueError, AttributeError):
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
        """The best checkpoint with its step, alone in its list; none where the run was not evaluated while it ran."""
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

    def close(self) -> None:
        """Close the files; a later `log` opens them again."""
        if self._log is not None:
            self._log.close()
            self._log = None
        self._events.close()

    # ---- within ----------------------------------------------------------------------------------------------------

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except OSError as error:
            raise GradganError(f"cannot read {self.path / name}: {error.strerror or error}.") from None

    def _steps(self, folder: str, suffix: str, *, prefix: str = "step") -> list[tuple[int, Path]]:
        found = [
            (int(match[1]), path)
            for path in (self.path / folder).glob(f"{prefix}_*.{suffix}")
            if (match := re.fullmatch(rf"{prefix}_(\d+)\.{suffix}", path.name))
        ]
        return sorted(found)

    def _begin(self, config_yaml: str) -> None:
        """Make the folder; config.yaml comes last, so a folder that has one is a whole run."""
        stray = [name for name in _OURS if (self.path / name).exists()]
        if stray:
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
                replace_file(self.path / "run.json", (to_json(info, indent=2) + "\n").encode())
                replace_file(self.path / "config.yaml", config_yaml.encode())
        except BaseException:
            with suppress(OSError):
                (self.path / "run.json").unlink(missing_ok=True)
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()
            raise

    def _same_config(self, config_yaml: str) -> None:
        """Refuse to resume a run of another config, naming the first keys that differ."""
        if self.config_text() == config_yaml:
            return
        try:
            there, here = (yaml.safe_load(text) for text in (self.config_text(), config_yaml))
        except yaml.YAMLError as error:
            raise GradganError(f"{self.path / 'config.yaml'} cannot be read as YAML: {_one_line(error)}.") from None
        told = differences(there, here)
        if not told:
            return
        raise GradganError(
            f"{self.path} holds a run of another config: {told}. "
            "Resume with the config it was made with, choose another --out, or delete it."
        )

    def _drop_torn_line(self) -> None:
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
        return LogEntry(int(raw["step"]), float(raw["seconds"]), numbers)
    except (ValueError, KeyError, TypeError, AttributeError):
        shown = line[:60].decode("utf-8", "replace")
        raise GradganError(
            f'{where} is broken: got {shown!r}, wanted {{"step": ..., "seconds": ..., "numbers": {{...}}}}. '
            "Delete that line, or resume from an earlier checkpoint."
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
