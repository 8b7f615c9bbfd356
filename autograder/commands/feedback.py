"""``autograder feedback``: one page per notebook, from what was graded or straight from what was handed in."""

from __future__ import annotations

import argparse
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme

from autograder.console import complain, say
from autograder.course import CourseError, find_root, place_only, source_notebook
from autograder.exercises import NAMES
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.grade import fresh_seed, grade_notebook
from autograder.grading.notebook import BadNotebook, heal, parse_notebook
from autograder.grading.submissions import Submission, content, files_beside
from autograder.marking import Marks
from autograder.personal import exercise_of
from autograder.records.hints import read_hints
from autograder.records.read import students_and_sheets
from autograder.sandbox import Sandbox, SandboxUnavailable, shared_sandbox
from autograder.views.clusters import with_hints
from autograder.views.feedback import feedback_page
from autograder.views.places import hint_only
from autograder.views.words import counted

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder feedback``."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="notebook, student's folder or submitted/, graded now; without any, the pages of autograded/ are renewed",
    )
    parser.add_argument("--to", type=Path, default=Path("feedback"), help="where pages of PATH are written")
    parser.add_argument("--seed", type=int, help="seed of the challenges, to get the same marks again")
    parser.add_argument("--isolation", choices=("auto", "full", "reduced", "none"), default="auto")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Write the pages. Returns 0 when all were written, 1 when a notebook needs a person, 2 on bad use."""
    try:
        if args.seed is not None and args.seed < 0:
            raise CourseError(f"a seed is a whole number from 0, not {args.seed}.")
        root = find_root(args.root, graded=args.paths)
        problems = _grade(args, root) if args.paths else _renew(root)
    except (CourseError, NothingToGrade) as bad_use:
        complain("feedback", bad_use)
        return 2
    except SandboxUnavailable as unavailable:
        problems = [str(unavailable)]
    for problem in problems:
        complain("feedback", problem)
    return 1 if problems else 0


def _renew(root: Path) -> list[str]:
    """Pages of everything in autograded/, through nbgrader, with comments and points of the gradebook."""
    from autograder.bridge.pages import renew

    done = list(students_and_sheets(root))
    if not done:
        raise CourseError(
            f"{root / 'autograded'} holds no graded notebook: run `nbgrader autograde SHEET` first, "
            "or give the notebooks: `autograder feedback submitted/`."
        )
    problems = renew(root)
    _say(len(done), "folder", root / "feedback")
    return problems


def _grade(args: argparse.Namespace, root: Path) -> list[str]:
    submissions = find(args.paths, root)
    seed = fresh_seed() if args.seed is None else args.seed
    hints, hint = read_hints(root), place_only(root)
    sandbox = shared_sandbox(args.isolation)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        work = partial(_page, sandbox=sandbox, root=root, seed=seed, hints=hints, hint=hint, to=args.to)
        problems = [problem for problem in pool.map(work, submissions) if problem]
    _say(len(submissions), "notebook", args.to)
    return problems


def _page(
    submission: Submission, *, sandbox: Sandbox, root: Path, seed: int, hints: dict[str, str], hint: bool, to: Path
) -> str:
    """Grade one notebook and write its page; returns what a person has to see to, or an empty text."""
    try:
        return _written(submission, sandbox, root, seed, hints, hint, to)
    except (CourseError, SandboxUnavailable):
        raise
    except Exception as error:  # nothing about one notebook ends the run
        log.exception("the page of %s failed", submission.path)
        return f"{submission.path}: the grader failed at this notebook ({error!r}): see the log."


def _written(
    submission: Submission, sandbox: Sandbox, root: Path, seed: int, hints: dict[str, str], hint: bool, to: Path
) -> str:
    if submission.exercise not in NAMES:
        return submission.problem
    if submission.beside:
        return submission.problem  # the page is that of the other one
    exercise = exercise_of(root, submission.exercise, submission.student)
    shown = new_notebook()
    try:
        if submission.problem:
            raise BadNotebook(submission.problem)
        notebook = parse_notebook(content(submission), submission.path.name)
        graded = grade_notebook(
            notebook,
            exercise,
            sandbox,
            root=root,
            seed=seed,
            student=submission.student,
            full=True,
            files=files_beside(submission),
            places=True,
        )
        marks = graded.marks
        healed = heal(notebook, source_notebook(root, exercise))
        shown.cells = [
            _ran(cell, graded.outputs.get(position, []) if position is not None else [])
            for cell, position in zip(healed.cells, healed.positions)
        ]
        for clear in (ClearHiddenTests(), ClearMarkScheme()):  # healing has put the instructor's text into locked cells
            shown, _ = clear.preprocess(shown, {})
    except BadNotebook as bad:
        marks = Marks(submission.student, exercise.sheet, exercise.name, (), sandbox.level, seed, error=str(bad))
    path = to / submission.student / exercise.sheet / f"{exercise.name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = with_hints(hint_only(marks) if hint else marks, hints)
    path.write_text(feedback_page(shown, told), encoding="utf-8")
    return f"{submission.path}: {marks.error or 'the grader failed at a question.'}" if marks.needs_person else ""


def _ran(cell: NotebookNode, outputs: list[dict[str, Any]]) -> NotebookNode:
    """The cell with what it put out when it was run here; what the file claims that it put out is left behind."""
    ran = NotebookNode(cell)
    if cell.cell_type == "code":
        ran["outputs"] = [NotebookNode(output) for output in outputs]
    return ran


def _say(count: int, what: str, to: Path) -> None:
    say(f"feedback on {counted(count, what)}: {to}")
