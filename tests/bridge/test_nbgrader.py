"""nbgrader stays the instructor's tool: its own commands, with this repository's configuration and without it."""

import json

import nbformat
import pytest
from nbgrader_kit import make_course, nbgrader

from autograder.audit import load_variants
from autograder.build.submission import solutions
from autograder.cli import main
from autograder.exercises import load

pytestmark = pytest.mark.slow

STOCK = "c = get_config()\nc.CourseDirectory.release_directory = 'assignments'\nc.Execute.timeout = 120\n"


def with_students(folder, root, configuration=""):
    """A course of one sheet, and two students: one right, one with two slips."""
    exercise = load("worked_calculation")
    solved = solutions(root, exercise)
    slips = load_variants(root, exercise).find("sigmoid-sign").apply(solved)
    slips["loss"] = slips["loss"].replace("** 2", "** 2 / 2")
    return make_course(folder, root, configuration, ada=solved, carla=slips)


def scores(course):
    """Points per student and cell, from the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            (submission.student.id, grade.name): grade.score
            for submission in gradebook.assignment_submissions("by_hand")
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


@pytest.fixture(scope="module")
def graded(tmp_path_factory, root):
    """The course after release, autograding, feedback and export with this repository's configuration."""
    course = with_students(tmp_path_factory.mktemp("nbgrader") / "course", root)
    nbgrader(course, "generate_assignment", "by_hand")
    nbgrader(course, "autograde", "by_hand")
    nbgrader(course, "generate_feedback", "by_hand")
    nbgrader(course, "export")
    return course


def test_the_release_is_the_committed_one(graded, root):
    name = "by_hand/worked_calculation.ipynb"
    assert (graded / "assignments" / name).read_bytes() == (root / "assignments" / name).read_bytes()


def test_partial_credit_reaches_the_gradebook(graded):
    found = scores(graded)
    assert {name: found["ada", name] for name in ("forward_values", "loss_value", "gradient_values")} == {
        "forward_values": 8,
        "loss_value": 2,
        "gradient_values": 10,
    }
    assert found["carla", "forward_values"] == 6
    assert found["carla", "loss_value"] == 0
    assert found["carla", "gradient_values"] == 10


def test_the_command_line_gives_the_same_points(graded, root, capsys):
    assert main(["grade", str(graded / "submitted"), "--json", "--no-places", "--root", str(root)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ours = {(r["student"], q["id"]): q["points"] for r in records for q in r["questions"]}
    theirs = scores(graded)
    assert ours.items() <= theirs.items()
    assert len(ours) == 8


def test_the_graded_cell_shows_a_table_as_html_and_as_text(graded):
    path = graded / "autograded" / "carla" / "by_hand" / "worked_calculation.ipynb"
    cell = next(
        c
        for c in nbformat.read(path, as_version=4).cells
        if c.metadata.get("nbgrader", {}).get("grade_id") == "forward_values"
    )
    table, result = cell.outputs
    assert "6 of 8 points" in table.data["text/html"]
    assert "6 of 8 points" in table.data["text/plain"]
    assert "positive z must give more than one half" in table.data["text/html"]
    assert result.data["text/plain"] == "6.0"


def test_the_feedback_page_holds_the_reasons_and_nothing_hidden(graded):
    page = (graded / "feedback" / "carla" / "by_hand" / "worked_calculation.html").read_text()
    assert "positive z must give more than one half" in page
    assert "mark_question" not in page
    assert "BEGIN MARK SCHEME" not in page


def test_the_export_has_one_row_per_student(graded):
    rows = (graded / "grades.csv").read_text().splitlines()
    assert len(rows) == 3


@pytest.mark.long
def test_a_second_run_gives_the_same_scores(graded):
    before = scores(graded)
    nbgrader(graded, "autograde", "by_hand", "--force")
    assert scores(graded) == before


def test_stock_nbgrader_marks_in_the_kernel_and_says_that_it_is_unprotected(tmp_path, root, graded):
    course = with_students(tmp_path / "course", root, STOCK)
    nbgrader(course, "generate_assignment", "by_hand", "--force")
    nbgrader(course, "autograde", "by_hand")
    assert scores(course) == scores(graded)
    text = (course / "autograded" / "ada" / "by_hand" / "worked_calculation.ipynb").read_text()
    assert "Unprotected" in text
