"""``autograder viva``: questions for an oral check, from every student's own submission."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.grade import fresh_seed
from autograder.grading.notebook import BadNotebook, parse_notebook
from autograder.grading.submissions import Submission, content, files_beside
from autograder.personal import exercise_of
from autograder.records.whole import write_whole
from autograder.sandbox import Sandbox, SandboxUnavailable, shared_sandbox
from autograder.views.viva import LEVELS, Asked, Sheet, page, table
from autograder.viva.points import stream
from autograder.viva.questions import asked_about, choose

log = logging.getLogger(__name__)

FEWEST = 3
RESULTS = "results.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder viva``."""
    parser.add_argument("sheet", help=f"a sheet of the course: one of {', '.join(SHEETS)}")
    parser.add_argument(
        "--student", action="append", default=[], metavar="ID", help="only for this one; may be repeated"
    )
    parser.add_argument(
        "--questions", type=int, default=4, choices=range(1, 6), metavar="N", help="1 to 5; 4 by default"
    )
    parser.add_argument("--difficulty", choices=LEVELS, default="medium")
    parser.add_argument("--seed", type=int, help="the same seed gives the same questions; a new one by default")
    parser.add_argument("--to", type=Path, default=Path("viva"), help="where pages are written (default: viva/)")
    parser.add_argument("--isolation", choices=("auto", "full", "reduced", "none"), default="auto")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Write the pages. Returns 0, 1 when a notebook could not be used or a student gets no page, 2 on bad use."""
    try:
        root = find_root(args.root)
        if args.sheet not in SHEETS:
            raise CourseError(f"there is no sheet {args.sheet!r}; the sheets are {', '.join(SHEETS)}.")
        if args.seed is not None and args.seed < 0:
            raise CourseError(f"a seed is a whole number from 0, not {args.seed}.")
        seed = fresh_seed() if args.seed is None else args.seed
        there = [one for one in find([root / "submitted"], root) if one.sheet == args.sheet]
        there = [one for one in there if not args.student or one.student in args.student]
        missing = sorted({*args.student} - {one.student for one in there})
        if missing or not there:
            raise CourseError(f"nothing of {args.sheet} was handed in by {', '.join(missing) or 'anybody'}.")
        sheets, problems = _sheets(there, root, seed, args)
        _write(args.to / args.sheet, sheets)
    except (CourseError, NothingToGrade, SandboxUnavailable, OSError) as problem:
        complain("viva", problem)
        return 2
    for said in problems:
        complain("viva", said)
    pages = sum(bool(one.questions) for one in sheets)
    say(f"{pages} pages, seed {seed}: {args.to / args.sheet}")
    return 1 if problems else 0


def _sheets(
    there: Sequence[Submission], root: Path, seed: int, args: argparse.Namespace
) -> tuple[list[Sheet], list[str]]:
    level = LEVELS.index(args.difficulty) + 1
    by_student: dict[str, list[Asked]] = {}
    problems, unread = [], set()
    sandbox = shared_sandbox(args.isolation)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for one, result in zip(there, pool.map(lambda one: _asked(one, root, seed, sandbox), there), strict=True):
            found = by_student.setdefault(one.student, [])
            if isinstance(result, str):
                problems.append(result)
                unread.add(one.student)
            else:
                found += result
    sheets = []
    for student, found in sorted(by_student.items()):
        rng = stream(seed, student, args.sheet, "choice")
        chosen = choose(found, count=args.questions, level=level, rng=rng)
        few = "" if len(chosen) >= min(FEWEST, args.questions) else "There is not enough work here for more questions."
        if not chosen and student not in unread:
            problems.append(f"{student}: there is no work in {args.sheet} that could be asked about.")
        sheets.append(Sheet(student, args.sheet, seed, level, tuple(chosen), few))
    return sheets, problems


def _asked(one: Submission, root: Path, seed: int, sandbox: Sandbox) -> list[Asked] | str:
    """The questions about one notebook, or why there are none."""
    if one.beside:
        return []
    try:
        if one.problem:
            raise BadNotebook(one.problem)
        notebook = parse_notebook(content(one), one.path.name)
    except BadNotebook as bad:
        return f"{one.shown}: {bad}"
    exercise = exercise_of(root, one.exercise, one.student)
    try:
        files = files_beside(one)
        return asked_about(notebook, exercise, sandbox, root=root, seed=seed, student=one.student, files=files)
    except (CourseError, SandboxUnavailable):
        raise
    except Exception as error:  # nothing about one notebook ends the run
        log.exception("no questions about %s", one.path)
        return f"{one.shown}: no questions could be made of it ({error!r}): see the log."


def _write(folder: Path, sheets: Sequence[Sheet]) -> None:
    """The pages and the table; what an examiner has noted stays. Raises CourseError."""
    results = folder / RESULTS
    before = results.read_text(encoding="utf-8-sig") if results.is_file() else ""
    try:
        text = table(sheets, before)
    except ValueError as problem:
        raise CourseError(f"{problem} in {results}: use their seed and settings, or move that file away.") from None
    for one in sheets:
        if one.questions:
            write_whole(folder / f"{one.student}.html", page(one))
    write_whole(results, text)
