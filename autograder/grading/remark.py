"""Marking again from kept answers, after a change of checks, points or hints. No student's code is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from autograder.course import CourseError, differences_cost
from autograder.exercises import NAMES
from autograder.grading.grade import jobs_asks
from autograder.grading.journal import Entry, Journal, JournalProblem, asked
from autograder.marking import Marks, QuestionMark, mark
from autograder.personal import exercise_of, numbers_mark

DAMAGED = "the record of its marks is damaged, so no difference can be shown; marks are written anew from its answers."

MOST_KEPT = 2000
"""So many different sets of answers are remembered at a time, so that memory does not grow with the class."""


@dataclass(frozen=True)
class Change:
    """A submission marked again: its marks before and now. ``problem`` says why it could not be.

    Without a record of the marks before, there are none of now either: what was graded is not known.
    """

    entry: Entry
    before: Marks | None
    now: Marks | None
    problem: str = ""

    @property
    def questions(self) -> list[tuple[str, float, float]]:
        """Every question whose points change: its id, and the points before and now; NaN is no entry at all."""
        if self.before is None or self.now is None:
            return []
        old = {question.id: question.points for question in self.before.questions}
        new = {question.id: question.points for question in self.now.questions}
        return [
            (name, old.get(name, 0.0), new.get(name, 0.0))
            for name in dict.fromkeys((*old, *new))
            if old.get(name, 0.0) != new.get(name, 0.0)
        ]


def remark(journal: Journal) -> Iterator[Change]:
    """Mark every submission of the journal again, by the checks of today. Writes nothing. Raises JournalProblem.

    Equal answers to equal questions are marked once, however many students gave them.
    """
    marked: dict[tuple[str, int, str, str], tuple[QuestionMark, ...]] = {}
    wanted: dict[tuple[str, int, str], tuple[str, float]] = {}
    costs = differences_cost(journal.root)
    for entry in journal.entries():
        try:
            before = entry.read_marks
        except JournalProblem:
            yield Change(entry, None, None, DAMAGED)
            continue
        kept = journal.run_of(entry.run)
        if kept is None:
            yield Change(entry, before, None, "its answers are not in the journal: grade it again.")
            continue
        if entry.exercise not in NAMES:
            yield Change(entry, before, None, f"{entry.exercise} is no exercise of the course any more.")
            continue
        answered, digest = kept
        try:
            about = entry.exercise, entry.seed, numbers_mark(journal.root, entry.exercise, entry.student)
            if about not in wanted:
                exercise = exercise_of(journal.root, entry.exercise, entry.student)
                written = sum(part.points for part in exercise.written)
                wanted[about] = asked(jobs_asks(exercise, entry.seed)), written
        except CourseError as problem:
            yield Change(entry, before, None, str(problem))
            continue
        asks, written = wanted[about]
        if asks != answered:
            yield Change(entry, before, None, "its questions ask something else now: grade it again.")
            continue
        if (*about, digest) not in marked:
            stored = journal.stored(entry.run)
            if stored is None:
                yield Change(entry, before, None, "its answers in the journal are damaged: grade it again.")
                continue
            if len(marked) >= MOST_KEPT:
                marked.clear()
            exercise = exercise_of(journal.root, entry.exercise, entry.student)
            marked[*about, digest] = mark(exercise, entry.seed, stored.ran.outcome.answers, differences_cost=costs)
        yield Change(entry, before, replace(before, questions=marked[*about, digest], written_points=written))
