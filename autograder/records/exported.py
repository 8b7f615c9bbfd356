"""Records of marks, read from where they lie: files of ``autograder grade --json``, or graded notebooks."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from autograder.marking import BadRecord, Marks, from_json
from autograder.views.scores import Score


class NoRecords(Exception):
    """There is nothing to export. The message says what was looked for and what to do."""


def read(paths: Iterable[Path]) -> list[Marks]:
    """The records of files with one JSON object per line (``-`` is standard input), or of folders of graded notebooks.

    Raises NoRecords.
    """
    found: list[Marks] = []
    for path in paths:
        if path.is_dir():
            found += _from_notebooks(path)
        else:
            found += _from_lines(path)
    if not found:
        raise NoRecords("there are no marks to export: run `autograder grade --json` or `nbgrader autograde` first.")
    return found


def _from_lines(path: Path) -> list[Marks]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoRecords(f"{path} cannot be read ({error}): give a file of `autograder grade --json`.") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(from_json(json.loads(line)))
            except (BadRecord, ValueError) as problem:
                raise NoRecords(f"{path}, line {number}: {problem}") from None
    return found


def _from_notebooks(folder: Path) -> list[Marks]:
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8")).get("metadata", {}).get("autograder")
            if record is not None:
                found.append(from_json(record))
        except (OSError, AttributeError, BadRecord, ValueError) as problem:
            raise NoRecords(f"{path}: {problem}") from None
    return found


def people(path: Path) -> dict[str, str]:
    """E-mail addresses by student, from a CSV file with the columns id and email, as nbgrader imports students.

    Raises NoRecords.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NoRecords(f"{path} cannot be read: {error}") from None
    if not rows or not {"id", "email"} <= rows[0].keys():
        raise NoRecords(f"{path} needs a first row that names the columns id and email.")
    return {row["id"]: row["email"] for row in rows if row["id"] and row["email"]}


def gradebook(url: str) -> tuple[list[Score], dict[str, str]]:
    """Scores as nbgrader's gradebook has them, with written parts and late penalties, and e-mail addresses.

    A sheet that still waits for a person has a problem. Raises NoRecords.
    """
    # nbgrader and SQLAlchemy take two seconds to import
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    scores = []
    try:
        with Gradebook(url) as book:
            for assignment in book.assignments:
                for submission in book.assignment_submissions(assignment.name):
                    points = max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
                    problem = "a person still has to mark a part." if submission.needs_manual_grade else ""
                    student = submission.student.id
                    scores.append(Score(student, assignment.name, points, assignment.max_score, problem))
            emails = {student.id: student.email for student in book.students if student.email}
    except SQLAlchemyError as error:
        raise NoRecords(f"the gradebook {url} cannot be read: {error}") from None
    return scores, emails
