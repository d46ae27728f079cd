"""Hold the critic's overfitting: the weight rises while unseen real samples are told from those it learned from."""

from ..core.checks import GradganError
from ..core.sight import Sight
from ..core.types import Scalar
from .controller import CONTROLLERS, Controller, positive, started


@CONTROLLERS.add(paper="arXiv:2006.06676", wants_held_out=True)
def hold_overfit(target: float = 0.1, rate: float = 0.02, every: int = 10, start: str = "given") -> Controller:
    """Holds how much more often training samples are called real than held-out ones.

        overfit = 1/2 (mean sign(D(x) - m) - mean sign(D(x') - m)),   m = (mean D(x) + mean D(G(z))) / 2
        log weight += rate x sign(overfit - target)                    every `every` steps

    x are training samples, x' held-out ones; 0: nothing is learned by heart, 1: all of it. The middle m makes it mean
    the same for losses that see only differences of scores. Wants data.held_out. After the sign heuristic r_t of
    Karras et al. 2020 (arXiv:2006.06676, sec. 3), which steers augmentation by sign D(x) alone.
    Raises GradganError for a target outside (0, 1) and other numbers not above 0.
    """
    target, rate = positive(target, what="hold_overfit.target"), positive(rate, what="hold_overfit.rate")
    every = int(positive(every, what="hold_overfit.every"))
    if target >= 1:
        raise GradganError(f"hold_overfit.target is a share between 0 and 1, got {target}.")

    def error(overfit: float) -> float:
        return rate * ((overfit > target) - (overfit < target))

    return Controller("hold_overfit", overfit_of, error, every, started(start, "hold_overfit"))


def overfit_of(sight: Sight) -> Scalar:
    """The number that is held."""
    if sight.held_out_scores is None:
        raise GradganError("controller 'hold_overfit' wants held-out samples; set data.held_out=0.1.")
    real, fake = sight.critic(sight.real).detach(), sight.critic(sight.fake).detach()
    middle = (real.mean() + fake.mean()) / 2
    return ((real - middle).sign().mean() - (sight.held_out_scores - middle).sign().mean()) / 2
