"""What nbgrader's gradebook says of a class: scores, e-mail addresses and the times of handing in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS
from autograder.views.hand_ins import HandIn
from autograder.views.roster import Standing
from autograder.views.scores import Score

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from traitlets.config import Config


def default_gradebook(root: Path) -> str:
    """The URL of the gradebook in the course's folder; empty when there is none yet."""
    path = root.resolve() / "gradebook.db"
    return f"sqlite:///{path}" if path.is_file() else ""


@contextmanager
def opened(url: str) -> Iterator[Gradebook]:
    """A gradebook that is there already; nbgrader itself would make one. Raises CourseError when it cannot be read."""
    # nbgrader and SQLAlchemy take two seconds to import
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise CourseError(f"there is no gradebook {url}, so it cannot be read: nbgrader makes it when it grades.")
    try:
        with Gradebook(url) as book:
            yield book
    except SQLAlchemyError as problem:
        raise CourseError(f"the gradebook {url} cannot be read: {problem}") from None


def hand_ins(url: str) -> list[HandIn]:
    """Every hand-in that a gradebook knows, in the order of the course. Raises CourseError."""
    with opened(url) as book:
        found = [
            HandIn(one.student_id, assignment.name, one.timestamp, assignment.duedate)
            for assignment in book.assignments
            for one in book.assignment_submissions(assignment.name)
        ]
    order = {sheet: number for number, sheet in enumerate(SHEETS)}
    return sorted(found, key=lambda one: (order.get(one.sheet, len(order)), one.sheet, one.student))


def students(url: str) -> list[str]:
    """Everyone whom a gradebook knows, also who has handed in nothing. Raises CourseError."""
    with opened(url) as book:
        return [student.id for student in book.students]


def scores_and_emails(url: str) -> tuple[list[Score], dict[str, str]]:
    """Scores as the gradebook has them, with written parts and late penalties, and e-mail addresses by student.

    A sheet that still waits for a person has a problem. In the course's own folder penalties and points are those that
    follow from its settings now. Raises CourseError.
    """
    scores = []
    with _derived(url) as book:
        for assignment in book.assignments:
            for submission in book.assignment_submissions(assignment.name):
                points = max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
                problem = "a person still has to mark a part." if submission.needs_manual_grade else ""
                scores.append(Score(submission.student.id, assignment.name, points, assignment.max_score, problem))
        return scores, {student.id: student.email for student in book.students if student.email}


def standings(url: str, returned: Mapping[tuple[str, str], str]) -> tuple[list[str], list[Standing]]:
    """The sheets that a gradebook knows, and where everyone stands who is in it. Raises CourseError.

    ``returned`` says when a page went back, by student and sheet.
    """
    found = []
    with _derived(url) as book:
        for assignment in book.assignments:
            for one in book.assignment_submissions(assignment.name):
                who, penalty = one.student.id, one.late_submission_penalty or 0.0
                waits = sum(grade.needs_manual_grade for notebook in one.notebooks for grade in notebook.grades)
                found.append(
                    Standing(
                        who, assignment.name, handed_in=True, at=one.timestamp, due=one.duedate, waits=waits,
                        earned=max(0.0, one.score - penalty), most=assignment.max_score, penalty=penalty,
                        extended=bool(one.extension), returned=returned.get((who, assignment.name), ""),
                    )
                )  # fmt: skip
        return [one.name for one in book.assignments], found


@contextmanager
def _derived(url: str) -> Iterator[Gradebook]:
    """A gradebook with what follows from the course's settings now, where it is that of the course we are in."""
    config = _settings(url)
    with opened(url) as book:
        if config is not None:
            from autograder.bridge.given import derive
            from autograder.bridge.settings import autograded_of

            derive(book, config, autograded_of(config))
        yield book


def _settings(url: str) -> Config | None:
    """The configuration of the course whose gradebook this is, when the working directory is in that course."""
    from autograder.bridge.settings import course_config, database_of

    try:
        config = course_config(find_root())
    except CourseError:
        return None
    own, named = (one.removeprefix("sqlite:///") for one in (database_of(config), url))
    same = own == named or ("://" not in own + named and Path(own).resolve() == Path(named).resolve())
    return config if same else None
