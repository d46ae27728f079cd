"""Are two run folders the same run? What a resumed run is compared by with an unbroken one (docs/resume.md)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor, uint8

from ..core.record import RunFolder
from ..training import checkpoint

TIME_DEPENDENT = ("speed",)
"""Logged numbers that measure the machine and not the run; the log's `seconds` and the state's are the others."""


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two runs, bit for bit, but for the numbers that depend on time; empty where nothing does."""
    a, b = RunFolder.open(one), RunFolder.open(other)
    found = [] if a.config_text() == b.config_text() else ["config.yaml"]
    found += [] if a.info()["results"] == b.info()["results"] else ["run.json: results"]
    found += list(_of_logs(a, b))
    found += list(_of_mappings("samples", _files(a), _files(b)))
    found += list(_of_mappings("TensorBoard", _events(a), _events(b)))
    found += list(_of_mappings("newest checkpoint", _newest(a), _newest(b)))
    return found


def _of_logs(a: RunFolder, b: RunFolder) -> Iterator[str]:
    def told(run: RunFolder) -> dict[str, str]:
        # As JSON text: not a number is equal to itself there, and -0.0 is not 0.0.
        return {
            f"{number}, step {e.step}": json.dumps(
                [(k, None if k in TIME_DEPENDENT else v) for k, v in e.numbers.items()]
            )
            for number, e in enumerate(run.entries(), start=1)
        }

    yield from _of_mappings("log.jsonl: line", told(a), told(b))


def _of_mappings(what: str, a: dict[Any, Any], b: dict[Any, Any]) -> Iterator[str]:
    if list(a) != list(b):
        yield f"{what}: {sorted(map(str, set(a) ^ set(b)))[:3] or 'their order'}"
    yield from (f"{what} {key}" for key in a if key in b and a[key] != b[key])


def _files(run: RunFolder) -> dict[int, bytes]:
    return {step: path.read_bytes() for step, path in run.grids()}


def _events(run: RunFolder) -> dict[str, list[tuple[int, Any]]]:
    """What TensorBoard shows, read by its own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(run.path / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
    reader.Reload()
    tags = reader.Tags()
    shown: dict[str, list[tuple[int, Any]]] = {}
    for tag in sorted(tags["scalars"]):
        timeless = tag not in TIME_DEPENDENT
        shown[tag] = [(event.step, repr(event.value) if timeless else None) for event in reader.Scalars(tag)]
    for tag in sorted(tags["images"]):
        shown[tag] = [(event.step, event.encoded_image_string) for event in reader.Images(tag)]
    return shown


def _newest(run: RunFolder) -> dict[str, Any]:
    """Every tensor (type, shape, bytes) and every plain value of the newest checkpoint by its path."""
    _, path = run.checkpoints()[-1]
    tensors: dict[str, Tensor] = {}
    plain = checkpoint.flatten({**checkpoint.load(path), "seconds": None}, tensors)
    content = {
        name: (str(t.dtype), tuple(t.shape), t.reshape(-1).view(uint8).numpy().tobytes()) for name, t in tensors.items()
    }
    return {"step": path.name, "plain data": json.dumps(plain), **content}
