"""The times of handing in, from nbgrader's gradebook."""

from __future__ import annotations

from pathlib import Path

from autograder.course import CourseError
from autograder.exercise import SHEETS
from autograder.views.hand_ins import HandIn


def default_gradebook(root: Path) -> str:
    """The URL of the gradebook in the course's folder; empty when there is none yet."""
    path = root.resolve() / "gradebook.db"
    return f"sqlite:///{path}" if path.is_file() else ""


def hand_ins(url: str) -> list[HandIn]:
    """Every hand-in that a gradebook knows, in the order of the course. Raises CourseError when it cannot be read."""
    # nbgrader and SQLAlchemy take two seconds to import
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise CourseError(f"there is no gradebook {url}: nbgrader makes it when it grades.")
    found = []
    try:
        with Gradebook(url) as book:
            for assignment in book.assignments:
                found += [
                    HandIn(one.student.id, assignment.name, one.timestamp, assignment.duedate)
                    for one in book.assignment_submissions(assignment.name)
                ]
    except SQLAlchemyError as problem:
        raise CourseError(f"the gradebook {url} cannot be read: {problem}") from None
    order = {sheet: number for number, sheet in enumerate(SHEETS)}
    return sorted(found, key=lambda one: (order.get(one.sheet, len(order)), one.sheet, one.student))
