"""From a plan to its cells: one run for each data preset, method, budget and seed, every config built before any."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import GradganError, unknown_name
from ..experiment import Config, build, complete, configure
from ..experiment.about import glossary
from ..experiment.evaluate import evaluator_of
from ..experiment.own_features import identity_of
from ..experiment.rehearse import rehearse
from ..metrics.judging import judges
from .plan import Budget, Plan


@dataclass(frozen=True)
class Cell:
    """One run of a comparison."""

    data: str
    method: str
    budget: Budget
    seed: int
    config: Config
    path: Path

    @property
    def name(self) -> str:
        """As people read it."""
        return f"{self.data} · {self.method} · {self.budget} · seed {self.seed}"


Configs = Mapping[tuple[str, str], Config]
"""The config of each data preset and method, before budget and seed."""


def configs_of(plan: Plan) -> dict[tuple[str, str], Config]:
    """The config of each data preset with each method, built and rehearsed once.

    Raises GradganError, naming the method and the preset, for the first that cannot be trained; also for a number to
    tell that none of them logs.
    """
    configs: dict[tuple[str, str], Config] = {}
    numbers: set[str] = set()
    for data, own in plan.data.items():
        for method, settings in plan.named_methods().items():
            try:
                config = configure(data, seed=plan.seeds[0], settings=[*own, *plan.settings, *settings])
                # Runs go side by side: one thread each is the fastest for all, and the same on every machine.
                looks = replace(config.evaluate, metrics=plan.metrics or config.evaluate.metrics)
                config = complete(replace(config, threads=config.threads or 1, evaluate=looks))
                experiment = build(config)
                numbers |= glossary(experiment, evaluator_of(experiment).reported).keys()
                rehearse(experiment)
            except GradganError as error:
                raise GradganError(f"{method} on {data}: {error}") from error
            configs[data, method] = config
    _refuse_two_networks(configs)
    _refuse_unlogged(plan, numbers)
    return configs


def _refuse_unlogged(plan: Plan, numbers: Collection[str]) -> None:
    """A number that only some methods log is told of these; one that none logs would be missing without a word."""
    for name in plan.logged:
        if judges(name):
            raise GradganError(f"logged: {name} is a metric, with columns of its own; name it under metrics instead.")
        if name not in numbers:
            raise unknown_name("logged number", name, (number for number in numbers if not judges(number)))


def _refuse_two_networks(configs: Configs) -> None:
    """Methods that are measured by two networks of one name cannot be compared."""
    found: dict[tuple[str, str], object] = {}
    for (data, method), config in configs.items():
        for name, identity in identity_of(config.evaluate).items():
            if found.setdefault((data, name), identity) != identity:
                raise GradganError(
                    f"{method} on {data}: its features {name} are another network than another method's, or want other "
                    "pictures. Give all methods the same evaluate.features..., or each file its own name."
                )


def budgets_of(plan: Plan, data: str, configs: Configs) -> list[Budget]:
    """The budgets on a data preset: the plan's, or its own steps."""
    budgets = [Budget("steps", steps) for steps in plan.steps] + [Budget("minutes", m) for m in plan.minutes]
    return budgets or [Budget("steps", next(c.steps for (d, _), c in configs.items() if d == data))]


def cells_of(plan: Plan, configs: Configs, seconds: Mapping[tuple[str, str], float], out: Path) -> list[Cell]:
    """Every run of the plan, seeds outermost, so that a comparison cut short has some seeds of every method whole.

    `seconds` is the time per step of each data preset and method, for budgets in minutes.
    """
    cells = []
    for seed in plan.seeds:
        for (data, method), config in configs.items():
            for budget in budgets_of(plan, data, configs):
                steps = steps_within(budget, seconds[data, method], plan.looks, config.log.every)
                path = out / "runs" / data / method / budget.folder / f"seed_{seed}"
                cells.append(Cell(data, method, budget, seed, _of_cell(config, plan, steps, seed), path))
    return cells


def _of_cell(config: Config, plan: Plan, steps: int, seed: int) -> Config:
    """The config of one run: its metrics taken along it, a picture at the start and at the end."""
    every, log = spaced(steps // plan.looks, config.log.every)
    # An alarm that stops a method, or changes its numbers, would compare something else.
    return replace(
        config, seed=seed, steps=steps, evaluate=replace(config.evaluate, every=every),
        log=replace(config.log, every=log), sample=replace(config.sample, every=steps),
        alarm=replace(config.alarm, action="warn"),
    )  # fmt: skip


def steps_within(budget: Budget, seconds: float, looks: int, log: int = 0) -> int:
    """A budget in steps, of a method that takes `seconds` for each; in minutes, whole looks of it."""
    if budget.unit == "steps":
        return int(budget.amount)
    return spaced(int(budget.amount * 60 / seconds) // looks, log)[0] * looks


def spaced(steps: int, log: int) -> tuple[int, int]:
    """After how many steps to look, at most `steps`, and to log: at least `log`, or at each look (so too for 0).

    The numbers of a step are looked at before its samples are, so that a sick run is told as one: each look is at a
    logged step. Numbers are not logged more often for it: some penalties' cost as much as the step.

    >>> spaced(500, 10), spaced(509, 10), spaced(29, 10), spaced(7, 10), spaced(7, 0)
    ((500, 10), (500, 10), (28, 14), (7, 7), (7, 7))
    """
    steps = max(1, steps)
    times = max(1, steps // log) if log else 1
    return steps // times * times, steps // times
