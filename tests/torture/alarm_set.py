"""The alarm's exam: labelled runs, half of them healthy, half made sick; prints the confusion table (docs/alarm.md).

python tests/torture/alarm_set.py --seed 3000 --out alarm.json [--mnist FOLDER] [--only NAME]
"""

import argparse
import json
import logging
import math
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from alarm_cases import BASES, BY_HEART, FEW_SEEN, HEALTHY, LOGS, SICK, STAYS, Results

from gradgan.alarm import History, examine
from gradgan.core.checks import NonFiniteError, all_finite
from gradgan.data import Dataset
from gradgan.experiment import Experiment, build, configure
from gradgan.experiment.build import schedule_of
from gradgan.training.hooks import generate
from gradgan.training.measure import evaluating
from gradgan.training.signs import told
from gradgan.training.state import Numbers, State
from gradgan.training.trainer import fit

CASES = {case.name: case for case in (*HEALTHY, *SICK)}
LATE = 0.2
"""An illness must be named within this share of the run's length after its onset."""


@dataclass
class Collect:
    """The log of a run, in memory; from `switch` on the learning rates are multiplied by `faster`."""

    every: int
    switch: int | None
    faster: Mapping[str, float]
    steps: list[int] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    means: list[torch.Tensor] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    """Share of pairs in which the critic prefers a training sample, over all of them and a thousand held-out ones."""
    learned: torch.Tensor | None = None
    seen: list[float] = field(default_factory=list)
    """Share of the modes or classes that the generator's samples are nearest to, if `dataset` is given."""
    dataset: Dataset | None = None

    def wants_numbers(self, step: int) -> bool:
        """On the steps that are logged."""
        return step % self.every == 0

    def __call__(self, state: State, numbers: Numbers) -> None:
        """Log; make the run sick when it is time."""
        if self.wants_numbers(state.step):
            self.steps.append(state.step)
            self.rows.append({name: float(value) for name, value in numbers.items()})
            z = torch.randn(256, state.latent, generator=torch.Generator().manual_seed(0))
            self.means.append(self.mean(state, z))
            if self.learned is not None and state.held_out is not None:
                critic, kept = state.networks["critic"], state.held_out.batch(0, 1000)[0]
                with torch.no_grad(), evaluating(critic):
                    self.memory.append(float(told(critic(self.learned).reshape(-1), critic(kept).reshape(-1))))
            if self.dataset is not None:
                self.seen.append(seen_of(self.dataset, generate(state.networks["generator"], z)))
            all_finite(numbers, step=state.step)
        if state.step == self.switch:
            for name, rates in state.base_rates.items():
                factor = self.faster["critic" if name == "critic" else "others"]
                state.base_rates[name] = [factor * rate for rate in rates]

    @staticmethod
    def mean(state: State, z: torch.Tensor) -> torch.Tensor:
        """The mean generated sample, of an unconditional generator."""
        generator = state.networks["generator"]
        if getattr(generator, "embedding", None) is not None:
            return torch.zeros(1)
        return generate(generator, z).flatten(1).mean(0)


def run(name: str, seed: int, mnist: str | None) -> dict:
    """Train one case; what the alarm said of it, and what its samples say."""
    torch.set_num_threads(1)
    logging.getLogger("gradgan").setLevel(logging.CRITICAL)
    case = CASES[name]
    preset, small, steps = BASES[case.base]
    words = [*small, *case.settings, *([f"data.path={mnist}"] if preset == "mnist_conv" else [])]
    if "data.name=dirac" in words:
        words.remove("data.samples=10000")
    config = configure(preset, system=case.system, steps=steps, seed=seed, settings=words)
    experiment = build(replace(config, device="cpu"))
    every = max(1, steps // LOGS)
    collect = Collect(every, None if case.switch is None else round(case.switch * steps), case.faster)
    if case.illness == "mode_collapse":
        collect.dataset = experiment.dataset
    state = experiment.state
    if state.held_out is not None and not config.conditional:
        kept = set(state.held_out.indices.tolist())
        learned = [index for index in range(len(experiment.dataset)) if index not in kept]
        collect.learned = experiment.dataset.scaled(torch.tensor(learned[:1000]))
    try:
        fit(
            state, experiment.players, experiment.system.loss, steps=steps, hooks=[collect],
            latents=experiment.system.latents, rates=schedule_of(config.lr), conditional=config.conditional,
        )  # fmt: skip
    except NonFiniteError:
        results: Results = {}
    else:
        results = results_of(experiment, collect)
    found = examine(History(collect.steps, collect.rows), patience=config.alarm.patience)
    onset: int | None = collect.switch or 0
    if case.illness == "critic_overfitting":
        onset = first_of(collect.steps, [share > BY_HEART for share in collect.memory], STAYS)
    if case.illness == "mode_collapse":
        onset = first_of(collect.steps, [share <= FEW_SEEN for share in collect.seen], STAYS)
    return {
        "case": name,
        "seed": seed,
        "illness": case.illness,
        "verified": onset is not None and case.verified(results),
        "results": results,
        "onset": onset,
        "limit": (onset or 0) + LATE * steps,
        "found": [(f.illness, f.since, f.step, [str(told) for told in f.evidence]) for f in found],
    }


def first_of(steps: list[int], holds: list[bool], rows: int) -> int | None:
    """The step at which something begins to hold that then holds on so many logged steps in a row."""
    for at in range(len(holds) - rows + 1):
        if all(holds[at : at + rows]):
            return steps[at]
    return None


def seen_of(dataset: Dataset, x: torch.Tensor) -> float:
    """The share of modes, or of classes, that at least a fiftieth of the samples are nearest to, however far."""
    if dataset.modes is not None:
        nearest, of = torch.cdist(x, dataset.modes.to(x)).argmin(dim=1), len(dataset.modes)
    else:
        assert dataset.labels is not None
        real = dataset.scaled(slice(1000)).flatten(1)
        nearest, of = dataset.labels[:1000][torch.cdist(x.flatten(1), real).argmin(dim=1)], dataset.classes
    return float((torch.bincount(nearest, minlength=of) >= len(x) / 50).double().mean())


def coverage_of(dataset: Dataset, x: torch.Tensor) -> Results:
    """Modes with a sample within three standard deviations, or classes with a hundredth of the samples, each sample
    being of the class of the real one that is nearest."""
    if dataset.modes is not None and dataset.spread:
        distance, nearest = torch.cdist(x, dataset.modes.to(x)).min(dim=1)
        good = distance <= 3 * dataset.spread
        counts = torch.bincount(nearest[good], minlength=len(dataset.modes)).double()
        share = counts / counts.sum().clamp(min=1)
        away = float((share * (share * len(share)).clamp(min=1e-9).log()).sum()) if good.any() else math.log(len(share))
        return {
            "modes": float((counts > 0).sum()), "of": float(len(counts)), "high_quality": float(good.double().mean()),
            "reverse_kl": away,
        }  # fmt: skip
    if dataset.kind != "images" or dataset.labels is None:
        return {}
    real = dataset.scaled(slice(2000)).flatten(1)
    seen = dataset.labels[:2000][torch.cdist(x.flatten(1), real).argmin(dim=1)]
    return {"classes": float((torch.bincount(seen, minlength=dataset.classes) >= len(x) / 100).sum())}


@torch.no_grad()
def results_of(experiment: Experiment, collect: Collect) -> Results:
    """What the labels are verified by: coverage of the averaged generator, memory, and how the fakes' mean moves."""
    config, dataset, state = experiment.config, experiment.dataset, experiment.state
    rng = torch.Generator().manual_seed(1)

    def draw(n: int) -> torch.Tensor:
        z = torch.randn(n, config.latent, generator=rng)
        labels = torch.randint(dataset.classes, (n,), generator=rng) if config.conditional else None
        return generate(state.generator, z, labels)

    results = coverage_of(dataset, draw(1000))
    real = dataset.scaled(torch.arange(min(512, len(dataset)))).flatten(1)
    width = torch.pdist(real).mean()
    results["distance"] = float(torch.pdist(draw(512).flatten(1)).mean() / width) if width > 0 else 1.0
    if dataset.event == (1,):
        early, late = torch.stack(collect.means).flatten().chunk(2)
        results["crossings"] = float((early[1:] * early[:-1] < 0).sum())
        results["fading"] = float(late.std() / early.std())
    if collect.seen:
        results["seen"] = collect.seen[-1]
    if state.held_out is not None and not config.conditional:
        results["memory"] = collect.memory[-1]
    return results


def judged(row: dict) -> str:
    """The first illness that was named, in time for a sick run (at any time for a healthy one), or none."""
    names = [illness for illness, _, step, _ in row["found"] if row["illness"] is None or step <= row["limit"]]
    return names[0] if names else "none"


def table(rows: list[dict]) -> str:
    """The confusion table as Markdown, its two shares below."""
    verified = [row for row in rows if row["verified"]]
    truths = sorted({row["illness"] or "healthy" for row in verified}, key=lambda t: (t == "healthy", t))
    seen = Counter((row["illness"] or "healthy", judged(row)) for row in verified)
    columns = [*(t for t in truths if t != "healthy"), "none"]
    lines = ["| made | runs | " + " | ".join(columns) + " |", "|---|" + "---|" * (len(columns) + 1)]
    for truth in truths:
        total = sum(count for (made, _), count in seen.items() if made == truth)
        lines.append(f"| {truth} | {total} | " + " | ".join(str(seen[truth, c] or "") for c in columns) + " |")
    sick = [row for row in verified if row["illness"]]
    healthy = [row for row in verified if not row["illness"]]
    right = sum(judged(row) == row["illness"] for row in sick)
    disturbed = sum(judged(row) != "none" for row in healthy)
    lines += [
        "",
        f"sick named rightly, in time: {right} of {len(sick)} ({right / max(1, len(sick)):.1%})",
        f"healthy disturbed: {disturbed} of {len(healthy)} ({disturbed / max(1, len(healthy)):.1%})",
        f"labels not confirmed by their check, left out: {len(rows) - len(verified)} of {len(rows)}",
    ]
    for row in rows:
        if not row["verified"] or judged(row) != (row["illness"] or "none"):
            said = [f"{illness} at {step} (since {since})" for illness, since, step, _ in row["found"]]
            short = {name: round(value, 2) for name, value in row["results"].items() if math.isfinite(value)}
            note = "" if row["verified"] else "label not confirmed; "
            lines.append(f"- {row['case']} {row['seed']}: {note}{'; '.join(said) or 'nothing said'}; {short}")
    return "\n".join(lines)


def main() -> None:
    """Run the set and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seed",
        type=int,
        default=3000,
        help="of the first repeat; rules were designed on 0 to 9, 1000 and 2000 to 2002",
    )
    parser.add_argument("--healthy", type=int, default=3, help="repeats of each healthy case")
    parser.add_argument("--sick", type=int, default=1, help="repeats of each sick case")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--mnist", help="folder of MNIST's files; its cases are left out without it")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument(
        "--out", type=Path, help="rows as JSON, one a line, as they are made; those that are there are not made again"
    )
    given = parser.parse_args()
    before = given.out.read_text().splitlines() if given.out and given.out.exists() else []
    rows = [json.loads(line) for line in before]
    done = {(row["case"], row["seed"]) for row in rows}
    jobs = [
        (case.name, given.seed + k, given.mnist)
        for k in range(max(given.healthy, given.sick))
        for cases, repeats in ((HEALTHY, given.healthy), (SICK, given.sick))
        for case in cases
        if k < repeats and given.only in case.name and (given.mnist or case.base != "mnist_conv")
    ]
    left = [job for job in jobs if job[:2] not in done]
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        for row in pool.map(run, *zip(*left, strict=True)) if left else ():
            rows.append(row)
            if given.out:
                with given.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
