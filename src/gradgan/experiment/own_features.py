"""The features in a file of the user's own: which a config means, and whether they take the data's pictures."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch

from ..core.checks import GradganError
from ..data import Dataset
from ..metrics import Own, Range, content_of, features_of_file
from .config import EvaluateConfig


def with_content(said: EvaluateConfig) -> EvaluateConfig:
    """Its file by its absolute path, so that a run can be opened from anywhere, and by the content that it has now.

    Raises GradganError for a file that is missing, and for words about a file where none is named.
    """
    if not said.features:
        if replace(said, features=None) != without_file(said):
            raise GradganError(
                "evaluate.features_... describe a file, and none is named; give it: evaluate.features=FILE"
            )
        return replace(said, features=None)
    path = Path(said.features).expanduser().absolute()
    return replace(said, features=str(path), features_content=said.features_content or content_of(path))


def without_file(said: EvaluateConfig) -> EvaluateConfig:
    """The same looks without a file of features, and without the words about it."""
    return EvaluateConfig(said.every, said.metrics, said.samples)


def name_of(said: EvaluateConfig) -> str | None:
    """What the features of its file are called: as the file, without its ending."""
    return Path(said.features).stem if said.features else None


def are_asked(said: EvaluateConfig, metrics: Iterable[str]) -> bool:
    """Is one of the metrics measured in the features of its file?"""
    return any(metric.partition("/")[2] == name_of(said) for metric in metrics) if said.features else False


def named_features(said: EvaluateConfig, dataset: Dataset) -> Own:
    """The features that a config names, tried. Raises GradganError for a file that is another one than it was."""
    assert said.features is not None, "asked for where a file is named"
    if said.features_content not in (None, content_of(said.features)):
        raise GradganError(
            f"features {said.features}: the file has changed since this config was written. Give the old one, or the "
            "new one under another name; or leave features_content out to take what lies there."
        )
    return tried_features(
        said.features, dataset, size=said.features_size, range=said.features_range, rgb=said.features_rgb
    )


def tried_features(
    path: str | Path, dataset: Dataset, *, size: int = 0, range: Range = "unit", rgb: bool = True
) -> Own:
    """The features of a file, after a look at two pictures of the data.

    Raises GradganError for a file that is none, for points, and for a network that does not take these pictures.
    """
    if dataset.kind != "images":
        raise GradganError(
            f"features {path} are of pictures, and data set {dataset.name!r} has points. Leave them out, or set "
            "evaluate.features=null."
        )
    own = features_of_file(path, size=size, range=range, rgb=rgb)
    two = dataset.samples[:2].float() / 255
    channels, *sides = two.shape[1:]
    given = (3 if rgb and channels == 1 else channels, *([size, size] if size else sides))
    try:
        found = own(two)
    except (RuntimeError, torch.jit.Error) as error:  # a graph says its own in torch's words, the cause last
        cause = str(error).strip().splitlines()[-1]
        raise GradganError(
            f"features {path} fail on pictures of data set {dataset.name!r}, given as {given} ({cause}). features_size "
            "gives them another size, features_rgb=false grey ones as one channel."
        ) from None
    if not bool(found.isfinite().all()):
        raise GradganError(
            f"features {path} are not finite for pictures of data set {dataset.name!r}, given as {range}. Give them "
            "otherwise: features_range."
        )
    return own


def identity_of(said: EvaluateConfig) -> dict[str, tuple[object, ...]]:
    """By name, which network the features of its file are, and how it wants its pictures."""
    name = name_of(said)
    words = (said.features_content, said.features_size, said.features_range, said.features_rgb)
    return {} if name is None else {name: words}
