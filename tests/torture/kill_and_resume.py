"""Kill runs with -9 at random moments, resume them, and compare them bit for bit with unbroken ones.

    python tests/torture/kill_and_resume.py --out FOLDER [--cases 40] [--first 0] [--seed 0]

Each case trains twice: once unbroken, once killed one to three times at moments drawn uniformly over its length and
resumed each time. Prints a line for each case and, at the end, how many of how many are equal; exit code 1 unless all.
"""

import argparse
import logging
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

# Imported before the first fork, so that a child's time is spent on training, where the kills are to fall; nothing is
# computed here, so no thread is lost in a fork.
import matplotlib.backends.backend_agg  # noqa: F401
import sklearn.datasets  # noqa: F401
import tensorboard.compat.tensorflow_stub.pywrap_tensorflow  # noqa: F401
import torch

from gradgan.core.errors import GradganError
from gradgan.experiment import train
from gradgan.experiment.sameness import differences

_SMALL = ["generator.widths=[32,32]", "critic.widths=[32,32]", "batch=64", "data.samples=2000"]
_RING = ("ring", 120, [*_SMALL, "log.every=3", "sample.every=20", "checkpoint.every=8"])
_GRID = ("grid", 120, [*_SMALL, "log.every=5", "sample.every=30", "checkpoint.every=13", "checkpoint.keep=1"])
_WIDTHS = ["generator.widths=[64]", "critic.widths=[64]", "batch=32"]
_OFTEN = ["log.every=3", "sample.every=15", "checkpoint.every=7"]
_DIGITS = ("digits", 100, [*_WIDTHS, *_OFTEN])
_NARROW = ["generator.width=4", "critic.width=4", "batch=16"]
_CONV = ("digits", 100, ["generator.name=conv_generator", "critic.name=conv_critic", *_NARROW, *_OFTEN])
_MNIST = ("mnist_conv", 24, [*_NARROW, "log.every=2", "sample.every=6", "checkpoint.every=3"])

# (preset, steps, its settings), system, what is special.
CASES = [
    (_RING, "r3gan", []),
    (_RING, "gan", ["optimiser.beta1=0.5", "evaluate.every=10"]),
    (_RING, "wgan", []),
    (_RING, "wgan_gp", ["wgan_gp.every=4"]),
    (_RING, "wgan_lp", ["engine=double_backward"]),
    (_RING, "dragan", ["engine=usual"]),
    (_RING, "r1r2", ["r1.every=3", "r2.every=5", "r1.schedule.shape=linear"]),
    (_RING, "atgp", ["conditional=true"]),
    (_RING, "atgp", ["variational.on=true"]),
    (_RING, "gp_gan", ["reading=consensus", "clip_gradient=1.0"]),
    (_RING, "gp_gan", ["reading=published"]),
    (_RING, "g_gan", ["lr.shape=cosine", "lr.warmup=0.2"]),
    (_RING, "gc_gan", []),
    (_RING, "gc_gan", ["reading=synthetic"]),
    (_RING, "gc_gan", ["reading=published", "conditional=true"]),
    (_RING, "hinge", ["critic.spectral_norm=true", "generator.norm=batch"]),
    (_RING, "r1", ["r1.every=16", "engine=sweep", "lr.shape=constant"]),
    (_RING, "r2", ["conditional=true", "variational.on=true"]),
    (_RING, "lsgan", ["critic.spectral_norm=true"]),
    (_RING, "r3gan", ["approximate_r1.weight=0.5"]),
    (_GRID, "r3gan", ["seed=3", "evaluate.every=9"]),
    (_GRID, "wgan", ["clip_weights=0.05", "critic_steps=3"]),
    (_GRID, "wgan_gp", ["variational.on=true", "variational.of=features"]),
    (_GRID, "gc_gan", ["reading=matching"]),
    (_DIGITS, "r3gan", []),
    (_DIGITS, "r3gan", ["precision=bfloat16"]),
    (_DIGITS, "atgp", ["conditional=true", "variational.on=true"]),
    (_DIGITS, "g_gan", ["checkpoint.keep_every=21"]),
    (_DIGITS, "gc_gan", ["conditional=true"]),
    (_DIGITS, "dragan", ["dragan.every=2"]),
    (_DIGITS, "r1", ["r1.every=8", "checkpoint.every=0", "sample.every=0"]),
    (_CONV, "r3gan", ["precision=bfloat16", "threads=2"]),
    (_CONV, "dcgan", ["conditional=true"]),
    (_CONV, "hinge", ["critic.spectral_norm=true"]),
    (_MNIST, "r3gan", []),
    (_MNIST, "r3gan", ["precision=bfloat16", "r1.every=2"]),
    (_MNIST, "wgan_gp", ["critic_steps=2"]),
    (_MNIST, "gc_gan", []),
    (_MNIST, "atgp", ["conditional=true"]),
    (_MNIST, "r3gan", ["variational.on=true", "threads=1"]),
]


def main() -> int:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=len(CASES))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mnist", help="folder of MNIST's files, for the last six cases")
    chosen = parser.parse_args()
    logging.getLogger("gradgan").setLevel(logging.ERROR)
    same = total = 0
    for number in range(chosen.first, min(chosen.first + chosen.cases, len(CASES))):
        equal, told = torture(number, chosen.out / f"case_{number:02d}", chosen.seed, chosen.mnist)
        same, total = same + equal, total + 1
        print(f"{number:2} {'equal' if equal else 'DIFFERS'} {told}", flush=True)
    print(f"{same} of {total} bitwise equal to the unbroken run")
    return 0 if same == total else 1


def torture(number: int, out: Path, seed: int, mnist: str | None = None) -> tuple[bool, str]:
    """One case: is the killed and resumed run the unbroken one, and a line about it."""
    (preset, steps, words), system, special = CASES[number]
    path = [f"data.path={mnist}"] if preset.startswith("mnist") else []
    arguments = {"what": preset, "system": system, "steps": steps, "settings": [*words, *special, *path]}
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    if wait(start(out / "whole", arguments)) != 0:
        return False, f"{preset} {system}: the unbroken run failed, see {out}/whole.txt"
    length = time.time() - (out / "whole" / "config.yaml").stat().st_mtime
    chance = random.Random(f"{seed}/{number}")
    stood = [killed_at(out / "broken", arguments, chance, length) for _ in range(chance.randint(1, 3))]
    if wait(start(out / "broken", arguments)) != 0:
        return False, f"{preset} {system}: the resumed run failed, see {out}/broken.txt"
    found = differences(out / "whole", out / "broken")
    told = f"{preset} {system} {' '.join(special)}: killed at logged steps {stood} of {steps}"
    return not found, f"{told} {'; '.join(found[:4])}"


def killed_at(out: Path, arguments: dict, chance: random.Random, length: float) -> int:
    """Start or resume the run and kill it within its length, or let it end earlier; returns the last step it logged.

    Three times in four the clock begins when the run has written its config, so that most kills fall into training.
    """
    began = time.time()
    child = start(out, arguments)
    config = out / "config.yaml"
    if chance.random() < 0.75:
        while time.time() < began + 60 and not (config.exists() and config.stat().st_mtime >= began):
            time.sleep(0.01)
    time.sleep(chance.uniform(0, length))
    os.kill(child, signal.SIGKILL)
    wait(child)
    log = out / "log.jsonl"
    lines = log.read_bytes().split(b'{"step": ') if log.exists() else []
    return int(lines[-1].split(b",")[0]) if len(lines) > 1 and b"," in lines[-1] else 0


def start(out: Path, arguments: dict) -> int:
    """Train in a child process, whose words go to OUT.txt; returns its id."""
    child = os.fork()
    if child:
        return child
    words = os.open(out.with_suffix(".txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(words, 1)
    os.dup2(words, 2)
    code = 1
    try:
        train(**arguments, out=out, resume=True)
        code = 0
    except GradganError as error:
        print(error, flush=True)
    finally:
        os._exit(code)


def wait(child: int) -> int:
    """The child's exit code, once it has ended."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
