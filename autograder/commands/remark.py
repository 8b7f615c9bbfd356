"""``autograder remark``: the marks of a class by the checks of today, from kept answers."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.bridge.gradebook_writer import Writer
from autograder.console import complain, printable, say
from autograder.course import CourseError, find_root
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import NothingToGrade
from autograder.grading.journal import FOLDER, NAME, Entry, Journal, JournalProblem
from autograder.grading.remark import Change, remark
from autograder.grading.submissions import Submission
from autograder.grading.writer import GradebookProblem
from autograder.views import words

EMPTY = "the journal is empty: run `autograder grade submitted/ --gradebook` first."
PROBLEMS = (CourseError, NothingToGrade, GradebookProblem, JournalProblem)


@dataclass(frozen=True)
class _Line:
    """What is shown of a change; the records of marks themselves would be much for a large class."""

    student: str
    sheet: str
    exercise: str
    before: float
    now: float
    questions: list[tuple[str, float, float]]
    problem: str

    @classmethod
    def of(cls, change: Change) -> _Line:
        entry, before, now = change.entry, change.before, change.now
        points = (before.points if before else 0.0, now.points if now else 0.0)
        return cls(entry.student, entry.sheet, entry.exercise, *points, change.questions, change.problem)

    @property
    def difference(self) -> float:
        return round(self.now - self.before, 6)


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
        if not (root / FOLDER / NAME).exists():  # none is made only to find it empty
            raise NothingToGrade(EMPTY)
        with Journal(root) as journal:
            began = time.perf_counter()
            total, lines = 0, []
            for change in remark(journal):
                total += 1
                if change.problem or change.questions:
                    lines.append(_Line.of(change))
            if not total:
                raise NothingToGrade(EMPTY)
            stuck = [line for line in lines if line.problem]
            _show([line for line in lines if not line.problem], stuck, total, time.perf_counter() - began, args.json)
            failed = 0 if args.diff else _write(root, journal, errors)
    except PROBLEMS as problem:
        complain("remark", problem)
        return 2
    return 1 if stuck or failed else 0


def _show(moved: list[_Line], stuck: list[_Line], total: int, seconds: float, as_json: bool) -> None:
    if as_json:
        for change in moved:
            about = {"student": change.student, "sheet": change.sheet, "exercise": change.exercise}
            points = {"before": change.before, "now": change.now}
            print(json.dumps(about | points | {"questions": {n: [a, b] for n, a, b in change.questions}}))
        return
    console = Console()
    if moved:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("student", "exercise", "before", "now", "", "where"):
            table.add_column(title, justify="right" if title in ("before", "now", "") else "left")
        for change in sorted(moved, key=lambda one: (one.difference, one.student)):
            student = escape(printable(change.student))
            where = ", ".join(f"{n} {words.points(a)} → {words.points(b)}" for n, a, b in change.questions)
            table.add_row(
                student, change.exercise, words.points(change.before), words.points(change.now),
                f"{'+' if change.difference > 0 else '−'}{words.points(abs(change.difference))}",
                escape(where), style="green" if change.difference > 0 else "red" if change.difference else "",
            )  # fmt: skip
        console.print(table)
    up, down = sum(c.difference > 0 for c in moved), sum(c.difference < 0 for c in moved)
    console.print(f"{total} notebooks marked again in {seconds:.1f} s: {up} would go up, {down} down.", highlight=False)
    for change in stuck:
        say(f"  {change.student} {change.exercise}: {change.problem}", "magenta", to=console)


def _write(root: Path, journal: Journal, errors: Console) -> int:
    """Bring gradebook, autograded notebooks and journal up to date, without running anything. How many failed."""
    failed = 0
    with Writer(root) as writer:
        alike: dict[tuple[int, str], list[Submission]] = {}
        for entry in journal.entries():
            path = writer.place(entry.student, entry.sheet, entry.exercise)
            one = Submission(entry.student, entry.sheet, entry.exercise, path)
            alike.setdefault((entry.seed, _level(entry, writer)), []).append(one)
        for (seed, level), submissions in alike.items():
            own = writer.settings
            course = Course(root, journal, writer, None, seed, level, own.cell_seconds, places=own.places)
            for done in grade_class(course, submissions, feedback=False):
                if done.problem:
                    failed += 1
                    say(f"{done.submission.student} {done.submission.exercise}: {done.problem}", "red", to=errors)
    return failed


def _level(entry: Entry, writer: Writer) -> str:
    """The level of isolation to look a submission's answers up by; only that of no isolation makes a difference."""
    try:
        return "none" if entry.read_marks.isolation == "none" else "auto"
    except JournalProblem:
        return writer.settings.isolation
