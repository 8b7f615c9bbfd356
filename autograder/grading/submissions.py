"""Many notebooks: found on disk, graded over a pool, one bad one never stopping the others."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path

from autograder.exercise import SHEETS
from autograder.exercises import NAMES, load
from autograder.grading.grade import grade_notebook
from autograder.grading.notebook import BadNotebook, read_notebook
from autograder.marking import Marks
from autograder.sandbox import Sandbox, SandboxUnavailable
from autograder.variants import exercise_of

log = logging.getLogger(__name__)

MAX_FILES_BYTES = 10 * 2**20
"""Most bytes of a student's own files that are laid beside the notebook when it is run."""


@dataclass(frozen=True)
class Submission:
    """One notebook that was handed in: who, which exercise, where it lies. ``problem`` says why it cannot be graded."""

    student: str
    sheet: str
    exercise: str
    path: Path
    problem: str = ""


class NothingToGrade(Exception):
    """The paths name no notebook. The message says what was looked for."""


def find(paths: Iterable[Path]) -> list[Submission]:
    """The submissions that these paths name, in a stable order.

    A path is a notebook, a student's folder (``<student>/<sheet>/<exercise>.ipynb`` below it) or a whole
    ``submitted/`` tree. Raises NothingToGrade.
    """
    found: dict[Path, Submission] = {}
    for path in paths:
        if path.is_file() or path.is_symlink() or (path.exists() and path.suffix == ".ipynb"):
            below = [path]
        elif path.is_dir():
            below = sorted(p for p in _walk(path) if p.suffix == ".ipynb")
        else:
            raise NothingToGrade(f"{path} does not exist. Give a notebook, a student's folder or the submitted folder.")
        if not below:
            raise NothingToGrade(f"{path} holds no notebook: <student>/<sheet>/<exercise>.ipynb was looked for.")
        for notebook in below:
            found[notebook] = _submission(notebook)
    return [found[path] for path in sorted(found)]


def _walk(folder: Path) -> Iterator[Path]:
    """Files below a folder; links to folders are not followed."""
    for directory, names, files in os.walk(folder, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from (Path(directory) / name for name in files if not name.startswith("."))


def _submission(path: Path) -> Submission:
    absolute = path.absolute()
    sheet, student = absolute.parent.name, absolute.parent.parent.name
    if sheet not in SHEETS:
        sheet, student = "", ""
    if path.stem not in NAMES:
        known = ", ".join(NAMES)
        problem = f"{path.name} is no exercise of this course; rename it to one of {known}, with the ending .ipynb."
        return Submission(student, sheet, path.stem, path, problem)
    right = load(path.stem).sheet
    if sheet and sheet != right:
        problem = f"{path.name} belongs to the sheet {right}, not {sheet}: move it to {student}/{right}/."
        return Submission(student, sheet, path.stem, path, problem)
    return Submission(student, right, path.stem, path)


def grade(
    submission: Submission,
    sandbox: Sandbox,
    *,
    root: Path,
    seed: int,
    on_marks: Callable[[Marks], None] | None = None,
) -> Marks:
    """The marks of one submission. What cannot be graded comes back as marks with ``error`` set, never as zero.

    ``on_marks`` is called after every question, see :func:`autograder.grading.grade.grade_notebook`.

    Raises SandboxUnavailable, since then nothing else can be graded either.
    """
    try:
        if submission.problem:
            raise BadNotebook(submission.problem)
        notebook = read_notebook(submission.path)
        return grade_notebook(
            notebook,
            exercise_of(root, submission.exercise, submission.student),
            sandbox,
            root=root,
            seed=seed,
            student=submission.student,
            files=own_files(submission.path.parent),
            on_marks=on_marks,
        ).marks
    except BadNotebook as bad:
        return _failed(submission, seed, sandbox.level, str(bad))
    except SandboxUnavailable:
        raise
    except Exception as error:
        log.exception("grading %s failed", submission.path)
        return _failed(submission, seed, sandbox.level, f"The grader failed at this notebook ({error!r}): see the log.")


def grade_all(
    submissions: Sequence[Submission], sandbox: Sandbox, pool: Executor, *, root: Path, seed: int
) -> Iterator[tuple[Submission, Marks]]:
    """Grade submissions on a pool and yield each as it is done."""
    futures: dict[Future[Marks], Submission] = {
        pool.submit(grade, submission, sandbox, root=root, seed=seed): submission for submission in submissions
    }
    for future in as_completed(futures):
        yield futures[future], future.result()


def own_files(folder: Path) -> dict[str, bytes]:
    """The student's own files beside a notebook: regular files only, no links, no notebooks, capped in size.

    Files beyond the cap are left out.
    """
    files: dict[str, bytes] = {}
    room = MAX_FILES_BYTES
    for path in sorted(_walk(folder)):
        info = path.lstat()
        if path.suffix == ".ipynb" or not stat.S_ISREG(info.st_mode) or info.st_nlink > 1 or info.st_size > room:
            continue
        try:
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
        except OSError:
            continue
        room -= info.st_size
    return files


def _failed(submission: Submission, seed: int, level: str, reason: str) -> Marks:
    return Marks(submission.student, submission.sheet, submission.exercise, (), level, seed, error=reason)
