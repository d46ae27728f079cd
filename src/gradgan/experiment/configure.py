"""From what a person says (a preset, a file, a few words) to a Config."""

from collections.abc import Sequence

from .config import Config
from .presets import preset
from .reading import override


def configure(
    what: str | Config = "digits",
    *,
    system: str | None = None,
    data: str | None = None,
    steps: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
) -> Config:
    """A preset by name, or a Config, with the given changes; `settings` are `key=value` and come last.

    Another system, reading, data set or network is chosen first, wherever its word stands (switch.py).
    Raises GradganError for unknown names and keys, with the nearest known.
    """
    config = what if isinstance(what, Config) else preset(what)
    words = {"system": system, "data.name": data, "steps": steps, "seed": seed}
    said = [f"{key}={value}" for key, value in words.items() if value is not None]
    return override(config, [*said, *settings])
