"""Kills workers of a study in the midst of a trial, whenever enough trials are over."""

import os
import signal
import threading
from collections.abc import Callable

from optuna.trial import TrialState

from gradgan.core.errors import GradganError
from gradgan.tuning.store import Study, is_over, open_study


class Killer(threading.Thread):
    """A thread of its own that asks the storage, for words of the workers may come to their parent late.

    `after(killed)`: how many trials must be over before another worker is killed, with so many killed before; None:
    none any more. Started by `start_once`, once the study is there; stopped by `stop`.
    """

    def __init__(self, where: str, name: str, after: Callable[[int], int | None]) -> None:
        super().__init__(daemon=True)
        self.killed: list[int] = []
        self._where, self._name, self._after, self._stopped = where, name, after, threading.Event()

    def start_once(self) -> None:
        if self.ident is None:
            self.start()

    def stop(self) -> None:
        self._stopped.set()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        with open_study(self._where, self._name) as study:
            while not self._stopped.wait(0.02):
                enough = self._after(len(self.killed))
                if enough is None:
                    return
                if sum(map(is_over, study.trials())) >= enough:
                    self._kill_one(study)

    def _kill_one(self, study: Study) -> None:
        for trial in study.trials(TrialState.RUNNING):
            # Before its settings are written down, a trial has nothing that could be lost.
            if trial.number in self.killed or "settings" not in trial.user_attrs:
                continue
            pid = trial.user_attrs["owner"]["pid"]
            # A stopped process ends no trial between the question and the kill, however late this thread gets its turn.
            try:
                os.kill(pid, signal.SIGSTOP)
            except ProcessLookupError:
                continue  # it had nothing left to do, and went
            try:
                runs = trial.number in [t.number for t in study.trials(TrialState.RUNNING)]
            except GradganError:
                runs = False  # stopped while it wrote, it keeps SQLite's lock
            if runs:
                self.killed.append(trial.number)
            os.kill(pid, signal.SIGKILL if runs else signal.SIGCONT)
            return
