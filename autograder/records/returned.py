"""What was collected from a platform, under which names, and what was given back when: two files of the course."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.course import CourseError
from autograder.records.layouts import Origin
from autograder.records.whole import write_whole

COLLECTED = "collected"
"""Folder with all that was collected, as it came."""

NAMES = f"{COLLECTED}/names.json"
RETURNED = f"{COLLECTED}/returned.json"


def note_collected(root: Path, found: Iterable[tuple[str, str, str, Origin]]) -> None:
    """Note what a platform calls everyone's hand-in: it wants to see that name again."""
    names = collected(root)
    for student, sheet, exercise, source in found:
        names.setdefault(student, {}).setdefault(sheet, {})[exercise] = {
            "platform": source.platform, "prefix": source.prefix, "late": source.late,
        }  # fmt: skip
    write(root / NAMES, names)


def collected(root: Path) -> dict[str, Any]:
    """By student, sheet and exercise: the platform and its name for the hand-in. Raises CourseError."""
    return _read(root / NAMES)


def returned(root: Path) -> dict[str, Any]:
    """By way, student, sheet and page: digest and time of what was given back last. Raises CourseError."""
    return _read(root / RETURNED)


def last_returned(root: Path) -> dict[tuple[str, str], str]:
    """When a page went back last, by student and sheet. Raises CourseError."""
    found: dict[tuple[str, str], str] = {}
    for students in returned(root).values():
        for student, sheets in students.items():
            for sheet, pages in sheets.items():
                times = [page["at"] for page in pages.values()]
                found[student, sheet] = max([found.get((student, sheet), ""), *times])
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise CourseError(f"{path} cannot be read ({problem}): put back its last version, or move it away.") from None
    return found if isinstance(found, dict) else {}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
