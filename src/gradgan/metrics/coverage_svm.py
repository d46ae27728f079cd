"""Class coverage on small labelled images: which classes a classifier of the real data sees in the samples."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.checks import GradganError


@dataclass(frozen=True)
class ClassCoverage:
    """How often each class was seen, by a classifier whose accuracy on held-out real samples stands beside it."""

    counts: tuple[int, ...]
    accuracy: float
    """Share of held-out real samples that the classifier names rightly."""

    @property
    def found(self) -> int:
        """Classes seen at least once."""
        return sum(count > 0 for count in self.counts)

    def numbers(self) -> dict[str, float]:
        """As the glossary names them."""
        return {"classes": float(self.found), "classifier_accuracy": self.accuracy}


def class_coverage(samples: Tensor, real: Tensor, labels: Tensor, *, classes: int, most: int = 10_000) -> ClassCoverage:
    """Classes of `samples` by a scikit-learn classifier (an RBF support vector machine) of the real ones.

    It learns on four fifths of at most `most` real samples and is tested on the rest; for images of up to about
    32 x 32. Shapes: samples (n, *event), real (m, *event), labels (m,). Raises GradganError where they do not fit.
    """
    if samples.shape[1:] != real.shape[1:] or len(real) != len(labels):
        raise GradganError(
            f"class_coverage: samples {tuple(samples.shape)}, real {tuple(real.shape)} and labels "
            f"{tuple(labels.shape)} do not belong together."
        )
    from sklearn.svm import SVC

    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(0))[:most]
    x, y = _rows(real[order]), labels[order].cpu().numpy()
    cut = max(1, len(x) * 4 // 5)
    classifier = SVC(C=10.0).fit(x[:cut], y[:cut])
    seen = np.bincount(classifier.predict(_rows(samples)), minlength=classes)
    accuracy = float(np.mean(classifier.predict(x[cut:]) == y[cut:])) if cut < len(x) else float("nan")
    return ClassCoverage(tuple(int(count) for count in seen), accuracy)


def _rows(x: Tensor) -> np.ndarray:
    return x.detach().flatten(1).cpu().double().numpy()
