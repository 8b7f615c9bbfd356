"""What one sheet costs does not depend on how large the class is."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from class_kit import NAME, SHEET, hand_in, make_course, solved
from sample_kit import sampled
from sqlalchemy import event
from sqlalchemy.engine import Engine
from test_batch import grade

from autograder.bridge.gradebook_writer import Writer
from autograder.grading import finding
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import find
from autograder.grading.journal import Journal

GROWING = ("grade", "comment", "student", "submitted_assignment", "submitted_notebook")
"""The tables of the gradebook that have rows for every student."""


@pytest.fixture(scope="module")
def released(tmp_path_factory, root):
    course = make_course(tmp_path_factory.mktemp("released") / "course", root)
    for number, student in enumerate(("ada", "bo", "cy")):
        hand_in(course, student, solved(root, loss=f"y = 0.8\nloss = {number}"))
    return course


@pytest.fixture
def course(released, tmp_path):
    return shutil.copytree(released, tmp_path / "course")


@pytest.fixture
def statements():
    """What is asked of the gradebook: every statement with its values."""
    found = {}

    def note(connection, cursor, statement, values, context, many):
        found[statement] = values[0] if many else values

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def scans(course, statements):
    """The statements that go through every row of a table that grows with the class."""
    found = []
    with sqlite3.connect(course / "gradebook.db") as db:
        for statement, values in statements.items():
            if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
                plan = [row[3].split() for row in db.execute(f"explain query plan {statement}", values)]
                found += [statement for words in plan if words[0] == "SCAN" and words[1] in GROWING]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("how", sampled(["new", "written again", "unchanged", "withdrawn"], "new", "withdrawn"))
def test_no_sheet_goes_through_the_rows_of_the_whole_class(course, how, statements):
    if how != "new":
        grade(course)
    if how == "written again":
        shutil.rmtree(course / "autograded")
    if how == "withdrawn":
        (course / "submitted" / "bo" / SHEET / f"{NAME}.ipynb").write_text("{")
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(1) as pool:
        statements.clear()  # opening a gradebook may look at all of it: once
        shared = Course(course, journal, writer, pool, journal.seed(7))
        done = list(grade_class(shared, find([course / "submitted"]), feedback=False))
    assert {one.how for one in done} - {"graded", "kept", "unchanged"} == ({"failed"} if how == "withdrawn" else set())
    assert statements
    assert scans(course, statements) == []


def test_each_folder_is_looked_at_once_however_many_students_there_are(tmp_path, monkeypatch):
    """Who handed nothing in was looked for among all submissions of the class, once for every folder."""
    settle, settled = finding._settled, []
    monkeypatch.setattr(finding, "_settled", lambda path: settled.append(path) or settle(path))

    def looks(students):
        folder = tmp_path / str(students) / "submitted"
        for number in range(students):
            path = folder / f"s{number}" / SHEET / f"{NAME}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text("{}")
        settled.clear()
        assert len(find([folder])) == students
        return len(settled)

    assert looks(60) < 3.5 * looks(20)
