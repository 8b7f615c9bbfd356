"""The build and its check: what is written where, and every way in which it can be out of step."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import nbformat
import pytest

from autograder.build import BuildError, build


def cells(course, path):
    return nbformat.read(course.root / path, as_version=4).cells


def test_a_built_course_has_no_problems(course):
    course.build()
    assert course.check() == []


def test_every_file_is_where_it_belongs(course):
    changed = course.build()
    foundations = {"doubling.ipynb", "backprop.py", "selfcheck.py"}
    by_hand = {"adding.ipynb", "backprop.py", "selfcheck.py", "simple_network.py", "data/numbers.csv"}
    guide = {"beginning.ipynb", "backprop.py", "selfcheck.py"}
    wanted = {
        f"{part}/{sheet}/{name}"
        for part in ("source", "assignments")
        for sheet, names in {"foundations": foundations, "by_hand": by_hand, "guide": guide}.items()
        for name in names
    }
    assert set(changed) == wanted | {"docs/exercises.md"}
    assert wanted == set(course.files("source", "assignments"))


def test_a_stale_overview_is_seen(course):
    course.build()
    (course.root / "docs" / "exercises.md").write_text("another page")
    assert [(problem.path, problem.message.split(";")[0]) for problem in course.check()] == [
        ("docs/exercises.md", "stale")
    ]


def test_a_second_build_changes_nothing(course):
    course.build()
    assert course.build() == []


def test_only_what_changed_is_written(course):
    course.build()
    course.edit(course.adding, "# More.", "# Much more.")
    assert course.build() == ["assignments/by_hand/adding.ipynb", "source/by_hand/adding.ipynb"]


@pytest.mark.slow
def test_the_same_bytes_in_another_process_and_place(course, tmp_path_factory):
    course.build()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    subprocess.run(["cp", "-r", course.root / "reference", elsewhere], check=True)
    program = (
        "import sys; sys.path.insert(0, sys.argv[2]); from conftest import exercise; from pathlib import Path;"
        "from autograder.build import build;"
        "build(Path(sys.argv[1]), exercises=[exercise('doubling', 'foundations', {'twice': 3, 'zero': 1}, {'why': 2}),"
        "exercise('adding', 'by_hand', {'sum': 1}, {'words': 4})])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    here = os.path.dirname(__file__)
    subprocess.run([sys.executable, "-c", program, elsewhere, here], check=True, env=environment)
    other = dataclasses.replace(course, root=elsewhere)
    assert other.files("source", "assignments") == course.files("source", "assignments")


def test_ids_come_from_the_cell_line(course):
    course.build()
    for part in ("source", "assignments"):
        ids = [cell.id for cell in cells(course, f"{part}/foundations/doubling.ipynb")]
        assert ids == ["title", "setup", "double", "selfcheck_double", "twice", "zero", "why", "why_answer"]


def test_notebooks_say_nothing_of_the_machine_or_of_jupytext(course):
    course.build()
    text = (course.root / "source/foundations/doubling.ipynb").read_text()
    metadata = json.loads(text)["metadata"]
    assert metadata["kernelspec"] == {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert set(metadata) == {"kernelspec", "language_info"}
    assert "version" not in metadata["language_info"]
    assert "jupytext" not in text
    assert "lines_to_next_cell" not in text
    assert text.endswith("}\n")
    assert text.startswith('{\n "cells"')


def test_students_get_stubs_and_their_cells_stay_editable(course):
    course.build()
    released = {cell.id: cell for cell in cells(course, "assignments/foundations/doubling.ipynb")}
    stub = 'def double(x):\n    """Twice x."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    assert released["double"].source == stub
    assert "editable" not in released["double"].metadata
    assert released["twice"].metadata["editable"] is False
    assert len(released["twice"].metadata["nbgrader"]["checksum"]) == 32
    assert released["zero"].source == "# Marked after you hand in: double(0)."
    assert released["why"].source.strip() == "## Say why (2 points)\n\nWhy does this work?"


def test_the_source_keeps_the_solution(course):
    course.build()
    assert "np.ones(3).sum()" in (course.root / "source/foundations/doubling.ipynb").read_text()


def test_the_guide_says_the_same_on_both_sides(course):
    course.build()
    source, released = (cells(course, f"{part}/guide/beginning.ipynb") for part in ("source", "assignments"))
    assert [cell.source for cell in source] == [cell.source for cell in released]


def test_check_never_writes(course):
    before = course.files(".")
    assert course.check()
    assert course.files(".") == before


def test_a_course_that_was_never_built_is_missing_everything(course):
    problems = course.check()
    assert {problem.message for problem in problems} == {"missing; run `autograder build` and commit it"}
    assert [problem.path for problem in problems] == course.build()


@pytest.mark.parametrize("part", ["source", "assignments"])
def test_a_stale_file_is_named_with_the_command_that_helps(course, part):
    course.build()
    course.edit(f"{part}/by_hand/adding.ipynb", "# Adding", "# Subtracting")
    (problem,) = course.check()
    assert problem.path == f"{part}/by_hand/adding.ipynb"
    assert problem.message.startswith("stale")
    assert "autograder build" in problem.message


def test_a_toolkit_module_that_was_edited_in_place_is_stale(course):
    course.build()
    course.edit("assignments/by_hand/backprop.py", "plot", "draw")
    (problem,) = course.check()
    assert (problem.path, problem.message[:5]) == ("assignments/by_hand/backprop.py", "stale")


@pytest.mark.parametrize(
    "path", ["source/by_hand/old.ipynb", "assignments/foundations/simple_network.py", "source/x.txt", "source/old/x.py"]
)
def test_a_file_that_nothing_generates_is_unexpected(course, path):
    course.build()
    (course.root / path).parent.mkdir(exist_ok=True)
    (course.root / path).write_text("{}")
    (problem,) = course.check()
    assert (problem.path, problem.message[:10]) == (path, "unexpected")
    course.build()
    assert (course.root / path).exists(), "the build must not delete what it did not write"


def test_droppings_of_editors_are_no_problem(course):
    course.build()
    for name in ("assignments/by_hand/.ipynb_checkpoints/adding.ipynb", "source/by_hand/__pycache__/a.pyc"):
        (course.root / name).parent.mkdir()
        (course.root / name).write_text("")
    (course.root / "reference/.ipynb_checkpoints").mkdir()
    (course.root / "reference/.ipynb_checkpoints/x.py").write_text("x = 1\n")
    assert course.check() == []


def test_a_problem_in_one_sheet_does_not_hide_a_stale_file_in_another(course):
    course.build()
    course.edit(course.doubling, "### BEGIN SOLUTION", "## BEGIN SOLUTION")
    course.edit("source/by_hand/adding.ipynb", "# Adding", "# Subtracting")
    assert {problem.path for problem in course.check()} == {course.doubling, "source/by_hand/adding.ipynb"}


def test_a_build_with_a_problem_writes_nothing(course):
    course.edit(course.doubling, "### END SOLUTION", "### END SOLUTIONS")
    with pytest.raises(BuildError, match=r"doubling\.py:\d+: .*END SOLUTION") as caught:
        course.build()
    assert caught.value.problems
    assert not (course.root / "source").exists()
    assert not (course.root / "assignments").exists()


def test_an_exercise_without_a_script(course):
    (course.root / course.adding).unlink()
    (problem,) = [problem for problem in course.check() if problem.path.startswith("reference")]
    assert problem.path == course.adding
    assert "no reference script" in problem.message


def test_a_script_without_an_exercise(course):
    course.exercises = course.exercises[:1]
    (problem,) = [problem for problem in course.check() if problem.path.startswith("reference")]
    assert problem.path == course.adding
    assert "add 'adding' to NAMES" in problem.message


def test_a_script_in_the_wrong_sheet(course):
    (course.root / "reference/training").mkdir()
    (course.root / course.adding).rename(course.root / "reference/training/adding.py")
    messages = [problem.message for problem in course.check() if problem.path == "reference/training/adding.py"]
    assert messages == ["the exercise belongs to the sheet 'by_hand'; move it to reference/by_hand/"]


def test_an_exercise_of_an_unknown_sheet(course):
    course.exercises = (course.exercises[0], dataclasses.replace(course.exercises[1], sheet="by_foot"))
    messages = [problem.message for problem in course.check()]
    assert any("by_foot" in message and "by_hand, training" in message for message in messages)


def test_graded_cells_in_a_folder_that_is_no_sheet(course):
    (course.root / "reference/guide/more.py").write_text((course.root / course.adding).read_text())
    (problem,) = [problem for problem in course.check() if problem.path == "reference/guide/more.py"]
    assert "'guide' is no sheet" in problem.message


def test_progress_is_told(course):
    told = []
    build(course.root, exercises=course.exercises, progress=told.append)
    assert told == ["checking the reference scripts", "building by_hand", "building foundations", "building guide"]
