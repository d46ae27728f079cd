"""Double backward: the gradient is differentiated again, by a shared forward or, the reference, by separate ones."""

from torch import Tensor

from ..core.gradients import input_gradient
from .parts import Job, Parts


def usual(job: Job) -> Parts:
    """The slow reference, as in anybody's loop: a forward for each loss batch, and one more for each penalty."""
    scores = {name: job.scores(job.batches[name]) for name in ("real", "fake")}
    loss = job.adversarial(scores)
    means: dict[str, Tensor] = {}
    slopes: dict[str, Tensor] = {}
    for charge in job.charges:
        _, slopes[charge.at] = input_gradient(job.scores, job.batches[charge.at], caller=charge.name)
        means[charge.name] = charge.mean(slopes[charge.at])
    job.total(means, loss).backward()
    return job.parts("usual", loss, scores, means, slopes)


def shared(job: Job, *, together: bool) -> Parts:
    """One forward serves score and slope, and one backward everything.

    `together`: batches share a critic call, one for those that are charged and one for the others; needs a critic
    that judges each sample by itself.
    """
    scores: dict[str, Tensor] = {}
    slopes: dict[str, Tensor] = {}
    for names in calls(job.charged, together=together):
        s, g = input_gradient(job.scores, job.samples(names), caller="critic_backward")
        scores |= job.apart(names, s)
        slopes |= job.apart(names, g)
    for names in calls(job.plain, together=together):
        scores |= job.apart(names, job.scores(job.samples(names)))
    loss, means = job.adversarial(scores), job.means(slopes)
    job.total(means, loss).backward()
    return job.parts("double_backward", loss, scores, means, slopes)


def calls(names: tuple[str, ...], *, together: bool) -> list[tuple[str, ...]]:
    """The critic calls for these batches: one for all, or one each."""
    return [names] if together and names else [(name,) for name in names]
