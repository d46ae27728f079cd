"""The watch over a run that is going on: every logged step is examined, and an illness is told when it is found."""

import logging
from collections import deque
from collections.abc import Mapping

from ..alarm import REACH, Finding, History, examine
from ..core.checks import SickRunError
from ..core.record import RunFolder


class Watch:
    """Called with each logged step. What it knows is the log, so a resumed run is watched as the unbroken one is.

    It looks at as many of the last steps as can change what is said of the newest, so a step costs the same however
    long the run is.
    """

    def __init__(self, run: RunFolder, *, patience: int, only_warn: bool) -> None:
        """`patience`: logged steps in a row that must show a sign; unless `only_warn`, an illness ends the training."""
        known = History.of(run.entries())
        self.patience = patience
        self.only_warn = only_warn
        self._told = {finding.illness for finding in examine(known, patience=patience)}
        last = patience + REACH - 1
        self._steps = deque[int](known.steps.tolist(), maxlen=last)
        self._rows = deque[Mapping[str, float]](known.rows, maxlen=last)

    def __call__(self, step: int, numbers: Mapping[str, float]) -> None:
        """Look at one more logged step; raises SickRunError for what it finds, or warns."""
        self._steps.append(step)
        self._rows.append(dict(numbers))
        lead = max(0, len(self._steps) - self.patience)
        tail = History(self._steps, self._rows)
        new = examine(tail, patience=self.patience, lead=lead, told=self._told)
        self._told.update(finding.illness for finding in new)
        for finding in new:
            logging.getLogger("gradgan").warning("step %d: %s. %s", step, finding, finding.helps)
        if new and not self.only_warn:
            raise sick(new[0])


def sick(finding: Finding) -> SickRunError:
    """The error that a finding makes."""
    return SickRunError(
        f"step {finding.step}: {finding}. {finding.helps}", illness=finding.illness, since=finding.since
    )
