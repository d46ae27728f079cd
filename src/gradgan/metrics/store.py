"""Tensors that are dear to compute, kept in the user's cache: whole or absent, whoever writes at the same time."""

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..core.cache import cache_folder


def stored(kind: str, key: str, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """What lies in the cache under `kind` and `key`, else what `make` gives, which is then kept there.

    `key` names the content that it was made from, so that nothing kept is ever out of date. A file that cannot be read
    (cut off, another format) is made again. Two that make the same at once both write whole files; the later stays.
    """
    path = cache_folder(kind) / f"{key}.safetensors"
    with suppress(OSError, SafetensorError):
        return load_file(path)
    made = dict(make())
    try:
        _write(path, made)
    except OSError as error:
        # Nothing is lost but the time of the next one who needs it.
        logging.getLogger("gradgan").warning("could not keep %s: %s", path, error.strerror or error)
    return made


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    """Beside, under a name of its own, then renamed: a reader sees a whole file or none."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:16]}-", suffix=".tmp")
    os.close(handle)
    beside = Path(name)
    try:
        save_file({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
