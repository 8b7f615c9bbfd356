"""Where the marks of a class go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from autograder.grading.grade import Graded
from autograder.marking import Marks


class GradebookProblem(Exception):
    """A sheet could not be written; nothing of it was. The message says why and what to do.

    ``again`` says that the same may work later, as when another process holds the gradebook.
    """

    def __init__(self, message: str, *, again: bool = False) -> None:
        """Remember both."""
        super().__init__(message)
        self.again = again


class WritesMarks(Protocol):
    """Where marks go: :mod:`autograder.bridge.gradebook_writer` has the one to nbgrader's gradebook."""

    def place(self, student: str, sheet: str, exercise: str) -> Path:
        """Where a submitted notebook has to lie."""

    def holds(self, student: str, sheet: str, marks: Sequence[Marks]) -> bool:
        """Whether these marks are written already. Raises GradebookProblem."""

    def write_together(self, sheets: Sequence[tuple[str, str, Mapping[str, Graded]]]) -> list[bool]:
        """Write whole sheets of several students at once; which of them are written. Raises when none is."""

    def write(self, student: str, sheet: str, graded: Mapping[str, Graded], stale: Collection[str] = ()) -> None:
        """Write one student's sheet as a whole, and withdraw the marks of the ``stale``. Raises GradebookProblem."""
