"""Tensors that are dear to compute, kept in the user's cache: whole or absent, whoever writes at the same time."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ..core.cache import cache_folder
from ..core.files import replace_file


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
        replace_file(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in made.items()}))
    except OSError as error:
        # Nothing is lost but the time of the next one who needs it.
        logging.getLogger("gradgan").warning("could not keep %s: %s", path, error.strerror or error)
    return made
