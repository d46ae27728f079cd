"""Parts from outside the package: the modules that registered them, which a worker process must import to know them."""

import importlib.util
import re
import sys
from collections.abc import Iterable

from ..control import CONTROLLERS
from ..core.checks import GradganError
from ..data import DATASETS
from ..losses import LOSSES
from ..metrics import METRICS
from ..networks import NETWORKS
from ..penalties import PENALTIES
from ..systems import SYSTEMS

_CATALOGS = (CONTROLLERS, DATASETS, LOSSES, METRICS, NETWORKS, PENALTIES, SYSTEMS)


def modules_of_own_parts(texts: Iterable[str]) -> tuple[str, ...]:
    """The modules outside gradgan that registered parts which these configs (or plans) name, each once.

    Raises GradganError for a part that another process could not import: one of a script or a notebook.
    """
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    modules: dict[str, None] = {}
    for catalog in _CATALOGS:
        for entry in catalog.values():
            module = entry.make.__module__
            if entry.name not in words or module.partition(".")[0] == "gradgan":
                continue
            if not _importable(module):
                raise GradganError(
                    f"{catalog.kind} {entry.name!r} was registered in {module}, which worker processes cannot import. "
                    "Put it into a module of its own beside the script, and import that."
                )
            modules[module] = None
    return tuple(modules)


def _importable(module: str) -> bool:
    """Can another process import it, by the same path? Not a script, nor what is still being imported here: it would
    start this again."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    if module == "__main__" or spec is None or getattr(spec, "_initializing", False):
        return False
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return found is not None and found.origin == spec.origin
