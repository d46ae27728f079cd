"""From curves to tables: means with intervals, paired differences, ranks with ties; last, equal time or steps, best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..core.statistics import Interval, Rank, interval, paired_difference, ranks
from ..experiment.choose_metrics import together
from ..metrics import merit
from ..metrics.judging import grain_of, range_of
from .collect import Curve
from .costs import Cost, Costs
from .plan import Budget, Plan

Pick = Callable[[Mapping[int, float]], int | None]
"""Chooses a step from the looks of one run, or none."""


@dataclass(frozen=True)
class Reading:
    """One way to read a method's runs by one number: a value for each seed, and what follows from them."""

    values: dict[int, float]
    steps: dict[int, int]
    """Where each was read; empty for means over the run."""
    interval: Interval
    difference: Interval | None
    """To the baseline, paired by seed; None for the baseline itself and where they share no seed."""
    rank: Rank | None
    """The ranks that it may have, and its place by the mean; None for numbers that do not judge."""


@dataclass(frozen=True)
class Row:
    """A method in a table."""

    method: str
    seeds: int
    diverged: int
    collapsed: int | None
    """Of the runs whose modes or classes were counted; None where none were."""
    steps: int
    """Its budget in steps."""
    cost: Cost
    over_baseline: float
    """Its time per step over the baseline's."""
    metrics: dict[str, dict[str, Reading]]
    """By metric: `last`, `equal` (see the table) and `best`."""
    logged: dict[str, Reading]
    """Other numbers, as means over the run."""


@dataclass(frozen=True)
class Table:
    """One data preset with one budget."""

    data: str
    budget: Budget
    equal: str
    """What `equal` reads: `time` where the budget is in steps, `steps` where it is in minutes."""
    rows: list[Row]
    floors: dict[str, float]
    """The floor beside each Fréchet distance or ratio, by the metric's name: the mean over all runs."""

    @property
    def metrics(self) -> list[str]:
        """The metrics that any of its rows has."""
        return list(dict.fromkeys(name for row in self.rows for name in row.metrics))

    @property
    def logged(self) -> list[str]:
        """The other numbers that any of its rows has."""
        return list(dict.fromkeys(name for row in self.rows for name in row.logged))


def tables_of(plan: Plan, curves: Sequence[Curve], costs: Costs) -> list[Table]:
    """A table for each data preset and budget, its methods in the plan's order."""
    groups: dict[tuple[str, Budget], dict[str, list[Curve]]] = {}
    for curve in curves:
        cell = curve.cell
        groups.setdefault((cell.data, cell.budget), {}).setdefault(cell.method, []).append(curve)
    return [_table(plan, data, budget, methods, costs) for (data, budget), methods in groups.items()]


def _table(plan: Plan, data: str, budget: Budget, methods: dict[str, list[Curve]], costs: Costs) -> Table:
    equal = "time" if budget.unit == "steps" else "steps"
    limit = {name: _equal_step(equal, methods, costs, data, name) for name in methods}
    baseline = plan.reference()
    metrics: dict[str, dict[str, dict[str, Reading]]] = {name: {} for name in methods}
    all_curves = [curve for own in methods.values() for curve in own]
    told = _told(plan, all_curves)
    classes = max(curve.classes for curve in all_curves)
    for metric in told:
        for reading in ("last", "equal", "best"):
            picks = {name: _pick(reading, metric, limit[name]) for name in methods}
            found = {name: _read(own, metric, picks[name]) for name, own in methods.items()}
            lost = {name: _lost(methods[name], own) for name, own in found.items()}
            for name, read in _compared(found, baseline, metric, lost, classes).items():
                metrics[name].setdefault(metric, {})[reading] = read
    logged: dict[str, dict[str, Reading]] = {name: {} for name in methods}
    for number in plan.logged:
        found = {
            name: {c.cell.seed: (0, c.logged[number]) for c in own if number in c.logged}
            for name, own in methods.items()
        }
        for name, read in _compared(found, baseline, None, {}).items():
            logged[name][number] = read
    rows = [
        Row(
            name,
            len(own),
            sum(c.diverged != "" for c in own),
            _collapsed(own),
            own[0].cell.config.steps,
            costs[data, name],
            costs[data, name].seconds / costs[data, baseline].seconds,
            metrics[name],
            logged[name],
        )
        for name, own in methods.items()
    ]
    return Table(data, budget, equal, rows, _floors(told, all_curves))


def _told(plan: Plan, curves: Sequence[Curve]) -> list[str]:
    """The metrics to tell: the plan's, a Fréchet distance never without its ratio, or all that were taken."""
    taken = list(dict.fromkeys(name for curve in curves for name in curve.looks))
    return [name for name in together(plan.metrics) or taken if name in taken]


def _floors(metrics: Sequence[str], curves: Sequence[Curve]) -> dict[str, float]:
    found = {}
    for metric in metrics:
        floor = next((name for name in together([metric]) if name.startswith("frechet_floor/")), "")
        values = [curve.floors[floor] for curve in curves if floor in curve.floors]
        if values:
            found[metric] = sum(values) / len(values)
    return found


def _collapsed(curves: Sequence[Curve]) -> int | None:
    known = [curve.collapsed for curve in curves if curve.collapsed is not None]
    return sum(known) if known else None


def _equal_step(equal: str, methods: Mapping[str, Sequence[Curve]], costs: Costs, data: str, name: str) -> float:
    """Up to which step a method counts when all stop together: with the first to be done, by the clock or by steps."""
    steps = {method: own[0].cell.config.steps for method, own in methods.items()}
    if equal == "steps":
        return min(steps.values())
    seconds = min(steps[method] * costs[data, method].seconds for method in methods)
    # Half a step more: the first to be done counts whole, whatever floats do.
    return seconds / costs[data, name].seconds + 0.5


def _pick(reading: str, metric: str, limit: float) -> Pick:
    if reading == "last":
        return lambda looks: max(looks, default=None)
    if reading == "equal":
        return lambda looks: max((step for step in looks if step <= limit), default=None)
    return lambda looks: max(looks, key=lambda step: merit(metric, looks[step]), default=None)


def _read(curves: Sequence[Curve], metric: str, pick: Pick) -> dict[int, tuple[int, float]]:
    """(step, value) by seed."""
    found = {}
    for curve in curves:
        looks = curve.looks.get(metric, {})
        step = pick(looks)
        if step is not None:
            found[curve.cell.seed] = (step, looks[step])
    return found


def _lost(curves: Sequence[Curve], found: Mapping[int, object]) -> tuple[int, int]:
    """How many runs diverged or left no value, and how many left none.

    What a run was before it diverged is told, but it is no result to win with.
    """
    missing = [curve.cell.seed not in found for curve in curves]
    spoilt = [curve.diverged != "" or none for curve, none in zip(curves, missing, strict=True)]
    return sum(spoilt), sum(missing)


def _compared(
    found: Mapping[str, Mapping[int, tuple[int, float]]],
    baseline: str,
    metric: str | None,
    lost: Mapping[str, tuple[int, int]],
    classes: int = 0,
) -> dict[str, Reading]:
    """The readings of all methods that have any value; `metric` is None for numbers that do not judge. `lost`: the runs
    of each that came to nothing, see `_lost`. `classes`: how many there are to be found."""
    values = {name: {seed: value for seed, (_, value) in own.items()} for name, own in found.items()}
    places: dict[str, Rank] = {}
    grain = grain_of(metric)
    if metric is not None:
        merits = {name: {s: merit(metric, v) for s, v in own.items()} for name, own in values.items()}
        places = ranks(merits, higher_is_better=True, lost=lost, grain=grain)
    return {
        name: Reading(
            own,
            {seed: step for seed, (step, _) in found[name].items()} if metric is not None else {},
            interval(list(own.values()), within=range_of(metric, classes), grain=grain),
            None if name == baseline else paired_difference(own, values.get(baseline, {}), grain=grain),
            places.get(name),
        )
        for name, own in values.items()
        if own
    }
