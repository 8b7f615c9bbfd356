"""What late work costs, and who has more time."""

import math
from datetime import datetime, timedelta

import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from autograder.bridge.given import derive
from autograder.bridge.late import LatePolicy, read_extensions
from autograder.environment import put_programs_on_path
from autograder.records.people import EXTENSIONS, BadTable

SHEETS = {"foundations": datetime(2026, 3, 1), "training": datetime(2026, 2, 1)}


def policy(**settings):
    return LatePolicy(config=Config({"LatePolicy": settings}))


@pytest.mark.parametrize(
    ("settings", "days", "share"),
    [
        ({}, 5, None),
        ({"per_day": 0.1}, 0.01, 0.1),
        ({"per_day": 0.1}, 1, 0.1),
        ({"per_day": 0.1}, 1.5, 0.2),
        ({"per_day": 0.1}, 30, 1.0),
        ({"per_day": 0.1, "at_most": 0.5}, 30, 0.5),
        ({"per_day": 0.1, "grace_minutes": 10}, 10 / 1440, None),
        ({"per_day": 0.1, "grace_minutes": 10}, 11 / 1440, 0.1),
        ({"per_day": 0.1, "at_most": 0.5, "closes_after": 3}, 3, 0.3),
        ({"closes_after": 3}, 3.01, 1.0),
        ({"penalty_method": "zero"}, 0.01, 1.0),  # nbgrader's own setting
    ],
)
def test_a_day_costs_what_the_course_says(settings, days, share):
    taken = policy(**settings).late_submission_penalty("ada", 20.0, days * 86400)
    assert taken == (None if share is None else pytest.approx(20 * share))


def test_a_setting_that_cannot_be_is_refused():
    with pytest.raises(Exception, match="per_day"):
        policy(per_day=10)


class Course:
    """Two sheets, each with a question of 10 points, and three students with all points on both."""

    def __init__(self, folder):
        put_programs_on_path()
        self.folder, self.url = folder, f"sqlite:///{folder}/gradebook.db"
        with Gradebook(self.url) as book:
            for sheet, due in SHEETS.items():
                book.add_assignment(sheet, duedate=due)
                book.add_notebook("p1", sheet)
                book.add_grade_cell("loss", "p1", sheet, max_score=10, cell_type="code")

    def hand_in(self, student, **days):
        with Gradebook(self.url) as book:
            book.update_or_create_student(student)
            for sheet, late in days.items():
                book.add_submission(sheet, student, timestamp=SHEETS[sheet] + timedelta(days=late))
                book.find_grade("loss", "p1", sheet, student).auto_score = 10
            book.db.commit()

    def table(self, text):
        (self.folder / EXTENSIONS).write_text(text)

    def penalties(self, student, **settings):
        config = Config({"LatePolicy": {"per_day": 0.1} | settings, "CourseDirectory": {"root": str(self.folder)}})
        config.AssignLatePenalties.plugin_class = LatePolicy
        with Gradebook(self.url) as book:
            derive(book, config, self.folder / "autograded")
            return {
                sheet: book.find_submission(sheet, student).late_submission_penalty
                for sheet in SHEETS
                if student in {one.student.id for one in book.assignment_submissions(sheet)}
            }


@pytest.fixture
def course(tmp_path):
    course = Course(tmp_path)
    course.hand_in("ada", training=1.5, foundations=0.5)
    return course


def test_without_a_table_everyone_has_the_same_deadline(course):
    assert course.penalties("ada") == {"training": 2.0, "foundations": 1.0}


def test_more_time_is_days_or_a_time_with_its_zone(course):
    course.table("id;sheet;days;until\nada;training;1;\nada;foundations;;2026-03-01 14:00 CEST\n")
    assert course.penalties("ada") == {"training": 1.0, "foundations": 0.0}
    course.table("id,sheet,days\n")
    assert course.penalties("ada") == {"training": 2.0, "foundations": 1.0}, "what is taken back counts no more"


@pytest.mark.slow
def test_days_of_grace_are_spent_in_the_order_of_the_deadlines_where_they_suffice(course):
    assert course.penalties("ada", grace_days=1) == {"training": 2.0, "foundations": 0.0}
    assert course.penalties("ada", grace_days=2) == {"training": 0.0, "foundations": 1.0}
    assert course.penalties("ada", grace_days=3) == {"training": 0.0, "foundations": 0.0}
    course.table("id,sheet,days\nada,,0\nbo,,9\n")
    assert course.penalties("ada", grace_days=3) == {"training": 2.0, "foundations": 1.0}, "her own row counts"


def test_a_sheet_that_nobody_handed_in_and_a_student_nobody_knows_are_no_trouble(course):
    course.hand_in("bo", foundations=-1)
    course.table("id,sheet,days\nnobody,training,2\nbo,training,2\n")
    assert course.penalties("bo", grace_days=3) == {"foundations": 0.0}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",training,1,", "id is missing"),
        ("ada,training,,", "either days or until"),
        ("ada,training,1,2026-03-01", "either days or until"),
        ("ada,trianing,1,", "there is no sheet 'trianing'"),
        ("ada,training,soon,", "'soon' is no number of days"),
        ("ada,training,-1,", "is no number of days"),
        ("ada,training,nan,", "is no number of days"),
        ("ada,,1.5,", "whole days"),
        ("ada,,,2026-03-01", "belongs to a sheet"),
        ("ada,training,,01.11.2026", "could be read in two ways"),
        ("bo,training,3,", "bo has a row for this already"),
    ],
)
def test_a_row_that_cannot_be_is_named_with_its_line(tmp_path, row, said):
    path = tmp_path / EXTENSIONS
    path.write_text(f"id,sheet,days,until\nbo,training,2,\n{row}\n")
    with pytest.raises(BadTable, match=rf"extensions.csv, line 3: .*{said}"):
        read_extensions(path, SHEETS)


def test_no_table_gives_nothing(tmp_path):
    assert not read_extensions(tmp_path / EXTENSIONS, SHEETS).given
    assert policy().closes_after == math.inf
