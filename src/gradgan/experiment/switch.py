"""Choosing another system, reading, data set or network: what the old choice implied goes, what a person said stays."""

from collections.abc import Callable
from dataclasses import replace

from ..data import DATASETS
from ..penalties import PENALTIES
from ..systems import SYSTEMS, System
from .config import Config, DataConfig, NetworkConfig, PenaltyConfig
from .own_features import without_file
from .presets import weights_for

_RELU_LIKE = ("relu", "leaky_relu")


def switch(config: Config, key: str, value: str | None) -> Config:
    """The config after `key=value` for one of SWITCHES; null is followed for a file of features only."""
    if value is None and key != "evaluate.features":
        return config
    return SWITCHES[key](config, value or "")


def _data(config: Config, name: str) -> Config:
    """Another data set: its own options; the path stays where it can be used."""
    if name == config.data.name:
        return config
    path = config.data.path if "path" in DATASETS[name].options else None
    return replace(config, data=DataConfig(name, path))


def _system(config: Config, name: str) -> Config:
    """Another system: shared penalties keep their numbers, the old system's others go, added ones stay.

    Its own take the weights that the preset knows for them.
    A convolutional system takes convolutional networks for images; one that needs a smooth critic drops ReLU-like ones.
    """
    if name == config.system:
        return config
    new = SYSTEMS.make(name)
    dropped = _own(config.system) - {term.name for term in new.terms}
    penalties = {
        known: penalty
        for known, penalty in config.penalties.items()
        if known not in dropped and (new.extras or not known.startswith("gon_"))
    }
    tuned, own = weights_for(config), {term.name for term in new.terms}
    penalties |= {known: PenaltyConfig(tuned[known]) for known in tuned if known in own and known not in penalties}
    config = replace(config, system=name, reading=None, critic_steps=None, clip_weights=None, penalties=penalties)
    if new.convolutional and DATASETS[config.data.name].facts["scale"] != "none":
        config = replace(config, generator=_conv(config.generator, "generator"), critic=_conv(config.critic, "critic"))
    return _smooth(config, new)


def _reading(config: Config, reading: str) -> Config:
    """Another reading: penalties and their options that only the old one implies go."""
    old = config.reading or SYSTEMS[config.system].facts["readings"][0]
    if reading == old:
        return config
    before = SYSTEMS.make(config.system, reading=old)
    after = {term.name for term in SYSTEMS.make(config.system, reading=reading).terms}
    implied = {term.name: term.penalty for term in before.terms}
    penalties = {}
    for name, penalty in config.penalties.items():
        if name not in implied:
            penalties[name] = penalty
        elif name in after:
            said = {k: v for k, v in penalty.options.items() if getattr(implied[name], k, object()) != v}
            penalties[name] = replace(penalty, options=said)
    return replace(config, reading=reading, penalties=penalties)


def _features(config: Config, path: str) -> Config:
    """Another file of features: its content is read anew; without one, the words about it go."""
    said = config.evaluate
    if path:
        return replace(config, evaluate=replace(said, features=path, features_content=None))
    return replace(config, evaluate=without_file(said))


def _network(player: str) -> Callable[[Config, str], Config]:
    def switch_network(config: Config, name: str) -> Config:
        network: NetworkConfig = getattr(config, player)
        return config if network.name == name else replace(config, **{player: NetworkConfig(name)})

    return switch_network


def _own(system: str) -> set[str]:
    """The penalties of a system in any of its readings."""
    readings = SYSTEMS[system].facts["readings"]
    return {t.name for reading in readings for t in SYSTEMS.make(system, reading=reading).terms} & set(PENALTIES)


def _conv(network: NetworkConfig, role: str) -> NetworkConfig:
    """A convolutional network in place of a fully connected one."""
    return network if network.name and not network.name.startswith("mlp") else NetworkConfig(f"conv_{role}")


def _smooth(config: Config, system: System) -> Config:
    critic = config.critic
    if not system.smooth_critic or critic.options.get("activation") not in _RELU_LIKE:
        return config
    options = {k: v for k, v in critic.options.items() if k != "activation"}
    return replace(config, critic=NetworkConfig(critic.name, options))


# In this order: a system looks at the data, a reading at the system; options come after all of them.
SWITCHES: dict[str, Callable[[Config, str], Config]] = {
    "data.name": _data,
    "system": _system,
    "reading": _reading,
    "evaluate.features": _features,
    **{f"{player}.name": _network(player) for player in ("generator", "critic", "gon", "encoder")},
}
"""The keys whose value others follow."""
