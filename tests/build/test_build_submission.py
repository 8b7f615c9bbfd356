"""Released stubs filled as a student would, and the solutions to fill them with."""

from __future__ import annotations

import nbformat
import pytest

from autograder.build import BuildError
from autograder.build.submission import fill, solutions


def test_solutions_are_the_solved_cells_without_markers(course):
    assert solutions(course.root, course.exercises[0]) == {
        "double": 'def double(x):\n    """Twice x."""\n    factor = np.ones(3).sum() - 1\n    return factor * x'
    }
    assert solutions(course.root, course.exercises[1]) == {"total": "total = 12.625 + 3"}


def test_a_filled_notebook_has_the_answers_and_nothing_else_changed(course):
    course.build()
    released = nbformat.read(course.root / "assignments/foundations/doubling.ipynb", as_version=4)
    before = nbformat.writes(released)
    filled = fill(released, {"double": "double = lambda x: 2 * x"})
    assert nbformat.writes(released) == before
    changed = [new for new, old in zip(filled.cells, released.cells, strict=True) if new != old]
    assert [(cell.id, cell.source) for cell in changed] == [("double", "double = lambda x: 2 * x")]


def test_solutions_make_the_released_notebook_right(course):
    course.build()
    released = nbformat.read(course.root / "assignments/foundations/doubling.ipynb", as_version=4)
    filled = fill(released, solutions(course.root, course.exercises[0]))
    scope = {}
    for cell in filled.cells:
        if cell.cell_type == "code":
            exec(cell.source, scope)
    assert scope["double"](4) == 8


def test_an_unknown_cell_is_named(course):
    course.build()
    released = nbformat.read(course.root / "assignments/foundations/doubling.ipynb", as_version=4)
    with pytest.raises(KeyError, match="no cell 'dobule'; it has title, setup, double"):
        fill(released, {"dobule": ""})


def test_no_script_no_solutions(course):
    (course.root / course.adding).unlink()
    with pytest.raises(FileNotFoundError, match=r"reference/by_hand/adding\.py"):
        solutions(course.root, course.exercises[1])


def test_a_script_that_cannot_be_read(course):
    (course.root / course.adding).write_bytes(b"\xff")
    with pytest.raises(BuildError, match="cannot read"):
        solutions(course.root, course.exercises[1])
