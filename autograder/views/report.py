"""The class report: one HTML file about all marks of a class, with names or without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

import numpy as np

from autograder.exercises import NAMES, load
from autograder.marking import LineMark, Marks, QuestionMark
from autograder.views.cell import matrix
from autograder.views.clusters import Cluster, Spot, clusters, spots
from autograder.views.feedback import environment
from autograder.views.hand_ins import HandIn, in_words, sheet_times
from autograder.views.people import Changed, Part, Total
from autograder.views.places import short, where

BINS = 10
"""Bars of a distribution: each is a tenth of the points."""

FEWEST = 5
"""Fewest notebooks for which a discrimination is worth printing."""


@dataclass(frozen=True)
class QuestionReport:
    """One question over a class.

    ``difficulty`` is the mean share of its points that was earned: 1 is easy. ``discrimination`` is the correlation of
    its points with those of the other questions of the notebook, or None when it cannot be told.
    ``bins`` counts notebooks by tenths of the points; ``statuses`` counts them by status.
    """

    id: str
    title: str
    max_points: float
    difficulty: float
    discrimination: float | None
    bins: tuple[int, ...]
    statuses: Mapping[str, int]


@dataclass(frozen=True)
class ExerciseReport:
    """One exercise over a class; what could not be graded is counted apart and never as zero."""

    name: str
    title: str
    max_points: float
    graded: int
    mean: float
    median: float
    bins: tuple[int, ...]
    questions: tuple[QuestionReport, ...]
    seconds: float


@dataclass(frozen=True)
class Common:
    """One named mistake: how many students made it, where, and one sample."""

    id: str
    students: int
    exercise: str
    question: str
    sample: LineMark


def exercise_reports(all_marks: Sequence[Marks]) -> list[ExerciseReport]:
    """One report per exercise that was handed in, in the order of the course."""
    found = []
    for name in NAMES:
        graded = [marks for marks in all_marks if marks.exercise == name and not marks.error]
        if graded:
            points = [marks.points for marks in graded]
            best = graded[0].max_points
            asked = {question.id: question for marks in graded for question in marks.questions}
            found.append(
                ExerciseReport(
                    name,
                    load(name).title,
                    best,
                    len(graded),
                    mean(points),
                    median(points),
                    _bins(points, best),
                    tuple(_question(graded, question) for question in asked.values()),
                    median(marks.seconds for marks in graded),
                )
            )
    return found


def _question(graded: Sequence[Marks], first: QuestionMark) -> QuestionReport:
    """Of the students who were asked it: one that came to the course later is not in earlier records."""
    asked = [(marks, mark) for marks in graded for mark in marks.questions if mark.id == first.id]
    usable = [(marks, mark) for marks, mark in asked if mark.status != "grader_error"]
    points = [mark.points for _, mark in usable]
    rest = [marks.points - mark.points for marks, mark in usable]
    return QuestionReport(
        first.id,
        first.title,
        first.max_points,
        mean(points) / first.max_points if points and first.max_points else 0.0,
        discrimination(points, rest),
        _bins(points, first.max_points),
        Counter(mark.status for _, mark in asked),
    )


def discrimination(points: Sequence[float], rest: Sequence[float]) -> float | None:
    """The correlation of a question's points with the rest of the notebook's; None when one of them never varies."""
    if len(points) < FEWEST or np.ptp(points) == 0 or np.ptp(rest) == 0:
        return None
    return float(np.corrcoef(points, rest)[0, 1])


def _bins(points: Sequence[float], best: float) -> tuple[int, ...]:
    counts = [0] * BINS
    for value in points:
        counts[min(int(BINS * value / best), BINS - 1) if best else 0] += 1
    return tuple(counts)


def common_mistakes(all_marks: Sequence[Marks]) -> list[Common]:
    """Every named mistake with the number of students who made it, the most common first."""
    who: dict[str, set[str]] = {}
    sample: dict[str, tuple[str, str, LineMark]] = {}
    for marks in all_marks:
        for question in marks.questions:
            for line in question.lines:
                for mistake in line.mistakes:
                    who.setdefault(mistake, set()).add(marks.student)
                    sample.setdefault(mistake, (marks.exercise, question.title, line))
    found = [Common(mistake, len(students), *sample[mistake]) for mistake, students in who.items()]
    return sorted(found, key=lambda one: (-one.students, one.id))


def trouble(all_marks: Sequence[Marks]) -> list[tuple[Marks, str, str]]:
    """What needs a person: marks, the question or empty for the whole notebook, and the reason."""
    whole = [(marks, "", marks.error) for marks in all_marks if marks.error]
    return whole + [
        (marks, question.title, question.message)
        for marks in all_marks
        for question in marks.questions
        if question.status == "grader_error"
    ]


def class_report(
    all_marks: Sequence[Marks],
    *,
    names: bool = True,
    hints: Mapping[str, str] = {},
    hand_ins: Sequence[HandIn] = (),
    changed: Sequence[Changed] = (),
    parts: Sequence[Part] = (),
    totals: Mapping[tuple[str, str], Total] = {},
    title: str = "Class report",
) -> str:
    """The report as an HTML page. Without ``names`` no student can be told from it.

    ``totals`` are the gradebook's sums by student and exercise, with what people gave; without one, a notebook has what
    the machine gave.
    """
    students = sorted({marks.student for marks in all_marks})
    exercises = exercise_reports(all_marks)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            students=students,
            names=names,
            notebooks=len(all_marks),
            exercises=exercises,
            table=_table(all_marks, students, exercises, totals) if names else [],
            whole=_whole(all_marks, totals),
            failed={(marks.student, marks.exercise) for marks in all_marks if marks.error},
            mistakes=common_mistakes(all_marks),
            spots=spots(all_marks),
            where=where,
            short=short,
            clusters=clusters(all_marks),
            singles=sum(len(one.students) == 1 for one in clusters(all_marks, least=1)),
            hints=hints,
            trouble=trouble(all_marks),
            matrix=matrix,
            titles={one.name: one.title for one in exercises},
            question_title=_question_title,
            seconds=sum(marks.seconds for marks in all_marks),
            times=sheet_times(hand_ins),
            changed=changed,
            parts=parts,
            title_of=_title_of,
            ahead=in_words,
        )
    )


def _table(
    all_marks: Sequence[Marks],
    students: Sequence[str],
    exercises: Sequence[ExerciseReport],
    totals: Mapping[tuple[str, str], Total],
) -> list[tuple[str, list[Total | None], Total]]:
    """Each student with the sums of all exercises, None where nothing could be graded, and the sum of those."""
    by = {(marks.student, marks.exercise): _total(marks, totals) for marks in all_marks if not marks.error}
    rows = []
    for student in students:
        row = [by.get((student, exercise.name)) for exercise in exercises]
        there = [one for one in row if one is not None]
        points, most = sum(one.points for one in there), sum(one.most for one in there)
        rows.append((student, row, Total(points, most, sum(one.waiting for one in there))))
    return rows


def _whole(all_marks: Sequence[Marks], totals: Mapping[tuple[str, str], Total]) -> dict[str, list[Total]]:
    """For every exercise the notebooks in which people mark something."""
    found: dict[str, list[Total]] = {}
    for marks in all_marks:
        total = _total(marks, totals)
        if not marks.error and total.most > marks.max_points:
            found.setdefault(marks.exercise, []).append(total)
    return found


def _total(marks: Marks, totals: Mapping[tuple[str, str], Total]) -> Total:
    return totals.get((marks.student, marks.exercise)) or Total(marks.points, marks.max_points, 0)


def _question_title(cluster: Cluster | Spot) -> str:
    return _title_of(cluster.exercise, cluster.question)


def _title_of(exercise: str, question: str) -> str:
    """The title of a question; the id of one that the course does not have any more."""
    questions = load(exercise).questions if exercise in NAMES else ()
    return next((one.title for one in questions if one.id == question), question)
