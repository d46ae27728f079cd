"""The features in a file of the user's own, tried on the data's pictures before anything is measured with them."""

from collections.abc import Collection
from pathlib import Path

from ..core.checks import GradganError
from ..data import Dataset
from ..metrics import Own, Range, features_of_file
from .config import EvaluateConfig


def named_features(said: EvaluateConfig, dataset: Dataset, *, besides: Collection[str] = ()) -> list[Own]:
    """The features that a config names, if it names any; none of those that are given `besides` under the same name."""
    if said.features is None:
        if said.features_size or said.features_range != "unit":
            raise GradganError("evaluate.features_size and features_range go with a file; give it: evaluate.features")
        return []
    if Path(said.features).stem in besides:
        return []
    return [tried_features(said.features, dataset, size=said.features_size, range=said.features_range)]


def tried_features(path: str | Path, dataset: Dataset, *, size: int = 0, range: Range = "unit") -> Own:
    """The features of a file, after a look at two pictures of the data.

    Raises GradganError for a file that is none, for points, and for a network that does not take these pictures.
    """
    own = features_of_file(path, size=size, range=range)
    if dataset.kind != "images":
        raise GradganError(f"features {path} want pictures, and data set {dataset.name!r} has points; leave them out.")
    two = dataset.samples[:2].float() / 255
    try:
        found = own(two)
    except RuntimeError as error:  # a graph says its own in torch's words, the cause last
        cause = str(error).strip().splitlines()[-1]
        raise GradganError(
            f"features {path} do not take pictures {tuple(two.shape[1:])} of data set {dataset.name!r} ({cause}). "
            "Resize them: evaluate.features_size, or --features-size."
        ) from None
    if not bool(found.isfinite().all()):
        raise GradganError(
            f"features {path} are not finite for pictures of data set {dataset.name!r}; is its range another? "
            "evaluate.features_range, or --features-range."
        )
    return own
