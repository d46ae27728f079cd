"""Fills in a config: every default that its system, data and networks imply, so that config.yaml says all of it."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..control import CONTROLLERS
from ..core.catalog import Catalog
from ..core.checks import GradganError, unknown_name
from ..data import DATASETS
from ..networks import NETWORKS
from ..penalties import PENALTIES
from ..systems import SYSTEMS, System, variational
from .config import Config, ControlConfig, DataConfig, NetworkConfig, Options, PenaltyConfig, Plain, ScheduleConfig
from .machine import precision_of
from .own_features import with_content

# What the build gives to every network and data set; not the user's to choose.
_GIVEN = ("event", "latent", "classes", "path", "output")
_RELU_LIKE = ("relu", "leaky_relu")
_FAMILY_OF = {"residual": "conv"}


def complete(config: Config) -> Config:
    """The same experiment with nothing left to be implied. Raises GradganError for names that are in no catalog."""
    system = system_of(config)
    config = replace(
        config,
        reading=config.reading or SYSTEMS[config.system].facts["readings"][0],
        penalties=_penalties(config, system),
        critic_steps=config.critic_steps or system.critic_steps,
        clip_weights=config.clip_weights or system.clip_weights,
        clip_gradient=config.clip_gradient or system.clip_gradient,
        data=_data(config.data),
        evaluate=with_content(config.evaluate),
        critic=_critic(config.critic, system),
        generator=_network(config.generator, "generator"),
        precision=precision_of(config),
    )
    roles = {extra.player.name: extra.role for extra in system.extras}
    for player in ("gon", "encoder"):
        chosen: NetworkConfig = getattr(config, player)
        filled = _network(_named(chosen, roles[player], config), roles[player]) if player in roles else chosen
        config = replace(config, **{player: filled})
    return config


def system_of(config: Config) -> System:
    """The system as the config's names describe it, before its penalties are set; the encoder joined if asked for."""
    options = {} if config.reading is None else {"reading": config.reading}
    system = SYSTEMS.make(config.system, **options)
    if config.variational.on:
        v = config.variational
        system = variational(system, reconstruction=v.reconstruction, kl=v.kl, of=v.of)
    return system


def _penalties(config: Config, system: System) -> dict[str, PenaltyConfig]:
    """The system's own penalties with the config's numbers, then those that the config adds."""
    own = {term.name: term for term in system.terms if term.name in PENALTIES}
    result = {}
    for name in (*own, *(name for name in config.penalties if name not in own)):
        given = config.penalties.get(name, PenaltyConfig())
        weight = given.weight
        if weight is None:
            weight = own[name].weight if name in own else 1.0
        options = _defaults(PENALTIES, name, given.options)
        if name in own and name not in config.penalties:
            options |= _set_by(own[name].penalty, options)
        elif name in own:
            options |= {k: v for k, v in _set_by(own[name].penalty, options).items() if k not in given.options}
        result[name] = replace(given, weight=weight, options=options, control=_control(given.control, name))
    return result


def _control(control: ControlConfig, penalty: str) -> ControlConfig:
    """With all of its options; options without a controller are refused."""
    if control.name is None:
        if control.options:
            first = next(iter(control.options))
            raise GradganError(f"{penalty}.control.{first} is set, but no controller; add {penalty}.control.name.")
        return control
    return replace(control, options=_defaults(CONTROLLERS, control.name, control.options))


def _set_by(penalty: object, options: Options) -> Options:
    """The options that a system has chosen for its penalty, read off the penalty itself (g_gan's sign)."""
    return {name: getattr(penalty, name) for name in options if hasattr(penalty, name)}


def _defaults(catalog: Catalog, name: str, given: Options) -> Options:
    """The given options, after those of the factory's defaults that were not given."""
    known = {k: v for k, v in catalog[name].options.items() if k not in _GIVEN}
    for option in given:
        if option not in known:
            raise unknown_name(f"option of {catalog.kind} {name!r}", option, known)
    return {k: _plain(given.get(k, v), f"{name}.{k}") for k, v in known.items()}


def _plain(value: object, what: str) -> Plain:
    if value is inspect.Parameter.empty:
        raise GradganError(f"{what} has no default; give it with --set.")
    return list(value) if isinstance(value, tuple) else value  # type: ignore[return-value]


def _data(data: DataConfig) -> DataConfig:
    """With its options; the path absolute, so that the run can be opened from anywhere."""
    path = None if data.path is None else str(Path(data.path).expanduser().absolute())
    return replace(data, path=path, options=_defaults(DATASETS, data.name, data.options))


def _critic(critic: NetworkConfig, system: System) -> NetworkConfig:
    """A system that follows the critic's gradient field gets a smooth activation; a ReLU-like one is refused."""
    if not system.smooth_critic:
        return _network(critic, "critic")
    chosen = critic.options.get("activation")
    if chosen in _RELU_LIKE:
        raise GradganError(
            f"system {system.name!r} needs a smooth critic, got critic.activation={chosen}: its gradient field would "
            "be piecewise constant. Use silu or softplus."
        )
    # A network of one's own need not have the option; whether it is smooth is seen once it is built.
    takes = NETWORKS[critic.name or ""].options
    implied: dict[str, Plain] = {"activation": chosen or "silu"} if "activation" in takes else {}
    return _network(critic, "critic", **implied)


def _network(network: NetworkConfig, role: str, **implied: Plain) -> NetworkConfig:
    """The network with all of its options; `implied` ones give way to what the user chose."""
    name = network.name or ""
    if NETWORKS[name].facts["role"] != role:
        names = [n for n in NETWORKS if NETWORKS[n].facts["role"] == role]
        raise GradganError(f"network {name!r} is no {role}. Use one of {', '.join(names)}.")
    return replace(network, options=_defaults(NETWORKS, name, {**implied, **network.options}))


def _named(network: NetworkConfig, role: str, config: Config) -> NetworkConfig:
    """A third player's network: of the critic's family unless named."""
    if network.name is not None:
        return network
    family = str(config.critic.name).split("_")[0]
    names: Mapping[str, object] = NETWORKS
    name = f"{family}_{role}"
    name = name if name in names else f"{_FAMILY_OF.get(family, 'mlp')}_{role}"
    options = dict(network.options)
    if "activation" in NETWORKS[name].options and "activation" in config.critic.options:
        options = {"activation": config.critic.options["activation"], **options}
    return NetworkConfig(name, options)


def schedule_fields(schedule: ScheduleConfig) -> dict[str, object]:
    """The fields of a schedule, as the training room takes them."""
    return {name: getattr(schedule, name) for name in ("shape", "final", "warmup", "hold")}
