"""Penalties around the real samples: DRAGAN."""

from ..core.checks import finite
from .penalty import PENALTIES, InputGradientPenalty
from .points import around_real
from .profile import distance_to_norm


@PENALTIES.add(name="dragan", paper="arXiv:1705.07215", on_linear=lambda slope: (slope - 1) ** 2, unit="(score/unit)²")
def make_dragan(noise: float = 0.1, target: float = 1.0) -> InputGradientPenalty:
    """DRAGAN: the squared distance of the slope from 1, in a cloud around each real sample.

        dragan(x) = (||grad D(x + noise e)|| - target)^2, e ~ N(0, I)          weight = lambda, usually 10

    `noise` is a standard deviation in the data's unit. The printed formula draws it from a normal distribution; much
    copied code draws U[0, 1) times the standard deviation of the whole batch, which shifts every sample one way.
    Shapes: real (n, *event) -> (n,).    Paper: Kodali et al. 2017, arXiv:1705.07215, eq. 5.
    """
    noise = finite(noise, what="dragan.noise", minimum=0)
    target = finite(target, what="dragan.target", minimum=0)
    return InputGradientPenalty("dragan", around_real(noise), distance_to_norm(target))


dragan = make_dragan()
