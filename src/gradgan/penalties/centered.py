"""Penalties that pull the critic's slope to zero at the data: R1 at the real samples, R2 at the fake ones."""

from .penalty import PENALTIES, InputGradientPenalty
from .points import at_fake, at_real
from .profile import half_squared_norm


@PENALTIES.add(name="r1", paper="arXiv:1801.04406", on_linear=lambda slope: slope**2 / 2, unit="score²/unit²")
def make_r1() -> InputGradientPenalty:
    """R1: half the squared norm of the critic's gradient at each real sample.

        r1(x) = 1/2 ||grad_x D(x)||^2              weight = the paper's and StyleGAN's gamma

    Other code: StyleGAN `r1_gamma` and R3GAN `Gamma` are the same number; StudioGAN halves it too; GAN_stability's
    `reg_param` multiplies ||g||^2 without the half, so its 10 is 20 here; lightweight-gan's 10 acts as 2.5 here.
    `penalties.r1_weight` converts.
    Shapes: real (n, *event) -> (n,).    Paper: Mescheder et al. 2018, arXiv:1801.04406, eq. 9.
    """
    return InputGradientPenalty("r1", at_real, half_squared_norm)


@PENALTIES.add(name="r2", paper="arXiv:1801.04406", on_linear=lambda slope: slope**2 / 2, unit="score²/unit²")
def make_r2() -> InputGradientPenalty:
    """R2: half the squared norm of the critic's gradient at each fake sample.

        r2(z) = 1/2 ||grad_x D(x)||^2 at x = G(z)   weight = the paper's and R3GAN's gamma

    Paid by the critic only: the point is G(z) without its graph. Alone it does as well as R1 in theory; together they
    are R3GAN's pair. Shapes: fake (n, *event) -> (n,).
    Papers: Mescheder et al. 2018, arXiv:1801.04406, eq. 10; Huang et al. 2024, arXiv:2501.05441.
    """
    return InputGradientPenalty("r2", at_fake, half_squared_norm)


r1 = make_r1()
r2 = make_r2()
