"""What people gave, over a notebook and over a class: points that they changed, and parts that they marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Row, and_, bindparam, select

from autograder.bridge.given import Given, Mark, Place, grades_of, same
from autograder.bridge.gradebook_reader import opened
from autograder.bridge.schemes import scheme_of
from autograder.exercise import SHEETS
from autograder.exercises import all_exercises
from autograder.grading.notebook import BadNotebook, read_notebook
from autograder.marking import Marks
from autograder.people.answers import answer, label
from autograder.records.requests import read_requests
from autograder.views.people import Changed, Part, Total
from autograder.views.requests import Request

MOST_TEXT = 20_000
"""So much of an answer is kept with a request."""

_GRADES = (
    select(SubmittedAssignment.student_id.label("student"), Notebook.name.label("exercise"), BaseCell.name,
           Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade, Grade.score, Grade.max_score)
    .join_from(SubmittedAssignment, Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    .join(Notebook, Notebook.assignment_id == Assignment.id)
    .join(SubmittedNotebook, and_(SubmittedNotebook.assignment_id == SubmittedAssignment.id,
                                  SubmittedNotebook.notebook_id == Notebook.id))
    .join(BaseCell, BaseCell.notebook_id == Notebook.id)
    .join(Grade, and_(Grade.notebook_id == SubmittedNotebook.id, Grade.cell_id == BaseCell.id))
    .where(Assignment.name == bindparam("sheet")).order_by("student", "exercise")
)  # fmt: skip
"""The grades of a sheet. Every join is by all columns of an index, or SQLite goes through those of the whole class."""


def points_and_answer(url: str, root: Path, marks: Marks, cell: str) -> tuple[Changed, str]:
    """What one cell has by machine and by a person, and what was marked: the words, or the student's own code."""
    place = Place(marks.sheet, marks.exercise, marks.student)
    path = root / "autograded" / marks.student / marks.sheet / f"{marks.exercise}.ipynb"
    machine = next((one for one in marks.questions if one.id == cell), None)
    found = Changed(marks.student, marks.sheet, marks.exercise, cell, machine.points if machine else None, None,
                    machine.max_points if machine else 0.0)  # fmt: skip
    if url:
        with opened(url) as book:
            try:
                grade = book.find_grade(cell, place.exercise, place.sheet, place.student)
                found = _of(grade, place, "", Given(book.db).last(place).get(cell))
            except MissingEntry:
                pass
    try:
        notebook = read_notebook(path)
    except BadNotebook:
        return found, ""
    own = [one for one in notebook.cells if one.cell_type == "code" and not label(one).get("locked")]
    cells = own if machine else answer(notebook, cell)
    return found, "\n\n".join(one.source for one in cells)[:MOST_TEXT]


def changed_in(book: Gradebook, place: Place, requests: Sequence[Request] = ()) -> list[Changed]:
    """The questions of one notebook whose points a person changed.

    nbgrader has no comments on questions that the machine marks: the reason is the last reply to a request about it.
    """
    try:
        notebook = book.find_submission_notebook(place.exercise, place.sheet, place.student)
    except MissingEntry:
        return []
    return _changed(book, place, grades_of(book.db, notebook), requests)


def _changed(
    book: Gradebook, place: Place, grades: Sequence[Grade | Row[Any]], requests: Sequence[Request]
) -> list[Changed]:
    other = [
        one for one in grades
        if one.auto_score is not None and one.manual_score is not None and not same(one.auto_score, one.manual_score)
    ]  # fmt: skip
    if not other:
        return []
    replies = {
        one.question: one.reply for one in requests
        if one.reply and (one.student, one.sheet, one.exercise) == (place.student, place.sheet, place.exercise)
    }  # fmt: skip
    last = Given(book.db).last(place)
    return [_of(one, place, replies.get(one.name, ""), last.get(one.name)) for one in other]


def _of(grade: Grade | Row[Any], place: Place, why: str, mark: Mark | None) -> Changed:
    return Changed(
        place.student, place.sheet, place.exercise, grade.name, grade.auto_score, grade.manual_score, grade.max_score,
        mark.comment if mark is not None and mark.comment else why, mark.by if mark is not None else "",
    )  # fmt: skip


def of_class(url: str, root: Path) -> tuple[list[Changed], list[Part], dict[tuple[str, str], Total]]:
    """All points that people changed, every part that they mark, and the sums of notebooks by student and exercise.

    Raises CourseError.
    """
    requests = read_requests(root)
    totals: dict[tuple[str, str], Total] = {}
    changed: list[Changed] = []
    parts: list[Part] = []
    with opened(url) as book:
        there = {assignment.name for assignment in book.assignments}
        for sheet in [one for one in SHEETS if one in there]:
            by_exercise: dict[str, list[Row[Any]]] = {}
            grades = book.db.execute(_GRADES, {"sheet": sheet})
            for (student, exercise), rows in groupby(grades, key=lambda row: (row.student, row.exercise)):
                mine = [*rows]
                changed += _changed(book, Place(sheet, exercise, student), mine, requests)
                totals[student, exercise] = Total(
                    sum(float(grade.score) for grade in mine), sum(float(grade.max_score) for grade in mine),
                    sum(bool(grade.needs_manual_grade) for grade in mine),
                )  # fmt: skip
                by_exercise.setdefault(exercise, []).extend(mine)
            last = {(mark.place, mark.cell): mark for mark in Given(book.db).marks(sheet=sheet)}
            for one in all_exercises():
                for part in one.written if one.sheet == sheet else ():
                    found = _part(by_exercise.get(one.name, ()), root, Place(sheet, one.name, ""), part.id, last)
                    if found is not None:
                        parts.append(replace(found, title=part.title, points=part.points))
    return changed, parts, totals


def _part(
    grades: Sequence[Row[Any]], root: Path, place: Place, part: str, last: dict[tuple[Place, str], Mark]
) -> Part | None:
    """One part over the class; None where the gradebook knows nothing of it."""
    graded: list[float] = []
    ticked: Counter[str] = Counter()
    waiting = by_boxes = 0
    for grade in grades:
        if grade.name != part:
            continue
        if grade.needs_manual_grade:
            waiting += 1
            continue
        graded.append(float(grade.score))
        mark = last.get((replace(place, student=grade.student), part))
        if mark is not None and mark.points is not None and mark.boxes:
            by_boxes += 1
            ticked.update({str(box["key"]) for box in mark.boxes})
    if not graded and not waiting:
        return None
    boxes = tuple((box.words, box.points, ticked[box.key]) for box in scheme_of(root, place.exercise, part).boxes)
    score = mean(graded) if graded else None
    return Part(place.exercise, part, "", 0.0, len(graded), waiting, score, by_boxes, boxes if by_boxes else ())
