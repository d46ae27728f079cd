"""Losses that judge each score by itself. D = score of a real sample, F = score of a fake one."""

import math

import torch.nn.functional as fn

from .loss import LOSSES, Loss

# softplus(-s) = -log sigmoid(s) everywhere. Never log(sigmoid(s) + eps): its gradient is gone below s = -18.


@LOSSES.add(paper="arXiv:1406.2661", at_zero=(2 * math.log(2), math.log(2)), far_below=-1.0, name="non_saturating")
def make_non_saturating() -> Loss:
    """Non-saturating GAN loss: the generator maximises log P of its samples.

        critic: softplus(-D) + softplus(F)        generator: softplus(-F)

    Paper: Goodfellow et al. 2014, arXiv:1406.2661, sec. 3.
    """
    return Loss(
        "non_saturating",
        critic_formula=lambda real, fake: fn.softplus(-real) + fn.softplus(fake),
        generator_formula=lambda real, fake: fn.softplus(-fake),
    )


@LOSSES.add(paper="arXiv:1406.2661", at_zero=(2 * math.log(2), -math.log(2)), far_below=0.0, name="minimax")
def make_minimax() -> Loss:
    """Minimax (saturating) GAN loss: the generator minimises log(1 - P) of its samples.

        critic: softplus(-D) + softplus(F)        generator: -softplus(F)

    Its generator gradient fades where the critic is sure (F far below 0), which is why it is not the default.
    Paper: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.
    """
    return Loss(
        "minimax",
        critic_formula=lambda real, fake: fn.softplus(-real) + fn.softplus(fake),
        generator_formula=lambda real, fake: -fn.softplus(fake),
    )


@LOSSES.add(paper="arXiv:1705.02894", at_zero=(2.0, 0.0), far_below=-1.0, name="hinge")
def make_hinge() -> Loss:
    """Hinge loss: the critic stops at a margin of 1 on either side.

        critic: relu(1 - D) + relu(1 + F)         generator: -F

    Paper: Lim & Ye 2017 (geometric GAN), arXiv:1705.02894.
    """
    return Loss(
        "hinge",
        critic_formula=lambda real, fake: fn.relu(1 - real) + fn.relu(1 + fake),
        generator_formula=lambda real, fake: -fake,
    )


@LOSSES.add(paper="arXiv:1611.04076", at_zero=(0.5, 0.5), far_below=-31.0, name="least_squares")
def make_least_squares() -> Loss:
    """Least squares (LSGAN): scores are regressed onto 1 for real and 0 for fake.

        critic: 1/2 (D - 1)^2 + 1/2 F^2           generator: 1/2 (F - 1)^2

    Paper: Mao et al. 2017, arXiv:1611.04076, eq. 9; its 1/2 is kept.
    """
    return Loss(
        "least_squares",
        critic_formula=lambda real, fake: 0.5 * (real - 1).square() + 0.5 * fake.square(),
        generator_formula=lambda real, fake: 0.5 * (fake - 1).square(),
    )


@LOSSES.add(paper="arXiv:1701.07875", at_zero=(0.0, 0.0), far_below=-1.0, name="wasserstein")
def make_wasserstein() -> Loss:
    """Wasserstein loss: the difference of mean scores, for a critic whose slope is bounded by other means.

        critic: F - D                              generator: -F

    Paper: Arjovsky et al. 2017, arXiv:1701.07875. Unbounded below without clipping or a gradient penalty.
    """
    return Loss(
        "wasserstein",
        critic_formula=lambda real, fake: fake - real,
        generator_formula=lambda real, fake: -fake,
    )


non_saturating = make_non_saturating()
minimax = make_minimax()
hinge = make_hinge()
least_squares = make_least_squares()
wasserstein = make_wasserstein()
