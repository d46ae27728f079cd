"""Acceptance, run by a person: a comparison whose worker and then whose parent is killed with -9 gives the same table.

    python tests/comparison/killed.py --out /tmp/killed [--steps 1000]

Four systems on `ring`, three seeds. The unbroken comparison runs first; the other takes its costs.json, for times are
measured before the first run and differ by a few percent from one measurement to the next. Prints both tables.
"""

import argparse
import difflib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SYSTEMS = ("gan", "r1", "wgan_gp", "r3gan")


def main() -> None:
    """Compare, compare with kills, compare the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a new folder for both")
    parser.add_argument("--steps", default="1000")
    options = parser.parse_args()
    whole, killed = options.out / "whole", options.out / "killed"
    subprocess.run(command(whole, options.steps), check=True, stdout=subprocess.DEVNULL)
    killed.mkdir()
    for name in ("comparison.yaml", "costs.json"):
        (killed / name).write_bytes((whole / name).read_bytes())
    at = lambda share: lambda: len(finished(killed)) >= share * 3 * len(SYSTEMS)  # noqa: E731
    process = subprocess.Popen(command(killed, options.steps), stdout=subprocess.DEVNULL)
    wait_for(process, at(0.25))
    child = children(process.pid)[0]
    os.kill(child, signal.SIGKILL)
    print(f"killed worker {child} with {len(finished(killed))} runs finished", flush=True)
    wait_for(process, at(0.5))
    process.kill()
    process.wait()
    print(f"killed parent {process.pid} with {len(finished(killed))} runs finished", flush=True)
    subprocess.run(command(killed, options.steps), check=True, stdout=subprocess.DEVNULL)
    tables = [(folder / "table.csv").read_text() for folder in (whole, killed)]
    print((killed / "table.md").read_text())
    if tables[0] != tables[1]:
        sys.exit("DIFFERENT\n" + "\n".join(difflib.unified_diff(*(t.splitlines() for t in tables), lineterm="")))
    print(f"the same table: {len(tables[0].splitlines()) - 1} lines of table.csv, byte for byte")


def command(out: Path, steps: str) -> list[str]:
    """The one command, for the first and the second time."""
    words = ["compare", "ring", "--systems", *SYSTEMS, "--seeds", "3", "--steps", steps, "--out", str(out)]
    return [sys.executable, "-m", "gradgan", *words]


def finished(out: Path) -> list[Path]:
    """The runs that have ended."""
    return [path for path in out.glob("runs/ring/*/*/*/run.json") if '"finished"' in path.read_text()]


def children(parent: int) -> list[int]:
    """The processes that a process started, from any of its threads."""
    return [int(p) for file in Path(f"/proc/{parent}/task").glob("*/children") for p in file.read_text().split()]


def wait_for(process: subprocess.Popen, what) -> None:
    """Until it is so; the process must live that long."""
    while not what():
        if process.poll() is not None:
            sys.exit("the comparison ended before it was killed; give more steps")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
