"""What a metric is: a named function of what was generated, against what there is, that returns an Estimate."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypeVar

import torch
from torch import Tensor

from ..core.catalog import Catalog
from ..core.checks import GradganError
from ..core.types import Critic, Generator
from .estimate import Estimate
from .moments import Moments

METRICS = Catalog("metric", facts=("needs", "best", "better"))
"""Every metric by name. Facts: `needs`, the kind of input it looks at (`Needs`); `best`, its value for samples of the
data's own distribution, None where the data decide; `better`, which way is better (`Better`)."""

Found = TypeVar("Found")

Needs: TypeAlias = Literal["mixture", "features", "classes", "critic", "generator"]
"""MixtureInput, FeatureInput, ClassInput, CriticInput or GeneratorInput."""

Better: TypeAlias = Literal["lower", "higher", "nearer", "neither"]
"""Than another value: less, more, nearer to the best on either side; or a number that describes and does not judge."""


@dataclass(frozen=True)
class Metric:
    """A metric of the catalog, made with its options."""

    name: str
    formula: Callable[[Any], Estimate]

    def __call__(self, given: Any) -> Estimate:
        """Measure; `given` is the input that the catalog's fact `needs` names."""
        return self.formula(given)


@dataclass(frozen=True, eq=False)
class MixtureInput:
    """Samples (n, d) of a mixture of known centres (m, d), each of standard deviation `spread`."""

    samples: Tensor
    centres: Tensor
    spread: float

    def __post_init__(self) -> None:
        x, c = self.samples, self.centres
        if x.ndim != 2 or c.ndim != 2 or x.shape[1] != c.shape[1] or len(x) == 0:
            raise GradganError(f"modes want samples (n, d) and centres (m, d), got {tuple(x.shape)}, {tuple(c.shape)}.")
        if not 0 < self.spread < float("inf"):
            raise GradganError(f"spread must be finite and > 0, got {self.spread}: no sample would ever be within it.")


class Remembering:
    """What is costly to find and does not change is found once."""

    def remember(self, what: str, find: Callable[[], Found]) -> Found:
        """What `find` gives at its first call, by this word."""
        known: dict[str, Any] = self.__dict__.setdefault("_known", {})
        if what not in known:
            known[what] = find()
        return known[what]


class RealFeatures(Remembering):
    """The real side of every metric in feature space; what many comparisons need is computed once.

    `held_out` (m, d) is what generated samples are compared with; `training` (k, d) are samples that the generator
    learned from, as many as others are compared with.
    """

    def __init__(self, held_out: Tensor, training: Tensor, *, learned: Callable[[], Tensor] | None = None) -> None:
        """`learned` gives all that the generator learned from, (l, d), where `training` are only some of them; it is
        called at its first use. Raises GradganError for features that are not matrices of one width."""
        self.held_out = feature_matrix(held_out, what="held-out")
        self.training = feature_matrix(training, what="training")
        if held_out.shape[1] != training.shape[1]:
            raise GradganError(
                f"held-out features have width {held_out.shape[1]} and training features {training.shape[1]}; compute "
                "both with the same features."
            )
        self._learned = learned

    @cached_property
    def held_out_moments(self) -> Moments:
        """Mean and covariance of the held-out features."""
        return Moments.of(self.held_out)

    @cached_property
    def learned(self) -> Tensor:
        """All that the generator learned from, (l, d): whoever looks for copies must not look at some only."""
        return self.training if self._learned is None else feature_matrix(self._learned(), what="training")


@dataclass(frozen=True, eq=False)
class FeatureInput(Remembering):
    """Features (n, d) of generated samples, and the real ones."""

    generated: Tensor
    real: RealFeatures

    def __post_init__(self) -> None:
        feature_matrix(self.generated, what="generated")
        if self.generated.shape[1] != self.real.held_out.shape[1]:
            raise GradganError(
                f"generated features have width {self.generated.shape[1]} and real ones {self.real.held_out.shape[1]}; "
                "compute both with the same features."
            )


@dataclass(frozen=True, eq=False)
class ClassInput:
    """Classes that a classifier sees in generated samples (n,), those of real samples (m,), and how many there are."""

    generated: Tensor
    real: Tensor
    classes: int

    def __post_init__(self) -> None:
        for what, labels in (("generated", self.generated), ("real", self.real)):
            if labels.ndim != 1 or len(labels) == 0 or labels.is_floating_point():
                got = f"{tuple(labels.shape)} of {str(labels.dtype).removeprefix('torch.')}"
                raise GradganError(
                    f"{what} classes must be whole numbers (n,), n >= 1, got {got}. Of scores: argmax(1)."
                )
            low, high = int(labels.min()), int(labels.max())
            if not 0 <= low <= high < self.classes:
                raise GradganError(
                    f"{what} classes must lie in 0..{self.classes - 1}, got {low} to {high}. Give more classes, or "
                    "number them from 0."
                )


@dataclass(frozen=True, eq=False)
class CriticInput:
    """A critic, and as many real as generated samples; of a conditional one also the class of each pair, (n,)."""

    critic: Critic
    """critic(x), or critic(x, labels) where there are labels; any network in evaluation mode."""
    real: Tensor
    fake: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True, eq=False)
class GeneratorInput:
    """A generator with its labels bound, and latents (n, z)."""

    generator: Generator
    latents: Tensor


def merit(name: str, value: float) -> float:
    """A number NAME or NAME/FEATURES such that more is better: -inf for what is not finite, which is never better."""
    facts = METRICS[name.partition("/")[0]].facts
    if not math.isfinite(value):
        return -math.inf
    if facts["better"] == "nearer":
        return -abs(value - facts["best"])
    return value if facts["better"] == "higher" else -value


def fewest(name: str) -> int:
    """How many samples of each kind a metric of features wants at least: 2, one of neighbours 1 beside its k."""
    return METRICS[name].options.get("k", 1) + 1


def features_given(generated: Tensor, held_out: Tensor, training: Tensor) -> FeatureInput:
    """A FeatureInput of three feature matrices, for one comparison."""
    return FeatureInput(generated, RealFeatures(held_out, training))


INPUTS: Mapping[Needs, Callable[..., Any]] = {
    "mixture": MixtureInput,
    "features": features_given,
    "classes": ClassInput,
    "critic": CriticInput,
    "generator": GeneratorInput,
}
"""What makes the input that a metric needs, from its parts by keyword."""


def feature_matrix(x: Tensor, *, what: str) -> Tensor:
    """The features, refused unless they are (n, d), n >= 2, and finite."""
    if x.ndim != 2 or len(x) < 2:
        raise GradganError(
            f"{what} features must be of shape (n, d) with n >= 2, got {tuple(x.shape)}. Flatten maps: x.flatten(1)."
        )
    if not bool(torch.isfinite(x).all()):
        raise GradganError(f"{what} features hold numbers that are not finite: the samples or the network are broken.")
    return x
