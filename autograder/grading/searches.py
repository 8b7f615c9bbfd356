"""Searches for the places of mistakes, beside the notebooks of a class that are being run."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError, Executor, Future
from pathlib import Path

from autograder.grading.grade import Graded, Ran, with_places
from autograder.grading.journal import Journal, key_of
from autograder.grading.kept import ours_failed
from autograder.grading.states import Planned, Sheet
from autograder.grading.worker import run_isolated
from autograder.locate import Locator, NotRun
from autograder.sandbox import Job, Outcome

Waiting = tuple[Sheet, int]
"""A notebook, as a part of its sheet, that waits for a search."""


class Searches:
    """The searches of one pass. The journal keeps what came back; equal code is searched once.

    A search has up to two jobs, for the course's solution and for the student's code, and the second depends on what
    the first gave. So a notebook is marked again after each job: what is in the journal by then is not run again.
    """

    def __init__(self, root: Path, journal: Journal, pool: Executor | None, level: str) -> None:
        """Without a ``pool`` there are only the places of searches that the journal knows."""
        self.running: dict[Future[Ran], str] = {}
        self._root, self._journal, self._pool, self._level = root, journal, pool, level
        self._waiting: dict[str, list[Waiting]] = {}
        self.unfinished: set[str] = set()
        """Keys of notebooks of which a search has failed, by our fault or for its time: the next pass tries again."""
        self._given_up: dict[str, Outcome | None] = {}
        self._missing: Job | None = None
        self._failed = False
        self._locator = Locator(self._known)

    def placed(self, graded: Graded, planned: Planned, waiting: Waiting) -> Graded | None:
        """The marks with places; None while a search for them runs, at whose end ``waiting`` is told."""
        self._missing, self._failed = None, False
        found = with_places(graded, planned.prepared, planned.code, self._locator, self._root)
        if self._failed:
            self.unfinished.add(planned.key)
        if self._missing is None or self._pool is None:
            return found
        key = key_of(self._missing, self._level)
        if key not in self._waiting:
            try:
                future = self._pool.submit(run_isolated, self._level, None, self._missing)
            except RuntimeError:  # no worker takes it: the marks go without places
                return found
            self.running[future] = key
        self._waiting.setdefault(key, []).append(waiting)
        return None

    def take(self, future: Future[Ran]) -> list[Waiting]:
        """Keep what a search gave, and return who waits for it. One that failed costs the places, nothing else.

        What it gave of other questions counts in this pass.
        """
        key = self.running.pop(future)
        self._given_up[key] = None
        with contextlib.suppress(Exception, CancelledError):
            ran = future.result()
            if has_failed(ran):
                self._given_up[key] = ran.outcome
            else:
                self._journal.keep(key, "", "", ran)
                del self._given_up[key]
        return self._waiting.pop(key)

    def _known(self, job: Job) -> Outcome:
        key = key_of(job, self._level)
        stored = self._journal.stored(key)
        if stored is not None:
            return stored.ran.outcome
        if key not in self._given_up:
            self._missing = job
            raise NotRun
        self._failed = True
        outcome = self._given_up[key]
        if outcome is None:
            raise NotRun
        return outcome


def has_failed(ran: Ran) -> bool:
    """Whether a search has failed by our fault, or for the time that it took: at another time it may succeed."""
    statuses = {answer.status for answers in ran.outcome.answers.values() for answer in answers}
    return ours_failed(ran) or "timed_out" in statuses
