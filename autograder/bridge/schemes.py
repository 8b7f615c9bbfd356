"""The mark scheme of a part: from the reference, with the changes that the course has made since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.course import CourseError, source_notebook
from autograder.exercises import load
from autograder.grading.notebook import grade_id
from autograder.people.scheme import Scheme, parse, revised

FILE = "schemes.json"
"""Boxes with other words or another worth than in the reference, by part; beside the gradebook."""


def source_of(root: Path, exercise: str, part: str) -> str:
    """The solved text of a part's cell, with its scheme."""
    return next(str(cell.source) for cell in source_notebook(root, load(exercise)).cells if grade_id(cell) == part)


def scheme_of(root: Path, exercise: str, part: str) -> Scheme:
    """The boxes of a part as they are now. Raises CourseError when the file of changes is damaged."""
    points = next(one.points for one in load(exercise).written if one.id == part)
    return revised(parse(source_of(root, exercise, part), points), changes(root).get(f"{exercise}/{part}", []))


def changes(root: Path) -> dict[str, list[dict[str, Any]]]:
    """What was changed, by part. Raises CourseError."""
    path = root / FILE
    if not path.is_file():
        return {}
    try:
        found: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise CourseError(f"{path} is not valid JSON ({problem}): mend it or delete it.") from None
    return found


def change(root: Path, exercise: str, part: str, scheme: Scheme) -> None:
    """Keep these boxes for a part."""
    found = changes(root) | {f"{exercise}/{part}": [box.plain() for box in scheme.boxes]}
    path = root / FILE
    made = path.with_suffix(".tmp")
    made.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    made.replace(path)
