"""What a classifier sees in the samples: classes found, and how their shares differ from equal ones and the data's."""

from dataclasses import dataclass

import numpy as np
import torch

from .counts import found, kl_to
from .estimate import Estimate, binomial_errors
from .metric import METRICS, ClassInput, Metric

_PAPER = "arXiv:1712.04086"


@METRICS.add(paper=_PAPER, needs="classes", best=None, better="higher")
def classes() -> Metric:
    """Classes: how many a classifier of the data finds among the samples.

    Error: bootstrap, in closed form. Shapes: ClassInput. Paper: Lin et al. 2018, arXiv:1712.04086, sec. 4.2.
    """
    return Metric("classes", lambda given: found(class_histogram(given.generated, given.classes)))


@METRICS.add(paper=_PAPER, needs="classes", best=None, better="lower")
def class_kl_uniform() -> Metric:
    """KL of the samples' classes from equal shares, nats: what papers on Stacked MNIST report.

    0 where every class is equally frequent, which the data need not be. Error: bootstrap of the counts.
    Shapes: ClassInput. Paper: Lin et al. 2018, arXiv:1712.04086, sec. 4.2.
    """
    return Metric("class_kl_uniform", lambda given: _kl(given, np.ones(given.classes)))


@METRICS.add(paper=_PAPER, needs="classes", best=0.0, better="lower")
def class_kl() -> Metric:
    """KL of the samples' classes from the data's own shares, nats; 0 is best.

    A class that the data lack counts as half a sample of theirs. Error: bootstrap of the counts.
    Shapes: ClassInput. Paper: Lin et al. 2018, arXiv:1712.04086, sec. 4.2.
    """
    return Metric("class_kl", lambda given: _kl(given, np.maximum(class_histogram(given.real, given.classes), 0.5)))


@dataclass(frozen=True)
class ClassShares:
    """The class histogram as shares: of the samples, with their standard errors, and of the data; (classes,) each."""

    samples: tuple[float, ...]
    errors: tuple[float, ...]
    """Binomial; a class that is not seen may still be there."""
    data: tuple[float, ...]


def class_shares(given: ClassInput) -> ClassShares:
    """How often each class is seen in the samples, and how often it occurs in the data."""
    n = len(given.generated)
    seen, real = (class_histogram(labels, given.classes) for labels in (given.generated, given.real))
    return ClassShares(*(tuple(map(float, x)) for x in (seen / n, binomial_errors(seen, n), real / len(given.real))))


def class_histogram(labels: torch.Tensor, classes: int) -> np.ndarray:
    """How often each class occurs among labels (n,), (classes,)."""
    return torch.bincount(labels, minlength=classes).cpu().numpy()


def _kl(given: ClassInput, wanted: np.ndarray) -> Estimate:
    return kl_to(class_histogram(given.generated, given.classes), wanted / wanted.sum())
