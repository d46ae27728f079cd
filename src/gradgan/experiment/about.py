"""What a run says of itself: its parts with their papers, its data, its sizes, and what its numbers mean."""

from collections.abc import Sequence
from typing import Any

from ..control import CONTROLLERS
from ..core.catalog import Catalog
from ..core.glossary import describe
from ..data import DATASETS
from ..losses import LOSSES
from ..metrics import METRICS
from ..networks import NETWORKS
from ..penalties import PENALTIES
from ..systems import SYSTEMS
from .build import Experiment
from .complete import complete, system_of
from .config import Config

_MEASURED = (
    "critic/score_real", "critic/score_fake", "critic/told", "slope/real", "slope/fake", "slope/latent",
    "generator/pull", "generator/unrest", "diversity/distance", "diversity/nearest", "diversity/missed",
)  # fmt: skip
"""What every run measures."""


def citations_of(config: Config) -> list[dict[str, str]]:
    """Every part that an experiment uses, with its one line and its paper."""
    config = complete(config)
    system = system_of(config)
    used: list[tuple[Catalog, str | None]] = [
        (SYSTEMS, config.system),
        (LOSSES, system.loss.name),
        *((PENALTIES, name) for name in config.penalties),
        (NETWORKS, config.generator.name),
        (NETWORKS, config.critic.name),
        *((NETWORKS, getattr(config, extra.player.name).name) for extra in system.extras),
        (DATASETS, config.data.name),
        *((CONTROLLERS, p.control.name) for p in config.penalties.values() if p.control.name is not None),
    ]
    rows = []
    for catalog, name in used:
        entry = catalog[name or ""]
        rows.append({"kind": catalog.kind, "name": entry.name, "summary": entry.summary, "paper": entry.paper})
    if config.variational.on:
        rows.append(
            {
                "kind": "player",
                "name": "encoder",
                "summary": "VAE-GAN: an encoder as a third player.",
                "paper": "arXiv:1512.09300",
            }
        )
    return rows


def glossary(experiment: Experiment, metrics: Sequence[str]) -> dict[str, dict[str, str]]:
    """Unit and sentence of every number that the run will log."""
    penalties = {name: (PENALTIES[name].facts["unit"], PENALTIES[name].summary) for name in experiment.config.penalties}
    penalties["reconstruction"] = ("unit²", "Mean squared error of a real sample encoded and generated again")
    penalties["kl"] = ("nat", "Divergence of the encoder's latents from the prior, per latent dimension")
    names = [*_MEASURED, "speed"]
    names += ["critic/score_held_out", "critic/memory"] if experiment.state.held_out is not None else []
    for player in experiment.players:
        names += [f"{player.name}/gradient_norm", f"{player.name}/growth", f"lr/{player.name}"]
        names += [f"{player.name}/loss"] if player.loss is not None else []
        names += [f"{player.name}/{term.name}" for term in player.terms]
        names += [f"force/{player.name}/{term.name}" for term in player.terms]
    names += [f"weight/{name}" for name in experiment.state.controls]
    names += metrics
    table = {name: describe(name, penalties=penalties) for name in names}
    return {name: {"unit": number.unit, "sentence": number.sentence} for name, number in table.items()}


def about(experiment: Experiment, metrics: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of run.json that describe the experiment, and the metrics that it will be measured by."""
    entries = [METRICS[name] for name in dict.fromkeys(name.partition("/")[0] for name in metrics) if name in METRICS]
    cited = [{"kind": "metric", "name": e.name, "summary": e.summary, "paper": e.paper} for e in entries]
    dataset = experiment.dataset
    networks = experiment.state.networks
    return {
        "system": {"name": experiment.config.system, "summary": SYSTEMS[experiment.config.system].summary},
        "data": {
            "name": dataset.name,
            "count": len(dataset),
            "event": list(dataset.event),
            "classes": dataset.classes,
        },
        "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in networks.items()},
        "citations": [*citations_of(experiment.config), *cited],
        "glossary": glossary(experiment, metrics),
        "patience": experiment.config.alarm.patience,
    }
