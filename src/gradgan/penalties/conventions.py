"""What other code means by its R1 weight, in ours."""

from ..core.checks import finite, unknown_name

# The factor on E ||g||^2 for a nominal 1, averaged over steps; ours is 1/2 (r1 carries the paper's half).
_OF_SQUARED_NORM = {
    "paper": 1 / 2,  # gamma of arXiv:1801.04406, eq. 9
    "stylegan3": 1 / 2,  # r1_gamma
    "r3gan": 1 / 2,  # Gamma
    "studiogan": 1 / 2,  # r1_lambda
    "gan_stability": 1.0,  # reg_param, without the half
    "lightweight_gan": 1 / 8,  # mean over real and fake, paid every 4th step without a factor of 4
}


def r1_weight(value: float, *, of: str) -> float:
    """The weight of `r1` (and `r2`) that acts as `value` does in other code.

        weight = 2 c value, where that code charges c value ||g||^2 a sample on the average over steps

    `of`: paper, stylegan3, r3gan, studiogan, gan_stability or lightweight_gan, as published up to January 2025.

    >>> r1_weight(10, of="gan_stability"), r1_weight(10, of="stylegan3"), r1_weight(10, of="lightweight_gan")
    (20.0, 10.0, 2.5)

    Raises GradganError for unknown code and for a value that is negative or not finite.
    """
    if of not in _OF_SQUARED_NORM:
        raise unknown_name("convention", of, _OF_SQUARED_NORM)
    return 2 * _OF_SQUARED_NORM[of] * finite(value, what="value", minimum=0)
