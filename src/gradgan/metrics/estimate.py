"""A measured number with its standard error, and the ways to come by one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from torch import Tensor

Method: TypeAlias = Literal["binomial", "samples", "blocks", "bootstrap"]
"""How a standard error was found: share of n yes-or-no trials; mean of n values; spread of the statistic over blocks of
the samples; spread over samples drawn again from the samples."""

BLOCKS = 10
"""Equal ones that follow each other, into which samples are cut for a jackknife."""
_DRAWS = 200
"""Of a bootstrap: its standard error is then itself right to about 5%."""


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error in the same unit: over the generated samples, unless its metric says otherwise.

    >>> Estimate(0.5, 0.01, "binomial").interval
    (0.4804, 0.5196)
    """

    value: float
    error: float
    """One standard error; nan where there are too few samples to tell."""
    method: Method
    """How the error was found."""

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of a normal error: value -+ 1.96 error."""
        return round(self.value - 1.96 * self.error, 12), round(self.value + 1.96 * self.error, 12)

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.error:.2g}"


def share(hits: Tensor) -> Estimate:
    """The share of true values among (n,) booleans, with its `binomial_errors`."""
    (error,) = binomial_errors(np.array([float(hits.sum())]), len(hits))
    return Estimate(float(hits.double().mean()), float(error), "binomial")


def binomial_errors(hits: np.ndarray, n: int) -> np.ndarray:
    """The standard errors of shares, hits (k,) of n trials each: sqrt(p (1 - p) / n), p = (hits + 1) / (n + 2).

    That p for the error only: none of n does not mean never, so its error is not 0.
    """
    p = (hits + 1) / (n + 2)
    return np.sqrt(p * (1 - p) / n)


def mean(values: Tensor) -> Estimate:
    """The mean of (n,) values, with their standard deviation over sqrt(n)."""
    values, n = values.double(), len(values)
    error = float(values.std()) / math.sqrt(n) if n > 1 else math.nan
    return Estimate(float(values.mean()), error, "samples")


def of_counts(statistic: Callable[[np.ndarray], float], counts: np.ndarray) -> Estimate:
    """A statistic of (k,) counts, with its standard deviation over counts drawn again from their own shares.

    Of a divergence near 0 it is too large, about twice: drawing again adds the noise that the counts have already.
    """
    counts = np.asarray(counts, dtype=np.int64)
    if counts.sum() == 0:
        return Estimate(statistic(counts), math.nan, "bootstrap")
    # A generator of its own, always the same: an error must not depend on what was measured before.
    drawn = np.random.default_rng(0).multinomial(counts.sum(), counts / counts.sum(), size=_DRAWS)
    return Estimate(statistic(counts), float(np.std([statistic(one) for one in drawn], ddof=1)), "bootstrap")


def jackknife(whole: float, without: Sequence[float]) -> Estimate:
    """A statistic of all samples, and its error from the values found without each of g equal blocks in turn:

    error^2 = (g - 1) / g  sum_b (without_b - mean)^2       (Künsch 1989, doi:10.1214/aos/1176347265)
    """
    g = len(without)
    if g < 2:
        return Estimate(whole, math.nan, "blocks")
    return Estimate(whole, float(np.std(without)) * math.sqrt(g - 1), "blocks")


def over_blocks(values: Sequence[float]) -> Estimate:
    """The mean of a statistic over independent blocks, and the standard error of that mean."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Estimate(float(np.mean(values)), error, "blocks")
