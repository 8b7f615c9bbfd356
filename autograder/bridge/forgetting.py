"""A student's rows in nbgrader's gradebook and in ours beside them, and what lies in the exchange."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.bridge.given import forget_given
from autograder.bridge.gradebook_reader import opened
from autograder.records.people import Person, folded

if TYPE_CHECKING:
    from traitlets.config import Config


def people_of(url: str) -> list[Person]:
    """The class as a gradebook knows it. Raises CourseError."""
    with opened(url) as book:
        return [
            Person(
                one.id, one.email or "", f"{one.first_name or ''} {one.last_name or ''}".strip(),
                names=frozenset(folded(name) for name in (one.id, one.email, one.lms_user_id) if name),
            )
            for one in book.students
        ]  # fmt: skip


def in_gradebook(url: str, student: str, *, really: bool) -> Iterator[str]:
    """Take a student out of a gradebook, and the space that the rows took; says what that is. Raises CourseError."""
    from sqlalchemy import text

    with opened(url) as book:
        given = forget_given(book.db, student, really=really)
        known = any(one.id == student for one in book.students)
        sheets = [one.assignment.name for one in book.student_submissions(student)] if known else []
        if really:
            for sheet in sheets:
                book.remove_submission(sheet, student)
            if known:
                book.remove_student(student)
            book.db.commit()
            if book.engine.dialect.name == "sqlite" and (known or given):
                with book.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("vacuum"))
        if known:
            yield f"gradebook: the student, with {', '.join(sheets) or 'no sheet'}"
        if given:
            yield f"gradebook: {given} marks that people gave"


def in_exchange(config: Config, student: str, *, really: bool) -> Iterator[str]:
    """Take a student's submissions and feedback out of nbgrader's exchange; says what that is, and what was refused."""
    if "root" not in config.Exchange:
        return
    from nbgrader.utils import notebook_hash

    course = Path(config.Exchange.root, str(config.CourseDirectory.course_id))
    for folder in sorted((course / "inbound").glob(f"{student}+*")):
        _, sheet, *_ = folder.name.split("+")
        try:
            secret = (folder / "submission_secret.txt").read_text()
        except OSError:
            secret = ""
        pages = [course / "feedback" / sheet / f"{notebook_hash(secret=secret, notebook_id=one.stem)}.html"
                 for one in folder.glob("*.ipynb") if secret]  # fmt: skip
        told = f"exchange: {folder.name}"
        if really:
            try:
                for page in pages:
                    page.unlink(missing_ok=True)
                shutil.rmtree(folder)
            except OSError as problem:
                told += f" (could not be removed: {problem.strerror}; its owner or root can)"
        yield told
