"""A class: every sheet of every student, run where needed, marked, and written by one writer.

Two passes. The first runs what the marks need and puts the marks into the gradebook. The second runs what is only for
the eye and completes the autograded notebooks. What the journal knows is not run again; a kill at any moment costs only
what was running. One sheet that fails never stops the others: it ends in a clear sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Protocol

from nbformat import NotebookNode

from autograder.course import CourseError, sheet_files, source_notebook
from autograder.exercise import Exercise
from autograder.grading.grade import Graded, Prepared, Ran, give_marks, prepare
from autograder.grading.journal import (
    COMPLETE,
    MARKED,
    NEW,
    Entry,
    Journal,
    JournalProblem,
    asked,
    environment,
    key_of,
    packed,
)
from autograder.grading.notebook import BadNotebook, heal, parse_notebook, read_bytes
from autograder.grading.submissions import Submission, own_files
from autograder.grading.worker import run_isolated
from autograder.marking import Marks, work_out_truth
from autograder.personal import exercise_of, numbers_mark
from autograder.sandbox import Job, SandboxUnavailable

PACKAGE = Path(__file__).resolve().parents[1]
TRIES = 3
"""How often a notebook is given to a worker before it is left to a person."""

BLOCKED_SECONDS = 20.0
"""For so long a gradebook that another program holds is left alone."""

GRADED, KEPT, UNCHANGED, FAILED = "graded", "kept", "unchanged", "failed"
"""What was done with a notebook: run and marked, marked from kept answers, nothing, or nothing could be done."""


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

    def write(self, student: str, sheet: str, graded: Mapping[str, Graded], stale: Collection[str] = ()) -> None:
        """Write one student's sheet as a whole, and withdraw the marks of the ``stale``. Raises GradebookProblem."""


@dataclass(frozen=True)
class Done:
    """One notebook that the batch is through with. ``problem`` says why it is not in the gradebook as it should be.

    ``running`` says how many notebooks were being run at that moment.
    """

    submission: Submission
    how: str
    marks: Marks | None = None
    problem: str = ""
    feedback: bool = False
    peak_memory: int = 0
    running: int = 0


@dataclass(frozen=True)
class Course:
    """What all notebooks of a batch have in common. ``pool`` None means that nothing may be run.

    ``cell_seconds`` replaces the time limit of a cell; ``window`` says how many notebooks may be out with the workers.
    """

    root: Path
    journal: Journal
    writer: WritesMarks
    pool: Executor | None
    seed: int
    level: str = "auto"
    cell_seconds: float | None = None
    window: Callable[[], int] = lambda: 8


@dataclass(eq=False)
class _Part:
    """One notebook on its way."""

    submission: Submission
    found: tuple[bytes, Mapping[str, bytes]] = (b"", {})
    stamp: str = ""
    prepared: Prepared | None = None
    key: str = ""
    marks_ran: Ran | None = None
    ran: Ran | None = None
    notes: tuple[str, ...] = ()
    how: str = KEPT
    tries: int = 0
    problem: str = ""
    again: bool = False


@dataclass(eq=False)
class _Sheet:
    """One student's sheet on its way: it is written when all its notebooks are back."""

    student: str
    sheet: str
    parts: list[_Part]
    open: int = 0


def grade_class(course: Course, submissions: Iterable[Submission], *, feedback: bool = True) -> Iterator[Done]:
    """Grade submissions, sorted by student and sheet, into journal and gradebook; yield each as it is done.

    Without ``feedback`` only the marks are made. Problems of one sheet come as :class:`Done` with ``problem``.
    """
    submissions = list(submissions)
    for second in (False, True) if feedback else (False,):
        marked, left = [], []
        for done, again in _Pass(course, feedback=second).run(submissions):
            if again:
                left.append(done.submission)
                continue
            if not done.problem:
                marked.append(done.submission)
            yield done
        for done, _ in _Pass(course, feedback=second).run(left):  # the gradebook may be free by now
            if not done.problem:
                marked.append(done.submission)
            yield done
        submissions = sorted(marked, key=lambda one: one.path)  # what could not be marked needs no feedback


class _Pass:
    """One pass over the class. Holds no more notebooks than its window, so that memory does not grow with the class."""

    def __init__(self, course: Course, *, feedback: bool) -> None:
        self.course, self.feedback = course, feedback
        self.running: dict[Future[Ran], tuple[_Sheet, _Part]] = {}
        self.blocked: tuple[float, str] = (0.0, "")
        self.worked_out: set[str] = set()

    def run(self, submissions: Iterable[Submission]) -> Iterator[tuple[Done, bool]]:
        groups = groupby(submissions, key=lambda one: (one.student, one.sheet))
        for (student, sheet), members in groups:
            yield from self._begin(_Sheet(student, sheet, [_Part(one) for one in members]))
            while len(self.running) >= self.course.window():
                yield from self._collect()
        while self.running:
            yield from self._collect()

    def _begin(self, sheet: _Sheet) -> Iterator[tuple[Done, bool]]:
        """Read a sheet; take what is known from the journal, and give the rest to the workers."""
        known: dict[str, Entry | None] = {}
        for part in sheet.parts:
            try:
                known[part.submission.exercise] = self._read(part)
            except (BadNotebook, CourseError, JournalProblem) as problem:
                part.problem = str(problem)
        if self._nothing_to_do(sheet, known):
            for part in sheet.parts:
                entry = known[part.submission.exercise]
                marks = None if self.feedback else entry.read_marks
                yield Done(part.submission, UNCHANGED, marks, feedback=self.feedback), False
            return
        for part in sheet.parts:
            if not part.problem:
                try:
                    self._look_up(part)
                except (BadNotebook, CourseError, JournalProblem) as problem:
                    part.problem = str(problem)
            if not part.problem and part.ran is None:
                self._submit(sheet, part)
        if not sheet.open:
            yield from self._finish(sheet)

    def _read(self, part: _Part) -> Entry | None:
        """Read a notebook as far as is needed to see whether anything has changed."""
        one, course = part.submission, self.course
        if one.problem:
            raise BadNotebook(one.problem)
        if not _in_place(course, one):
            place = course.writer.place(one.student or "<student>", one.sheet, one.exercise)
            raise BadNotebook(f"it lies in no student's folder of this course: put it at {place}.")
        part.found = read_bytes(one.path), own_files(one.path.parent)
        part.stamp = _stamp(course, one, *part.found)
        return course.journal.entry(one.student, one.sheet, one.exercise)

    def _nothing_to_do(self, sheet: _Sheet, known: Mapping[str, Entry | None]) -> bool:
        """Whether all notebooks of a sheet are as they were when they were last written, and still are written."""
        if any(part.problem for part in sheet.parts):
            return False
        entries = [(part, known[part.submission.exercise]) for part in sheet.parts]
        if any(entry is None or entry.stamp != part.stamp or entry.state == NEW for part, entry in entries):
            return False
        if self.feedback:
            return all(entry.state == COMPLETE for _, entry in entries)
        if self._is_blocked():
            return False
        try:
            return self.course.writer.holds(sheet.student, sheet.sheet, [entry.read_marks for _, entry in entries])
        except GradebookProblem as problem:
            self._block(problem)
        except JournalProblem:
            pass  # marked again, its record is written anew
        return False

    def _look_up(self, part: _Part) -> None:
        """Plan the run of a notebook, and take what came back of it from the journal when it was run before."""
        one, course = part.submission, self.course
        exercise = exercise_of(course.root, one.exercise, one.student)
        (data, files), part.found = part.found, (b"", {})
        notebook, part.notes = healed(parse_notebook(data, one.path.name), course.root, exercise)
        prepared = part.prepared = prepare(
            notebook, exercise, root=course.root, seed=course.seed, files=files, cell_seconds=course.cell_seconds
        )
        part.key = marks_key(prepared, course.level)
        marks_ran = part.marks_ran = self._kept(part.key, prepared)
        if marks_ran is None or marks_ran.whole:
            part.ran = marks_ran
            return
        shown = self._kept(key_of(only_to_show(prepared), course.level), prepared, whole=True)
        if shown is not None:
            part.ran = _joined(marks_ran, shown)
        elif not self.feedback:
            part.ran = marks_ran

    def _kept(self, key: str, prepared: Prepared, *, whole: bool = False) -> Ran | None:
        stored = self.course.journal.stored(key)
        return None if stored is None else renamed(stored.ran, prepared, whole=whole or stored.ran.whole)

    def _submit(self, sheet: _Sheet, part: _Part) -> None:
        course, prepared = self.course, part.prepared
        if course.pool is None:
            part.problem = "there are no kept answers for it as it is now: run `autograder grade` for it."
            return
        part.tries, part.how = part.tries + 1, GRADED
        if self.feedback and part.marks_ran is not None:
            jobs: tuple[Job | None, Job] = (None, only_to_show(prepared))
        else:
            jobs = (prepared.marks_job, prepared.whole.job)
        try:
            future = course.pool.submit(run_isolated, course.level, *jobs)
        except RuntimeError as error:
            part.problem = f"no worker takes it ({error}): run the same command again."
            return
        self.running[future] = (sheet, part)
        sheet.open += 1

    def _collect(self) -> Iterator[tuple[Done, bool]]:
        """Wait for a worker; keep what came back before anything is done with it."""
        for _, part in self.running.values():  # meanwhile, what the marks will need
            if part.submission.exercise not in self.worked_out:
                self.worked_out.add(part.submission.exercise)
                work_out_truth(part.prepared.exercise, part.prepared.seed)
        finished, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in finished:
            sheet, part = self.running.pop(future)
            sheet.open -= 1
            try:
                self._keep(part, future.result())
            except JournalProblem as problem:
                part.problem = str(problem)
            except SandboxUnavailable as problem:
                self._once_more(sheet, part, str(problem))
            except (Exception, CancelledError) as problem:
                said = "its worker ended" if isinstance(problem, BrokenProcessPool) else f"its worker failed: {problem}"
                self._once_more(sheet, part, f"{said} ({part.tries} tries); run the same command again.")
            if not sheet.open:
                yield from self._finish(sheet)

    def _once_more(self, sheet: _Sheet, part: _Part, problem: str) -> None:
        if part.tries < TRIES:
            self._submit(sheet, part)
        else:
            part.problem = problem

    def _keep(self, part: _Part, ran: Ran) -> None:
        journal, exercise, prepared = self.course.journal, part.submission.exercise, part.prepared
        if self.feedback and part.marks_ran is not None:
            journal.keep(key_of(only_to_show(prepared), self.course.level), exercise, "", ran)
            part.ran = _joined(part.marks_ran, ran)
            return
        if _ours_failed(ran):  # not kept: the next run is to try again
            part.ran = ran
            return
        journal.keep(part.key, exercise, asked(prepared.whole.job.asks), ran)
        part.marks_ran = part.ran = ran

    def _finish(self, sheet: _Sheet) -> Iterator[tuple[Done, bool]]:
        """Mark a sheet, write it, and note in the journal that it is written."""
        graded: dict[str, Graded] = {}
        for part in sheet.parts:
            if not part.problem:
                try:
                    one = give_marks(part.prepared, part.ran, student=sheet.student, seconds=part.ran.outcome.seconds)
                    marks = replace(one.marks, notes=(*part.notes, *one.marks.notes))
                    graded[part.submission.exercise] = replace(one, marks=marks)
                except Exception as error:
                    part.problem = f"the grader failed at this notebook ({error!r})."
        stale = {part.submission.exercise for part in sheet.parts if part.problem and self._is_stale(part)}
        if graded or stale:
            problem, again = self._write(sheet, graded, stale)
            for part in sheet.parts:
                if problem and not part.problem:
                    part.problem, part.again = problem, again
        for part in sheet.parts:
            one = graded.get(part.submission.exercise)
            yield Done(
                part.submission,
                FAILED if part.problem else part.how,
                one.marks if one else None,
                part.problem,
                self.feedback,
                part.ran.outcome.peak_memory if part.ran else 0,
                len(self.running),
            ), part.again

    def _is_stale(self, part: _Part) -> bool:
        """Whether the gradebook's marks of a notebook that cannot be marked now were given for other work."""
        one, course = part.submission, self.course
        if self.feedback or course.pool is None or one.problem or not _in_place(course, one):
            return False
        if not os.path.lexists(one.path):
            return False  # taken away while the batch went on: that is no other work
        try:
            entry = course.journal.entry(one.student, one.sheet, one.exercise)
            return not (entry and part.prepared and entry.read_marks.digest == part.prepared.whole.planned.digest)
        except JournalProblem:
            return True

    def _write(self, sheet: _Sheet, graded: Mapping[str, Graded], stale: Collection[str]) -> tuple[str, bool]:
        """Write a sheet; returns what went wrong and whether the same may work later."""
        if self._is_blocked():
            return self.blocked[1], True
        entries = [
            Entry(
                sheet.student, sheet.sheet, part.submission.exercise, part.stamp, part.key, self.course.seed,
                _state(part.ran), packed(graded[part.submission.exercise].marks),
            )
            for part in sheet.parts if part.submission.exercise in graded
        ]  # fmt: skip
        try:
            self.course.writer.write(sheet.student, sheet.sheet, graded, stale=stale)
            self.course.journal.note(*entries)
        except GradebookProblem as problem:
            self._block(problem)
            return str(problem), problem.again
        except JournalProblem as problem:
            return str(problem), False
        return "", False

    def _block(self, problem: GradebookProblem) -> None:
        """Leave the gradebook alone for a while: every try of one that is locked waits some seconds."""
        if problem.again:
            self.blocked = (time.monotonic() + BLOCKED_SECONDS, str(problem))

    def _is_blocked(self) -> bool:
        return time.monotonic() < self.blocked[0]


# What both the batch and re-marking need ------------------------------------------------------------------------------


def healed(notebook: NotebookNode, root: Path, exercise: Exercise) -> tuple[NotebookNode, tuple[str, ...]]:
    """The notebook as nbgrader's first step leaves it, so that positions agree with the autograded one, and notes."""
    found = heal(notebook, source_notebook(root, exercise))
    notebook.cells = list(found.cells)
    return notebook, found.notes


def _in_place(course: Course, one: Submission) -> bool:
    """Whether a notebook lies where this course's students hand in."""
    return one.path.absolute() == course.writer.place(one.student, one.sheet, one.exercise)


def marks_key(prepared: Prepared, level: str) -> str:
    """The key of the run that gives the marks; what is only for the eye belongs to it, since it may be run too."""
    extra = [cell.source for cell in prepared.whole.job.cells] if prepared.marks_job else []
    told = f"{key_of(prepared.marks.job, level)} {json.dumps(extra)}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def only_to_show(prepared: Prepared) -> Job:
    """The whole notebook without its questions, which have been answered."""
    return replace(prepared.whole.job, asks=())


def renamed(ran: Ran, prepared: Prepared, *, whole: bool) -> Ran | None:
    """Kept results under the cells' names of today: a text cell that was put in moves the positions.

    None when the cells are not those that were run.
    """
    cells = (prepared.whole if whole else prepared.marks).planned.cells
    if len(cells) != len(ran.outcome.cells):
        return None
    results = tuple(replace(result, id=cell.id) for result, cell in zip(ran.outcome.cells, cells, strict=True))
    return Ran(replace(ran.outcome, cells=results), whole)


def _joined(marks: Ran, shown: Ran) -> Ran:
    """The answers of one run with the outputs of the other."""
    return Ran(replace(shown.outcome, answers=marks.outcome.answers), True)


def _state(ran: Ran) -> str:
    return NEW if _ours_failed(ran) else COMPLETE if ran.whole else MARKED


def _ours_failed(ran: Ran) -> bool:
    return any(answer.status == "grader_error" for answers in ran.outcome.answers.values() for answer in answers)


def _stamp(course: Course, one: Submission, notebook: bytes, files: Mapping[str, bytes]) -> str:
    """A name for all that the marks and the autograded notebook of a submission depend on."""
    told = hashlib.sha256(_context(course.root, one.sheet).encode())
    told.update(numbers_mark(course.root, one.exercise, one.student).encode())
    told.update(f"{course.seed} {'unprotected' if course.level == 'none' else ''} {environment()}".encode())
    for name, data in (("", notebook), *sorted(files.items())):
        told.update(f"\n{name} {hashlib.sha256(data).hexdigest()}".encode("utf-8", "surrogatepass"))
    return told.hexdigest()


@cache
def _context(root: Path, sheet: str) -> str:
    """The grader's own code, the sheet's source notebooks and files, and the configuration, as they are now."""
    told = hashlib.sha256()
    files = [*sorted(PACKAGE.rglob("*.py")), *sorted((root / "source" / sheet).glob("*.ipynb"))]
    for path in (*files, root / "nbgrader_config.py"):
        told.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for name, data in sheet_files(root, sheet).items():
        told.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    return told.hexdigest()
