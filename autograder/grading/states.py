"""How far a notebook of a class is: read, planned, answered or failed; none of it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.grading.grade import Graded, Prepared, Ran
from autograder.grading.journal import Entry
from autograder.grading.submissions import Submission
from autograder.locate import Code


@dataclass(frozen=True)
class Read:
    """A notebook as it was found, with its files and what the journal knows. ``stamp`` names all it depends on."""

    submission: Submission
    data: bytes
    files: Mapping[str, bytes]
    stamp: str
    entry: Entry | None


@dataclass(frozen=True)
class Planned:
    """A notebook that is to be run, or what is only for the eye in it when ``marks_ran`` has the answers already.

    ``code`` is what students wrote of it, for the search for places.
    """

    submission: Submission
    stamp: str
    prepared: Prepared
    notes: tuple[str, ...]
    key: str
    code: Code
    marks_ran: Ran | None = None


@dataclass(frozen=True)
class Answered:
    """A notebook whose answers are there."""

    planned: Planned
    ran: Ran
    how: str

    @property
    def submission(self) -> Submission:
        """What was handed in."""
        return self.planned.submission


@dataclass(frozen=True)
class Failed:
    """A notebook for which nothing could be done, and why."""

    submission: Submission
    problem: str
    planned: Planned | None = None


@dataclass(frozen=True)
class Sheet:
    """One student's sheet on its way: it is written when all its notebooks are settled and marked.

    A notebook is ``marked`` None while the place of a mistake is searched for.
    """

    student: str
    sheet: str
    count: int
    settled: dict[int, Answered | Failed] = field(default_factory=dict)
    marked: dict[int, Graded | None] = field(default_factory=dict)

    @property
    def parts(self) -> list[Answered | Failed]:
        """What is settled, in the order in which it was handed in."""
        return [self.settled[at] for at in sorted(self.settled)]


@dataclass(frozen=True)
class Out:
    """A notebook that is with a worker for the ``tries``-th time."""

    sheet: Sheet
    at: int
    planned: Planned
    tries: int
