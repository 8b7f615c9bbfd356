"""Whether a script's nbgrader metadata agrees with itself and with the exercise that marks it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from autograder.build import markers
from autograder.build.problem import Problem
from autograder.build.script import CELL_ID, POSITION_ID, Cell, Script
from autograder.exercise import Exercise, Question, Written

SELF_CHECK = "selfcheck"
"""The grade ids of cells that check and carry no points start with this."""

FLAGS = ("grade", "solution", "locked")


def metadata_problems(script: Script) -> Iterator[Problem]:
    """What is wrong with the metadata of each cell, whatever the exercise."""
    seen: dict[str, int] = {}
    for cell in script.cells:
        if "nbgrader" not in cell.node.metadata:
            continue
        found = list(_cell_problems(cell))
        yield from (Problem(script.path, cell.line, message) for message in found)
        if cell.grade_id in seen:
            message = f"grade_id {cell.grade_id!r} is also used in line {seen[cell.grade_id]}; rename one of them"
            yield Problem(script.path, cell.line, message)
        elif cell.grade_id:
            seen[cell.grade_id] = cell.line


def _cell_problems(cell: Cell) -> Iterator[str]:
    meta = cell.nbgrader
    if not isinstance(cell.node.metadata["nbgrader"], dict):
        yield 'nbgrader must be an object: nbgrader={"grade": ...}'
        return
    if meta.get("schema_version") != 3:
        yield '"schema_version" is missing or not 3; write "schema_version": 3'
    flags = [flag for flag in FLAGS if not isinstance(meta.get(flag), bool)]
    flags += ["task"] if not isinstance(meta.get("task", False), bool) else []
    if flags:
        yield f"{', '.join(flags)}: each must be given as true or false"
    unknown = sorted(set(meta) - {*FLAGS, "task", "schema_version", "grade_id", "points"})
    if unknown:
        yield f"nbgrader does not know {', '.join(unknown)}; take it out or correct the spelling"
    if not CELL_ID.fullmatch(cell.grade_id):
        yield '"grade_id" is missing or not 1 to 64 letters, digits, - and _; give the cell one'
    elif POSITION_ID.fullmatch(cell.grade_id):
        yield f"grade_id {cell.grade_id!r} is kept for cells without one; choose a name that says what the cell is"
    carries_points = meta.get("grade") or meta.get("task")
    points = meta.get("points")
    if carries_points and not (isinstance(points, int | float) and not isinstance(points, bool) and points >= 0):
        yield '"points" is missing or no number from 0 up; give the points of the cell'
    if not carries_points and points:
        yield '"points" without "grade" or "task" is never awarded; take it out or set "grade": true'
    yield from _role_problems(cell)


def _role_problems(cell: Cell) -> Iterator[str]:
    meta, kind = cell.nbgrader, cell.node.cell_type
    if meta.get("task"):
        if meta.get("grade") or meta.get("solution"):
            yield 'a task cell is marked by a person: set "grade": false and "solution": false'
        if kind != "markdown":
            yield "a task cell must be markdown; write `# %% [markdown]`"
        return
    if meta.get("solution") and meta.get("locked"):
        yield 'students must be able to edit a solution cell; set "locked": false'
    if meta.get("grade") and not meta.get("solution"):
        if kind != "code":
            yield 'a test cell must be code; for a written answer set "solution": true as well'
        if not meta.get("locked"):
            yield 'students must not edit a test cell; set "locked": true'
    if meta.get("solution") and not meta.get("grade") and kind == "markdown":
        yield 'a written answer is marked by a person; set "grade": true and give it "points"'


def exercise_problems(script: Script, exercise: Exercise) -> Iterator[Problem]:
    """Where the graded cells of a script and the questions and written parts of its exercise disagree."""
    graded, written = [], []
    for cell in script.cells:
        meta = cell.nbgrader
        if meta.get("task") or (meta.get("grade") and meta.get("solution")):
            written.append(cell)
        elif meta.get("grade") and not (cell.grade_id.startswith(SELF_CHECK) and meta.get("points") == 0):
            graded.append(cell)
            if not _says_what_is_marked(cell):
                message = f"{cell.grade_id}: nothing visible says what is marked; begin it with a comment that does"
                yield Problem(script.path, cell.line, message)
    module = f"autograder/exercises/{exercise.name}.py"
    yield from _compare(script, graded, exercise.questions, "question", module)
    yield from _compare(script, written, exercise.written, "written part", module)


def _compare(
    script: Script, cells: list[Cell], parts: tuple[Question, ...] | tuple[Written, ...], what: str, module: str
) -> Iterator[Problem]:
    by_id = {part.id: part for part in parts}
    found = [cell.grade_id for cell in cells]
    for cell in cells:
        grade_id, points = cell.grade_id, cell.nbgrader.get("points")
        part = by_id.get(grade_id)
        if part is None:
            hint = f'; a cell that only checks is called {SELF_CHECK}... and has "points": 0' if not points else ""
            message = f"{grade_id} is no {what} of {module}; add it there or correct the grade_id{hint}"
            yield Problem(script.path, cell.line, message)
        elif isinstance(points, int | float) and not math.isclose(points, part.points):
            message = f"{grade_id} has {points:g} points here and {part.points:g} in {module}; make them equal"
            yield Problem(script.path, cell.line, message)
    for part in parts:
        if part.id not in found:
            message = f"the {what} {part.id} of {module} has no cell; add one with {part.points:g} points"
            yield Problem(script.path, None, message)
    common = [grade_id for grade_id in dict.fromkeys(found) if grade_id in by_id]
    wanted = [part.id for part in parts if part.id in common]
    if common != wanted:
        first = next(here for here, there in zip(common, wanted, strict=True) if here != there)
        message = f"the {what}s stand in the order {', '.join(common)}; {module} has {', '.join(wanted)}: use one order"
        yield Problem(script.path, cells[found.index(first)].line, message)


def _says_what_is_marked(cell: Cell) -> bool:
    visible = markers.without_regions(cell.node.source).strip()
    comment = visible.split("\n")[0]
    return comment.startswith("#") and len(re.findall(r"\w+", comment)) >= 2

