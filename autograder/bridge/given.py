"""What people gave, kept in the gradebook beside nbgrader's tables: a mark stays as long as its answer is the same.

nbgrader keeps one number per cell and lets it wait again after every run. Here every mark that a person gives is a row:
who, when, which boxes, and the digest of the answer that it was given for. From these rows nbgrader's number follows,
in the same transaction: the last mark that was given for the answer that is there now, at most the part's points.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import BaseCell, Grade, Gradebook, MissingEntry, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import Column, Connection, Float, Integer, MetaData, RowMapping, String, Table, Text, inspect, select
from sqlalchemy.orm import Session, undefer
from traitlets.config import Config

from autograder.bridge.late import extend
from autograder.bridge.settings import root_of
from autograder.grading.notebook import BadNotebook, read_notebook
from autograder.people.answers import digests

_SILENT = logging.Logger("autograder.derived", logging.CRITICAL)
"""nbgrader tells of a penalty whenever it works one out; we only look what is due."""

ELSEWHERE = "formgrader"
"""Who gave a mark that was found in the gradebook."""

_TABLE = Table(
    "autograder_given",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=True),
    *(Column(name, String(128), nullable=False) for name in ("sheet", "exercise", "student", "cell")),
    Column("at", String(40), nullable=False),
    Column("by", String(128), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("points", Float),
    Column("applied", Float),
    Column("second", Integer, nullable=False, default=0),
    Column("boxes", Text, nullable=False, default="[]"),
    Column("comment", Text, nullable=False, default=""),
)


@dataclass(frozen=True)
class Place:
    """One notebook of one student."""

    sheet: str
    exercise: str
    student: str


@dataclass(frozen=True)
class Mark:
    """One mark that a person gave, or took back (``points`` None), for the answer with this digest.

    ``applied`` is what the gradebook got of it: no more than the part's points. ``boxes`` are the ticked lines of the
    scheme, as they were worded and worth then. ``id`` counts all marks of a gradebook.
    """

    place: Place
    cell: str
    by: str
    digest: str
    points: float | None
    applied: float | None = None
    boxes: tuple[Mapping[str, Any], ...] = ()
    comment: str = ""
    second: bool = False
    at: str = ""
    id: int = 0


@dataclass
class Given:
    """The marks of one gradebook's open session."""

    db: Session
    _there: bool = field(default=False, init=False)

    def marks(self, place: Place | None = None, *, sheet: str = "", second: bool = False) -> list[Mark]:
        """What was given, oldest first: for one notebook, for one sheet, or at all."""
        if not self._is_there():
            return []
        wanted = select(_TABLE).where(_TABLE.c.second == int(second)).order_by(_TABLE.c.id)
        if place is not None:
            for name in ("sheet", "exercise", "student"):
                wanted = wanted.where(_TABLE.c[name] == getattr(place, name))
        if sheet:
            wanted = wanted.where(_TABLE.c.sheet == sheet)
        return [_mark(row) for row in self.db.execute(wanted).mappings()]

    def last(self, place: Place) -> dict[str, Mark]:
        """The last mark of every cell of a notebook, whatever answer it was given for."""
        return {mark.cell: mark for mark in self.marks(place)}

    def add(self, mark: Mark) -> int:
        """Write a mark; it counts with the next commit. Returns its number."""
        if not self._is_there():
            _TABLE.create(self.db.connection(), checkfirst=True)
            self._there = True
        values = {
            "sheet": mark.place.sheet, "exercise": mark.place.exercise, "student": mark.place.student,
            "cell": mark.cell, "at": mark.at or datetime.now(UTC).isoformat(timespec="seconds"), "by": mark.by,
            "digest": mark.digest, "points": mark.points, "applied": mark.applied, "second": int(mark.second),
            "boxes": json.dumps([dict(box) for box in mark.boxes]), "comment": mark.comment,
        }  # fmt: skip
        done = self.db.execute(_TABLE.insert().returning(_TABLE.c.id).values(**values))
        return int(done.scalar_one())

    def applied(self, mark: Mark, points: float | None) -> None:
        """Note what the gradebook has of a mark now."""
        self.db.execute(_TABLE.update().where(_TABLE.c.id == mark.id).values(applied=points))

    def _is_there(self) -> bool:
        self._there = self._there or inspect(self.db.connection()).has_table(_TABLE.name)
        return self._there


def _mark(row: RowMapping) -> Mark:
    place = Place(row["sheet"], row["exercise"], row["student"])
    return Mark(
        place, row["cell"], row["by"], row["digest"], row["points"], row["applied"], tuple(json.loads(row["boxes"])),
        row["comment"], bool(row["second"]), row["at"], row["id"],
    )  # fmt: skip


def known_to(connection: Connection, student: str, sheet: str) -> bool:
    """Whether people gave this student any mark for a sheet, whatever became of it."""
    if not inspect(connection).has_table(_TABLE.name):
        return False
    wanted = select(_TABLE.c.id).where(_TABLE.c.student == student, _TABLE.c.sheet == sheet).limit(1)
    return connection.execute(wanted).first() is not None


def known_sheets(connection: Connection) -> set[tuple[str, str]]:
    """The sheets, and whose, for which people gave any mark."""
    if not inspect(connection).has_table(_TABLE.name):
        return set()
    return {(row.sheet, row.student) for row in connection.execute(select(_TABLE.c.sheet, _TABLE.c.student).distinct())}


def forget_given(db: Session, student: str, *, really: bool) -> int:
    """Take away what people gave a student; how many marks that are. Commits with the rest."""
    if not inspect(db.connection()).has_table(_TABLE.name):
        return 0
    mine = _TABLE.c.student == student
    count = len(db.execute(select(_TABLE.c.id).where(mine)).all())
    if really:
        db.execute(_TABLE.delete().where(mine))
    return count


def capped(points: float, most: float) -> float:
    """No more than the part's points, also when these have become fewer since."""
    return min(points, most)


def grades_of(db: Session, notebook: SubmittedNotebook) -> list[Grade]:
    """The grades of a notebook; ``notebook.grades`` goes through those of the whole class."""
    cells = select(BaseCell.id).where(BaseCell.notebook_id == notebook.notebook_id)
    grades = db.query(Grade).options(undefer(Grade.max_score))  # or each is asked for alone
    return list(grades.filter(Grade.notebook_id == notebook.id, Grade.cell_id.in_(cells)))


def remember(gradebook: Gradebook, place: Place, autograded: Path) -> None:
    """Take marks that were given elsewhere, as in formgrader, into the rows. Does not commit.

    ``autograded`` is the folder with the notebooks that were marked: their answers are those that marks were given for.
    """
    try:
        notebook = gradebook.find_submission_notebook(place.exercise, place.sheet, place.student)
    except MissingEntry:
        return
    given = Given(gradebook.db)
    last = given.last(place)
    grades = [one for one in grades_of(gradebook.db, notebook) if not one.needs_manual_grade]
    grades = [one for one in grades if one.manual_score is not None or one.name in last]
    found = digests_in(autograded, place) if grades else {}
    for grade in grades:
        mark, name = last.get(grade.name), grade.name
        if name not in found:
            continue
        known = mark is not None and mark.digest == found[name] and same(mark.applied, grade.manual_score)
        if not known and (grade.manual_score is not None or (mark is not None and mark.points is not None)):
            points = grade.manual_score  # None: a person has given the question back to the machine
            given.add(Mark(place, name, ELSEWHERE, found[name], points, points))


def settle(gradebook: Gradebook, grade: Grade, marks: Iterable[Mark], digest: str) -> None:
    """Let a grade say what people gave for the answer that is there now, or wait for a person. Does not commit.

    ``marks`` are those of the notebook, oldest first. A mark of another answer is kept in the rows, and counts again
    when that answer does.
    """
    own = [mark for mark in marks if mark.cell == grade.name]
    fitting = [mark for mark in own if mark.digest == digest]
    if fitting and fitting[-1].points is not None:
        _apply(Given(gradebook.db), grade, fitting[-1])
    elif own and same(own[-1].applied, grade.manual_score):
        grade.manual_score = None
        grade.needs_manual_grade = grade.auto_score is None or (not fitting and own[-1].points is not None)


def _apply(given: Given, grade: Grade, mark: Mark) -> None:
    assert mark.points is not None
    points = capped(mark.points, grade.max_score)
    grade.manual_score, grade.needs_manual_grade = points, False
    if not same(mark.applied, points):
        given.applied(mark, points)


def give(gradebook: Gradebook, mark: Mark, config: Config, *, commit: bool = True) -> int:
    """Write a mark with all that follows from it: points, comment and late penalty. Commits once, if it shall."""
    place = mark.place
    grade = gradebook.find_grade(mark.cell, place.exercise, place.sheet, place.student)
    applied = None if mark.points is None else capped(mark.points, grade.max_score)
    number = Given(gradebook.db).add(Mark(**{**vars(mark), "applied": applied}))
    grade.manual_score = applied
    grade.needs_manual_grade = applied is None
    comment = gradebook.find_comment(mark.cell, place.exercise, place.sheet, place.student)
    comment.manual_comment = mark.comment or None
    gradebook.db.flush()
    gradebook.db.expire_all()
    penalise(gradebook, gradebook.find_submission_notebook(place.exercise, place.sheet, place.student), config)
    if commit:
        gradebook.db.commit()
    return number


def penalise(gradebook: Gradebook, notebook: SubmittedNotebook, config: Config) -> None:
    """Let a notebook's late penalty follow from its points, by the course's own plugin. Does not commit."""
    step = AssignLatePenalties(config=config, log=_SILENT)
    late, due = notebook.assignment.total_seconds_late, None
    if late > 0:
        step.init_plugin()
        said = step.plugin_inst.late_submission_penalty(notebook.student.id, notebook.score, late)
        due = None if said is None else step._check_late_penalty(notebook, said)
    if not same(notebook.late_submission_penalty, due):
        notebook.late_submission_penalty = due


def derive(
    gradebook: Gradebook, config: Config, autograded: Path, sheet: str = "", student: str = "", *,
    extending: bool = True,
) -> None:  # fmt: skip
    """Let everything that follows from marks follow: what was given elsewhere is remembered, points are capped, and
    penalties are those of the points and of the time there are. Commits when something changed. Raises BadTable.

    ``autograded`` is the folder with the notebooks that were marked. Without ``extending``, who has more time was
    looked up before, for the whole class.
    """
    if extending:
        extend(gradebook, config, root_of(config))
    given = Given(gradebook.db)
    for assignment in gradebook.assignments:
        if sheet and assignment.name != sheet:
            continue
        for submission in gradebook.assignment_submissions(assignment.name):
            if student and submission.student.id != student:
                continue
            for notebook in submission.notebooks:
                place = Place(assignment.name, notebook.name, submission.student.id)
                grades = [one for one in grades_of(gradebook.db, notebook) if not one.needs_manual_grade]
                last = given.last(place)
                if any(_differs(last.get(one.name), one) for one in grades):
                    remember(gradebook, place, autograded)
                    last = given.last(place)
                for grade in grades:
                    mark = last.get(grade.name)
                    if mark is not None and mark.points is not None and same(mark.applied, grade.manual_score):
                        _apply(given, grade, mark)
                    elif grade.manual_score is not None:
                        grade.manual_score = capped(grade.manual_score, grade.max_score)
                gradebook.db.flush()
                gradebook.db.refresh(notebook)
                penalise(gradebook, notebook, config)
    gradebook.db.commit()


def digests_in(autograded: Path, place: Place) -> dict[str, str]:
    """The digests of the answers in a notebook that was marked; none when it cannot be read."""
    path = autograded / place.student / place.sheet / f"{place.exercise}.ipynb"
    try:
        return digests(read_notebook(path))
    except BadNotebook:
        return {}


def _differs(mark: Mark | None, grade: Grade) -> bool:
    return not same(mark.applied if mark is not None else None, grade.manual_score)


def same(one: float | None, other: float | None) -> bool:
    """Whether two marks are the same number, or both are not there."""
    return one is other or (one is not None and other is not None and abs(one - other) < 1e-9)
