"""Filling a released notebook as a student would, and the solved cells to fill it with."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode

from autograder.build import markers, script
from autograder.build.problem import BuildError
from autograder.exercise import Exercise


def fill(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of a released notebook in which each cell named by its grade id has the given source.

    Raises KeyError when the notebook has no such cell.
    """
    filled = deepcopy(notebook)
    cells = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in filled.cells if "nbgrader" in cell.metadata}
    for grade_id, source in answers.items():
        if grade_id not in cells:
            raise KeyError(f"the notebook has no cell {grade_id!r}; it has {', '.join(cells)}")
        cells[grade_id].source = source
    return filled


def solutions(root: Path, exercise: Exercise) -> dict[str, str]:
    """The solved source of every solution cell of an exercise, by grade id, without marker lines.

    Raises FileNotFoundError without a reference script and BuildError for one that cannot be read.
    """
    name = f"reference/{exercise.sheet}/{exercise.name}.py"
    if not (root / name).exists():
        raise FileNotFoundError(f"{name}: the exercise {exercise.name} has no reference script")
    one, problems = script.read(root / name, name)
    if problems:
        raise BuildError(problems)
    return {cell.grade_id: markers.without_markers(cell.node.source) for cell in one.of_role("student")}
