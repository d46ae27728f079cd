"""How the next point is chosen and which trials are ended early: the plan's words as Optuna's samplers and pruners."""

import math
import warnings
from collections.abc import Sequence
from statistics import median

from optuna import Trial
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from .plan import Plan
from .space import Axis, Value

_STARTUP = 6
"""Points that are drawn blindly before a model is asked."""
_TELLING = 0.1
_HALVING, _HYPERBAND = 4, 3
"""Of the trials that reach a rung one in so many goes on, as in the papers' experiments."""


def distribution_of(axis: Axis) -> BaseDistribution:
    """Where an axis is drawn from."""
    if axis.choices:
        return CategoricalDistribution(axis.choices)
    if axis.whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def suggest(trial: Trial, axes: list[Axis]) -> dict[str, Value]:
    """The trial's point, by the axes' names."""
    return {axis.name: trial._suggest(axis.name, distribution_of(axis)) for axis in axes}


def sampler_of(plan: Plan, *, draw: int) -> BaseSampler:
    """The sampler; `draw` makes each trial's chance its own, since every worker makes its sampler anew.

    tpe: tree-structured Parzen estimators (Bergstra et al. 2011); gp: a Gaussian process with expected improvement
    (both as in Optuna, arXiv:1907.10902); random; a grid's points are queued when the study is made.
    """
    if plan.sampler == "tpe":
        # constant_liar: workers side by side must not all try the same neighbourhood.
        return TPESampler(seed=draw, n_startup_trials=_STARTUP, constant_liar=True)
    if plan.sampler == "gp":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return GPSampler(seed=draw, n_startup_trials=_STARTUP, deterministic_objective=False)
    return RandomSampler(seed=draw)


def first_telling(whole: Sequence[FrozenTrial]) -> int | None:
    """The first look at which the metric has moved, so that it tells trials apart; None where no look does yet.

    It has moved where the median of the whole trials has come a tenth of its way from the first look to the last.
    Before that (no mode is found yet, the averaged generator lags) differences are noise, and nobody is pruned for
    them. The way counts where it leads down, to less loss. A trial that diverged on its way is not asked.
    """
    curves = [trial.intermediate_values for trial in whole if trial.intermediate_values]
    last = max((max(curve) for curve in curves), default=0)
    curves = [curve for curve in curves if last in curve]
    if not curves:
        return None
    looks = sorted(set(curves[0]).intersection(*curves))
    middle = {look: median(curve[look] for curve in curves) for look in looks}
    way = middle[looks[0]] - middle[looks[-1]]
    if not (math.isfinite(way) and way > 0):
        return None
    return next(look for look in looks if middle[looks[0]] - middle[look] >= _TELLING * way)


def pruner_of(plan: Plan, first: int = 1) -> BasePruner:
    """The pruner, which sees a trial's mean over its runs at look `first`, ... of `plan.looks`.

    median: worse than the median of the others at the same look; halving: at the rungs first, 4 first, ... one in four
    goes on (arXiv:1810.05934); hyperband: several such ladders of one in three, which begin later and later
    (arXiv:1603.06560). `first` is the first look that is telling: rungs before it would choose by noise.
    """
    if plan.pruner == "median":
        return MedianPruner(n_startup_trials=4)
    if plan.pruner == "halving":
        return SuccessiveHalvingPruner(min_resource=first, reduction_factor=_HALVING)
    if plan.pruner == "hyperband":
        return HyperbandPruner(min_resource=first, max_resource=plan.looks, reduction_factor=_HYPERBAND)
    return NopPruner()
