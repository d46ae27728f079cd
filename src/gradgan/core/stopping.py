"""Ctrl-C and SIGTERM: a run that is asked to stop finishes its step and saves; asked again, it leaves at once."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, told when the run had saved itself; the command line leaves with 130."""

    exit_code = 130


class Terminated(SystemExit):
    """SIGTERM, told when the run had saved itself; where nobody catches it, Python leaves with its code, 143."""

    exit_code = 143

    def __init__(self, message: str) -> None:
        """`message` is what `str` gives."""
        super().__init__(message)
        self.code = self.exit_code


_ASKED: dict[int, type[Interrupted] | type[Terminated]] = {signal.SIGINT: Interrupted, signal.SIGTERM: Terminated}


class Stopping:
    """Whether somebody asked the run to stop. While it is not `patient`, a signal ends the run where it stands."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.signal: int | None = None
        self.at_once = False
        self._patient = False

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Within, the first signal only notes itself; the second still ends the run at once."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False

    def error(self, message: str) -> Interrupted | Terminated:
        """What to raise for the signal that was given."""
        assert self.signal is not None
        return _ASKED[self.signal](message)

    def hear(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if self._patient and self.signal is None:
            self.signal = number
            logging.getLogger("gradgan").warning(
                "%s: the step is finished and saved first; once more to leave at once.", signal.Signals(number).name
            )
            return
        self.signal, self.at_once = number, True
        raise self.error("interrupted at once; the last checkpoint is kept. Go on with the same command and --resume.")


@contextmanager
def listening() -> Iterator[Stopping]:
    """Hear Ctrl-C and SIGTERM within, and put their handlers back afterwards.

    Only the main thread can set handlers; elsewhere signals do what they did. A signal that is ignored (nohup, a
    shell's background job) stays ignored.
    """
    stopping = Stopping()
    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in _ASKED:
                # None: a handler that was not set from Python, which could not be put back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, stopping.hear)
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
