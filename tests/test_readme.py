"""What the README says of the course is so."""

import re

import pytest

from autograder.build.balance import imbalance
from autograder.cli import COMMANDS
from autograder.exercise import SHEETS
from autograder.exercises import NAMES, all_exercises

COUNT = {20: "Twenty", 21: "Twenty-one", 22: "Twenty-two", 23: "Twenty-three", 24: "Twenty-four"}
SHEETS_IN_WORDS = {4: "four", 5: "five", 6: "six"}


def test_the_numbers_of_exercises_and_sheets(root):
    begins = f"{COUNT[len(NAMES)]} auto-graded exercises"
    for file in ("README.md", "pyproject.toml"):
        assert begins in (root / file).read_text(), f'{file} must say "{begins}": the course has {len(NAMES)} of them'
    assert f"in {SHEETS_IN_WORDS[len(SHEETS)]} sheets" in (root / "README.md").read_text()


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_sheet_is_worth_what_the_course_says(sheet):
    wrong = imbalance(sheet, {one.name: one.points for one in all_exercises() if one.sheet == sheet})
    assert not wrong, wrong


def test_the_audit_table_has_every_exercise_in_order(root):
    table = (root / "README.md").read_text().split("<!-- audit: begin -->")[1].split("<!-- audit: end -->")[0]
    found = tuple(re.findall(r"^\| `(\w+)`", table, re.M))
    assert found == NAMES, "the table is not current: run `autograder audit --readme README.md`"


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
