"""``autograder remark``: the marks of a class by the checks of today, from kept answers."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.course import CourseError, find_root
from autograder.grading.batch import Course, grade_class
from autograder.grading.gradebook import GradebookProblem, Writer
from autograder.grading.journal import Journal, JournalProblem
from autograder.grading.remark import Change, remark
from autograder.grading.submissions import NothingToGrade, Submission
from autograder.views import words

PROBLEMS = (CourseError, NothingToGrade, GradebookProblem, JournalProblem)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder remark``."""
    parser.add_argument("--diff", action="store_true", help="only show who would go up or down; write nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object per changed notebook")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Show the changes and, without ``--diff``, write them. Returns 0, 1 when a person is needed, 2 on bad use."""
    errors = Console(stderr=True)
    try:
        root = find_root(args.root)
        with Journal(root) as journal:
            began = time.perf_counter()
            total, moved, stuck = 0, [], []
            for change in remark(journal):
                total += 1
                if change.problem:
                    stuck.append(change)
                elif change.questions:
                    moved.append(change)
            if not total:
                raise NothingToGrade("the journal is empty: run `autograder grade submitted/ --gradebook` first.")
            _show(moved, stuck, total, time.perf_counter() - began, args.json)
            failed = 0 if args.diff else _write(root, journal, errors)
    except PROBLEMS as problem:
        errors.print(f"autograder remark: {problem}", style="red", highlight=False, soft_wrap=True)
        return 2
    return 1 if stuck or failed else 0


def _show(moved: list[Change], stuck: list[Change], total: int, seconds: float, as_json: bool) -> None:
    if as_json:
        for change in moved:
            about = {"student": change.entry.student, "sheet": change.entry.sheet, "exercise": change.entry.exercise}
            points = {"before": change.before.points, "now": change.now.points}
            print(json.dumps(about | points | {"questions": {n: [a, b] for n, a, b in change.questions}}))
        return
    console = Console()
    if moved:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("student", "exercise", "before", "now", "", "where"):
            table.add_column(title, justify="right" if title in ("before", "now", "") else "left")
        for change in sorted(moved, key=lambda one: (one.difference, one.entry.student)):
            up = change.difference > 0
            student = escape(words.printable(change.entry.student))
            where = ", ".join(f"{n} {words.points(a)} → {words.points(b)}" for n, a, b in change.questions)
            table.add_row(
                student, change.entry.exercise, words.points(change.before.points),
                words.points(change.now.points), f"{'+' if up else '−'}{words.points(abs(change.difference))}",
                escape(where), style="green" if up else "red" if change.difference else "",
            )  # fmt: skip
        console.print(table)
    up, down = sum(c.difference > 0 for c in moved), sum(c.difference < 0 for c in moved)
    console.print(
        f"{total} notebooks marked again in {seconds:.1f} s: {up} would go up, {down} down.", highlight=False
    )
    for change in stuck:
        line = words.printable(f"  {change.entry.student} {change.entry.exercise}: {change.problem}")
        console.print(line, style="magenta", highlight=False, soft_wrap=True, markup=False)


def _write(root: Path, journal: Journal, errors: Console) -> int:
    """Bring gradebook, autograded notebooks and journal up to date, without running anything. How many failed."""
    failed = 0
    with Writer(root) as writer:
        seeds: dict[int, list[Submission]] = {}
        for entry in journal.entries():
            path = writer.place(entry.student, entry.sheet, entry.exercise)
            seeds.setdefault(entry.seed, []).append(Submission(entry.student, entry.sheet, entry.exercise, path))
        for seed, submissions in seeds.items():
            course = Course(root, journal, writer, None, seed)
            for done in grade_class(course, submissions, feedback=False):
                if done.problem:
                    failed += 1
                    line = words.printable(f"{done.submission.student} {done.submission.exercise}: {done.problem}")
                    errors.print(line, style="red", highlight=False, soft_wrap=True, markup=False)
    return failed
