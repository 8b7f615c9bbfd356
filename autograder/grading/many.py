"""Many notebooks graded over a pool, one bad one never stopping the others."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from pathlib import Path

from autograder.grading.grade import grade_notebook, prepare
from autograder.grading.notebook import BadNotebook, parse_notebook
from autograder.grading.submissions import Submission, content, files_beside
from autograder.marking import Marks, truth_meanwhile
from autograder.personal import exercise_of
from autograder.sandbox import Sandbox, SandboxUnavailable

log = logging.getLogger(__name__)


def grade(
    submission: Submission,
    sandbox: Sandbox,
    *,
    root: Path,
    seed: int,
    on_marks: Callable[[Marks], None] | None = None,
    places: bool = False,
) -> Marks:
    """The marks of one submission. What cannot be graded comes back as marks with ``error`` set, never as zero.

    ``on_marks`` is called after every question, and ``places`` are looked for; see
    :func:`autograder.grading.grade.grade_notebook`.

    Raises SandboxUnavailable, since then nothing else can be graded either.
    """
    try:
        if submission.problem:
            raise BadNotebook(submission.problem)
        notebook = parse_notebook(content(submission), submission.path.name)
        return grade_notebook(
            notebook,
            exercise_of(root, submission.exercise, submission.student),
            sandbox,
            root=root,
            seed=seed,
            student=submission.student,
            files=files_beside(submission),
            on_marks=on_marks,
            places=places,
        ).marks
    except BadNotebook as bad:
        return _failed(submission, seed, sandbox.level, str(bad))
    except SandboxUnavailable:
        raise
    except Exception as error:
        log.exception("grading %s failed", submission.path)
        return _failed(submission, seed, sandbox.level, f"The grader failed at this notebook ({error!r}): see the log.")


def get_ready(submission: Submission, *, root: Path, seed: int) -> None:
    """Do what needs no sandbox yet, while it starts: all of it is remembered, and what fails will fail in its place."""
    with contextlib.suppress(Exception):
        notebook = parse_notebook(content(submission), submission.path.name)
        prepared = prepare(notebook, exercise_of(root, submission.exercise, submission.student), root=root, seed=seed)
        truth_meanwhile(prepared.exercise, seed)


def grade_all(
    submissions: Sequence[Submission], sandbox: Sandbox, pool: Executor, *, root: Path, seed: int, places: bool = False
) -> Iterator[tuple[Submission, Marks]]:
    """Grade submissions on a pool and yield each as it is done."""
    futures: dict[Future[Marks], Submission] = {
        pool.submit(grade, submission, sandbox, root=root, seed=seed, places=places): submission
        for submission in submissions
    }
    for future in as_completed(futures):
        yield futures[future], future.result()


def _failed(submission: Submission, seed: int, level: str, reason: str) -> Marks:
    return Marks(submission.student, submission.sheet, submission.exercise, (), level, seed, error=reason)
