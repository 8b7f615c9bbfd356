"""The instructor's hints to clusters of equal wrong answers: one small JSON file beside the gradebook."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.course import CourseError
from autograder.records.whole import write_whole

FILE = "hints.json"


def read_hints(root: Path) -> dict[str, str]:
    """Hints by cluster; empty when none was written. Raises CourseError when the file is damaged."""
    path = root / FILE
    if not path.is_file():
        return {}
    try:
        hints = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise CourseError(f"{path} is not valid JSON ({problem}): mend it or delete it.") from None
    if not isinstance(hints, dict) or not all(isinstance(text, str) for text in hints.values()):
        raise CourseError(f"{path} must map clusters to sentences: mend it or delete it.")
    return hints


def write_hint(root: Path, cluster: str, text: str) -> None:
    """Add or replace one hint; an empty text removes it. Raises CourseError when the file is damaged."""
    hints = read_hints(root)
    hints.pop(cluster, None)
    if text:
        hints[cluster] = text
    write_whole(root / FILE, json.dumps(dict(sorted(hints.items())), indent=2, ensure_ascii=False) + "\n")
