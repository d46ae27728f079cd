"""A disk that fails, writes short or loses power at its n-th call, and a whole run made to meet each of these.

    python tests/torture/faulty_disk.py --out FOLDER

Trains a tiny run once unbroken; then, for every call that it makes to the disk and every kind of fault, trains it with
that call failing, checks that whatever is under the name of a checkpoint can be read, and resumes it: the result must
be the unbroken run bit for bit. Prints a line for each kind of call and fault; exit code 1 unless all are equal.
"""

import argparse
import errno
import logging
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FAULTS = ("no space", "input/output error", "torn", "short", "power cut")
_CODES = {"no space": errno.ENOSPC, "input/output error": errno.EIO, "torn": errno.ENOSPC}
_CALLS = ("open", "write", "fsync", "replace", "unlink", "mkdir")


class PowerCut(BaseException):
    """The machine is gone: nothing that runs afterwards reaches the disk."""


class FaultyDisk:
    """Within `failing`, the calls of `os` that change something below `folder` are counted, and the n-th one fails.

    "short" writes half and says so, as an operating system may; "torn" writes half, then the disk is full. A power cut
    also takes back what was not synced: the second half of such files, and renames whose folder was not.
    """

    def __init__(self, folder: Path, n: int | None = None, fault: str = "no space") -> None:
        """Without `n` it only counts."""
        self.folder, self.n, self.fault = str(folder), n, fault
        self.calls: list[str] = []
        self.off = False
        self._real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in (*_CALLS, "close")}
        self._files: dict[int, str] = {}
        self._unsynced: set[str] = set()
        self._synced: dict[str, int] = {}
        self._renamed: list[tuple[str, str, bytes | None]] = []

    @contextmanager
    def failing(self) -> Iterator["FaultyDisk"]:
        """Patch `os` within."""
        try:
            for name in (*_CALLS, "close"):
                setattr(os, name, getattr(self, f"_{name}"))
            yield self
        finally:
            for name, real in self._real.items():
                setattr(os, name, real)
            # What a process that died would have left to the kernel.
            for file in self._files:
                os.close(file)

    def _meets(self, call: str, place: object) -> bool:
        """Count a call on a place below the folder; True if it is the one to fail. After a power cut none is made."""
        if not str(place).startswith(self.folder):
            return False
        if self.off:
            raise PowerCut
        self.calls.append(call)
        return len(self.calls) - 1 == self.n

    def _fail(self) -> None:
        if self.fault == "power cut":
            self.off = True
            self._lose()
            raise PowerCut
        if self.fault != "short":
            raise OSError(_CODES[self.fault], os.strerror(_CODES[self.fault]))

    def _lose(self) -> None:
        for path in self._unsynced:
            if Path(path).is_file():
                safe = self._synced.get(path, 0)
                os.truncate(path, safe + (Path(path).stat().st_size - safe) // 2)
        for before, after, replaced in reversed(self._renamed):
            if Path(after).exists():
                self._real["replace"](after, before)
            if replaced is not None:
                Path(after).write_bytes(replaced)

    def _open(self, path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and self._meets("open", path):
            self._fail()
        file = self._real["open"](path, flags, *rest, **named)
        self._files[file] = str(path)
        return file

    def _close(self, file: int) -> None:
        self._files.pop(file, None)
        self._real["close"](file)

    def _write(self, file: int, data: Any) -> int:
        place = self._files.get(file, "")
        if place:
            self._unsynced.add(place)
        if self._meets("write", place):
            if self.fault in ("short", "torn", "power cut"):
                written = self._real["write"](file, bytes(data)[: max(1, len(data) // 2)])
                if self.fault == "short":
                    return written
            self._fail()
        return self._real["write"](file, data)

    def _fsync(self, file: int) -> None:
        place = self._files.get(file, "")
        if self._meets("fsync", place):
            self._fail()
        self._unsynced.discard(place)
        self._synced[place] = os.fstat(file).st_size
        self._renamed = [row for row in self._renamed if str(Path(row[1]).parent) != place]
        self._real["fsync"](file)

    def _replace(self, before: Any, after: Any) -> None:
        if self._meets("replace", after):
            self._fail()
        replaced = Path(after).read_bytes() if Path(after).is_file() else None
        if str(after).startswith(self.folder):
            self._renamed.append((str(before), str(after), replaced))
        self._real["replace"](before, after)

    def _unlink(self, path: Any, **named: Any) -> None:
        if self._meets("unlink", path):
            self._fail()
        self._real["unlink"](path, **named)

    def _mkdir(self, path: Any, *rest: Any, **named: Any) -> None:
        if not Path(path).exists() and self._meets("mkdir", path):
            self._fail()
        self._real["mkdir"](path, *rest, **named)


def main() -> int:
    """Every call, every fault."""
    from gradgan.experiment.sameness import differences

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth call")
    chosen = parser.parse_args()
    logging.getLogger("gradgan").setLevel(logging.CRITICAL)
    whole, broken = chosen.out / "whole", chosen.out / "broken"
    shutil.rmtree(chosen.out, ignore_errors=True)
    with FaultyDisk(whole).failing() as counting:
        tiny_run(whole)
    equal: Counter[tuple[str, str]] = Counter()
    tried: Counter[tuple[str, str]] = Counter()
    for n, call in list(enumerate(counting.calls))[:: chosen.every]:
        for fault in FAULTS:
            if fault in ("short", "torn") and call != "write":
                continue
            shutil.rmtree(broken, ignore_errors=True)
            told = meet(broken, n, fault)
            found = [told] if told else []
            tiny_run(broken)
            found += differences(whole, broken)
            tried[call, fault] += 1
            equal[call, fault] += not found
            if found:
                print(f"call {n} ({call}), {fault}: {'; '.join(found[:3])}", flush=True)
    for key in tried:
        print(f"{key[0]:8} {key[1]:20} {equal[key]:4} of {tried[key]:4} equal")
    print(
        f"{equal.total()} of {tried.total()} faults: a valid checkpoint remained, and the resumed run is the unbroken"
    )
    return 0 if equal == tried else 1


def tiny_run(out: Path) -> None:
    """Seven steps, three checkpoints on schedule and the last, pictures, a log."""
    from gradgan.experiment import train

    words = ["data.samples=64", "batch=8", "generator.widths=[4]", "critic.widths=[4]", "latent=2"]
    words += ["log.every=2", "sample.every=3", "checkpoint.every=2", "checkpoint.keep=2"]
    train("ring", steps=7, settings=words, out=out, resume=True)


def meet(out: Path, n: int, fault: str) -> str:
    """Train with the n-th call failing; what is wrong afterwards, if something is."""
    from gradgan.core.errors import GradganError
    from gradgan.core.record import RunFolder
    from gradgan.training import checkpoint

    try:
        with FaultyDisk(out, n, fault).failing():
            tiny_run(out)
    except (GradganError, PowerCut) as error:
        told = str(error)
        if "\n" in told:
            return f"more than one line: {told!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    for _, path in RunFolder(out).checkpoints():
        checkpoint.load(path)
    return ""


if __name__ == "__main__":
    sys.exit(main())
