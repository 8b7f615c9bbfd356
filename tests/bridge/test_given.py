"""Marks that people gave stay: whatever happens in whatever order, the sums are those of doing it once."""

import logging
import tempfile
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from autograder.bridge import given as marks
from autograder.bridge.handed_in import keep_given, withdraw
from autograder.bridge.preprocessors import SaveMarks
from autograder.environment import put_programs_on_path
from autograder.people.answers import digests

WHERE = {"student": "ada", "assignment": "ps1", "notebook": "p1"}
PLACE = marks.Place("ps1", "p1", "ada")
COURSES = count()


class Tenth(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.1 * score


@cache
def empty():
    """A gradebook that knows the sheet: nbgrader takes a second to make one."""
    put_programs_on_path()
    with tempfile.TemporaryDirectory() as folder, Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        book.add_student("ada")
        book.add_assignment("ps1")
        book.add_notebook("p1", "ps1")
        book.add_task_cell("why", "p1", "ps1", max_score=5, cell_type="markdown")
        book.add_grade_cell("loss", "p1", "ps1", max_score=10, cell_type="code")
        return Path(folder, "gradebook.db").read_bytes()


class Course:
    """One student's notebook with a part in words and a question, through the steps that nbgrader takes."""

    def __init__(self, folder):
        self.folder = folder / str(next(COURSES))
        self.folder.mkdir()
        self.url = f"sqlite:///{self.folder}/gradebook.db"
        self.autograded = self.folder / "autograded"
        self.config = Config()
        self.config.AssignLatePenalties.plugin_class = Tenth
        self.text, self.machine, self.most = "first", 4.0, {"why": 5.0, "loss": 10.0}
        self.by_text, self.late = {}, False
        (self.folder / "gradebook.db").write_bytes(empty())
        self.submit("first")
        self.grade()

    def notebook(self):
        about = {"schema_version": 3, "locked": True}
        task = {"grade_id": "why", "task": True, "grade": False, "solution": False, "points": 5}
        asked = {"grade_id": "loss", "task": False, "grade": True, "solution": False, "points": 10}
        result = new_output("execute_result", {"text/plain": str(self.machine)}, execution_count=1)
        return new_notebook(cells=[
            new_markdown_cell("Why?", metadata={"nbgrader": about | task}),
            new_markdown_cell(self.text),
            new_code_cell("mark()", metadata={"nbgrader": about | asked}, outputs=[result]),
        ])  # fmt: skip

    def submit(self, text):
        self.text = text

    def points(self, most):
        self.most["why"] = float(most)
        with Gradebook(self.url) as book:
            book.update_or_create_task_cell("why", "p1", "ps1", max_score=most, cell_type="markdown")

    def deadline(self, late):
        self.late = late
        with Gradebook(self.url) as book:
            book.update_or_create_assignment("ps1", duedate=datetime(2026, 1, 1 if late else 3))
            book.update_or_create_submission("ps1", "ada", timestamp=datetime(2026, 1, 2))

    def grade(self):
        keep_given(self.url, self.autograded / "ada" / "ps1")
        with Gradebook(self.url) as book:
            book.update_or_create_submission("ps1", "ada")
        withdraw(self.url, **WHERE)
        notebook, about = self.notebook(), {"nbgrader": WHERE | {"db_url": self.url}, "metadata": {"path": "."}}
        SaveMarks(config=self.config).preprocess(notebook, about)
        step = AssignLatePenalties(config=self.config, log=logging.Logger("silent", logging.CRITICAL))
        step.preprocess(notebook, about)
        path = self.autograded / "ada" / "ps1" / "p1.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        self.graded = self.text

    def on_the_page(self, points):
        found = marks.digests_in(self.autograded, PLACE)
        with Gradebook(self.url) as book:
            marks.give(book, marks.Mark(PLACE, "why", "mia", found["why"], points), self.config)
        self.by_text[self.graded] = points

    def in_formgrader(self, points):
        points = min(points, self.most["why"])
        with Gradebook(self.url) as book:
            grade = book.find_grade("why", "p1", "ps1", "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
            book.db.commit()
            marks.derive(book, self.config, self.autograded)
        self.by_text[self.graded] = points

    def found(self):
        with Gradebook(self.url) as book:
            marks.derive(book, self.config, self.autograded)
        with Gradebook(self.url) as book:
            notebook = book.find_submission_notebook("p1", "ps1", "ada")
            why = book.find_grade("why", "p1", "ps1", "ada")
            return why.needs_manual_grade, notebook.score, notebook.late_submission_penalty or 0.0

    def expected(self):
        given = self.by_text.get(self.text)
        score = self.machine + (0.0 if given is None else min(given, self.most["why"]))
        return given is None, score, 0.1 * score if self.late else 0.0


STEPS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(["first", "second"])),
    st.tuples(st.just("grade")),
    st.tuples(st.just("on_the_page"), st.sampled_from([0.0, 2.5, 5.0])),
    st.tuples(st.just("in_formgrader"), st.sampled_from([1.0, 4.0])),
    st.tuples(st.just("points"), st.sampled_from([3, 5, 6])),
    st.tuples(st.just("deadline"), st.booleans()),
)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=8))
def test_any_order_ends_in_the_sums_of_doing_it_once(tmp_path, steps):
    course = Course(tmp_path)
    for name, *arguments in steps:
        getattr(course, name)(*arguments)
    course.grade()
    assert course.found() == pytest.approx(course.expected())
    course.grade()
    assert course.found() == pytest.approx(course.expected())


@pytest.mark.slow
def test_a_mark_stays_and_its_penalty_follows(tmp_path):
    course = Course(tmp_path)
    course.deadline(True)
    course.grade()
    assert course.found() == pytest.approx((True, 4.0, 0.4))
    course.in_formgrader(4.0)
    course.points(3)
    assert course.found() == pytest.approx((False, 7.0, 0.7)), "no impossible sums"
    course.points(6)
    course.grade()
    assert course.found() == pytest.approx((False, 8.0, 0.8)), "and nothing lost by it"
    course.submit("second")
    course.grade()
    assert course.found() == pytest.approx((True, 4.0, 0.4)), "another answer waits, and its sum has no mark in it"
    course.submit("first  \n")
    course.grade()
    assert course.found() == pytest.approx((False, 8.0, 0.8)), "the answer that was marked is known again"


@pytest.mark.slow
def test_the_journal_says_who_gave_what_for_which_answer(tmp_path):
    course = Course(tmp_path)
    course.on_the_page(5.0)
    course.in_formgrader(4.0)
    course.grade()
    with Gradebook(course.url) as book:
        rows = marks.Given(book.db).marks(PLACE)
    assert [(row.by, row.points) for row in rows] == [("mia", 5.0), ("formgrader", 4.0)]
    assert {row.digest for row in rows} == {digests(course.notebook())["why"]}
