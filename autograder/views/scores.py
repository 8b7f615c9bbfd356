"""Marks as one score per student and sheet, which is what a course's gradebook holds, and as plain CSV files."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.exercise import SHEETS
from autograder.exercises import all_exercises
from autograder.marking import Marks
from autograder.views import words

COLUMNS = (
    "student",
    "sheet",
    "exercise",
    "points",
    "max_points",
    "written_points",
    "needs_person",
    "mistakes",
    "remarks",
)
"""The header of the plain CSV file."""


@dataclass(frozen=True)
class Score:
    """What a student earned on a sheet. ``problem`` says why the number must not be used before a person looked."""

    student: str
    sheet: str
    points: float
    max_points: float
    problem: str = ""


def by_sheet(all_marks: Sequence[Marks]) -> list[Score]:
    """One score per student and sheet, in the order of the records; what was not handed in counts as 0.

    Written parts are not in it.
    """
    most = dict.fromkeys(SHEETS, 0.0)
    for exercise in all_exercises():
        most[exercise.sheet] += sum(question.points for question in exercise.questions)
    groups: dict[tuple[str, str], list[Marks]] = {}
    for marks in all_marks:
        groups.setdefault((marks.student, marks.sheet), []).append(marks)
    return [
        Score(
            student,
            sheet,
            round(sum({marks.exercise: marks.points for marks in group if not marks.error}.values()), 6),
            most.get(sheet, 0.0),
            "; ".join(
                [f"{marks.exercise}: {words.to_do(marks)}" for marks in group if marks.needs_person]
                + [f"{name}: there are {count} records of it, and one counts." for name, count in _several(group)]
            ),
        )
        for (student, sheet), group in groups.items()
    ]


def _several(group: Sequence[Marks]) -> list[tuple[str, int]]:
    """The exercises that have more than one mark, and how many."""
    counted = Counter(marks.exercise for marks in group if not marks.error)
    return [(name, count) for name, count in counted.items() if count > 1]


def plain_csv(all_marks: Sequence[Marks]) -> str:
    """One row per notebook, with a header."""
    rows = [
        {
            "student": marks.student,
            "sheet": marks.sheet,
            "exercise": marks.exercise,
            "points": "" if marks.error else words.points(marks.points),
            "max_points": "" if marks.error else words.points(marks.max_points),
            "written_points": words.points(marks.written_points),
            "needs_person": "yes" if marks.needs_person else "no",
            "mistakes": " ".join(dict.fromkeys(m for question in marks.questions for m in question.mistakes)),
            "remarks": " ".join(text for text in (words.to_do(marks), *marks.notes) if text),
        }
        for marks in all_marks
    ]
    return as_csv([COLUMNS, *([harmless(row[name]) for name in COLUMNS] for row in rows)])


def missing(scores: Sequence[Score], students: Iterable[str]) -> list[Score]:
    """Who of a class has no score of a sheet that others have: as a score of zero."""
    sheets = {score.sheet: score.max_points for score in scores}
    there = {(score.student, score.sheet) for score in scores}
    names = sorted({*students, *(score.student for score in scores)})
    return [
        Score(one, sheet, 0.0, most) for sheet, most in sheets.items() for one in names if (one, sheet) not in there
    ]


def scores_csv(scores: Sequence[Score]) -> str:
    """One row per student and sheet, with a header: what a gradebook has."""
    rows = [
        [harmless(one.student), one.sheet, words.points(one.points), words.points(one.max_points),
         "yes" if one.problem else "no", harmless(one.problem)]
        for one in scores
    ]  # fmt: skip
    return as_csv([["student", "sheet", "points", "max_points", "needs_person", "remarks"], *rows])


def moodle(scores: Sequence[Score], emails: Mapping[str, str]) -> tuple[str, list[str]]:
    """A file for Moodle's grade import, one row per e-mail address and one column per sheet; and what was left out."""
    sheets = [sheet for sheet in SHEETS if any(score.sheet == sheet for score in scores)]
    table: dict[str, dict[str, str]] = {}
    left_out = []
    for score in scores:
        email = emails.get(score.student, score.student if "@" in score.student else "")
        if not email:
            left_out.append(f"{score.student}: no e-mail address is known; give --people.")
        elif score.problem:
            left_out.append(f"{score.student}, {score.sheet}: {score.problem}")
        else:
            table.setdefault(email, {})[score.sheet] = words.points(score.points)
    rows = [[harmless(email), *(row.get(sheet, "") for sheet in sheets)] for email, row in table.items()]
    return as_csv([["Email address", *(SHEETS[sheet] for sheet in sheets)], *rows]), list(dict.fromkeys(left_out))


def harmless(text: str) -> str:
    """The text so that a spreadsheet does not take it for a formula: names of folders are chosen by students."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows as the text of a table with commas."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
