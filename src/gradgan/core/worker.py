"""The worker's side of pool.py: jobs come from standard input, answers go to standard output, no parent, no worker."""

import gc
import importlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from .errors import GradganError
from .files import to_json

Words = dict[str, Any]
Tell = Callable[[Words], None]


def serve(work: Callable[[Words, Tell], Words]) -> None:
    """Call `work(words, tell)` for each job until there are no more; `tell` sends plain data to the parent meanwhile.

    A GradganError is the job's answer, in its one line; any other exception ends the process, and the parent says so.
    """
    channel = _channel()
    _import_given(sys.argv[1:])

    def answer(kind: str, words: Words) -> None:
        channel.write(to_json({"kind": kind, **words}) + "\n")
        channel.flush()

    for job in _jobs():
        try:
            answer("done", work(job, lambda words: answer("told", words)))
        except GradganError as error:
            answer("failed", {"reason": str(error)})
        # A run's networks and data hang in cycles; until Python looks for those, they lie beside the next run's.
        gc.collect()


def given_to_worker(imports: Sequence[str]) -> list[str]:
    """The words on a worker's command line that make it import these modules, from where this process has them."""
    places = [str(Path(place).absolute()) for place in sys.path]
    return [to_json({"modules": list(imports), "path": places})] if imports else []


def _import_given(words: Sequence[str]) -> None:
    for word in words:
        given = json.loads(word)
        sys.path.extend(place for place in given["path"] if place not in sys.path)
        for module in given["modules"]:
            importlib.import_module(module)


def _channel() -> TextIO:
    """Standard output for messages alone: what anybody prints goes to standard error instead."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _jobs() -> Iterator[Words]:
    """The jobs as they come. The reading thread ends the process when the parent is gone, also in the midst of a job:
    an orphan must not write into a folder that the next parent works on."""
    waiting: queue.SimpleQueue[Words] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            waiting.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield waiting.get()
