"""Checkpoints: one safetensors file with every tensor, the plain data in its header, and a checksum of both. No pickle.

Format 2 has the checksum, and in the state the best evaluation and the rollbacks, format 3 the controllers' factors;
formats 1 and 2 are read too.
A change of what a run's state holds is a new format, and a function in `_MIGRATIONS` that makes the state before it
into the state after it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, uint8

from ..core.checks import GradganError
from ..core.files import replace_file

_KEY = "gradgan"
_CHECKSUM = "sha256"
_FORMAT = 3
# By the format that they read.
_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda state: {**state, "best": None, "rollbacks": []},
    2: lambda state: {**state, "controls": {}},
}

BROKEN = (
    SafetensorError,
    OSError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
)
"""What reading a file that was damaged or made up can raise, here and where its state is put back."""


def flatten(tree: Any, tensors: dict[str, Tensor], path: str = "") -> Any:
    """A copy of the tree in which every tensor is replaced by {"tensor": name}; the tensors go to `tensors`."""
    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().cpu().contiguous()
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
    """Write the state, durably: the file under `path` is whole and on the disk, or not there.

    Raises GradganError where the disk does not take it; what lay there before is intact. The folder must exist.
    """
    tensors: dict[str, Tensor] = {}
    plain = json.dumps({"format": _FORMAT, "tree": flatten(state, tensors)})
    # safetensors refuses tensors that share memory; averages and networks never do, tied weights would.
    data = to_bytes(tensors, metadata={_KEY: plain, _CHECKSUM: checksum(plain, tensors)})
    try:
        replace_file(path, data)
    except OSError as error:
        why = error.strerror or error
        raise GradganError(f"checkpoint {path} could not be written: {why}. The one before it is intact.") from error


def load(path: Path, *, device: str = "cpu") -> dict[str, Any]:
    """What `save` wrote; a file that is missing, torn, altered or not a checkpoint raises GradganError."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        if _KEY not in header:
            raise GradganError(f"{path} is a safetensors file, but not a gradgan checkpoint.")
        plain = json.loads(header[_KEY])
        known = plain["format"]
        if known not in (*_MIGRATIONS, _FORMAT):
            raise GradganError(f"{path} has checkpoint format {known!r}, this gradgan reads 1 to {_FORMAT}.")
        if known > 1 and checksum(header[_KEY], tensors) != header[_CHECKSUM]:
            raise GradganError(f"{path} is not what was written: its checksum differs. Use an older one beside it.")
        state = unflatten(plain["tree"], {name: tensor.to(device) for name, tensor in tensors.items()})
        for number in range(known, _FORMAT):
            state = _MIGRATIONS[number](state)
    except BROKEN as error:
        if isinstance(error, GradganError):
            raise
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise GradganError(f"{path} is not a readable checkpoint ({why}). Use an older one beside it.") from error
    return state


def checksum(plain: str, tensors: Mapping[str, Tensor]) -> str:
    """sha256 of everything a checkpoint says: the plain data, and each tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(plain.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.reshape(-1).view(uint8).numpy().data)
    return digest.hexdigest()
