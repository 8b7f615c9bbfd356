"""`autograder roster`: where everyone stands, in a table and on a page."""

from datetime import datetime, timedelta

import pytest
from nbgrader.api import Gradebook

from autograder.cli import main
from autograder.environment import put_programs_on_path
from autograder.records.returned import RETURNED, write
from autograder.views.roster import Standing, page

DUE = datetime(2026, 11, 1, 12)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Six students: returned and late, marked with more time, waiting, not graded, and two who are missing."""
    put_programs_on_path()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").write_text(
        "from autograder import bridge\nc = get_config()\nbridge.configure(c)\nc.LatePolicy.per_day = 0.1\n"
    )
    (tmp_path / "extensions.csv").write_text("id,sheet,days\nbo,training,2\n")
    (tmp_path / "students.csv").write_text("id\nada\nzoe\n")
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.add_assignment("training", duedate=DUE)
        book.add_notebook("p1", "training")
        book.add_grade_cell("loss", "p1", "training", max_score=10, cell_type="code")
        for student, hours in (("ada", 30), ("bo", 30), ("<i>cy</i>", -1)):
            book.add_student(student)
            book.add_submission("training", student, timestamp=DUE + timedelta(hours=hours))
            grade = book.find_grade("loss", "p1", "training", student)
            grade.auto_score, grade.needs_manual_grade = 8, student == "<i>cy</i>"
        book.add_student("dan")
        book.db.commit()
    for student in ("ada", "emmy"):
        (tmp_path / "submitted" / student / "training").mkdir(parents=True)
    sent = {"p1": {"digest": "x", "at": "2026-11-05 10:00:00 UTC"}}
    write(tmp_path / RETURNED, {"mail": {"ada": {"training": sent}}})
    return tmp_path


def rows(said):
    """The columns of the printed table by student."""
    return {line.split()[0]: " ".join(line.split()[2:]) for line in said.splitlines() if " training " in line}


def test_everyone_has_a_row_with_the_last_step(course, capsys):
    assert main(["roster", "--people", "students.csv"]) == 0
    said = capsys.readouterr().out
    assert rows(said) == {
        "ada": "returned 6.4 / 10 1.2 days late; -1.6",
        "bo": "marked 8 / 10 had until 2026-11-03 12:00 UTC",
        "<i>cy</i>": "waits (1) 8 / 10",
        "dan": "missing",
        "emmy": "not graded",
        "zoe": "missing",
    }
    assert said.strip().endswith("2 missing, 1 not graded, 1 waits, 1 marked, 1 returned")


def test_the_page_has_the_same_and_escapes(course, capsys):
    assert main(["roster", "training", "--to", "pages/roster.html"]) == 0
    text = (course / "pages" / "roster.html").read_text()
    assert "&lt;i&gt;cy&lt;/i&gt;" in text
    assert "<i>" not in text
    assert "1.2 days late" in text
    assert "returned 2026-11-05" in text
    assert "zoe" not in text, "nobody but --people speaks of her"


def test_what_is_not_there_is_said(course, capsys):
    assert main(["roster", "foundations"]) == 2
    assert "nothing of foundations was released or handed in; there is training" in capsys.readouterr().err
    (course / "extensions.csv").write_text("id,sheet,days\nbo,training,soon\n")
    assert main(["roster"]) == 2
    assert "extensions.csv, line 2" in " ".join(capsys.readouterr().err.split())


def test_before_anything_was_graded_there_is_what_was_handed_in(course, capsys):
    (course / "gradebook.db").unlink()
    assert main(["roster"]) == 0
    assert rows(capsys.readouterr().out) == {"ada": "not graded", "emmy": "not graded"}


def test_an_empty_sheet_is_no_trouble():
    assert "Where everyone stands" in page([], DUE)
    assert Standing("ada", "training", handed_in=True).remark == ""
