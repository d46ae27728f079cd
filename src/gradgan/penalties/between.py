"""Penalties on the lines between real and fake samples: WGAN-GP, WGAN-LP and the zero-centred one."""

from ..core.checks import finite
from .penalty import PENALTIES, InputGradientPenalty
from .points import between
from .profile import above_norm, distance_to_norm, squared_norm


@PENALTIES.add(name="wgan_gp", paper="arXiv:1704.00028", on_linear=lambda slope: (slope - 1) ** 2, unit="(score/unit)²")
def make_wgan_gp(target: float = 1.0) -> InputGradientPenalty:
    """WGAN-GP: the squared distance of the slope from 1, between real and fake.

        wgan_gp(x) = (||grad D(u x + (1 - u) G(z))|| - target)^2, u ~ U[0, 1] per sample    weight = lambda, usually 10

    The norm is that of one sample's gradient (TorchGAN takes the whole batch's, PyTorch-GAN's DRAGAN each pixel's).
    Shapes: real, fake (n, *event) -> (n,).    Paper: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.
    """
    target = finite(target, what="wgan_gp.target", minimum=0)
    return InputGradientPenalty("wgan_gp", between, distance_to_norm(target))


@PENALTIES.add(
    name="wgan_lp",
    paper="arXiv:1709.08894",
    on_linear=lambda slope: max(0.0, slope - 1) ** 2,
    unit="(score/unit)²",
)
def make_wgan_lp(target: float = 1.0) -> InputGradientPenalty:
    """WGAN-LP: only slopes above 1 are charged, between real and fake.

        wgan_lp(x) = max(0, ||grad D(u x + (1 - u) G(z))|| - target)^2         weight = lambda, usually 10

    Shapes: real, fake (n, *event) -> (n,).    Paper: Petzka et al. 2018, arXiv:1709.08894, eq. 8.
    """
    target = finite(target, what="wgan_lp.target", minimum=0)
    return InputGradientPenalty("wgan_lp", between, above_norm(target))


@PENALTIES.add(name="zero_gp", paper="arXiv:1902.03984", on_linear=lambda slope: slope**2, unit="score²/unit²")
def make_zero_gp() -> InputGradientPenalty:
    """Zero-centred penalty: the squared slope between real and fake, without a half.

        zero_gp(x) = ||grad D(u x + (1 - u) G(z))||^2                           weight = lambda

    Shapes: real, fake (n, *event) -> (n,).    Paper: Thanh-Tung et al. 2019, arXiv:1902.03984.
    """
    return InputGradientPenalty("zero_gp", between, squared_norm)


wgan_gp = make_wgan_gp()
wgan_lp = make_wgan_lp()
zero_gp = make_zero_gp()
