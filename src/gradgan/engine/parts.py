"""What goes into the engine besides tensors, and what comes out of it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from ..core.checks import GradganError, batch_of, scores_of
from ..core.gradients import norm
from ..core.scene import LossLike
from ..core.types import Critic, Samples, Scalar, Scores

Codes: TypeAlias = Shaped[Tensor, " n *code"]
"""What belongs to each sample: a class number, or a code of one."""


@runtime_checkable
class TermLike(Protocol):
    """A penalty with a weight and a time; `gradgan.training.objective.Term` is one."""

    @property
    def name(self) -> str:
        """The key of its numbers."""
        ...

    @property
    def penalty(self) -> object:
        """What is charged; the engine takes those with `points` and `profile`."""
        ...

    def due(self, step: int) -> bool:
        """Is it paid at this step?"""
        ...

    def factor(self, progress: float) -> float:
        """What multiplies its mean."""
        ...


@dataclass(frozen=True)
class Parts:
    """The numbers of one critic step, without graphs.

    loss ()                    mean of the loss, penalties left out
    penalties {name: ()}       mean of each paid penalty, without its weight
    real_scores, fake_scores   (n,)
    slopes {name: (m,)}        ||grad D|| at the m points of each paid penalty
    engine                     the way taken: "sweep", "double_backward" (also where nothing was charged), "usual" or
                               "compiled"
    """

    loss: Scalar
    penalties: dict[str, Scalar]
    real_scores: Scores
    fake_scores: Scores
    slopes: dict[str, Float[Tensor, " _"]]
    engine: str


@dataclass(frozen=True)
class Charge:
    """One paid penalty of this step: factor x mean of profile(gradient of the scores by the batch called `at`)."""

    name: str
    at: str
    factor: float
    profile: Callable[[Samples], Scores]

    def mean(self, gradient: Tensor) -> Tensor:
        """The penalty's mean without its factor, in the graph of `gradient`."""
        return self.profile(gradient).mean()


@dataclass(frozen=True)
class Job:
    """One step to be done: batches by name ("real", "fake", and the points that are neither), and what is charged."""

    critic: Critic
    batches: dict[str, Tensor]
    charges: tuple[Charge, ...]
    loss: LossLike
    labels: Codes | None

    @property
    def charged(self) -> tuple[str, ...]:
        """The batches at which a gradient is charged, in the order of `batches`."""
        return tuple(name for name in self.batches if any(c.at == name for c in self.charges))

    @property
    def plain(self) -> tuple[str, ...]:
        """The batches whose scores alone matter."""
        return tuple(name for name in self.batches if name not in self.charged)

    def samples(self, names: tuple[str, ...]) -> Tensor:
        """These batches one after another."""
        batches = [self.batches[name] for name in names]
        return batches[0] if len(batches) == 1 else torch.cat(batches)

    def apart(self, names: tuple[str, ...], joined: Tensor) -> dict[str, Tensor]:
        """What was found for `samples(names)`, by batch."""
        return dict(zip(names, joined.split([len(self.batches[name]) for name in names]), strict=True))

    def scores(self, x: Tensor) -> Tensor:
        """The critic's scores of x, a whole number of batches."""
        return scores_by(self.critic, x, self.labels)

    def adversarial(self, scores: dict[str, Tensor]) -> Tensor:
        """The mean of the loss, in the graph of the scores."""
        return self.loss.critic(scores["real"], scores["fake"]).mean()

    def means(self, slopes: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean of each penalty charged at these batches, by name, in the graph of the gradients there."""
        return {charge.name: charge.mean(slopes[charge.at]) for charge in self.charges if charge.at in slopes}

    def total(self, means: dict[str, Tensor], loss: Tensor | None = None) -> Tensor:
        """loss + sum of factor x mean: what the step minimises, or without a loss what it pays for slopes."""
        paid = [charge.factor * means[charge.name] for charge in self.charges if charge.name in means]
        total = functools.reduce(torch.add, paid if loss is None else [loss, *paid])
        if not total.requires_grad:
            raise GradganError(
                "critic_backward: got scores that carry no graph, wanted some that depend on the critic's parameters. "
                "Do not detach them, and do not run the critic under torch.no_grad()."
            )
        return total

    def parts(
        self,
        engine: str,
        loss: Tensor,
        scores: dict[str, Tensor],
        means: dict[str, Tensor],
        slopes: dict[str, Tensor],
    ) -> Parts:
        """The numbers to hand back."""
        with torch.no_grad():
            norms = {at: norm(slopes[at].detach()) for at in self.charged}
        return Parts(
            loss=loss.detach(),
            penalties={charge.name: means[charge.name].detach() for charge in self.charges},
            real_scores=scores["real"].detach(),
            fake_scores=scores["fake"].detach(),
            slopes={charge.name: norms[charge.at] for charge in self.charges},
            engine=engine,
        )


def scores_by(critic: Critic, x: Tensor, labels: Tensor | None) -> Tensor:
    """The scores of x, float32 at least: a whole number of batches, each with the step's labels."""
    if labels is None:
        scores = critic(x)
    else:
        scores = critic(x, labels.repeat(len(x) // len(labels), *[1] * (labels.ndim - 1)))
    scores = scores_of(scores, len(x), caller="critic_backward")
    return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores


def job_of(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    *,
    loss: LossLike,
    terms: tuple[TermLike, ...],
    labels: Codes | None,
    rng: torch.Generator | None,
    step: int,
    progress: float,
) -> Job:
    """Draw the points of the terms that are due, in their order, and name the batches where they lie.

    Raises GradganError for labels that are not one for each sample, for terms that are no input-gradient penalties or
    share a name, and for points that are no samples like the real ones or that the labels do not fit.
    """
    if labels is not None and (labels.ndim == 0 or len(labels) != len(real)):
        raise GradganError(
            f"critic_backward: labels must be ({len(real)},), got {tuple(labels.shape)}. Give one for each real "
            "sample; fake and the points of penalties have the same."
        )
    batches = {"real": real.detach(), "fake": fake.detach()}
    charges: list[Charge] = []
    for term in terms:
        if any(term.name == charge.name for charge in charges):
            raise GradganError(f"critic_backward: two terms are called {term.name!r}. Add their weights into one.")
        points, profile = getattr(term.penalty, "points", None), getattr(term.penalty, "profile", None)
        if points is None or profile is None:
            raise GradganError(
                f"critic_backward: {term.name!r} is not a penalty on the score's gradient by its sample (it has no "
                "points and profile). Call it yourself and add its value's backward()."
            )
        if term.due(step):
            x = points(batches["real"], batches["fake"], rng)
            _fitting(x, real, labels, caller=term.name)
            at = _place(x, batches, term.name)
            charges.append(Charge(term.name, at, term.factor(progress), profile))
    return Job(critic, batches, tuple(charges), loss, labels)


def _fitting(x: Tensor, real: Tensor, labels: Tensor | None, *, caller: str) -> None:
    """Refuse points that are no samples like the real ones. There may be any number of them, but with labels a whole
    number of batches."""
    batch_of(x, caller=caller, what="points")
    if x.shape[1:] != real.shape[1:]:
        raise GradganError(
            f"{caller}: its points have shape {tuple(x.shape)}, wanted (m, {', '.join(map(str, real.shape[1:]))}), any "
            "number of samples like the real ones."
        )
    if labels is not None and len(x) % len(real):
        raise GradganError(
            f"{caller}: it looks at {len(x)} points, which {len(real)} labels do not fit. With labels its points must "
            "be a whole number of batches, in the order of the labels."
        )


def _place(x: Tensor, batches: dict[str, Tensor], name: str) -> str:
    """The batch that x is; a new one, called after its penalty, where it is none yet."""
    for known, batch in batches.items():
        same_place = x.data_ptr() == batch.data_ptr() and x.stride() == batch.stride()
        if x is batch or (same_place and x.shape == batch.shape and x.dtype == batch.dtype):
            return known
    batches[f"points of {name}"] = x.detach()
    return f"points of {name}"
