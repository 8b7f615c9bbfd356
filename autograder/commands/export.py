"""``autograder export``: marks to learning-management systems, continuous integration and plain files."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from autograder.bridge.gradebook_reader import scores_and_emails, students
from autograder.console import printable
from autograder.course import CourseError, find_root, place_only
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.notebook import BadNotebook, read_bytes
from autograder.marking import Marks
from autograder.records.people import by_email, decoded, read_people
from autograder.records.read import NoRecords, read
from autograder.views import canvas, classroom50, github, junit, marks_page
from autograder.views.places import hint_only
from autograder.views.scores import Score, by_sheet, missing, moodle, plain_csv, scores_csv
from autograder.views.words import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder export``."""
    parser.add_argument(
        "marks",
        nargs="*",
        type=Path,
        metavar="MARKS",
        help="files of `autograder grade --json` (- is standard input) or folders of graded notebooks, as autograded/",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="one row per notebook; - is standard output")
    parser.add_argument("--canvas", type=Path, metavar="FILE", help="fill the gradebook that Canvas exported, in place")
    parser.add_argument("--moodle", type=Path, metavar="FILE", help="a file for Moodle's import, keyed by e-mail")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="JUnit XML with points as properties")
    parser.add_argument("--html", type=Path, metavar="FILE", help="one page with all tables")
    parser.add_argument("--classroom50", type=Path, metavar="FILE", help="result.json, in a Classroom 50 runner")
    parser.add_argument("--github", action="store_true", help="summary, annotations and outputs for GitHub Actions")
    parser.add_argument(
        "--submission",
        type=Path,
        metavar="FOLDER",
        help="for --github: what was handed in, the student's checkout; annotations then stand at their lines",
    )
    parser.add_argument(
        "--gradebook",
        metavar="URL",
        help="for --canvas and --moodle: scores of nbgrader's gradebook, with written parts; sqlite:///gradebook.db",
    )
    parser.add_argument("--people", type=Path, metavar="FILE", help="CSV with the columns id and email")
    parser.add_argument(
        "--missing",
        choices=("zero", "blank"),
        default="blank",
        help="what a student gets who has handed in nothing of a sheet that others have handed in; blank by default",
    )
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        type=_column,
        metavar="SHEET=NAME",
        help="the assignment in Canvas for a sheet, when its name is another",
    )


def run(args: argparse.Namespace) -> int:
    """Write every export that is asked for. Returns 0, 1 when something was left out for a person, 2 on bad use."""
    try:
        return _run(args)
    except (CourseError, NothingToGrade, canvas.NotCanvas, classroom50.NotTheRunner) as problem:
        print(f"autograder export: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"autograder export: {problem.filename} cannot be written or read: {problem.strerror}", file=sys.stderr)
        return 2


def _run(args: argparse.Namespace) -> int:
    if not any((args.csv, args.canvas, args.moodle, args.junit, args.html, args.classroom50, args.github)):
        raise NoRecords("say what to write: --csv, --canvas, --moodle, --junit, --html, --classroom50 or --github.")
    with contextlib.suppress(CourseError):  # records can be read anywhere; a course of one's own is found from here
        find_root(graded=[path for path in args.marks if path.is_dir()])
    marks: Sequence[Marks] = [] if args.gradebook and not args.marks else read(args.marks)
    told = _for_students(marks)
    left_out: list[str] = []
    scores, emails = _scores(args, marks) if args.gradebook or args.canvas or args.moodle else ([], {})
    if args.csv:
        _write(args.csv, plain_csv(marks) if marks else scores_csv(scores))
    if args.junit:
        _write(args.junit, junit.junit(told))
    if args.html:
        _write(args.html, marks_page.page(told))
    if args.classroom50:
        result = classroom50.result(told, os.environ, datetime.now(UTC))
        _write(args.classroom50, json.dumps(result, indent=2) + "\n")
    if args.github:
        _github(told, args.submission)
    if args.canvas or args.moodle:
        if args.canvas:
            data = args.canvas.read_bytes()
            text, note = decoded(data, args.canvas.name)
            if note:
                print(f"{note} It is written as UTF-8, as Canvas wants it.", file=sys.stderr)
            if data.startswith(b"\xef\xbb\xbf"):
                text = f"\ufeff{text}"
            filled = canvas.fill(text, scores, columns=dict(args.column), emails=emails)
            _write(args.canvas, filled.text)
            print(f"{args.canvas}: {filled.changed} scores changed.", file=sys.stderr)
            left_out += filled.left_out
        if args.moodle:
            text, without = moodle(scores, emails)
            _write(args.moodle, text)
            left_out += without
    for line in dict.fromkeys(left_out):
        print(f"left out: {line}", file=sys.stderr)
    return 1 if left_out else 0


def _scores(args: argparse.Namespace, marks: Sequence[Marks]) -> tuple[list[Score], dict[str, str]]:
    scores, emails = scores_and_emails(args.gradebook) if args.gradebook else (by_sheet(marks), {})
    people = _people(args.people) if args.people else {}
    everyone = [*(students(args.gradebook) if args.gradebook else ()), *people]
    nothing = missing(scores, everyone)
    for sheet in dict.fromkeys(one.sheet for one in nothing):
        names = [one.student for one in nothing if one.sheet == sheet]
        has = "get 0" if args.missing == "zero" else "stay blank"
        print(f"{sheet}: nothing was handed in by {', '.join(map(printable, names))}; they {has}.", file=sys.stderr)
    held = len({one.student for one in scores if not one.problem})
    waiting = len({one.student for one in scores if one.problem})
    print(f"{counted(held, 'student')} with scores, {waiting} waiting for a person with a sheet.", file=sys.stderr)
    if args.missing == "zero":
        scores = [*scores, *nothing]
    if not args.gradebook and any(one.written_points for one in marks):
        print("Parts in words are not in these scores: give --gradebook for those too.", file=sys.stderr)
    return scores, emails | people


def _people(path: Path) -> dict[str, str]:
    """E-mail addresses by student. Raises BadTable."""
    people, note = read_people(path)
    if note:
        print(note, file=sys.stderr)
    return by_email(people)


def _for_students(marks: Sequence[Marks]) -> Sequence[Marks]:
    """The marks as students are told them: some courses keep to themselves what is due at a place."""
    try:
        hint = place_only(find_root())
    except CourseError:  # there is no course here, and so no setting
        hint = False
    return [hint_only(one) for one in marks] if hint else marks


def _github(marks: Sequence[Marks], submission: Path | None) -> None:
    """To the files that the runner names; without a runner everything goes to standard output."""
    for variable, text in (("GITHUB_STEP_SUMMARY", github.summary(marks)), ("GITHUB_OUTPUT", github.outputs(marks))):
        if os.environ.get(variable):
            with open(os.environ[variable], "a", encoding="utf-8") as file:
                file.write(text)
        else:
            print(text, end="")
    for command in github.notices(marks, _files(submission) if submission else {}):
        print(command)


def _files(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """The path within the folder and the text of every notebook in it, by student and exercise."""
    found = {}
    for one in find([folder]):
        with contextlib.suppress(BadNotebook, ValueError):  # such a file has an annotation without a line
            name = Path(os.path.relpath(one.path, folder)).as_posix()
            found[one.student, one.exercise] = name, read_bytes(one.path).decode("utf-8")
    return found


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, byte for byte; ``-`` is standard output."""
    if str(path) == "-":
        sys.stdout.write(text)
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _column(text: str) -> tuple[str, str]:
    sheet, equals, name = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"SHEET=NAME is wanted, not {text!r}")
    return sheet, name
