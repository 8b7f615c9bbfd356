"""Time limits inside the process, by timer signals: a Python loop is interrupted and costs only itself.

What cannot be interrupted (a loop in C, a program that ignores signals) is the business of the monitor outside.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

AGAIN_SECONDS = 0.5  # code that swallows the exception gets it again and again


class OutOfTime(BaseException):
    """The cell or question has used up its time. Not an Exception, so that `except Exception` does not eat it."""

    def __init__(self, seconds: float = 0.0, of: str = "") -> None:
        """Remember which limit it was."""
        super().__init__(f"stopped after {seconds:g} s{of}")
        self.seconds, self.of = seconds, of


class _Watch:
    def __init__(self) -> None:
        self.armed = False
        self.wall = self.cpu = 0.0

    def ring(self, number: int, _frame: object) -> None:
        if self.armed:
            if number == signal.SIGPROF:
                raise OutOfTime(self.cpu, " of computing")
            raise OutOfTime(self.wall)


_watch = _Watch()


def disarm() -> None:
    """Stop the timers."""
    _watch.armed = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def time_limit(*, cpu: float, wall: float) -> Iterator[None]:
    """Raise OutOfTime in the body after so many seconds of CPU or of wall clock."""
    _watch.cpu, _watch.wall = cpu, wall
    signal.signal(signal.SIGALRM, _watch.ring)
    signal.signal(signal.SIGPROF, _watch.ring)
    _watch.armed = True
    signal.setitimer(signal.ITIMER_PROF, cpu, AGAIN_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, wall, AGAIN_SECONDS)
    try:
        yield
    finally:
        disarm()
