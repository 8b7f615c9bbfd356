"""One notebook: run isolated, marked in this process."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import sheet_files, source_notebook
from autograder.exercise import Exercise
from autograder.grading.notebook import Plan, plan
from autograder.marking import Marks, challenges, mark
from autograder.sandbox import Answer, Ask, Cell, Job, Limits, Outcome, Sandbox


@dataclass(frozen=True)
class Graded:
    """Marks, and for every position in the submitted notebook what its cell put out when it was run."""

    marks: Marks
    outputs: Mapping[int, list[dict[str, Any]]]
    counts: Mapping[int, int | None]


def fresh_seed() -> int:
    """A new seed for the challenges of one grading run; it is recorded with the marks."""
    return secrets.randbelow(2**31)


def grade_notebook(
    notebook: NotebookNode,
    exercise: Exercise,
    sandbox: Sandbox,
    *,
    root: Path,
    seed: int,
    student: str = "",
    full: bool = False,
    files: Mapping[str, bytes] | None = None,
    cell_seconds: float | None = None,
    on_marks: Callable[[Marks], None] | None = None,
) -> Graded:
    """Grade a submitted notebook of an exercise.

    ``full`` runs the cells that only show something as well, for the feedback. ``files`` are the student's own files
    beside the notebook; those of the sheet always win. ``cell_seconds`` replaces the time limit of a cell. ``on_marks``
    is called after every answered question with the marks of the questions so far. Raises CourseError when the source
    notebook is missing and SandboxUnavailable when nothing can be run.
    """
    started = time.perf_counter()
    planned = plan(notebook, source_notebook(root, exercise), full=full)
    asked = challenges(exercise.name, seed)
    limits = replace(Limits(), **exercise.limits)
    job = Job(
        cells=tuple(Cell(cell.id, cell.source) for cell in planned.cells),
        asks=tuple(
            Ask(probe.name, probe.source, tuple(challenge.given for challenge in asked[probe.name]))
            for probe in exercise.probes
        ),
        files={**(files or {}), **sheet_files(root, exercise.sheet)},
        seed=seed,
        limits=limits if cell_seconds is None else limits.per_cell(cell_seconds),
    )
    outcome = sandbox.run(job, None if on_marks is None else _so_far(exercise, seed, student, sandbox.level, on_marks))
    marks = Marks(
        student=student,
        sheet=exercise.sheet,
        exercise=exercise.name,
        questions=mark(exercise, seed, outcome.answers),
        isolation=outcome.level,
        seed=seed,
        written_points=sum(part.points for part in exercise.written),
        notes=planned.notes + _failed_cells(planned, outcome),
        digest=planned.digest,
        seconds=time.perf_counter() - started,
    )
    return Graded(marks, *_by_position(planned, outcome))


def run_plain(notebook: NotebookNode, sandbox: Sandbox, *, files: Mapping[str, bytes], limits: Limits) -> Graded:
    """Run every code cell of a notebook that is no exercise of this course; no marks are given."""
    planned = plan(notebook, None, full=True)
    cells = tuple(Cell(cell.id, cell.source) for cell in planned.cells)
    outcome = sandbox.run(Job(cells=cells, asks=(), files=files, seed=0, limits=limits))
    return Graded(Marks("", "", "", (), isolation=outcome.level), *_by_position(planned, outcome))


def _so_far(
    exercise: Exercise, seed: int, student: str, level: str, on_marks: Callable[[Marks], None]
) -> Callable[[str, tuple[Answer, ...]], None]:
    """What marks the answers as they come in."""
    answered: dict[str, tuple[Answer, ...]] = {}

    def on_answer(probe: str, answers: tuple[Answer, ...]) -> None:
        answered[probe] = answers
        asked = {question.id for question in exercise.questions if question.probe.name in answered}
        marked = tuple(question for question in mark(exercise, seed, answered) if question.id in asked)
        on_marks(Marks(student, exercise.sheet, exercise.name, marked, isolation=level, seed=seed))

    return on_answer


def _by_position(planned: Plan, outcome: Outcome) -> tuple[dict[int, list[dict]], dict[int, int | None]]:
    index = {cell.id: cell.index for cell in planned.cells if cell.index is not None}
    ran = [result for result in outcome.cells if result.id in index]
    return (
        {index[result.id]: result.outputs for result in ran},
        {index[result.id]: result.execution_count for result in ran},
    )


def _failed_cells(planned: Plan, outcome: Outcome) -> tuple[str, ...]:
    """What the student is told about cells that raised or were stopped. Untouched stubs raise too; they say enough."""
    position = {cell.id: cell.index for cell in planned.cells}
    notes = []
    for result in outcome.cells:
        if result.status == "ok" or result.message.startswith("NotImplementedError"):
            continue
        index = position.get(result.id)
        place = "A cell of the course" if index is None else f"Cell {index + 1} of the notebook"
        what = "raised an error" if result.status == "raised" else "was stopped"
        notes.append(f"{place} {what}: {result.message} The other cells were still run.")
    return tuple(notes)
