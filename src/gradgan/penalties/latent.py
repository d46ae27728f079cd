"""Penalties on the slope along the latent: ATGP's, and G-GAN's reward.

Relatives that ask the same of a generator in other words: mode-seeking (arXiv:1903.05628), which rewards
||G(z) - G(z')|| / ||z - z'||, and path length (arXiv:1912.04958), which holds the generator's own slope at its mean.
"""

from ..core.checks import GradganError
from .penalty import PENALTIES, LatentPenalty, Of, one_of

# The sigmoid's slope at score 0 is 1/4: a slope s of the score along z is s/4 of the probability.
_AT_SCORE_ZERO = 1 / 16


@PENALTIES.add(
    name="atgp", paper="ATGP", on_linear=lambda slope: slope**2 * _AT_SCORE_ZERO, unit="probability²/latent²"
)
def make_atgp(of: Of = "probability") -> LatentPenalty:
    """ATGP: the squared slope of the critic's probability along the latent, paid by both players.

        atgp(z) = ||grad_z P(G(z))||^2, P = sigmoid(D)                        weight = lambda

    `of="score"` charges D(G(z)) instead of P. Shapes: z (n, z) -> (n,).
    Source: adversarial training with gradient penalisation, system 2 of docs/systems.md.
    """
    one_of(of, ("probability", "score"), what="atgp.of")
    return LatentPenalty("atgp", payers=("critic", "generator"), of=of)


@PENALTIES.add(
    name="g_gan", paper="G-GAN", on_linear=lambda slope: -(slope**2) * _AT_SCORE_ZERO, unit="probability²/latent²"
)
def make_g_gan(of: Of = "probability", sign: float = -1.0) -> LatentPenalty:
    """G-GAN: a reward for slope along the latent, so that the generator stays sensitive to z.

        g_gan(z) = sign ||grad_z P(G(z))||^2, P = sigmoid(D), sign = -1       weight = lambda; paid by the generator

    The printed formula subtracts the squared norm (`sign=-1`), the printed code adds it (`sign=1`).
    Shapes: z (n, z) -> (n,).    Source: gradient-direction generation, system 4 of docs/systems.md.
    """
    one_of(of, ("probability", "score"), what="g_gan.of")
    if sign not in (-1, 1):
        raise GradganError(f"g_gan.sign must be -1 (the formula, a reward) or 1 (the printed code), got {sign}.")
    return LatentPenalty("g_gan", payers=("generator",), of=of, sign=float(sign))


atgp = make_atgp()
g_gan = make_g_gan()
