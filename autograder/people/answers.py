"""What a student wrote for a part that a person marks, and the digest by which it is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

from autograder.grading.notebook import grade_id

ANSWER = "_answer"
"""How the id of the cell ends that is released below a written part."""


def label(cell: NotebookNode) -> Mapping[str, Any]:
    """What nbgrader's metadata says of a cell."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, Mapping) else {}


def answer(notebook: NotebookNode, part: str) -> list[NotebookNode]:
    """The cells of an answer: those below the part's own, up to the next cell of the course, without empty ones.

    ``part`` is the id of a cell with a task, or of an answer that carries points itself.
    """
    found: list[NotebookNode] = []
    inside = False
    for cell in notebook.cells:
        name = grade_id(cell)
        if name == part:
            if not label(cell).get("task"):
                return [cell]
            inside = True
        elif inside and name and name != part + ANSWER:
            break
        elif inside and cell.source.strip():
            found.append(cell)
    return found


def digests(notebook: NotebookNode) -> dict[str, str]:
    """For every cell with points what a mark of it was given for: the answer in words, or the student's own code."""
    own = [cell for cell in notebook.cells if cell.cell_type == "code" and not label(cell).get("locked")]
    found = {}
    for cell in notebook.cells:
        about, name = label(cell), grade_id(cell)
        if name and (about.get("task") or (about.get("grade") and about.get("solution"))):
            found[name] = _digest(answer(notebook, name))
        elif name and about.get("grade"):
            found[name] = _digest(own)
    return found


def _digest(cells: list[NotebookNode]) -> str:
    """The same as long as the words are: ends of lines, outputs and empty cells do not count."""
    texts = [[cell.cell_type, _plain(cell.source)] for cell in cells if cell.source.strip()]
    return hashlib.sha256(json.dumps(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
