"""Nothing that students must not see is in assignments/, proved from the reference and not from nbgrader."""

from __future__ import annotations

import nbformat
import pytest

from autograder.build import BuildError, leaks

RELEASED = "assignments/foundations/doubling.ipynb"


def plant(course, path, change):
    notebook = nbformat.read(course.root / path, as_version=4)
    change({cell.id: cell for cell in notebook.cells}, notebook)
    nbformat.write(notebook, course.root / path)


def reasons(course, path):
    return "\n".join(problem.message for problem in course.check() if problem.path == path)


SOLUTION = "factor = np.ones(3).sum() - 1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("double", f"def double(x):\n    {SOLUTION}\n"),
        ("double", "raise NotImplementedError()  # factor = np.ones(3).sum()-1"),
        ("title", f"Hint: {SOLUTION}, then go on."),
        ("twice", '# Marked\nmark_question( "doubling","twice", globals() )'),
        ("why", "One point for saying that   addition doubles."),
    ],
)
def test_a_hidden_line_in_a_released_notebook_is_found(course, cell, text):
    course.build()
    plant(course, RELEASED, lambda cells, _: cells[cell].update(source=text))
    assert "is in the released notebook" in reasons(course, RELEASED)


def test_a_hidden_line_in_metadata_is_found(course):
    course.build()
    plant(course, RELEASED, lambda _, notebook: notebook.metadata.update(backup=[SOLUTION]))
    assert "is in the released notebook" in reasons(course, RELEASED)


def test_an_output_is_found(course):
    course.build()
    output = nbformat.v4.new_output("stream", text="4\n")
    plant(course, RELEASED, lambda cells, _: cells["selfcheck_double"].update(outputs=[output]))
    assert "selfcheck_double has an output" in reasons(course, RELEASED)


def test_an_execution_count_is_found(course):
    course.build()
    plant(course, RELEASED, lambda cells, _: cells["setup"].update(execution_count=1))
    assert "setup has an execution count" in reasons(course, RELEASED)


@pytest.mark.parametrize("line", ["### BEGIN SOLUTION", "### BEGIN HIDDEN TEST"])
def test_a_marker_that_is_left_over_is_found(course, line):
    course.build()
    plant(course, RELEASED, lambda cells, _: cells["zero"].update(source=f"# Marked here\n{line}"))
    assert f"zero still has `{line}`" in reasons(course, RELEASED)


def test_a_solution_cell_without_its_stub_is_found(course):
    course.build()
    plant(course, RELEASED, lambda cells, _: cells["double"].update(source="def double(x):\n    return x + x"))
    assert "double is a solution cell without the stub" in reasons(course, RELEASED)


def test_the_answer_of_a_cell_without_markers_is_a_secret_as_a_whole(course):
    course.build()
    path = "assignments/by_hand/adding.ipynb"
    plant(course, path, lambda cells, _: cells["title"].update(source="# Adding\n\ntotal = 12.625 + 3"))
    assert "the solution line `total = 12.625 + 3`" in reasons(course, path)


def test_a_broken_notebook_is_named(course):
    course.build()
    (course.root / RELEASED).write_text("{")
    assert "not a notebook that can be read" in reasons(course, RELEASED)


def test_a_toolkit_module_with_an_answer_stops_the_build(course):
    course.edit("reference/toolkit/backprop.py", "pass", SOLUTION)
    with pytest.raises(BuildError, match=r"assignments/foundations/backprop\.py: the solution .*/toolkit/"):
        course.build()
    assert not (course.root / "assignments").exists()


def test_a_data_file_with_an_answer_stops_the_build(course):
    course.edit("reference/by_hand/data/numbers.csv", "1,2", "total = 12.625 + 3")
    with pytest.raises(BuildError, match=r"take it out of reference/by_hand/data/numbers\.csv"):
        course.build()


def test_what_the_given_network_shows_is_no_secret(course):
    course.edit(course.adding, "total = 12.625 + 3", "return 2 * X + 1")
    course.build()
    assert course.check() == []


def test_what_also_stands_outside_the_markers_is_no_secret(course):
    course.edit(course.doubling, "# Twice as much.", f"# Given: {SOLUTION}")
    course.build()
    assert course.check() == []


def test_a_solution_that_the_sheet_quotes_by_mistake_outside_its_notebook_is_not_our_business(course):
    course.edit(course.adding, "# More.", f"# {SOLUTION}")
    course.build()
    assert course.check() == []


@pytest.mark.parametrize(
    "line",
    ["dZ1 = W2.T @ dZ2", "return 1 - A1**2", "assert f(3) == 7", "a2 = 0.8208", "One point for the bound", "b = a - c"],
)
def test_telling_lines_are_secrets(line):
    (secret,) = leaks.secrets([nbformat.v4.new_code_cell(line, metadata={"nbgrader": {"solution": True}})])
    assert secret.line == line


@pytest.mark.parametrize(
    "line",
    ["", "return x", "import numpy as np", "def backward_pass(self, X, Y):", "m = X.shape[1]", "losses[-1],", "else:"],
)
def test_lines_that_any_code_has_are_not(line):
    assert leaks.secrets([nbformat.v4.new_code_cell(line, metadata={"nbgrader": {"solution": True}})]) == ()


def test_a_part_of_a_name_is_not_the_line():
    (secret,) = leaks.secrets([nbformat.v4.new_code_cell("b = a - c", metadata={"nbgrader": {"solution": True}})])
    assert list(leaks.given_away([secret], "db = a - cc")) == []
    assert list(leaks.given_away([secret], "# b=a-c")) == [secret]
