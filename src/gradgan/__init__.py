"""gradgan: train GANs whose gradients are kept in hand.

    from gradgan import penalties
    loss = adversarial + 10 * penalties.wgan_gp(critic, real, fake).mean()

Everything below is imported at its first use, so that `import gradgan` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import data as data
    from . import losses as losses
    from . import metrics as metrics
    from . import networks as networks
    from . import penalties as penalties
    from . import systems as systems
    from . import testing as testing
    from .comparison import compare as compare
    from .engine import critic_backward as critic_backward
    from .experiment import Config as Config
    from .experiment import Run as Run
    from .experiment import Sampler as Sampler
    from .experiment import export as export
    from .experiment import train as train
    from .training.objective import Term as Term
    from .tuning import tune as tune

_LAZY = {
    "Config": ".experiment:Config",
    "Run": ".experiment:Run",
    "Sampler": ".experiment:Sampler",
    "Term": ".training.objective:Term",
    "compare": ".comparison:compare",
    "critic_backward": ".engine:critic_backward",
    "data": ".data",
    "export": ".experiment:export",
    "losses": ".losses",
    "metrics": ".metrics",
    "networks": ".networks",
    "penalties": ".penalties",
    "systems": ".systems",
    "testing": ".testing",
    "train": ".experiment:train",
    "tune": ".tuning:tune",
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
