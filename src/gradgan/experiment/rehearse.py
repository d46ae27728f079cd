"""The first step, tried on copies before anything is written: what cannot work is told while nothing is lost."""

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..core.rng import isolated
from ..core.scene import Scene
from ..training.steps import autocast, backward, objective, through_engine
from ..training.trainer import compiled_networks
from .build import Experiment
from .machine import precision_of
from .refuse import first_step_told


def rehearse(experiment: Experiment) -> None:
    """Let every player compute its objective and gradient once, on a batch of the real size and copied networks,
    in the run's precision and compiled if the run is.

    Raises GradganError with the first line of whatever goes wrong; the experiment is left as it was.
    """
    config, state, dataset = experiment.config, experiment.state, experiment.dataset
    networks = {name: copy.deepcopy(network) for name, network in state.networks.items()}
    with isolated(config.seed, "rehearsal"), _quiet():
        n = state.world.share(config.batch)
        index = torch.arange(n) % len(dataset)
        real = dataset.scaled(index).to(state.device)
        labels = None if dataset.labels is None or not config.conditional else dataset.labels[index].to(state.device)
        rng = torch.Generator(state.device).manual_seed(0)
        engine = "compiled" if config.compile else config.engine
        z = torch.randn(n, config.latent, generator=rng, device=state.device)
        precision = precision_of(config)
        with first_step_told():
            compiled = compiled_networks(networks) if config.compile else None
            for player in experiment.players:
                given = z
                if experiment.system.latents is not None:
                    given = experiment.system.latents(networks, real, labels, z)
                scene = Scene(
                    payer=player.name, networks=networks, loss=experiment.system.loss, real=real, z=given,
                    labels=labels, rng=rng, world=state.world,
                )  # fmt: skip
                if player.loss is Scene.critic_loss:
                    with autocast(state.device, precision):
                        rest, _ = through_engine(player, scene, step=0, progress=0.0, engine=engine)
                else:
                    rest = player
                total, _ = objective(rest, scene, step=0, progress=0.0, precision=precision, compiled=compiled)
                if total is not None and total.requires_grad:
                    own = [p for p in networks[player.name].parameters() if p.requires_grad]
                    backward(total, own, compiled=config.compile)


@contextmanager
def _quiet() -> Iterator[None]:
    """What the engine has to say of a critic is said of the real one, not of its copy."""
    logger = logging.getLogger("gradgan")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
