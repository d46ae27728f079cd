"""The one door: `critic_backward`, like `loss.backward()` for a critic that pays gradient penalties."""

from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch import nn
from torch.nn.utils import parametrize

from ..core.checks import GradganError, batch_of, same_kind, separate_samples, shown, unknown_name
from ..core.scene import LossLike
from ..core.types import Critic, Samples
from . import double, sweep
from .compiled import compiled
from .parts import Codes, Job, Parts, TermLike, job_of
from .tape import Obstacle
from .verdict import say_once, verdict_of

Engine = Literal["auto", "sweep", "double_backward", "usual", "compiled"]


def critic_backward(
    critic: Critic,
    real: Samples,
    fake: Samples,
    *,
    loss: LossLike,
    terms: Iterable[TermLike] = (),
    labels: Codes | None = None,
    rng: torch.Generator | None = None,
    engine: Engine = "auto",
    step: int = 0,
    progress: float = 0.0,
) -> Parts:
    """Add the gradient of the critic's loss and penalties to `.grad` of its parameters, and return the numbers.

        mean loss.critic(D(real), D(fake)) + sum over due terms of factor x mean profile(grad_x D at its points)

    `fake` counts as constant; `labels` (n,), or (n, *code), belong to both batches and to every point, in their order;
    `rng` draws the points, of which a penalty may have any number.
    `engine`: "sweep" is exact and cheapest, for critics that are piecewise linear in their activations;
    "double_backward" shares one forward between score and slope; "usual" is the slow reference with a forward for
    each; "compiled" puts the whole step through torch.compile; "auto" takes the sweep where it can and says once where
    it cannot.
    Shapes: real, fake (n, *event). Raises GradganError for a term that is not an input-gradient penalty, a critic that
    mixes samples (BatchNorm) under a penalty, a critic with nothing to train or whose scores carry no graph, inference
    mode and batches made in it, labels that are not one for each sample, and engine="sweep" where it cannot be.
    """
    if engine not in get_args(Engine):
        raise unknown_name("engine", str(engine), get_args(Engine))
    batch_of(real, caller="critic_backward", what="real")
    batch_of(fake, caller="critic_backward", what="fake")
    same_kind(real, fake, caller="critic_backward")
    if isinstance(critic, nn.Module) and not any(p.requires_grad for p in critic.parameters()):
        raise GradganError(
            "critic_backward: no parameter of the critic requires a gradient, so there is nothing to do."
        )
    given = _terms(terms)
    if not callable(getattr(loss, "critic", None)):
        raise GradganError(
            f"critic_backward: loss must be a loss, such as losses.relativistic, got {shown(loss)}. By name: "
            "losses.LOSSES.make(name); of your own: losses.Loss(name, critic_formula, generator_formula)."
        )
    with torch.enable_grad():
        job = job_of(critic, real, fake, loss=loss, terms=given, labels=labels, rng=rng, step=step,
                     progress=progress)  # fmt: skip
        if job.charges:
            separate_samples(critic, caller="critic_backward")
        # Within one step the weights stand still: spectral norm and its like are evaluated once, not in every call.
        with parametrize.cached():
            return _by(engine, job)


def _terms(terms: object) -> tuple[TermLike, ...]:
    """The terms, all of which are some."""
    if not isinstance(terms, Iterable) or isinstance(terms, str):
        raise GradganError(
            f"critic_backward: terms must be a list of terms, got {shown(terms)}. Write [Term(penalty, weight)]."
        )
    terms = tuple(terms)
    for term in terms:
        if not isinstance(term, TermLike):
            name = getattr(term, "name", None)
            got = f"the penalty {name!r}" if hasattr(term, "points") else shown(term)
            wanted = f"Term(penalties.{name}, weight)" if hasattr(term, "points") else "Term(penalties.r1, weight)"
            raise GradganError(f"critic_backward: terms must be terms, got {got}. Write {wanted}.")
    return terms


def _by(engine: Engine, job: Job) -> Parts:
    if engine == "usual":
        return double.usual(job)
    verdict = verdict_of(job)
    if engine == "compiled":
        return compiled(job, together=verdict.separable)
    if engine != "double_backward" and job.charges and not verdict.obstacle:
        try:
            return sweep.sweep(job, together=verdict.separable)
        except Obstacle as met:  # the graph is another one than at the first look: a layer was exchanged
            verdict = verdict_of(job, met=met)
    if engine == "sweep" and verdict.obstacle:
        raise GradganError(
            f"engine='sweep' cannot take this critic: {verdict.obstacle}. engine='auto' takes double backward here, "
            "for the same result."
        )
    if engine == "auto" and job.charges:
        say_once(job, verdict)
    return double.shared(job, together=verdict.separable)
