"""Presets: functions that return a config, so that one can be made from another and read like a recipe."""

from collections.abc import Callable
from dataclasses import replace

from ..core.errors import unknown_name
from .config import (
    CheckpointConfig,
    Config,
    DataConfig,
    EvaluateConfig,
    EveryConfig,
    NetworkConfig,
    OptimiserConfig,
    PenaltyConfig,
    ScheduleConfig,
)


def _r1_r2(weight: float) -> dict[str, PenaltyConfig]:
    return {"r1": PenaltyConfig(weight), "r2": PenaltyConfig(weight)}


def ring() -> Config:
    """Eight Gaussians on a circle: the smallest problem on which a GAN can collapse. About half a minute."""
    deep: dict = {"widths": [128, 128, 128, 128]}
    return Config(
        preset="ring",
        system="r3gan",
        penalties=_r1_r2(0.1),
        data=DataConfig("ring"),
        generator=NetworkConfig("mlp_generator", deep),
        critic=NetworkConfig("mlp_critic", {"widths": [128, 128, 128]}),
        latent=2,
        batch=256,
        steps=4000,
        optimiser=OptimiserConfig(lr=2e-3, beta1=0.0, beta2=0.99),
        lr=ScheduleConfig("cosine", final=0.01, hold=0.25),
        ema=0.995,
        threads=1,
        log=EveryConfig(100),
        sample=EveryConfig(500),
        evaluate=EvaluateConfig(500),
    )


def grid() -> Config:
    """Twenty-five Gaussians on a grid. About ten minutes.

    The weights that hold the critic while modes are found would blur them: they fall once all are there, R2's further
    than R1's. What so little damps swings on to the end, a few hundred steps a swing, and the average is of a thousand.
    A ReLU generator leaves fewer samples between modes than a leaky one.
    """
    return replace(
        ring(),
        preset="grid",
        data=DataConfig("grid"),
        generator=NetworkConfig("mlp_generator", {"widths": [256, 256, 256, 256], "activation": "relu"}),
        penalties={
            name: PenaltyConfig(1.0, schedule=ScheduleConfig("cosine", final=final, hold=0.5))
            for name, final in (("r1", 0.05), ("r2", 0.005))
        },
        steps=24_000,
        lr=ScheduleConfig("cosine", final=0.01, hold=0.5),
        ema=0.999,
        sample=EveryConfig(1000),
        evaluate=EvaluateConfig(1000),
    )


def digits() -> Config:
    """Real handwritten digits, 8 x 8, that come with scikit-learn: nothing to download. Two minutes."""
    wide: dict = {"widths": [256, 256, 256]}
    return Config(
        preset="digits",
        system="r3gan",
        penalties=_r1_r2(0.3),
        data=DataConfig("digits", options={"split": "train"}),
        generator=NetworkConfig("mlp_generator", wide),
        critic=NetworkConfig("mlp_critic", wide),
        latent=16,
        batch=128,
        steps=6000,
        optimiser=OptimiserConfig(lr=1e-3, beta1=0.0, beta2=0.99),
        lr=ScheduleConfig("cosine", final=0.05, hold=0.3),
        ema=0.998,
        threads=1,
        log=EveryConfig(50),
        sample=EveryConfig(500),
        evaluate=EvaluateConfig(500),
    )


def mnist_mlp() -> Config:
    """The published set-up of system 1: fully connected, MNIST in [0, 1], Adam, a picture each epoch.

    It collapses, as the same loop written by hand does; `--system r1` on it does not (docs/systems.md).
    """
    return Config(
        preset="mnist_mlp",
        system="gan",
        data=DataConfig("mnist", options={"scale": "unit"}),
        generator=NetworkConfig("mlp_generator", {"widths": [128, 256]}),
        critic=NetworkConfig("mlp_critic", {"widths": [256, 128]}),
        latent=100,
        batch=64,
        steps=9370,
        optimiser=OptimiserConfig(lr=2e-4, beta1=0.5, beta2=0.999),
        ema=0.99,
        threads=1,
        log=EveryConfig(20),
        sample=EveryConfig(0),
        checkpoint=CheckpointConfig(0),
    )


def mnist_conv() -> Config:
    """MNIST with convolutional networks and R3GAN's system. About a quarter of an hour on two cores with AMX.

    Batch normalisation in the generator mixes samples, so penalties along the latent (atgp, g_gan) refuse it: with them
    say generator.norm=layer.
    """
    return Config(
        preset="mnist_conv",
        system="r3gan",
        penalties=_r1_r2(1.0),
        data=DataConfig("mnist"),
        generator=NetworkConfig("conv_generator", {"width": 16}),
        critic=NetworkConfig("conv_critic", {"width": 16}),
        latent=64,
        batch=64,
        steps=12_000,
        optimiser=OptimiserConfig(lr=2e-3, beta1=0.0, beta2=0.99),
        lr=ScheduleConfig("cosine", final=0.02, warmup=0.01, hold=0.3),
        ema=0.998,
        log=EveryConfig(50),
        sample=EveryConfig(500),
        evaluate=EvaluateConfig(2000),
    )


def mnist_conditional() -> Config:
    """MNIST by class: conditional generator, projection critic; few digits lie between two. Half an hour on two cores.

    The critic that knows the class needs a tenth of mnist_conv's penalty: with all of it, it is at chance.
    """
    return replace(
        mnist_conv(),
        preset="mnist_conditional",
        conditional=True,
        penalties=_r1_r2(0.1),
        steps=6000,
        ema=0.995,
    )


def stacked_mnist() -> Config:
    """Three MNIST digits as the channels of one image, a thousand modes. One and a half hours on a core without AMX."""
    return replace(
        mnist_conv(),
        preset="stacked_mnist",
        data=DataConfig("stacked_mnist"),
        ema=0.999,
        sample=EveryConfig(1000),
        evaluate=EvaluateConfig(4000, samples=26_000),
    )


def images() -> Config:
    """Your own pictures (data.path=FOLDER), colour or grey, at 32 x 32 (data.size=64: four times the work)."""
    return replace(
        mnist_conv(),
        preset="images",
        data=DataConfig("images"),
        generator=NetworkConfig("conv_generator", {"width": 32, "norm": "none"}),
        critic=NetworkConfig("conv_critic", {"width": 32}),
        steps=20_000,
        optimiser=OptimiserConfig(lr=5e-4, beta1=0.0, beta2=0.99),
        lr=ScheduleConfig("cosine", final=0.05, hold=0.3),
        ema=0.999,
        sample=EveryConfig(1000),
        evaluate=EvaluateConfig(1000),
    )


PRESETS: dict[str, Callable[[], Config]] = {
    preset.__name__: preset
    for preset in (digits, ring, grid, mnist_mlp, mnist_conv, mnist_conditional, stacked_mnist, images)
}
"""Every preset by name."""


WEIGHTS: dict[str, dict[str, float]] = {
    "ring": {"atgp": 0.0013, "g_gan": 0.0013, "wgan_gp": 0.16},
}
"""By preset: weights of penalties of other systems than its own, where `gradgan tune` found better ones than the
systems' defaults, beyond the interval and on unseen seeds (docs/lambda.md)."""


def weights_for(config: Config) -> dict[str, float]:
    """The preset's weights of other systems' penalties; none once the data are others."""
    found = WEIGHTS.get(config.preset or "", {})
    return found if found and PRESETS[config.preset]().data.name == config.data.name else {}


def preset(name: str) -> Config:
    """The preset's config; an unknown name is refused with the nearest known."""
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]()
