"""Which metrics a data set can serve, which are meant for it, and which one judges."""

from collections.abc import Iterable, Sequence

from ..core.checks import GradganError, unknown_name
from ..data import Dataset
from ..metrics import METRICS, Raw

CLASSIFIER = "classifier"
_TOGETHER = ("frechet", "frechet_floor", "frechet_ratio")
"""Never one without the others: a Fréchet distance says nothing without its floor."""
_MIXTURE = ("modes", "high_quality", "reverse_kl", "mixture_distance")


def default_metrics(dataset: Dataset) -> tuple[str, ...]:
    """The cheap ones that are meant for the data set; the first of all is `score_of`'s or near it."""
    if is_mixture(dataset):
        return _MIXTURE
    if has_classes(dataset):
        # Of stacked digits papers tell the one from equal shares.
        uniform = ("class_kl_uniform",) if dataset.channel_classes else ()
        return ("frechet_ratio/classifier", "classes", "class_kl", *uniform)
    raw = Raw(dataset.kind, dataset.event).name
    if dataset.kind == "points":
        return (f"coverage/{raw}", f"precision/{raw}")
    return (f"frechet_ratio/{raw}", f"precision/{raw}", f"recall/{raw}")


def score_of(dataset: Dataset, names: Sequence[str] = ()) -> str:
    """The one number by which "best" is meant: the data set's own where it is among the `names`, else their first that
    judges."""
    own = next(name for name in default_metrics(dataset) if name.partition("/")[0] in _SCORES)
    if not names or own in names:
        return own
    judging = [name for name in names if METRICS[name.partition("/")[0]].facts["better"] != "neither"]
    if not judging:
        raise GradganError(f"none of {', '.join(names)} says what is better; add one, such as {own}.")
    return judging[0]


_SCORES = ("mixture_distance", "coverage", "frechet_ratio")


def all_metrics(dataset: Dataset, features: Iterable[str] = (), *, networks: bool = False) -> tuple[str, ...]:
    """Every metric that the data set can serve, in its richest features and the user's own; with `networks` also those
    of the critic and of the generator."""
    raw, *others = feature_names(dataset)
    used = [others[0] if others else raw, *features]
    names = list(_MIXTURE) if is_mixture(dataset) else []
    names += [name for name in METRICS if METRICS[name].facts["needs"] == "classes" and has_classes(dataset)]
    names += [f"{name}/{kind}" for kind in used for name in METRICS if METRICS[name].facts["needs"] == "features"]
    names += [name for name in METRICS if METRICS[name].facts["needs"] in ("critic", "generator") and networks]
    return tuple(names)


def together(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once, with a Fréchet distance's floor and ratio beside it."""
    found: list[str] = []
    for name in names:
        metric, slash, features = name.partition("/")
        found += [f"{one}{slash}{features}" for one in (_TOGETHER if metric in _TOGETHER else (metric,))]
    return tuple(dict.fromkeys(found))


def refuse_unserved(dataset: Dataset, name: str, own: Sequence[str] = ()) -> None:
    """Refuse a metric that is not known, or that the data set cannot serve."""
    metric, _, features = name.partition("/")
    needs = METRICS[metric].facts["needs"]
    known = [*feature_names(dataset), *own]
    if needs == "features":
        if not features:
            raise GradganError(f"{metric} wants features: {' or '.join(f'{metric}/{one}' for one in known)}.")
        if features not in known:
            raise unknown_name(f"features of data set {dataset.name!r}", features, known)
    elif features:
        raise GradganError(f"{metric} takes no features; write {metric}, got {name}.")
    if needs == "mixture" and not is_mixture(dataset):
        raise GradganError(f"{metric} wants known centres, which data set {dataset.name!r} lacks; ring and grid have.")
    if needs == "classes" and not has_classes(dataset):
        raise GradganError(f"{metric} wants images of two classes or more, which data set {dataset.name!r} lacks.")


def feature_names(dataset: Dataset) -> tuple[str, ...]:
    """The features that a data set has by itself."""
    raw = Raw(dataset.kind, dataset.event).name
    return (raw, CLASSIFIER) if has_classes(dataset) else (raw,)


def is_mixture(dataset: Dataset) -> bool:
    """Are its centres known, and do they have a spread?"""
    return dataset.modes is not None and bool(dataset.spread)


def has_classes(dataset: Dataset) -> bool:
    """Are there images of two classes or more, which a classifier can learn?"""
    return dataset.kind == "images" and dataset.labels is not None and len(dataset.labels.unique()) > 1
