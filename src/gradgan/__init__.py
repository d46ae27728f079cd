"""gradgan: train GANs whose gradients are kept in hand.

    from gradgan import penalties
    loss = adversarial + 10 * penalties.wgan_gp(critic, real, fake).mean()

Everything below is imported at its first use, so that `import gradgan` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import losses as losses
    from . import penalties as penalties

_LAZY = {
    "Config": ".experiment:Config",
    "Run": ".experiment:Run",
    "Term": ".training.objective:Term",
    "data": ".data",
    "losses": ".losses",
    "metrics": ".metrics",
    "networks": ".networks",
    "penalties": ".penalties",
    "systems": ".systems",
    "testing": ".testing",
    "train": ".experiment:train",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'gradgan' has no attribute {name!r}; it offers {', '.join(sorted(_LAZY))}")
    module, _, attribute = _LAZY[name].partition(":")
    value = importlib.import_module(module, __name__)
    value = getattr(value, attribute) if attribute else value
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
