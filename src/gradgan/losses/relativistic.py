"""Losses that judge a score against those of the other side. D = score of a real sample, F = score of a fake one."""

import math

import torch
import torch.nn.functional as fn

from ..core.types import Scores
from .loss import LOSSES, Loss


@LOSSES.add(paper="arXiv:2501.05441", at_zero=(math.log(2), math.log(2)), far_below=-1.0, name="relativistic")
def make_relativistic() -> Loss:
    """Relativistic paired loss (RpGAN, as in R3GAN): each real score is compared with its fake one.

        critic: softplus(-(D - F))                 generator: softplus(-(F - D))

    Papers: Jolicoeur-Martineau 2018, arXiv:1807.00734, eq. 4; Huang et al. 2024 (R3GAN), arXiv:2501.05441, eq. 2.
    """
    return Loss(
        "relativistic",
        critic_formula=lambda real, fake: fn.softplus(fake - real),
        generator_formula=lambda real, fake: fn.softplus(_given(real) - fake),
        needs_real=True,
    )


@LOSSES.add(
    paper="arXiv:1807.00734",
    at_zero=(2 * math.log(2), 2 * math.log(2)),
    far_below=-2.0,
    name="relativistic_average",
)
def make_relativistic_average() -> Loss:
    """Relativistic average loss (RaGAN): each score is compared with the other side's mean.

        critic:    softplus(-(D - mean F)) + softplus(F - mean D)
        generator: softplus(-(F - mean D)) + softplus(D - mean F)

    The means run over the batch, so a batch is not many singles here. Paper: arXiv:1807.00734, eq. 6 and 7.
    """
    return Loss(
        "relativistic_average",
        critic_formula=lambda real, fake: fn.softplus(fake.mean() - real) + fn.softplus(fake - real.mean()),
        generator_formula=lambda real, fake: (
            fn.softplus(_given(real).mean() - fake) + fn.softplus(_given(real) - fake.mean())
        ),
        needs_real=True,
        whole_batch=True,
    )


def _given(real: Scores | None) -> torch.Tensor:
    """The real scores, which `Loss.generator` has checked to be there."""
    assert real is not None
    return real


relativistic = make_relativistic()
relativistic_average = make_relativistic_average()
