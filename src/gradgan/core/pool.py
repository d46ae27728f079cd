"""Jobs in worker processes that live on from job to job; a worker that dies is replaced, and its job tried once more.

A worker is `python -m MODULE`, which calls `core.worker.serve`. They speak JSON, a line for each message, over
the worker's standard input and output: no pickle, and a worker whose parent is gone (killed, too) sees its input close.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .errors import GradganError
from .files import to_json
from .worker import given_to_worker

_ATTEMPTS = 2
_LEAVING = 60.0
"""Seconds that a worker has to leave, once it has closed its output."""


@dataclass(frozen=True)
class Job:
    """A piece of work by name; `words` are plain data for the worker's function."""

    name: str
    words: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What became of a job: `told` by the worker meanwhile, `done` with its result, or `failed` with a reason."""

    job: str
    kind: Literal["told", "done", "failed"]
    words: dict[str, Any]


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def crew(workers: int | None) -> int:
    """So many worker processes, or as many as there are cores. Raises GradganError for fewer than one."""
    workers = cores() if workers is None else workers
    if workers < 1:
        raise GradganError(f"workers must be at least 1, got {workers}.")
    return workers


def run_jobs(
    jobs: Iterable[Job], *, module: str, workers: int, log: Path, imports: Sequence[str] = ()
) -> Iterator[Message]:
    """Run every job in one of `workers` processes of `module`; yields what they tell, in the order it comes.

    The jobs are taken one by one as workers become free, so they may be made from what came before. Each job ends in
    one message `done` or `failed`. What workers print goes to the file `log`. Leaving the iterator ends the workers.
    `imports`: modules that a worker imports before its first job, where this process finds them.
    """
    messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    crew = _Crew(iter(jobs), [module, *given_to_worker(imports)], log, messages)
    threads = [threading.Thread(target=crew.serve, daemon=True) for _ in range(workers)]
    try:
        for thread in threads:
            thread.start()
        working = len(threads)
        while working:
            message = messages.get()
            if message is None:
                working -= 1
            else:
                yield message
        crew.raise_if_broken()
    finally:
        crew.stop()
        for thread in threads:
            thread.join()


class _Crew:
    """The workers' side that all threads share: who takes the next job, and the processes to end."""

    def __init__(
        self, jobs: Iterator[Job], module: list[str], log: Path, messages: "queue.SimpleQueue[Message | None]"
    ) -> None:
        """`module`: the worker's, and the words that it is given."""
        self._jobs, self._module, self._log, self._messages = jobs, module, log, messages
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self._broken: BaseException | None = None

    def serve(self) -> None:
        """One thread: job after job in one process, replaced when it dies."""
        process: subprocess.Popen[str] | None = None
        try:
            while (job := self._next()) is not None:
                process, end = self._tried(process, job)
                self._messages.put(end)
        except BaseException as error:  # the jobs' own iterator may raise; the caller is told
            self._broken = error
        finally:
            if process is not None:
                self._end(process)
            self._messages.put(None)

    def _tried(
        self, process: "subprocess.Popen[str] | None", job: Job
    ) -> "tuple[subprocess.Popen[str] | None, Message]":
        """The job's end, and the process that came to it, if it lives."""
        attempts = 0
        while True:
            process = process or self._start()
            end = self._one(process, job)
            if end is not None:
                return process, end
            code, process, attempts = self._died(process), None, attempts + 1
            if self._stopped or attempts == _ATTEMPTS:
                return None, Message(job.name, "failed", {"reason": _death(code, self._log)})

    def _next(self) -> Job | None:
        with self._lock:
            return None if self._stopped or self._broken is not None else next(self._jobs, None)

    def _start(self) -> subprocess.Popen[str]:
        with self._log.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self._module],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8",
            )  # fmt: skip
        with self._lock:
            self._processes.add(process)
            if self._stopped:
                process.kill()
        return process

    def _one(self, process: "subprocess.Popen[str]", job: Job) -> Message | None:
        """Hand over the job and pass on what is told; its end, or None where the process died."""
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(to_json(job.words) + "\n")
            process.stdin.flush()
        except OSError:  # it died before it was given anything
            return None
        for line in process.stdout:
            words = json.loads(line)
            kind = words.pop("kind")
            message = Message(job.name, kind, words)
            if kind != "told":
                return message
            self._messages.put(message)
        return None

    def stop(self) -> None:
        """End every worker, at once."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _end(self, process: "subprocess.Popen[str]") -> int:
        """A worker whose input closes leaves; how it ended."""
        assert process.stdin is not None and process.stdout is not None
        with self._lock:
            self._processes.discard(process)
        for stream in (process.stdin, process.stdout):
            try:
                stream.close()
            except OSError:  # what was not yet written to a dead worker
                continue
        return process.wait()

    def _died(self, process: "subprocess.Popen[str]") -> int:
        """How a worker ended that stopped talking: told before its input closes, for that ends it too, with code 0."""
        try:
            process.wait(timeout=_LEAVING)
        except subprocess.TimeoutExpired:
            process.kill()
        return self._end(process)

    def raise_if_broken(self) -> None:
        """What the jobs' iterator raised."""
        if self._broken is not None:
            raise self._broken


def _death(code: int, log: Path) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"its process {how} twice; what it last said is in {log}. Signal 9 often means that memory ran out."
