"""The sheets of an oral check: questions on one page, the examiner's answers on the next, and a table for results."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.exercise import SHEETS
from autograder.exercises import load
from autograder.views.feedback import environment
from autograder.views.scores import as_csv, harmless

LEVELS = ("easy", "medium", "hard")

COLUMNS = ("student", "sheet", "seed", "number", "exercise", "kind", "question", "answer", "result", "note")
"""The header of the table. The last two are the examiner's."""

FILLED = COLUMNS[-2:]


@dataclass(frozen=True)
class Asked:
    """One question. ``kind`` is what it is about, ``level`` runs from 1 to 3, ``exercise`` names the notebook.

    ``tables`` are numbers that are printed with it, each with its caption; ``code`` is a piece of the student's own:
    for every line its number, its text and whether it is the one that is asked about. ``key`` is the exact answer, and
    ``own`` what the student's own code says to it where that is something else. ``check`` holds the numbers that both
    were worked out from, so that it can be done again; it is not printed.
    """

    kind: str
    level: int
    exercise: str
    text: str
    key: str
    own: str = ""
    tables: tuple[tuple[str, Any], ...] = ()
    code: tuple[tuple[int, str, bool], ...] = ()
    check: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """The questions for one student. ``left_out`` says why there are fewer than were wanted."""

    student: str
    sheet: str
    seed: int
    level: int
    questions: tuple[Asked, ...]
    left_out: str = ""


def page(one: Sheet) -> str:
    """Two pages of A4 as one HTML file that loads nothing: questions, and answers for the examiner."""
    template = environment().get_template("viva.html.j2")
    titles = {asked.exercise: load(asked.exercise).title for asked in one.questions}
    return template.render(
        one=one, title=SHEETS.get(one.sheet, one.sheet), level=LEVELS[one.level - 1], titles=titles, rows=rows
    )


def rows(value: Any) -> list[list[str]]:
    """Numbers as rows, with four significant digits."""
    return [[short(entry) for entry in row] for row in np.atleast_2d(np.asarray(value, float)).tolist()]


def short(value: float) -> str:
    """A number with four significant digits.

    >>> short(-0.123456), short(2.0), short(-0.0)
    ('-0.1235', '2', '0')
    """
    return f"{value + 0.0:.4g}"


def table(sheets: Sequence[Sheet], before: str = "") -> str:
    """One row for every question, with what was noted in the table ``before``; rows of other students stay.

    Raises ValueError when a note would be lost: the question that it belongs to is not among these.
    """
    old = [row for row in csv.DictReader(io.StringIO(before)) if set(COLUMNS) <= row.keys()]
    mine = {harmless(one.student) for one in sheets}
    noted = {_about(row): [row[name] for name in FILLED] for row in old if any(row[name] for name in FILLED)}
    found = [[*_about(row), *(row[name] for name in FILLED)] for row in old if row["student"] not in mine]
    for row in found:
        noted.pop(tuple(row[:-2]), None)
    for one in sheets:
        for number, asked in enumerate(one.questions, 1):
            what = (
                one.student,
                one.sheet,
                str(one.seed),
                str(number),
                asked.exercise,
                asked.kind,
                asked.text,
                asked.key,
            )
            row = [harmless(text) for text in what]
            found.append([*row, *noted.pop(tuple(row), ["", ""])])
    if noted:
        raise ValueError(f"{len(noted)} results are noted for other questions")
    return as_csv([COLUMNS, *sorted(found, key=lambda row: row[0])])


def _about(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in COLUMNS[:-2])
