"""The one reader of records of marks: from autograded notebooks, or from the lines of ``autograder grade --json``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import CourseError
from autograder.exercises import NAMES, load
from autograder.grading.notebook import MAX_BYTES, MAX_VALUES, BadNotebook, parse_notebook, read_bytes, values_in
from autograder.marking import BadRecord, Marks, from_json

KEY = "autograder"
"""Where the record stands in the metadata of an autograded notebook, and the status in that of a graded cell."""

AUTOGRADED, SUBMITTED = "autograded", "submitted"


class NoRecords(CourseError):
    """There are no records where they were looked for. The message says what to do."""


def read(paths: Iterable[Path]) -> list[Marks]:
    """The records of graded notebooks, folders of them, and files of ``autograder grade --json`` (``-`` is standard
    input), in a stable order. Raises NoRecords.

    A notebook without a record that can be trusted has an error for marks, and the others are read all the same.
    """
    paths = list(paths)
    found = [marks for path in paths for marks in (_autograded(path) if _is_graded(path) else _lines(path))]
    if not found:
        where = ", ".join(str(path) for path in paths)
        raise NoRecords(
            f"{where} holds no graded notebook: run `nbgrader autograde SHEET` first." if where and _is_graded(paths[0])
            else f"{where} is empty: make it with `autograder grade --json PATH > {where}`." if where
            else "there are no marks: give autograded/ or a file of `autograder grade --json`."
        )  # fmt: skip
    return found


def autograded(root: Path) -> list[Marks]:
    """The records of a course's graded notebooks. Raises NoRecords when there are none."""
    return read([root / AUTOGRADED])


def record_of(notebook: NotebookNode, student: str, sheet: str, exercise: str) -> Marks | None:
    """The marks in an autograded notebook; None when it has none or is no exercise of the course.

    Raises BadRecord when the record is damaged, or names another notebook and so may have come with the submission.
    """
    return _marks_in(notebook.metadata, student, sheet, exercise)


def _marks_in(about: Mapping[str, Any], student: str, sheet: str, exercise: str) -> Marks | None:
    record = about.get(KEY)
    if not _is_ours(sheet, exercise) or not isinstance(record, Mapping) or "questions" not in record:
        return None
    marks = from_json(record if type(record) is dict else _plain(record))  # as json reads it, or nbformat
    if (marks.student, marks.sheet, marks.exercise) != (student, sheet, exercise):
        raise BadRecord(f"its record is that of {marks.student}, {marks.sheet}, {marks.exercise}, and was refused")
    return marks


def students_and_sheets(root: Path) -> Iterator[tuple[str, str]]:
    """Every student and sheet in ``autograded/``."""
    for folder in sorted((root / AUTOGRADED).glob("*/*")):
        if folder.is_dir() and any(folder.glob("*.ipynb")):
            yield folder.parent.name, folder.name


def _is_graded(path: Path) -> bool:
    """Whether a path means graded notebooks, and not lines."""
    return path.is_dir() or path.suffix == ".ipynb" or path.name == AUTOGRADED


def _autograded(path: Path) -> Iterator[Marks]:
    """The records at or under a path that lies in ``autograded/``: in what was handed in, anything may stand."""
    parts = Path(os.path.abspath(path)).parts
    above = next((at for at in range(len(parts) - 1, max(len(parts) - 5, 0), -1) if parts[at] == AUTOGRADED), None)
    if above is None or SUBMITTED in parts[:above]:
        raise NoRecords(
            f"{path} is not in {AUTOGRADED}/: only there are records ours, elsewhere they may have been handed in."
        )
    missing = 3 - (len(parts) - above - 1)  # student, sheet, notebook
    notebooks = sorted(path.glob("/".join(["*"] * (missing - 1) + ["*.ipynb"]))) if missing else [path]
    for notebook in notebooks:
        student, sheet = Path(os.path.abspath(notebook)).parts[-3:-1]
        marks = _of_notebook(notebook, student, sheet)
        if marks is not None:
            yield marks


def _of_notebook(path: Path, student: str, sheet: str) -> Marks | None:
    try:
        return _marks_in(_metadata(path), student, sheet, path.stem)
    except (BadNotebook, BadRecord) as bad:
        if not _is_ours(sheet, path.stem):
            return None
        return Marks(student, sheet, path.stem, (), error=f"In {path.parent}: {bad}")


def _metadata(path: Path) -> Mapping[str, Any]:
    """What a notebook says of itself. Its cells are not looked at where nothing is wrong. Raises BadNotebook."""
    data = read_bytes(path)
    try:
        text = data.decode("utf-8")
        content: Any = json.loads(text) if len(data) <= MAX_BYTES and values_in(text) <= MAX_VALUES else None
        if content["nbformat"] == 4 and isinstance(content["metadata"], dict) and isinstance(content["cells"], list):
            return dict(content["metadata"])
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    return dict(parse_notebook(data, path.name).metadata)


def _lines(path: Path) -> Iterator[Marks]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise NoRecords(f"{path} cannot be read ({problem}): give a file of `autograder grade --json`.") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield from_json(json.loads(line))
            except ValueError as problem:
                raise NoRecords(
                    f"{path}, line {number} holds no marks ({problem}): make it with `autograder grade --json`."
                ) from None


def _is_ours(sheet: str, exercise: str) -> bool:
    return exercise in NAMES and load(exercise).sheet == sheet


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value
