"""What the README says of the course is so."""

import re

from autograder.cli import COMMANDS
from autograder.exercise import SHEETS
from autograder.exercises import NAMES, all_exercises


def test_the_numbers_of_exercises_sheets_and_points(root):
    text = (root / "README.md").read_text()
    assert "Sixteen auto-graded exercises" in text
    assert len(NAMES) == 16
    assert "in four sheets" in text
    assert len(SHEETS) == 4
    for sheet in SHEETS:
        assert sum(exercise.points for exercise in all_exercises() if exercise.sheet == sheet) == 100


def test_the_audit_table_has_every_exercise_in_order(root):
    table = (root / "README.md").read_text().split("<!-- audit: begin -->")[1].split("<!-- audit: end -->")[0]
    assert tuple(re.findall(r"^\| `(\w+)`", table, re.M)) == NAMES


def test_every_command_that_is_named_exists(root):
    text = (root / "README.md").read_text()
    named = set(re.findall(r"`?\bautograder (\w+)", text)) - {"import"}
    assert named <= set(COMMANDS), named - set(COMMANDS)
    targets = set(re.findall(r"make ([a-z-]+)", text))
    rules = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.M))
    assert targets - rules <= {"it"}


def test_every_linked_file_is_there(root):
    for link in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        assert (root / link).is_file(), link
