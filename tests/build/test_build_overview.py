"""The page that says what the course asks."""

import re

import nbformat
import pytest

from autograder.build.overview import overview
from autograder.exercises import all_exercises


def test_every_part_of_every_exercise_has_its_row():
    page = overview(all_exercises())
    for exercise in all_exercises():
        assert f"`{exercise.name}`" in page
        for part in (*exercise.questions, *exercise.written):
            assert f"| {part.points:g} |" in page
            assert part.title.split(") ")[-1] in page
    rows = [line for line in page.splitlines() if line.startswith("|") and line.endswith("|")]
    marked = sum(len(ids) for exercise in all_exercises() for ids in exercise.parts.values())
    sheets = len({exercise.sheet for exercise in all_exercises()})
    assert len(rows) == marked + 2 * sheets


LETTERED = {
    "computational_graph": "abc",
    "worked_calculation": "abcd",
    "vanishing_gradients": "abcde",
    "exploding_gradients": "abcd",
    "two_hidden_layers": "abcd",
    "custom_activation": "abcd",
    "multi_output": "abcde",
    "reaction_rates": "abcde",
    "softmax_jacobian": "abcdef",
    "optimisers": "abcdef",
    "autodiff_engine": "abcd",
    "gradient_check": "abcd",
    "attention": "abcd",
    "normalisation": "abcdef",
    "residual_network": "abcdef",
}
"""The lettered parts that the course promises; the parts of the other exercises have names."""


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.name)
def test_every_lettered_part_is_asked_in_the_notebook_and_answered_in_the_reference(exercise, root):
    letters = LETTERED.get(exercise.name, "")
    assert "".join(part for part in exercise.parts if len(part) == 1) == letters
    source = nbformat.read(root / "source" / exercise.sheet / f"{exercise.name}.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    headings = " ".join(re.findall(r"^#+ .*$", prose, re.M))
    assert set(re.findall(r"\(([a-z])\)", headings)) == set(letters)
    cells = {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in source.cells if "nbgrader" in cell.metadata}
    for ids in exercise.parts.values():
        for name in ids:
            assert "mark_question" in cells[name] or "BEGIN MARK SCHEME" in cells[name], name
