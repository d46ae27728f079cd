"""The labelled runs of the alarm's exam: what is trained, what was done to it, and how its label is verified."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

TOY = ["data.samples=10000", "batch=64", "generator.widths=[48,48,48]", "critic.widths=[48,48,48]"]
PIXELS = ["batch=48", "generator.widths=[128,128]", "critic.widths=[128,128]"]
CONV = ["batch=32", "generator.width=8", "critic.width=8"]
SMALL = ["generator.name=conv_generator", "critic.name=conv_critic", "generator.norm=none", *CONV]

BASES = {
    "ring": ("ring", TOY, 600),
    "grid": ("grid", TOY, 900),
    "digits": ("digits", PIXELS, 600),
    "digits_conv": ("digits", SMALL, 400),
    "mnist_conv": ("mnist_conv", [*CONV, "ema=0.98"], 300),
}
"""What is trained: preset, settings that make it small, steps."""

LOGS = 80
"""Logged steps of every run, evenly spread."""

Results = dict[str, float]

BY_HEART = 0.75
"""The onset of overfitting: the critic tells all training samples from a thousand held-out ones in so many pairs."""


FEW_SEEN = 0.25
"""The onset of mode collapse: the generator's samples are nearest to at most this share of the modes or classes."""

STAYS = 8
"""An onset is where something begins that stays for so many logged steps in a row, a tenth of the run."""


def settled(results: Results) -> bool:
    """Healthy, of the Dirac-GAN: the fakes' mean comes to rest."""
    return results["fading"] < 0.5


def covers(results: Results) -> bool:
    """Healthy: every mode (of the grid: 20 of 25) or nine of ten classes, and no run away from the data."""
    if "modes" in results:
        return results["modes"] >= (8 if results["of"] == 8 else 20) and results["reverse_kl"] < 0.7
    return results["classes"] >= 9


def broken(results: Results) -> bool:
    """Sick: modes or classes are missing, at most a tenth of the samples lies on a mode, or numbers are none."""
    if not results:
        return True
    if "modes" in results:
        return results["modes"] < 8 or results["high_quality"] < 0.1
    return results["classes"] <= 7 or results["distance"] < 0.6


def collapsed(results: Results) -> bool:
    """Sick: it began, and to the end the generator's samples are nearest to few modes or classes."""
    return results["seen"] <= FEW_SEEN


def by_heart(results: Results) -> bool:
    """Sick: at the end the critic ranks all training samples above all held-out ones in three of four pairs."""
    return results["memory"] > BY_HEART


def circling(results: Results) -> bool:
    """Sick: over the first half of the run the fakes' mean crosses the data's six times or more.

    Of the Dirac-GAN, which without a penalty circles (arXiv:1801.04406)."""
    return results["crossings"] >= 6


def by_weight(results: Results) -> bool:
    """Sick by its definition: the weight is a hundred million times too small, or ten thousand times too large."""
    return True


@dataclass(frozen=True)
class Case:
    """One labelled set-up. `switch` is the share of the run after which learning rates are multiplied by `faster`."""

    name: str
    illness: str | None
    base: str
    system: str
    settings: tuple[str, ...] = ()
    switch: float | None = None
    faster: Mapping[str, float] = field(default_factory=lambda: {"critic": 100.0, "others": 100.0})
    verified: Callable[[Results], bool] = field(default=covers)


def _sick(illness: str, verified: Callable[[Results], bool], *cases: Case) -> list[Case]:
    return [replace(case, illness=illness, verified=verified) for case in cases]


HEALTHY = [
    Case("ring_r3gan", None, "ring", "r3gan"),
    Case("ring_r1", None, "ring", "r1"),
    Case("ring_hinge_r1", None, "ring", "hinge", ("r1.weight=0.1", "r2.weight=0.1")),
    Case("ring_conditional", None, "ring", "r3gan", ("conditional=true",)),
    Case("ring_variational", None, "ring", "r3gan", ("variational.on=true",)),
    Case("ring_lazy", None, "ring", "r3gan", ("r1.every=8", "r2.every=8")),
    Case("ring_held_out", None, "ring", "r3gan", ("data.held_out=0.2",)),
    Case("grid_r3gan", None, "grid", "r3gan"),
    Case("digits_r3gan", None, "digits", "r3gan", ("data.held_out=0.2",)),
    Case("digits_r1", None, "digits", "r1"),
    Case("digits_conditional", None, "digits", "r3gan", ("conditional=true",)),
    Case("digits_wgan_gp", None, "digits", "wgan_gp", ("optimiser.lr=3e-4",)),
    Case("digits_hinge_sn", None, "digits", "hinge", ("critic.spectral_norm=true", "optimiser.lr=5e-4")),
    Case("digits_conv_r3gan", None, "digits_conv", "r3gan", ("optimiser.lr=1e-3",)),
    Case("mnist_r3gan", None, "mnist_conv", "r3gan"),
    Case("dirac_r1", None, "ring", "r1", ("data.name=dirac",), verified=settled),
]

FAST = "optimiser.lr=0.2"
SLOW_CRITIC = ("optimiser.lr=3e-3", "optimiser.critic_lr=1e-4", "lr.shape=constant")
STRONG_CRITIC = ("reading=minimax", "critic_steps=5", "optimiser.lr=1e-4", "optimiser.critic_lr=1e-3")
MOMENTUM = ("optimiser.beta1=0.9", "optimiser.lr=2e-3", "lr.shape=constant")
FEW = ("batch=24", "data.held_out=0.975", "critic_steps=2", "optimiser.lr=1e-3")

FROZEN = {"critic": 0.0, "others": 1.0}
"""A critic that no longer learns is a landscape with one summit."""

SICK = [
    *_sick(
        "divergence", broken,
        Case("fast_ring", None, "ring", "r1", (FAST,)),
        Case("fast_grid", None, "grid", "r3gan", (FAST,)),
        Case("fast_digits", None, "digits", "r3gan", (FAST,)),
        Case("fast_mnist", None, "mnist_conv", "r3gan", (FAST,)),
        Case("late_ring", None, "ring", "r3gan", (), 0.4),
        Case("late_grid", None, "grid", "r1", (), 0.4),
        Case("late_digits", None, "digits", "r1", (), 0.4),
        Case("late_digits_conv", None, "digits_conv", "r3gan", (), 0.4),
    ),
    *_sick(
        "mode_collapse", collapsed,
        Case("frozen_ring", None, "ring", "r3gan", (), 0.3, FROZEN),
        Case("frozen_grid", None, "grid", "r3gan", (), 0.3, FROZEN),
        Case("frozen_digits", None, "digits", "r3gan", (), 0.3, FROZEN),
        Case("frozen_digits_conv", None, "digits_conv", "r3gan", (), 0.3, {"critic": 0.0, "others": 3.0}),
        Case("slow_critic_digits", None, "digits", "gan", SLOW_CRITIC),
        Case("narrow_digits", None, "digits", "r3gan", ("latent=1", "generator.widths=[2,2]")),
    ),
    *_sick(
        "vanishing_gradient", broken,
        Case("minimax_ring", None, "ring", "gan", STRONG_CRITIC),
        Case("minimax_grid", None, "grid", "gan", STRONG_CRITIC),
        Case("minimax_digits", None, "digits", "gan", STRONG_CRITIC),
        Case("minimax_digits_conv", None, "digits_conv", "gan", STRONG_CRITIC),
        Case("minimax_mnist", None, "mnist_conv", "gan", STRONG_CRITIC),
    ),
    *_sick(
        "critic_overfitting", by_heart,
        Case("few_digits", None, "digits", "gan", FEW),
        Case("few_digits_r3gan", None, "digits", "r3gan", (*FEW, "r1.weight=1e-3", "r2.weight=1e-3")),
        Case("few_digits_hinge", None, "digits", "hinge", FEW),
        Case("few_digits_conv", None, "digits_conv", "gan", FEW),
    ),
    *_sick(
        "oscillation", circling,
        Case("dirac_gan", None, "ring", "gan", ("data.name=dirac", *MOMENTUM)),
        Case("dirac_wgan", None, "ring", "wgan", ("data.name=dirac", "clip_weights=0.3", *MOMENTUM)),
        Case("dirac_hinge", None, "ring", "hinge", ("data.name=dirac", *MOMENTUM)),
        Case("dirac_relativistic", None, "ring", "r3gan", ("data.name=dirac", "r1.weight=0", "r2.weight=0", *MOMENTUM)),
    ),
    *_sick(
        "idle_penalty", by_weight,
        Case("idle_ring", None, "ring", "r3gan", ("r1.weight=1e-8", "r2.weight=1e-8")),
        Case("idle_grid", None, "grid", "r1", ("r1.weight=1e-8",)),
        Case("idle_digits", None, "digits", "r1", ("r1.weight=1e-8",)),
        Case("idle_digits_conv", None, "digits_conv", "wgan_gp", ("wgan_gp.weight=1e-8",)),
    ),
    *_sick(
        "swamping_penalty", by_weight,
        Case("swamped_ring", None, "ring", "r3gan", ("r1.weight=1e4", "r2.weight=1e4")),
        Case("swamped_grid", None, "grid", "r1", ("r1.weight=1e4",)),
        Case("swamped_digits", None, "digits", "r1", ("r1.weight=1e4",)),
        Case("swamped_digits_conv", None, "digits_conv", "r3gan", ("r1.weight=1e4", "r2.weight=1e4")),
    ),
]  # fmt: skip
