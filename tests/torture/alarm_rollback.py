"""Does rollback save runs? The same seeds at a learning rate that is too high, without it and with it (docs/alarm.md).

python tests/torture/alarm_rollback.py --seed 2000 --seeds 10
"""

import argparse
import logging
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from alarm_cases import BASES, broken

from gradgan.alarm import History, examine
from gradgan.core.errors import GradganError
from gradgan.core.record import RunFolder
from gradgan.experiment import train
from gradgan.report.health import PATIENCE

EDGE = {"ring": ("r1", "optimiser.lr=0.1", 1400), "digits": ("r3gan", "optimiser.lr=0.5", 1000)}
"""What is trained, the learning rate at which most seeds diverge (fifty and five hundred times the preset's), and the
steps: enough for a run that goes back to learn after it."""


def outcome(base: str, seed: int, action: str) -> tuple[bool, bool, str]:
    """Did the run diverge, was it lost, and what its folder says."""
    torch.set_num_threads(1)
    logging.getLogger("gradgan").setLevel(logging.CRITICAL)
    preset, small, _ = BASES[base]
    system, rate, steps = EDGE[base]
    words = [*small, rate, f"alarm.action={action}", "alarm.rollbacks=8", "log.every=10", "checkpoint.every=50"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        try:
            run = train(
                preset, system=system, steps=steps, seed=seed, settings=[*words, f"sample.every={steps}"], out=out
            )
        except GradganError as error:
            diverged, lost, results = True, True, str(error).partition(":")[2].partition(".")[0].strip()
        else:
            history = History.of(run.log())
            diverged = any(finding.illness == "divergence" for finding in examine(history, patience=PATIENCE))
            distances = history["diversity/distance"]
            found = run.folder.info()["results"] | {"distance": float(distances[np.isfinite(distances)][-1])}
            lost = broken(found)
            results = ", ".join(f"{name} {value:.2g}" for name, value in found.items() if name != "classifier_accuracy")
        rollbacks = RunFolder.open(out).info().get("rollbacks", [])
    return diverged, lost, f"{results}; {len(rollbacks)} rollbacks" if action == "rollback" else results


def main() -> None:
    """Run both ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.seeds)
    jobs = [(base, seed, action) for base in EDGE for seed in seeds for action in ("warn", "rollback")]
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        outcomes = dict(zip(jobs, pool.map(outcome, *zip(*jobs, strict=True)), strict=True))
    print("| | diverged and lost without | of them saved by rollback |\n|---|---|---|")
    for base, (system, rate, steps) in EDGE.items():
        lost = [seed for seed in seeds if all(outcomes[base, seed, "warn"][:2])]
        saved = [seed for seed in lost if not outcomes[base, seed, "rollback"][1]]
        row = f"{base}, {system}, {rate}, {steps} steps"
        print(f"| {row} | {len(lost)} of {len(seeds)} | {len(saved)} of {len(lost)} |")
    for (base, seed, action), (_, lost, said) in outcomes.items():
        print(f"- {base} {seed} {action}: {'lost' if lost else 'well'}; {said}")


if __name__ == "__main__":
    main()
