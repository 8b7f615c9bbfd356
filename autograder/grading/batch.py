"""A class: every sheet of every student, run where needed, marked, and written by one writer.

Two passes. The first runs what the marks need and puts the marks into the gradebook. The second runs what is only for
the eye and completes the autograded notebooks. What the journal knows is not run again; a kill at any moment costs only
what was running. One sheet that fails never stops the others: it ends in a clear sentence.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from autograder.course import CourseError, source_notebook
from autograder.grading.grade import Graded, Prepared, Ran, code_of, give_marks, prepare
from autograder.grading.journal import COMPLETE, MARKED, NEW, Entry, Journal, JournalProblem, asked, key_of, packed
from autograder.grading.kept import joined, marks_key, only_to_show, ours_failed, renamed, stamp, state
from autograder.grading.notebook import BadNotebook, heal, parse_notebook
from autograder.grading.searches import Searches, Waiting
from autograder.grading.states import Answered, Failed, Out, Planned, Read, Sheet
from autograder.grading.submissions import Submission, content, files_beside
from autograder.grading.worker import promptly, run_isolated
from autograder.grading.writer import GradebookProblem, WritesMarks
from autograder.marking import Marks, work_out_truth
from autograder.personal import exercise_of
from autograder.sandbox import Job, SandboxUnavailable

log = logging.getLogger(__name__)

TRIES = 3
"""How often a notebook is given to a worker before it is left to a person."""

TOGETHER_SECONDS = 0.25
"""For so long sheets are collected that are then written at once: a commit waits for the disk, however small it is."""

BLOCKED_SECONDS = 20.0
"""For so long a gradebook that another program holds is left alone."""

GRADED, KEPT, UNCHANGED, FAILED = "graded", "kept", "unchanged", "failed"
"""What was done with a notebook: run and marked, marked from kept answers, nothing, or nothing could be done."""


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
    With ``places`` the second pass looks where in the code of a wrong line the mistake is; the journal keeps what came
    back of that as well.
    """

    root: Path
    journal: Journal
    writer: WritesMarks
    pool: Executor | None
    seed: int
    level: str = "auto"
    cell_seconds: float | None = None
    window: Callable[[], int] = lambda: 8
    places: bool = False


PROBLEMS = (BadNotebook, CourseError, JournalProblem)


def grade_class(course: Course, submissions: Iterable[Submission], *, feedback: bool = True) -> Iterator[Done]:
    """Grade submissions, sorted by student and sheet, into journal and gradebook; yield each as it is done.

    Without ``feedback`` only the marks are made. Problems of one sheet come as :class:`Done` with ``problem``.
    """
    with promptly():
        yield from _passes(course, list(submissions), feedback)


def _passes(course: Course, submissions: list[Submission], feedback: bool) -> Iterator[Done]:
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
        self.running: dict[Future[Ran], Out] = {}
        self.blocked: tuple[float, str] = (0.0, "")
        self.worked_out: set[str] = set()
        self.ready: list[Sheet] = []
        self.written_at = 0.0
        pool = course.pool if feedback else None  # the first pass runs none: marks come first
        self.searches = Searches(course.root, course.journal, pool, course.level)

    def run(self, submissions: Iterable[Submission]) -> Iterator[tuple[Done, bool]]:
        groups = groupby(sorted(submissions, key=_sheet_of), key=_sheet_of)  # what is nested lies apart
        for (student, sheet), members in groups:
            handed_in = list(members)
            yield from self._guarded(handed_in, self._begin(student, sheet, handed_in))
            while len(self.running) + len(self.searches.running) >= self.course.window():
                yield from self._collect()
        while self.running or self.searches.running:
            yield from self._collect()
        yield from self._write_ready()

    def _guarded(
        self, submissions: Sequence[Submission], steps: Iterator[tuple[Done, bool]]
    ) -> Iterator[tuple[Done, bool]]:
        """Steps with a sheet. Nothing about one sheet ends the batch: an error of ours is told with its notebooks."""
        told: set[Path] = set()
        try:
            for done, again in steps:
                told.add(done.submission.path)
                yield done, again
        except Exception as error:
            problem = _ours(submissions[0], error)
            for one in (one for one in submissions if one.path not in told):
                level, seed = self.course.level, self.course.seed
                marks = Marks(one.student, one.sheet, one.exercise, (), level, seed, error=problem)
                yield Done(one, FAILED, marks, problem, self.feedback, running=len(self.running)), False

    def _begin(self, student: str, name: str, members: Sequence[Submission]) -> Iterator[tuple[Done, bool]]:
        """Read a sheet; take what is known from the journal, and give the rest to the workers."""
        found = [self._read(one) for one in members]
        unchanged = self._unchanged(student, name, found)
        if unchanged is not None:
            for one, entry in zip(members, unchanged, strict=True):
                marks = None if self.feedback else entry.read_marks
                yield Done(one, UNCHANGED, marks, feedback=self.feedback), False
            return
        sheet = Sheet(student, name, len(found))
        for at, part in enumerate(found):
            known = self._look_up(part) if isinstance(part, Read) else part
            if isinstance(known, Planned):
                self._submit(sheet, at, known)
            else:
                sheet.settled[at] = known
        if len(sheet.settled) == sheet.count:
            yield from self._finish(sheet)

    def _read(self, one: Submission) -> Read | Failed:
        """Read a notebook as far as is needed to see whether anything has changed."""
        course = self.course
        try:
            if one.problem:
                raise BadNotebook(one.problem)
            if not _in_place(course, one):
                place = course.writer.place(one.student or "<student>", one.sheet, one.exercise)
                raise BadNotebook(f"it lies in no student's folder of this course: put it at {place}.")
            data, files = content(one), files_beside(one)
            told = stamp(course.root, course.seed, course.level, one, data, files)
            return Read(one, data, files, told, course.journal.entry(one.student, one.sheet, one.exercise))
        except PROBLEMS as problem:
            return Failed(one, str(problem))
        except Exception as error:
            return Failed(one, _ours(one, error))

    def _unchanged(self, student: str, sheet: str, found: Sequence[Read | Failed]) -> list[Entry] | None:
        """The entries of a sheet when all its notebooks are as they were when they were last written, and still are."""
        entries = [
            part.entry for part in found
            if isinstance(part, Read) and part.entry and part.entry.stamp == part.stamp and part.entry.state != NEW
        ]  # fmt: skip
        if len(entries) < len(found):
            return None
        if self.feedback:
            return entries if all(entry.state == COMPLETE for entry in entries) else None
        if self._is_blocked():
            return None
        try:
            if self.course.writer.holds(student, sheet, [entry.read_marks for entry in entries]):
                return entries
        except GradebookProblem as problem:
            self._block(problem)
        except JournalProblem:
            pass  # marked again, its record is written anew
        return None

    def _look_up(self, found: Read) -> Planned | Answered | Failed:
        """Plan the run of a notebook, and take what came back of it from the journal when it was run before."""
        one, course = found.submission, self.course
        try:
            exercise = exercise_of(course.root, one.exercise, one.student)
            notebook = parse_notebook(found.data, one.path.name)
            mended = heal(notebook, source_notebook(course.root, exercise))
            notebook.cells = list(mended.cells)  # as nbgrader's first step leaves them, so that positions agree
            prepared = prepare(
                notebook, exercise,
                root=course.root, seed=course.seed, files=found.files, cell_seconds=course.cell_seconds, healed=True,
            )  # fmt: skip
            code = code_of(prepared, notebook, course.root)
            planned = Planned(one, found.stamp, prepared, mended.notes, marks_key(prepared, course.level), code)
            marks_ran = self._kept(planned.key, prepared)
            if marks_ran is None:
                return planned
            planned = replace(planned, marks_ran=marks_ran)
            if marks_ran.whole:
                return Answered(planned, marks_ran, KEPT)
            shown = self._kept(key_of(only_to_show(prepared), course.level), prepared, whole=True)
        except PROBLEMS as problem:
            return Failed(one, str(problem))
        except Exception as error:
            return Failed(one, _ours(one, error))
        if shown is not None:
            return Answered(planned, joined(marks_ran, shown), KEPT)
        return planned if self.feedback else Answered(planned, marks_ran, KEPT)

    def _kept(self, key: str, prepared: Prepared, *, whole: bool = False) -> Ran | None:
        stored = self.course.journal.stored(key)
        return None if stored is None else renamed(stored.ran, prepared, whole=whole or stored.ran.whole)

    def _submit(self, sheet: Sheet, at: int, planned: Planned, tries: int = 1) -> None:
        course, prepared = self.course, planned.prepared
        if course.pool is None:
            said = "there are no kept answers for it as it is now: run `autograder grade` for it."
            sheet.settled[at] = Failed(planned.submission, said, planned)
            return
        if self.feedback and planned.marks_ran is not None:
            jobs: tuple[Job | None, Job] = (None, only_to_show(prepared))
        else:
            jobs = (prepared.marks_job, prepared.whole.job)
        try:
            future = course.pool.submit(run_isolated, course.level, *jobs)
        except RuntimeError as error:
            said = f"no worker takes it ({error}): run the same command again."
            sheet.settled[at] = Failed(planned.submission, said, planned)
            return
        self.running[future] = Out(sheet, at, planned, tries)

    def _collect(self) -> Iterator[tuple[Done, bool]]:
        """Wait for a worker; keep what came back before anything is done with it."""
        for out in self.running.values():  # meanwhile, what the marks will need
            if out.planned.submission.exercise not in self.worked_out:
                self.worked_out.add(out.planned.submission.exercise)
                work_out_truth(out.planned.prepared.exercise, out.planned.prepared.seed)
        due = self.written_at + TOGETHER_SECONDS
        finished, _ = wait(
            [*self.running, *self.searches.running], return_when=FIRST_COMPLETED,
            timeout=max(0.0, due - time.monotonic()) if self.ready else None,
        )  # fmt: skip
        for future in finished:
            if future in self.searches.running:
                for sheet, at in self.searches.take(future):
                    del sheet.marked[at]
                    self._is_ready(sheet)
                continue
            out = self.running.pop(future)
            try:
                out.sheet.settled[out.at] = self._keep(out.planned, future.result())
            except JournalProblem as problem:
                out.sheet.settled[out.at] = Failed(out.planned.submission, str(problem), out.planned)
            except SandboxUnavailable as problem:
                self._once_more(out, str(problem))
            except (Exception, CancelledError) as problem:
                said = "its worker ended" if isinstance(problem, BrokenProcessPool) else f"its worker failed: {problem}"
                self._once_more(out, f"{said} ({out.tries} tries); run the same command again.")
            if len(out.sheet.settled) == out.sheet.count:
                self._is_ready(out.sheet)
        if time.monotonic() >= due:
            yield from self._write_ready()

    def _is_ready(self, sheet: Sheet) -> None:
        """Mark a sheet that is settled; it is written with others."""
        self._mark(sheet)
        if not any(sheet is one for one in self.ready):
            self.ready.append(sheet)

    def _write_ready(self) -> Iterator[tuple[Done, bool]]:
        """Write the sheets that have come back since this was done last."""
        ready, self.ready = self.ready, []
        written = self._written_together(ready)
        for sheet in ready:
            steps = self._finish(sheet, is_written=any(sheet is one for one in written))
            yield from self._guarded([part.submission for part in sheet.parts], steps)
        self.written_at = time.monotonic()

    def _written_together(self, sheets: Sequence[Sheet]) -> list[Sheet]:
        """Write sheets that came back at the same time at once: a gradebook takes as long for one as for all.

        Returns those that were written and noted. Whatever goes wrong is told when each is written alone.
        """
        together: list[Sheet] = []
        try:
            for sheet in sheets:
                self._mark(sheet)
                if all(isinstance(part, Answered) for part in sheet.parts) and None not in sheet.marked.values():
                    together.append(sheet)
            if len(together) < 2 or self._is_blocked():
                return []
            graded = [(sheet.student, sheet.sheet, self._graded(sheet)) for sheet in together]
            done = self.course.writer.write_together(graded)
            together = [sheet for sheet, is_written in zip(together, done, strict=True) if is_written]
            self.course.journal.note(*(entry for sheet in together for entry in self._entries(sheet)))
            return together
        except Exception as error:
            log.info("sheets are written one by one (%r)", error)
        return []

    def _once_more(self, out: Out, problem: str) -> None:
        if out.tries < TRIES:
            self._submit(out.sheet, out.at, out.planned, out.tries + 1)
        else:
            out.sheet.settled[out.at] = Failed(out.planned.submission, problem, out.planned)

    def _keep(self, planned: Planned, ran: Ran) -> Answered:
        journal, exercise, prepared = self.course.journal, planned.submission.exercise, planned.prepared
        if self.feedback and planned.marks_ran is not None:
            journal.keep(key_of(only_to_show(prepared), self.course.level), exercise, "", ran)
            return Answered(planned, joined(planned.marks_ran, ran), GRADED)
        if not ours_failed(ran):  # otherwise the next run is to try again
            journal.keep(planned.key, exercise, asked(prepared.whole.job.asks), ran)
        return Answered(planned, ran, GRADED)

    def _mark(self, sheet: Sheet) -> None:
        for at, part in sheet.settled.items():
            if isinstance(part, Answered) and at not in sheet.marked:
                try:
                    sheet.marked[at] = self._marked(part, (sheet, at))
                except Exception as error:
                    said = _ours(part.submission, error)
                    sheet.settled[at] = Failed(part.submission, said, part.planned)

    def _graded(self, sheet: Sheet) -> dict[str, Graded]:
        """What there is to write of a sheet, by exercise."""
        return {one.marks.exercise: one for one in sheet.marked.values() if one is not None}

    def _entries(self, sheet: Sheet) -> list[Entry]:
        """What the journal is to know of a sheet that is written."""
        marked = ((part, sheet.marked.get(at)) for at, part in sheet.settled.items())
        return [self._entry(part, one.marks) for part, one in marked if isinstance(part, Answered) and one is not None]

    def _finish(self, sheet: Sheet, *, is_written: bool = False) -> Iterator[tuple[Done, bool]]:
        """Mark a sheet, write it, and note in the journal that it is written; once no search for a place runs."""
        self._mark(sheet)
        if None in sheet.marked.values():
            return
        graded = self._graded(sheet)
        failed = [part for part in sheet.parts if isinstance(part, Failed)]
        stale = {part.submission.exercise for part in failed if self._is_stale(part)}
        problem, again = "", False
        if (graded or stale) and not is_written:
            problem, again = self._write(sheet, graded, stale, self._entries(sheet))
        for part in sheet.parts:
            if isinstance(part, Failed):
                yield Done(part.submission, FAILED, None, part.problem, self.feedback, running=len(self.running)), False
            else:
                done, how = part.submission, FAILED if problem else part.how
                marks, peak = graded[done.exercise].marks, part.ran.outcome.peak_memory
                yield Done(done, how, marks, problem, self.feedback, peak, len(self.running)), again

    def _marked(self, part: Answered, waiting: Waiting) -> Graded | None:
        planned, ran = part.planned, part.ran
        one = give_marks(planned.prepared, ran, student=planned.submission.student, seconds=ran.outcome.seconds)
        if self.course.places and (self.feedback or part.how == KEPT):
            placed = self.searches.placed(one, planned, waiting)
            if placed is None:
                return None
            one = placed
        return replace(one, marks=replace(one.marks, notes=(*planned.notes, *one.marks.notes)))

    def _entry(self, part: Answered, marks: Marks) -> Entry:
        planned, one = part.planned, part.planned.submission
        far = MARKED if planned.key in self.searches.unfinished and part.ran.whole else state(part.ran)
        return Entry(
            one.student, one.sheet, one.exercise, planned.stamp, planned.key, self.course.seed, far, packed(marks)
        )

    def _is_stale(self, part: Failed) -> bool:
        """Whether the gradebook's marks of a notebook that cannot be marked now were given for other work."""
        one, course = part.submission, self.course
        if self.feedback or course.pool is None or one.problem or not _in_place(course, one):
            return False
        if not os.path.lexists(one.path):
            return False  # taken away while the batch went on: that is no other work
        try:
            entry = course.journal.entry(one.student, one.sheet, one.exercise)
            planned = part.planned
            return not (entry and planned and entry.read_marks.digest == planned.prepared.whole.planned.digest)
        except JournalProblem:
            return True

    def _write(
        self, sheet: Sheet, graded: Mapping[str, Graded], stale: Collection[str], entries: Sequence[Entry]
    ) -> tuple[str, bool]:
        """Write a sheet; returns what went wrong and whether the same may work later."""
        if self._is_blocked():
            return self.blocked[1], True
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


def _sheet_of(one: Submission) -> tuple[str, str]:
    return one.student, one.sheet


def _ours(one: Submission, error: Exception) -> str:
    """What is said of an error of the grader."""
    log.error("the grader failed at %s", one.path, exc_info=error)
    return f"the grader failed at this notebook ({error!r}): see the log. A person will look at it."


def _in_place(course: Course, one: Submission) -> bool:
    """Whether a notebook lies where this course's students hand in."""
    return one.path.absolute() == course.writer.place(one.student, one.sheet, one.exercise)
