"""Graded notebooks into nbgrader's gradebook and autograded folder: nbgrader's own steps, with answers that are there.

Nothing is executed here. nbgrader's Autograde converter does what it always does, with two differences that only the
clock can tell: the step that runs a notebook takes what was run before, and all steps of one student's sheet share one
open gradebook and one transaction. A sheet is written as a whole or not at all: the folder is made beside the real one
and renamed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.writers.files import FilesWriter
from nbformat import NotebookNode
from nbgrader import api as nbgrader_api
from nbgrader.apps.autogradeapp import AutogradeApp
from nbgrader.converters import autograde as converter_module
from nbgrader.converters.base import NbGraderException
from nbgrader.nbgraderformat import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from autograder.bridge import handed_in
from autograder.bridge.direct import Direct
from autograder.bridge.given import Place
from autograder.bridge.person_points import changed_in
from autograder.bridge.preprocessors import IsolatedExecute, record
from autograder.bridge.shared_gradebook import CheckEachOnce, OpenGradebook, one_gradebook
from autograder.environment import put_programs_on_path
from autograder.grading.grade import Graded, put_own_text_back
from autograder.grading.journal import FOLDER
from autograder.grading.notebook import digest, gone
from autograder.grading.submissions import Submission
from autograder.grading.writer import GradebookProblem
from autograder.marking import Marks
from autograder.personal import exercise_of
from autograder.records.requests import read_requests

EXECUTE = "autograder.bridge.preprocessors.IsolatedExecute"
STAGING = f"{FOLDER}/staging"
LOCK = f"{FOLDER}/lock"
DISK_FULL = "the disk is full: free some space and run the same command again."
SCORES = text("""
    select notebook.name, base_cell.name, grade.auto_score
    from assignment
    join submitted_assignment on submitted_assignment.assignment_id = assignment.id
    join notebook on notebook.assignment_id = assignment.id
    join base_cell on base_cell.notebook_id = notebook.id
    join submitted_notebook on submitted_notebook.assignment_id = submitted_assignment.id
        and submitted_notebook.notebook_id = notebook.id
    join grade on grade.notebook_id = submitted_notebook.id and grade.cell_id = base_cell.id
    where submitted_assignment.student_id = :student and assignment.name = :sheet
""")
"""Every join by all columns of an index: by fewer, SQLite goes through the grades of the whole class."""


class GradebookLocked(GradebookProblem):
    """Another program holds the gradebook, for how long is not known."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(
            "the gradebook is locked by another program: close it and run the same command again.", again=True
        )


class Writer:
    """The one writer of a course's gradebook. A context manager; for one thread."""

    def __init__(self, root: Path) -> None:
        """Open the gradebook of a course with its nbgrader configuration. Raises GradebookProblem.

        A gradebook that another program holds is opened later, when something is to be written.
        """
        put_programs_on_path()
        self.root = root
        self._graded: Mapping[str, Graded] = {}
        self._open: OpenGradebook | None = None
        with contextlib.ExitStack() as undo:
            undo.enter_context(_only_one(root / LOCK))
            self._app = _configured(root)
            undo.callback(self._app.clear_instance)
            course = self._app.coursedir
            self._submitted, self._autograded = course.submitted_directory, course.autograded_directory
            course.autograded_directory = _staging(root, Path(course.root, self._autograded))
            self._staging = Path(course.root, course.autograded_directory)
            converter = converter_module.Autograde(coursedir=course, parent=self._app)
            self._direct = Direct(converter, root) if Direct.suits(converter) else None
            self._converter = self._with_our_steps(converter)
            self.settings = IsolatedExecute(parent=self._converter)
            """What nbgrader_config.py says of isolation, seed and time."""
            with contextlib.suppress(GradebookLocked):
                self._gradebook()
            self._finish_renaming()
            shutil.rmtree(self._staging, ignore_errors=True)
            undo.callback(shutil.rmtree, self._staging, ignore_errors=True)
            undo.callback(self._close)
            self._undo = undo.pop_all()

    def _with_our_steps(self, converter: converter_module.Autograde) -> converter_module.Autograde:
        """nbgrader's converter with answers that are there in the place of a run. Raises GradebookProblem."""
        if EXECUTE not in [str(step) for step in converter.autograde_preprocessors]:
            raise GradebookProblem(
                f"nbgrader_config.py does not run {EXECUTE}: call autograder.bridge.configure(c) there."
            )
        check = CheckEachOnce(parent=converter)
        steps = {EXECUTE: self._record, "nbgrader.preprocessors.CheckCellMetadata": check}
        for name in ("sanitize_preprocessors", "autograde_preprocessors"):
            setattr(converter, name, [steps.get(str(step), step) for step in getattr(converter, name)])
        converter.writer = FilesWriter(parent=converter, config=converter.config)
        converter.exporter = converter.exporter_class(parent=converter, config=converter.config)
        return converter

    def _gradebook(self) -> OpenGradebook:
        """The gradebook, opened when that was not possible before. Raises GradebookProblem."""
        if self._open is None:
            course = self._app.coursedir
            try:
                nbgrader_api.Gradebook(course.db_url).close()  # nbgrader's steps open it so, and make its entry
                self._open = OpenGradebook(course.db_url, course.course_id)
            except SQLAlchemyError as error:
                raise _problem(error) from None
        return self._open

    def _finish_renaming(self) -> None:
        """Put in place what a kill left between two renames: the old folder was away, the new one not yet there."""
        for old in self._staging.glob("*/*.old"):
            made = old.with_suffix("")
            place = Path(self.root, self._autograded) / made.relative_to(self._staging)
            if made.is_dir() and not place.exists():
                try:
                    made.rename(place)
                except OSError as error:
                    raise _problem(error) from None

    def changed(self, one: Submission) -> list[dict[str, Any]]:
        """The questions of a notebook whose points a person changed, as plain data. Raises GradebookProblem."""
        place = Place(one.sheet, one.exercise, one.student)
        try:
            return [asdict(changed) for changed in changed_in(self._gradebook(), place, read_requests(self.root))]
        except SQLAlchemyError as error:
            raise _problem(error) from None

    def _close(self) -> None:
        if self._open is not None:
            self._open.really_close()

    def __enter__(self) -> Writer:
        """Return the writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the gradebook, and let another batch begin."""
        self._undo.close()

    def place(self, student: str, sheet: str, exercise: str) -> Path:
        """Where a submitted notebook has to lie."""
        return Path(self._path(self._submitted, student, sheet)) / f"{exercise}.ipynb"

    def _path(self, step: str | Path, student: str, sheet: str) -> str:
        path: str = self._app.coursedir.format_path(str(step), student, sheet)
        return path

    def holds(self, student: str, sheet: str, marks: Sequence[Marks]) -> bool:
        """Whether gradebook and autograded folder have these marks already. Raises GradebookProblem."""
        folder = Path(self._path(self._autograded, student, sheet))
        if not all((folder / f"{one.exercise}.ipynb").is_file() for one in marks):
            return False
        gradebook = self._gradebook()
        try:
            rows = gradebook.db.execute(SCORES, {"student": student, "sheet": sheet})
            found = {(notebook, cell): score for notebook, cell, score in rows}
        except SQLAlchemyError as error:
            raise _problem(error) from None
        finally:
            gradebook.db.rollback()
        return all(
            found.get((one.exercise, question.id), "") == _score(question.status, question.points)
            for one in marks
            for question in one.questions
        )

    def write(self, student: str, sheet: str, graded: Mapping[str, Graded], stale: Collection[str] = ()) -> None:
        """Write one student's sheet, given what each notebook's run gave. Raises GradebookProblem.

        Marks of the ``stale`` notebooks were given for other work: they are withdrawn in the same transaction. What
        else lies in the student's folder keeps its marks and its autograded notebook.
        """
        gradebook, here = self._gradebook(), Path.cwd()
        self._graded = graded
        os.chdir(self.root)
        try:
            others = self._others(student, sheet, {*graded, *stale})
            wanted = self._make(student, sheet, graded, stale, others)
            gradebook.really_commit()
            if wanted:
                self._put_in_place(student, sheet, others)
        except GradebookProblem:
            raise
        except (NbGraderException, ValidationError) as error:
            raise GradebookProblem(_advice(str(error), sheet)) from None
        except (SQLAlchemyError, OSError, nbgrader_api.InvalidEntry) as error:
            raise _problem(error) from None
        except ValueError as error:
            raise GradebookProblem(_advice(str(error), sheet)) from None
        except Exception as error:
            raise GradebookProblem(f"nbgrader failed ({type(error).__name__}: {str(error)[:300]}).") from error
        finally:
            gradebook.db.rollback()
            shutil.rmtree(self._staging, ignore_errors=True)
            os.chdir(here)
            self._graded = {}
            # nbconvert keeps the metadata of every notebook, and with it our record of marks
            getattr(self._converter.exporter, "_nb_metadata", {}).clear()
        self._converter.notebooks = []

    def _others(self, student: str, sheet: str, written: Collection[str]) -> set[str]:
        """The further notebooks in the student's folder. Raises GradebookProblem when one to be written is gone."""
        folder = self.place(student, sheet, "").parent
        there = {path.stem for path in folder.glob("[!.]*.ipynb")}  # what nbgrader takes for a notebook
        for name in written:
            if name not in there:
                raise GradebookProblem(gone(f"{name}.ipynb"))
        return there.difference(written)

    def write_together(self, sheets: Sequence[tuple[str, str, Mapping[str, Graded]]]) -> list[bool]:
        """Write sheets of several students in one transaction; which of them are written. The others need more.

        Raises what kept them from being written. Then none is in the gradebook.
        """
        if self._direct is None or len({(student, sheet) for student, sheet, _ in sheets}) < len(sheets):
            return [False] * len(sheets)
        gradebook, here, done = self._gradebook(), Path.cwd(), []
        os.chdir(self.root)
        try:
            others = [self._others(student, sheet, graded) for student, sheet, graded in sheets]
            for (student, sheet, graded), more in zip(sheets, others, strict=True):
                done.append(self._made_directly(student, sheet, graded, more))
            gradebook.really_commit()
            for (student, sheet, _), more, is_made in zip(sheets, others, done, strict=True):
                if is_made:
                    self._put_in_place(student, sheet, more)
            return done
        finally:
            gradebook.db.rollback()
            shutil.rmtree(self._staging, ignore_errors=True)
            os.chdir(here)

    def _made_directly(
        self, student: str, sheet: str, graded: Mapping[str, Graded], others: Collection[str]
    ) -> bool:  # fmt: skip
        if self._direct is None:
            return False
        readable = handed_in.inspect([self.place(student, sheet, one) for one in sorted({*graded, *others})])
        return self._direct.write(self._gradebook().db.connection(), student, sheet, graded, readable)

    def _make(
        self, student: str, sheet: str, graded: Mapping[str, Graded], stale: Collection[str], others: Collection[str]
    ) -> bool:
        """Make the rows, not yet committed, and the folder; False where nbgrader's configuration leaves them out."""
        gradebook = self._gradebook()
        if not stale and self._made_directly(student, sheet, graded, others):
            return True
        with one_gradebook(gradebook), _without_log():
            handed_in.keep_given(self._app.coursedir.db_url, Path(self._path(self._autograded, student, sheet)))
            return self._convert(student, sheet, graded, stale, others)

    def _convert(
        self, student: str, sheet: str, graded: Mapping[str, Graded], stale: Collection[str], others: Collection[str]
    ) -> bool:
        """The steps of nbgrader's own loop over students, for one; False when its configuration leaves them out."""
        converter = self._converter
        converter.coursedir.student_id, converter.coursedir.assignment_id = student, sheet
        converter.notebooks = [str(self.place(student, sheet, exercise)) for exercise in sorted({*graded, *stale})]
        if not converter.init_destination(sheet, student):
            return False
        if isinstance(converter.pre_convert_hook, handed_in.Inspection):
            # not through nbgrader, which passes over an error of a hook; and with every notebook that is there
            handed_in.inspect([self.place(student, sheet, one) for one in sorted({*graded, *stale, *others})])
        else:
            converter.run_pre_convert_hook()
        if not graded and not self._knows(student, sheet):
            return True  # nothing to withdraw: the sheet is listed as not graded yet, as it is
        converter.init_assignment(sheet, student)
        for exercise in stale:
            handed_in.withdraw(self._app.coursedir.db_url, student=student, assignment=sheet, notebook=exercise)
        converter.notebooks = [name for name in converter.notebooks if Path(name).stem in graded]
        if not converter.notebooks:  # nbgrader, too, leaves no folder of a sheet that it could not grade
            shutil.rmtree(self._path(self._staging, student, sheet), ignore_errors=True)
            return True
        for notebook in converter.notebooks:
            converter.convert_single_notebook(notebook)
        converter.set_permissions(sheet, student)
        converter.run_post_convert_hook()
        return True

    def _knows(self, student: str, sheet: str) -> bool:
        try:
            self._gradebook().find_submission(sheet, student)
        except nbgrader_api.MissingEntry:
            return False
        return True

    def _record(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """In the place of the step that runs a notebook."""
        about = resources["nbgrader"]
        graded = self._graded[about["notebook"]]
        put_own_text_back(nb, exercise_of(self.root, about["notebook"], about["student"]), self.root)
        if digest(nb) != graded.marks.digest:
            raise GradebookProblem("the notebook has changed while it was graded: run the same command again.")
        record(nb, resources, graded)
        return nb, resources

    def _put_in_place(self, student: str, sheet: str, others: Collection[str]) -> None:
        """Put the autograded folder in the place of the old one; what has kept its marks is taken over."""
        made, place = (Path(self._path(step, student, sheet)) for step in (self._staging, self._autograded))
        for name in [f"{other}.ipynb" for other in others]:
            if (place / name).is_file():
                made.mkdir(parents=True, exist_ok=True)
                shutil.copy2(place / name, made / name)
        made.parent.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        old = Path(f"{made}.old")
        if place.exists():
            place.rename(old)
        if made.is_dir():
            try:
                made.rename(place)
            except OSError:
                if old.exists():
                    old.rename(place)
                raise


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold a course against other batches: two would run everything twice. The system lets go when a process dies.

    Raises GradebookProblem when another one has it.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a")
    except OSError as error:
        raise _problem(error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GradebookProblem(
                "another `autograder grade` or `autograder remark` works on this course: wait for its end and run the "
                "same command again."
            ) from None
        yield


def _staging(root: Path, autograded: Path) -> str:
    """Where sheets are made: on the disk of the autograded folder, since nothing can be renamed onto another one."""
    there = next(folder for folder in (autograded, *autograded.parents) if folder.exists())
    return STAGING if there.stat().st_dev == (root / FOLDER).stat().st_dev else str(autograded / ".staging")


def _configured(root: Path) -> AutogradeApp:
    """nbgrader's program, which holds the configuration of a course."""
    here = Path.cwd()
    os.chdir(root)  # nbgrader looks for its configuration in the working directory
    try:
        app = AutogradeApp()
        app.initialize([], root=str(root))
    finally:
        os.chdir(here)
    app.log.setLevel(logging.CRITICAL)  # what matters comes as an exception
    return app


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Without nbgrader's own tracebacks of what is told in one sentence."""
    log = logging.getLogger("tornado.application")
    disabled, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = disabled


def _score(status: str, points: float) -> float | None:
    return None if status == "grader_error" else points


def _problem(error: Exception) -> GradebookProblem:
    if isinstance(error, nbgrader_api.InvalidEntry) and isinstance(error.__context__, SQLAlchemyError):
        error = error.__context__  # nbgrader's name for whatever a statement met
    said = str(getattr(error, "orig", None) or error).splitlines()[0][:300]
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return GradebookProblem(DISK_FULL, again=True)
    if isinstance(error, SQLAlchemyError):
        if "locked" in said:
            return GradebookLocked()
        if any(words in said for words in ("disk is full", "No space left")):
            return GradebookProblem(DISK_FULL, again=True)
        return GradebookProblem(
            f"the gradebook cannot be written ({said}): see that it can be, and run the same command again.",
            again=isinstance(error, OperationalError),  # the gradebook as a whole, and not what was to be written
        )
    return GradebookProblem(
        f"the student's folders cannot be read or written ({said}): see that they can be, and run the same command "
        "again."
    )


def _advice(message: str, sheet: str) -> str:
    if "No assignment" in message or "No notebooks found" in message:
        return f"the gradebook does not know the sheet: run `nbgrader generate_assignment {sheet}` first."
    if "greater than maximum points" in message:
        return (
            f"a question is worth more than the gradebook knows: run `nbgrader generate_assignment {sheet} --force`"
            " and the same command again."
        )
    return f"nbgrader: {message}"
