"""The marks of a class as they were recorded: in the autograded notebooks, or as JSON lines of ``autograder grade``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import CourseError
from autograder.exercises import NAMES, load
from autograder.grading.notebook import BadNotebook, read_notebook
from autograder.marking import BadRecord, Marks, from_json

KEY = "autograder"
"""Where the record stands in the metadata of an autograded notebook."""


def autograded(root: Path) -> list[Marks]:
    """The marks in ``autograded/``, in a stable order. Raises CourseError when there are none.

    An exercise whose notebook cannot be read, such as one that its outputs have made too large, has an error for marks.
    """
    found = [marks for path in sorted((root / "autograded").glob("*/*/*.ipynb")) if (marks := _read(path))]
    if not found:
        raise CourseError(f"{root / 'autograded'} holds no graded notebook: run `nbgrader autograde SHEET` first.")
    return found


def from_lines(path: Path) -> list[Marks]:
    """The marks that ``autograder grade --json`` printed into a file. Raises CourseError when it holds none."""
    try:
        found = [from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as problem:
        raise CourseError(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise CourseError(f"{path} holds no marks: make it with `autograder grade --json PATH > {path}`.") from None
    if not found:
        raise CourseError(f"{path} is empty: make it with `autograder grade --json PATH > {path}`.")
    return found


def record_of(notebook: NotebookNode, student: str, sheet: str, exercise: str) -> Marks | None:
    """The marks in an autograded notebook, or None when it is no exercise of the course.

    Only a record that names this very notebook counts; other metadata may have come with the submission.
    """
    if exercise not in NAMES or load(exercise).sheet != sheet:
        return None
    record = notebook.metadata.get(KEY)
    if not isinstance(record, Mapping) or "questions" not in record:
        return None
    marks = from_json(_plain(record))
    return marks if (marks.student, marks.sheet, marks.exercise) == (student, sheet, exercise) else None


def _read(path: Path) -> Marks | None:
    student, sheet, exercise = path.parent.parent.name, path.parent.name, path.stem
    try:
        return record_of(read_notebook(path), student, sheet, exercise)
    except (BadNotebook, BadRecord) as bad:
        if exercise not in NAMES or load(exercise).sheet != sheet:
            return None
        return Marks(student, sheet, exercise, (), isolation="", seed=0, error=f"In {path.parent}: {bad}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value


def students_and_sheets(root: Path) -> Iterator[tuple[str, str]]:
    """Every student and sheet in ``autograded/``."""
    for folder in sorted((root / "autograded").glob("*/*")):
        if folder.is_dir() and any(folder.glob("*.ipynb")):
            yield folder.parent.name, folder.name
