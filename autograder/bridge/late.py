"""Late work: what it costs, and who has more time.

The rule is a setting, ``c.LatePolicy`` in nbgrader_config.py. Who has more time stands in ``extensions.csv`` in the
course's folder; it becomes nbgrader's own extension of a submission, so that all of nbgrader sees the later deadline.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float, Integer
from traitlets.config import Config

from autograder import times
from autograder.records.people import EXTENSIONS, BadTable, read_file, rows_of

DAY = 86400.0


class LatePolicy(LateSubmissionPlugin):
    """A share of the points that were earned, for every day that has begun."""

    per_day = Float(0.0, min=0.0, max=1.0, help="The share of the points that a day costs.").tag(config=True)
    at_most = Float(1.0, min=0.0, max=1.0, help="The share that being late costs at most.").tag(config=True)
    grace_minutes = Float(0.0, min=0.0, help="So many minutes after the deadline are not late.").tag(config=True)
    grace_days = Integer(0, min=0, help="Days that every student may be late in all, over the course.").tag(config=True)
    closes_after = Float(math.inf, min=0.0, help="After so many days a hand-in has no points.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """The points that are taken off a notebook with ``score`` points; None where nothing is.

        min(at_most, per_day x days) x score, with the days that have begun; score after ``closes_after`` days, or as
        soon as it is late where nbgrader's own ``penalty_method`` is ``"zero"``.
        """
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        if self.penalty_method == "zero" or total_seconds_late > DAY * self.closes_after:
            return score
        share = min(self.at_most, self.per_day * math.ceil(total_seconds_late / DAY))
        return share * score if share else None


@dataclass(frozen=True)
class Extensions:
    """What a class's table gives: a later deadline or more time per student and sheet, and days of grace."""

    given: Mapping[tuple[str, str], datetime | timedelta] = field(default_factory=dict)
    grace: Mapping[str, int] = field(default_factory=dict)


def read_extensions(path: Path, sheets: Iterable[str]) -> Extensions:
    """Read the table: columns ``id``, ``sheet``, ``days`` and ``until``; none where there is no file.

    A row gives a student more time for a sheet: ``days`` after the deadline, or ``until`` a time with its zone. A row
    without a sheet says how many days of grace the student has over the course. Raises BadTable, with the line.
    """
    if not path.is_file():
        return Extensions()
    try:
        rows = rows_of(read_file(path)[0])
    except csv.Error as error:
        raise BadTable(f"{path} cannot be read: {error}") from None
    known = [*sheets]
    given: dict[tuple[str, str], datetime | timedelta] = {}
    grace: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        student, sheet, days, until = (row.get(name, "") for name in ("id", "sheet", "days", "until"))
        try:
            if not student:
                raise ValueError("a student's id is missing")
            if bool(days) == bool(until):
                raise ValueError("either days or until has to be filled in")
            if sheet and sheet not in known:
                raise ValueError(f"there is no sheet {sheet!r}, but {', '.join(known)}")
            if (sheet and (student, sheet) in given) or (not sheet and student in grace):
                raise ValueError(f"{student} has a row for this already")
            if until and not sheet:
                raise ValueError("days of grace are a number of days, and until belongs to a sheet")
            if until:
                given[student, sheet] = times.utc(until)
            elif sheet:
                given[student, sheet] = timedelta(days=_number(days))
            elif _number(days) == int(_number(days)):
                grace[student] = int(_number(days))
            else:
                raise ValueError("days of grace are whole days")
        except ValueError as problem:
            raise BadTable(f"{path.name}, line {number}: {problem}") from None
    return Extensions(given, grace)


def _number(text: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not 0 <= number < 1000:
        raise ValueError(f"{text!r} is no number of days")
    return number


def extend(gradebook: Gradebook, config: Config, root: Path) -> None:
    """Give every submission its extension, and spend days of grace. Raises BadTable. Does not commit.

    Days of grace are whole days. They are spent in the order of the deadlines, each where they suffice to make a
    sheet be in time; students are not asked.
    """
    policy = LatePolicy(config=config)
    path = root / EXTENSIONS
    if not path.is_file() and not policy.grace_days:
        return  # what nbgrader's own grant_extension gave stays
    table = read_extensions(path, [one.name for one in gradebook.assignments])
    submissions = [
        one for sheet in gradebook.assignments if sheet.duedate for one in gradebook.assignment_submissions(sheet.name)
    ]
    submissions.sort(key=lambda one: (one.student.id, one.assignment.duedate))
    for student, mine in groupby(submissions, key=lambda one: one.student.id):
        left = table.grace.get(student, policy.grace_days)
        for one in mine:
            more = _given(one, table)
            late = _late(one, more)
            if late > 60 * policy.grace_minutes and (needed := math.ceil(late / DAY)) <= left:
                more, left = (more or timedelta()) + timedelta(days=needed), left - needed
            if one.extension != more:
                one.extension = more


def _given(one: SubmittedAssignment, table: Extensions) -> timedelta | None:
    found = table.given.get((one.student.id, one.assignment.name))
    if isinstance(found, datetime):
        return max(found - _plain(one.assignment.duedate), timedelta())
    return found


def _late(one: SubmittedAssignment, more: timedelta | None) -> float:
    if one.timestamp is None:
        return 0.0
    return (_plain(one.timestamp) - _plain(one.assignment.duedate) - (more or timedelta())).total_seconds()


def _plain(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
