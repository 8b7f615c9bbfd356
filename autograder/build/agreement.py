"""Whether a script has a cell for everything that its exercise marks, and for nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autograder.build.compose import spoken, unknown_lines
from autograder.build.problem import Problem
from autograder.build.script import Cell, Script
from autograder.course import modules
from autograder.exercise import Exercise


def exercise_problems(script: Script, exercise: Exercise) -> Iterator[Problem]:
    """Where the cells of a script and the questions and written parts of its exercise disagree."""
    if script.cells and script.cells[0].role != "text":
        message = 'the first cell is text, `# %% [markdown] text="title"`: title, minutes and points are put above it'
        yield Problem(script.path, script.cells[0].line, message)
    for role, parts in (("question", exercise.questions), ("written", exercise.written)):
        yield from _compare(script, script.of_role(role), role, [part.id for part in parts], exercise.name)
    for cell in script.of_role("question"):
        for message in _comment_problems(cell, exercise):
            yield Problem(script.path, cell.line, f"{cell.grade_id}: {message}")


def _compare(script: Script, cells: list[Cell], role: str, wanted: list[str], name: str) -> Iterator[Problem]:
    """Each part has one cell, and they stand in the order of the exercise."""
    module = f"{modules()}/{name}.py"
    found = [cell.grade_id for cell in cells]
    for cell in cells:
        if cell.grade_id not in wanted:
            message = f"{role}={cell.grade_id!r} is no part of {module}; add it there or correct the id"
            yield Problem(script.path, cell.line, message)
    for part in wanted:
        if part not in found:
            yield Problem(script.path, None, f'{part} of {module} has no cell; add one, `{role}="{part}"`')
    common = [part for part in found if part in wanted]
    ordered = [part for part in wanted if part in common]
    if common != ordered and len(set(common)) == len(common):
        first = next(here for here, there in zip(common, ordered, strict=True) if here != there)
        message = f"the cells stand in the order {', '.join(common)}; {module} has {', '.join(ordered)}: use one order"
        yield Problem(script.path, cells[found.index(first)].line, message)


def _comment_problems(cell: Cell, exercise: Exercise) -> Iterator[str]:
    words = spoken(cell.node.source)
    if not re.search(r"\w", words):
        yield "say in a comment what is marked, and nothing else: the build writes the test"
        return
    questions = [question for question in exercise.questions if question.id == cell.grade_id]
    for place in (place for question in questions for place in unknown_lines(words, question)):
        lines = ", ".join(line.name for line in questions[0].lines)
        yield f"{place} names no line, or lines with unlike points; the lines are {lines}"
