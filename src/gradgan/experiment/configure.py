"""From what a person says (a preset, a file, a few words) to a Config."""

from collections.abc import Sequence
from dataclasses import replace

from ..systems import SYSTEMS
from .config import Config, DataConfig
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

    Another system keeps the preset's numbers for the penalties that both have and takes its own for the rest.
    Raises GradganError for unknown names and keys, with the nearest known.
    """
    config = what if isinstance(what, Config) else preset(what)
    if system is not None:
        shared = {term.name for term in SYSTEMS.make(system).terms}
        kept = {name: penalty for name, penalty in config.penalties.items() if name in shared}
        config = replace(config, system=system, reading=None, critic_steps=None, penalties=kept)
    if data is not None and data != config.data.name:
        config = replace(config, data=DataConfig(data, config.data.path))
    if steps is not None:
        config = replace(config, steps=steps)
    if seed is not None:
        config = replace(config, seed=seed)
    return override(config, settings)
