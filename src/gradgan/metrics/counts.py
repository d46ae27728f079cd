"""What is said of counts per mode or per class: how many were found, and how far their shares are from wanted ones."""

import math

import numpy as np

from .estimate import Estimate, of_counts


def found(counts: np.ndarray) -> Estimate:
    """How many of (k,) counts are not 0; the error is the bootstrap's in closed form.

        P(j missed) = (1 - p_j)^n,   P(i and j missed) = (1 - p_i - p_j)^n,   p = counts / n

    Drawing again can only lose a mode, never find one: read it as how easily the number would have been lower.
    """
    n = int(counts.sum())
    value = float((counts > 0).sum())
    if n == 0:
        return Estimate(value, math.nan, "bootstrap")
    p = counts[counts > 0] / n
    missed = (1 - p) ** n
    both = np.clip(1 - p[:, None] - p[None, :], 0, None) ** n
    np.fill_diagonal(both, missed)
    return Estimate(value, float(np.sqrt(max(0.0, (both - np.outer(missed, missed)).sum()))), "bootstrap")


def kl_to(counts: np.ndarray, wanted: np.ndarray) -> Estimate:
    """KL(shares of counts || wanted), nats; without any count the worst that is possible, -log of the least wanted.

    Biased upwards by about (k - 1) / 2n. Infinite where a count lies on what has no wanted share.
    """

    def divergence(these: np.ndarray) -> float:
        if these.sum() == 0:
            return float(-np.log(wanted.min()))
        seen = these > 0
        p = these[seen] / these.sum()
        with np.errstate(divide="ignore"):
            return float((p * np.log(p / wanted[seen])).sum())

    if not (wanted[counts > 0] > 0).all():
        return Estimate(math.inf, math.nan, "bootstrap")
    return of_counts(divergence, counts)
