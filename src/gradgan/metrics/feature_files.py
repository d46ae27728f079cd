"""Feature networks from files without Python: graphs in TorchScript and ONNX, Inception's weights in safetensors."""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.checks import GradganError
from .features import Own, Range
from .inception import Inception, inception_of_file

_RECIPE = 1
"""Goes up when pictures are prepared, or Inception computed, otherwise, so that features kept before are not taken."""


def features_of_file(path: str | Path, *, size: int = 0, range: Range = "unit", rgb: bool = True) -> Own:
    """The features of a network in a file (see `network_of_file`), named after it; `size`, `range`, `rgb` as in `Own`.

    What they say of real samples is kept under the file's content, except of ONNX, whose weights may lie in files
    beside it. Inception takes no words: it resizes and scales by a rule of its own.
    """
    path = Path(path).expanduser()
    network = network_of_file(path)
    if isinstance(network, Inception) and (size or range != "unit" or not rgb):
        raise GradganError(
            "Inception resizes and scales pictures by the rule of the published distances: leave features_size, "
            "features_range and features_rgb out."
        )
    words = f"{_RECIPE} {size} {range} {rgb} {content_of(path)}"
    key = hashlib.sha256(words.encode()).hexdigest()
    return Own(network, path.stem, size=size, range=range, rgb=rgb, key=key, kept=path.suffix != ".onnx")


def content_of(path: str | Path) -> str:
    """The SHA-256 of a file; raises GradganError for one that is missing."""
    try:
        with Path(path).expanduser().open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise _missing(path) from None


def _missing(path: str | Path) -> GradganError:
    return GradganError(
        f"features {path}: there is no such file. Give it where it lies now (evaluate.features, or --features), or "
        "leave it out: evaluate.features=null."
    )


def network_of_file(path: str | Path) -> Callable[[Tensor], Tensor]:
    """The network in a .pt or .torchscript (TorchScript), .onnx or .safetensors file, on the CPU; for `Own`.

    A .safetensors file holds numbers only: it must be the weights of the `Inception` of published Frechet distances.
    No format can hold Python code, and a pickled module is refused. A graph computes what it likes with the
    pictures, and its reader is native code: take files from where you would take a program. ONNX needs onnxruntime
    (pip install 'gradgan[onnx]').
    Raises GradganError for a file that is missing or is none of them.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise _missing(path)
    if path.suffix == ".onnx":
        return _onnx(path)
    if path.suffix in (".pt", ".torchscript"):
        return _torchscript(path)
    if path.suffix == ".safetensors":
        return inception_of_file(path)
    raise GradganError(
        f"features {path}: wanted a TorchScript (.pt, .torchscript) or ONNX (.onnx) file, or Inception's .safetensors."
    )


def _torchscript(path: Path) -> Callable[[Tensor], Tensor]:
    try:
        with warnings.catch_warnings():
            # Torch prefers its newer export format, whose files may hold pickles; TorchScript's stay readable.
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(path, map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise GradganError(
            f"features {path} is not TorchScript ({first}). Save it with torch.jit.trace(...).save(path)."
        ) from None
    # NVIDIA's Inception gives probabilities unless it is asked for features.
    if any(argument.name == "return_features" for argument in module.forward.schema.arguments):
        return lambda x: module(x, return_features=True)
    return module


def _onnx(path: Path) -> Callable[[Tensor], Tensor]:
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]  (an extra)
    except ImportError:
        raise GradganError("ONNX features need onnxruntime: pip install 'gradgan[onnx]'.") from None
    try:
        session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common parent
        raise GradganError(f"features {path} is not ONNX ({str(error).strip().splitlines()[0]}).") from None
    given = session.get_inputs()[0]
    if isinstance(given.shape[0], int):
        raise GradganError(
            f"features {path}: its graph takes {given.shape[0]} pictures at a time. Export it with a batch of any size."
        )

    def call(x: Tensor) -> Tensor:
        wanted = given.shape[1:]
        # A size that may be any is a name.
        fixed = [size if isinstance(size, int) else None for size in wanted]
        if len(fixed) != x.ndim - 1 or any(w not in (None, s) for w, s in zip(fixed, x.shape[1:], strict=True)):
            raise GradganError(
                f"features {path}: wants pictures {tuple(wanted)}, got {tuple(x.shape[1:])}. features_size resizes "
                "them; features_rgb=false (in Python rgb=False) gives grey ones as one channel."
            )
        try:
            return torch.from_numpy(session.run(None, {given.name: x.float().numpy()})[0])
        except Exception as error:  # as above
            raise GradganError(f"features {path}: {str(error).strip().splitlines()[0]}") from None

    return call
