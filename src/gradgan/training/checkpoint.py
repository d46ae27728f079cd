"""Checkpoints: one safetensors file with every tensor, and the plain data in its header. No pickle anywhere."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..core.checks import GradganError

_KEY = "gradgan"
_FORMAT = 1


def flatten(tree: Any, tensors: dict[str, Tensor], path: str = "") -> Any:
    """A copy of the tree in which every tensor is replaced by {"tensor": name}; the tensors go to `tensors`."""
    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().contiguous()
        return {"tensor": path}
    if isinstance(tree, Mapping):
        # Pairs, not an object: JSON would turn an optimiser's whole-number keys into strings.
        return {"mapping": [[key, flatten(value, tensors, f"{path}/{key}")] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return {"list": [flatten(value, tensors, f"{path}/{i}") for i, value in enumerate(tree)]}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return {"plain": tree}
    raise TypeError(f"checkpoint: {path} is a {type(tree).__name__}; only tensors and plain data are saved.")


def unflatten(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of `flatten`; tuples come back as lists."""
    ((kind, value),) = tree.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "mapping":
        return {key: unflatten(child, tensors) for key, child in value}
    if kind == "list":
        return [unflatten(child, tensors) for child in value]
    return value


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write beside and rename, so that the file under `path` is whole or absent."""
    tensors: dict[str, Tensor] = {}
    plain = json.dumps({"format": _FORMAT, "tree": flatten(state, tensors)})
    # safetensors refuses tensors that share memory; averages and networks never do, tied weights would.
    beside = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, beside, metadata={_KEY: plain})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except (OSError, SafetensorError) as error:
        beside.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or error
        raise GradganError(f"checkpoint {path} could not be written: {why}. The one before it is intact.") from error


def load(path: Path, *, device: str = "cpu") -> dict[str, Any]:
    """What `save` wrote; a file that is missing, torn or not a checkpoint raises GradganError."""
    try:
        with safe_open(path, framework="pt", device=device) as file:
            header = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        if header is None:
            raise GradganError(f"{path} is a safetensors file, but not a gradgan checkpoint.")
        plain = json.loads(header)
        if plain["format"] != _FORMAT:
            raise GradganError(f"{path} has checkpoint format {plain['format']}, this gradgan reads {_FORMAT}.")
        return unflatten(plain["tree"], tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, GradganError):
            raise
        raise GradganError(f"{path} is not a readable checkpoint ({error}). Use an older one beside it.") from error
