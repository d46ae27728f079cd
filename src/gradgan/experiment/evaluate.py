"""A generator against its data, in the metrics by name; everything real is computed once and kept."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..core.checks import GradganError
from ..core.types import Critic, Generator
from ..data import Dataset, Part, RealParts, real_parts, to_scale
from ..metrics import (
    BLOCKS,
    METRICS,
    RAW,
    Classifier,
    ClassInput,
    ClassShares,
    CriticInput,
    Estimate,
    FeatureInput,
    Features,
    GeneratorInput,
    MixtureInput,
    Own,
    Raw,
    RealFeatures,
    SlopeHistogram,
    class_shares,
    fewest,
    share,
    slope_histograms,
    stored,
    trained_classifier,
)
from .build import Experiment
from .choose_metrics import CLASSIFIER, default_metrics, is_mixture, refuse_unserved, together
from .own_features import are_asked, name_of, named_features

_MIXTURE_SAMPLES = 2500
"""PacGAN's protocol."""
_SAMPLES = 10_000
_NETWORK_SAMPLES = 1000
"""Points at which networks are differentiated."""
_AT_ONCE = 8192
"""Real samples that are decoded and looked at together; whole batches of every network."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is evaluated. `draw(n)` gives n generated samples in the data's scale; equal calls should give equal ones.

    Of a conditional generator, `of_classes(labels)` gives a sample of each of these classes (n,), and is asked instead:
    the data have their classes in proportions of their own. The rest, in evaluation mode, is wanted by the metrics of
    networks only: the critic, critic(x, labels) where there is `of_classes`, and the generator, its labels bound.
    """

    draw: Callable[[int], Tensor]
    of_classes: Callable[[Tensor], Tensor] | None = None
    critic: Critic | None = None
    generator: Generator | None = None
    latents: Callable[[int], Tensor] | None = None


class Evaluator:
    """Measures generators against one data set.

    >>> from gradgan.data import DATASETS
    >>> ring = DATASETS.make("ring", samples=3000)
    >>> Evaluator(ring).measure(Drawn(lambda n: ring.samples[:n]))["modes"].value
    8.0
    """

    def __init__(
        self,
        dataset: Dataset,
        metrics: Sequence[str] = (),
        *,
        samples: int = 0,
        features: Sequence[Features] = (),
        kept: Tensor | None = None,
    ) -> None:
        """`metrics`: NAME or NAME/FEATURES; those meant for the data set where there are none.

        `samples`: how many generated ones, but never more than there are training samples, except of a mixture; 0: the
        protocol's, 2500 of a mixture, else 10,000. `features`: of the user's own, beside pixels (of points:
        coordinates) and classifier.
        `kept` (k,): indices of samples that nobody learned from, for data without a held-out part of their own.
        Raises GradganError for unknown names, and for metrics that the data, or so few of them, cannot serve.
        """
        self.dataset = dataset
        self._own = {own.name: own for own in features}
        for name in self._own:
            if name in (CLASSIFIER, *RAW):
                raise GradganError(
                    f"features named {name!r} would be taken for gradgan's own; rename them or the file."
                )
        self.names = together(metrics or default_metrics(dataset))
        self._samples = samples
        self._kept = kept
        self._real: dict[str, RealFeatures] = {}
        for name in self.names:
            refuse_unserved(dataset, name, tuple(self._own))
            self._refuse_too_few(name)

    def _refuse_too_few(self, name: str) -> None:
        """Refuse what would fail at the first look, when a run has been trained already."""
        metric = name.partition("/")[0]
        needs = METRICS[metric].facts["needs"]
        if needs in ("mixture", "generator"):
            return  # they look at no real samples
        wanted = fewest(metric) if needs == "features" else 1
        if min(len(self.parts.held_out), self.samples) < wanted:
            raise GradganError(
                f"{name} wants at least {wanted} generated and {wanted} held-out samples; data set "
                f"{self.dataset.name!r} allows {self.samples} and {len(self.parts.held_out)}. Give more data, or "
                "metrics that want fewer (frechet wants 2)."
            )

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of all numbers that `measure` gives."""
        return (*self.names, "classifier_accuracy") if self.asks("classes") else self.names

    @property
    def keys(self) -> dict[str, str]:
        """By name, which network each of the user's features is, as far as they tell."""
        return {name: own.key for name, own in self._own.items() if isinstance(own, Own) and own.key}

    @cached_property
    def parts(self) -> RealParts:
        """Training and held-out samples."""
        return real_parts(self.dataset, self._kept)

    @cached_property
    def samples(self) -> int:
        """How many generated samples are measured."""
        if is_mixture(self.dataset):
            return self._samples or _MIXTURE_SAMPLES
        return min(self._samples or _SAMPLES, len(self.parts.training))

    @cached_property
    def labels(self) -> Tensor:
        """The classes to generate: those of the training samples that the real side has, so that both have each class
        equally often. Drawn anew, the classes' shares alone move a Frechet distance (docs/metrics.md). Each of the
        blocks that tell the error has the classes as often as the whole, or their shares would be taken for chance."""
        training = self.parts.training
        assert training.labels is not None, "a conditional run has labels"
        chosen = self._chosen(training)
        in_order = training.labels[chosen[torch.arange(self.samples) % len(chosen)]].sort().values
        return torch.cat([in_order[block::BLOCKS] for block in range(BLOCKS)])

    @cached_property
    def classifier(self) -> Classifier:
        """The classifier of the training samples."""
        training, of = self.parts.training, self.dataset
        labels = of.channel_labels if of.channel_classes else of.labels
        assert labels is not None, "metrics that want classes were refused at the door"
        return trained_classifier(of.samples, labels, of.channel_classes or of.classes, among=training.chosen)

    @cached_property
    def accuracy(self) -> Estimate:
        """The share of held-out samples that the classifier names rightly."""
        held_out = self.parts.held_out
        assert held_out.labels is not None
        _, seen = self.classifier.look(self.units(held_out.scaled(slice(_SAMPLES))))
        return share(seen == held_out.labels[:_SAMPLES])

    def look(self, drawn: Drawn) -> "Look":
        """One look at a generator, of which numbers and histograms may be asked."""
        return Look(self, drawn)

    def measure(self, drawn: Drawn) -> dict[str, Estimate]:
        """An estimate by name of each metric; with one of classes also the classifier's accuracy."""
        return self.look(drawn).numbers()

    def asks(self, needs: str) -> bool:
        """Does any of the metrics look at this kind of input?"""
        return any(METRICS[name.partition("/")[0]].facts["needs"] == needs for name in self.names)

    def features(self, name: str) -> Features:
        """Features by name."""
        if name in self._own:
            return self._own[name]
        return self.classifier if name == CLASSIFIER else Raw(self.dataset.kind, self.dataset.event)

    def real(self, name: str) -> RealFeatures:
        """The real side in these features."""
        if name not in self._real:
            held_out, training = self.parts.held_out, self.parts.training
            some = {"held_out": (held_out, self._chosen(held_out)), "training": (training, self._chosen(training))}
            every = {"learned": (training, torch.arange(len(training)))}
            self._real[name] = RealFeatures(
                **self._features_of(name, some),
                learned=(lambda: self._features_of(name, every)["learned"]) if len(training) > self.samples else None,
            )
        return self._real[name]

    def _features_of(self, name: str, parts: Mapping[str, tuple[Part, Tensor]]) -> dict[str, Tensor]:
        """Features of some samples of each part, by its word; what a network says of them is kept in the cache."""
        of = self.features(name)

        def compute() -> dict[str, Tensor]:
            return {
                what: torch.cat(
                    [of(self.units(to_scale(part.stored(some), self.dataset.scale))) for some in index.split(_AT_ONCE)]
                )
                for what, (part, index) in parts.items()
            }

        if not (isinstance(of, Classifier) or (isinstance(of, Own) and of.kept)):
            return compute()
        key = hashlib.sha256(of.key.encode())
        for part, index in parts.values():
            for some in index.split(_AT_ONCE):
                key.update(part.stored(some).numpy().data)
        return stored("features", key.hexdigest(), compute)

    def _chosen(self, part: Part) -> Tensor:
        """As many real samples as generated ones, drawn once: distances of unequal numbers have unequal biases."""
        return torch.randperm(len(part), generator=torch.Generator().manual_seed(0))[: self.samples]

    def units(self, x: Tensor) -> Tensor:
        """As features see them: images in [0, 1], on the CPU, where the real ones lie."""
        return (x if self.dataset.kind == "points" else self.dataset.to_unit(x)).cpu()


def evaluator_of(
    experiment: Experiment, metrics: Sequence[str] = (), *, samples: int = 0, features: Sequence[Features] = ()
) -> Evaluator:
    """What measures an experiment, by its config where nothing else is said.

    `features` come before a file of the same name in the config, which is read only if a metric asks for it.
    """
    said, of = experiment.config.evaluate, experiment.dataset
    names, name = metrics or said.metrics, name_of(said)
    if name and not names:
        names = (*default_metrics(of), f"frechet/{name}")
    asked = are_asked(said, names)
    if name and not metrics and not asked:
        raise GradganError(f"evaluate.features={said.features}, and no metric asks for it; add frechet/{name}.")
    named = [named_features(said, of)] if asked and name not in [own.name for own in features] else []
    return Evaluator(
        of,
        names,
        samples=samples or said.samples,
        features=[*named, *features],
        kept=experiment.kept,
    )


class Look:
    """The inputs of the metrics for one generator, each made at its first use, and what is found in them."""

    def __init__(self, evaluator: Evaluator, drawn: Drawn) -> None:
        self._e = evaluator
        self._drawn = drawn
        self._features: dict[str, FeatureInput] = {}

    def numbers(self) -> dict[str, Estimate]:
        """An estimate by name of each metric; with one of classes also the classifier's accuracy."""
        found = {}
        for name in self._e.names:
            metric, _, features = name.partition("/")
            needs = METRICS[metric].facts["needs"]
            found[name] = METRICS.make(metric)(self.features(features) if needs == "features" else self.of(needs))
            if needs == "classes":
                found["classifier_accuracy"] = self._e.accuracy
        return found

    def slopes(self) -> dict[str, SlopeHistogram]:
        """How the critic's slopes are spread at real and generated samples and between, where its metrics are asked."""
        given = self.of("critic") if self._e.asks("critic") else None
        return slope_histograms(given) if isinstance(given, CriticInput) else {}

    def classes(self) -> ClassShares | None:
        """How often each class is seen, where metrics of classes are asked."""
        given = self.of("classes") if self._e.asks("classes") else None
        return class_shares(given) if isinstance(given, ClassInput) else None

    @cached_property
    def _samples(self) -> Tensor:
        of_classes, draw = self._drawn.of_classes, self._drawn.draw
        return self._e.units(draw(self._e.samples) if of_classes is None else of_classes(self._e.labels))

    def features(self, name: str) -> FeatureInput:
        if name not in self._features:
            found = self._seen[0] if name == CLASSIFIER else self._e.features(name)(self._samples)
            self._features[name] = FeatureInput(found, self._e.real(name))
        return self._features[name]

    @cached_property
    def _seen(self) -> tuple[Tensor, Tensor]:
        return self._e.classifier.look(self._samples)

    def of(self, needs: str) -> MixtureInput | ClassInput | CriticInput | GeneratorInput:
        dataset, drawn = self._e.dataset, self._drawn
        if needs == "mixture":
            assert dataset.modes is not None and dataset.spread
            return MixtureInput(self._samples, dataset.modes, dataset.spread)
        if needs == "classes":
            assert dataset.labels is not None
            return ClassInput(self._seen[1], dataset.labels, dataset.classes)
        if needs == "critic" and drawn.critic is not None:
            return self._pairs(drawn.critic)
        if needs == "generator" and drawn.generator is not None and drawn.latents is not None:
            return GeneratorInput(drawn.generator, drawn.latents(_NETWORK_SAMPLES))
        raise GradganError(f"metrics of the {needs} want it beside the samples: Drawn(draw, {needs}=...).")

    def _pairs(self, critic: Critic) -> CriticInput:
        """Held-out samples beside generated ones, of the same classes where the critic takes labels."""
        held_out, drawn = self._e.parts.held_out, self._drawn
        some = slice(min(_NETWORK_SAMPLES, self._e.samples, len(held_out)))
        if drawn.of_classes is None:
            fake = drawn.draw(some.stop)
            return CriticInput(critic, held_out.scaled(some).to(fake.device), fake)
        assert held_out.labels is not None, "a conditional run has labels"
        fake = drawn.of_classes(held_out.labels[some])
        return CriticInput(critic, held_out.scaled(some).to(fake.device), fake, held_out.labels[some].to(fake.device))
