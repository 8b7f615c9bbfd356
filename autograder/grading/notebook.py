"""A submitted notebook, read with care and healed where that is certain, as the cells that are to be run."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

MAX_BYTES = 50 * 2**20
"""Largest notebook that is read. A notebook with its figures has a few hundred kilobytes."""

MAX_CELLS = 2_000
"""Most cells that a notebook may have."""

SHOW = "show"
"""Tag of the course's own cells that only train for show or draw: they are left out when only marks are wanted."""


class BadNotebook(Exception):
    """The file cannot be graded as it is. The message says why, in one sentence, and what to do."""


@dataclass(frozen=True)
class PlannedCell:
    """One cell that is to be run: its id, its code and its position in the submitted notebook (None: not in it)."""

    id: str
    source: str
    index: int | None


@dataclass(frozen=True)
class Plan:
    """What is to be run of a notebook, what was healed, and the digest of its code."""

    cells: tuple[PlannedCell, ...]
    notes: tuple[str, ...]
    digest: str


def read_notebook(path: Path) -> NotebookNode:
    """Read a submitted notebook as data: regular files only, no links, capped in size, whatever its version.

    Raises BadNotebook.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BadNotebook(f"{path.name} does not exist.") from None
    except PermissionError:
        raise BadNotebook(f"{path.name} may not be read: give the grading user permission to read it.") from None
    except OSError:
        raise BadNotebook(f"{path.name} is a link, not a file: ask for the notebook itself.") from None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadNotebook(f"{path.name} is not a regular file: ask for the notebook itself.")
        data = file.read(MAX_BYTES + 1)
    return parse_notebook(data, path.name)


def parse_notebook(data: bytes, name: str) -> NotebookNode:
    """The notebook in these bytes, converted to the current format. Raises BadNotebook."""
    if len(data) > MAX_BYTES:
        raise BadNotebook(f"{name} is larger than {MAX_BYTES // 2**20} MB: clear its outputs and hand it in again.")
    if not data.strip():
        raise BadNotebook(f"{name} is empty: hand in the saved notebook.")
    try:
        text = data.decode("utf-8-sig")
        content = json.loads(text)
    except UnicodeDecodeError:
        raise BadNotebook(f"{name} is not text in UTF-8: open it in Jupyter, save it and hand it in again.") from None
    except (ValueError, RecursionError):
        raise BadNotebook(
            f"{name} is not valid JSON, so it is not a notebook: open it in Jupyter, save it and hand it in again."
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise BadNotebook(f"{name} is JSON but not a notebook: hand in the .ipynb file that Jupyter saved.")
    try:
        notebook = nbformat.reads(text, as_version=4)
        cells = notebook.cells
        readable = all(isinstance(c.source, str) and isinstance(c.cell_type, str) for c in cells)
    except Exception:  # nbformat's converters raise whatever a damaged notebook makes them raise
        raise BadNotebook(
            f"{name} is a damaged notebook: open it in Jupyter, save it and hand it in again."
        ) from None
    if not readable:
        raise BadNotebook(f"{name} is a damaged notebook: a cell has no source.")
    if len(cells) > MAX_CELLS:
        raise BadNotebook(f"{name} has {len(cells)} cells; at most {MAX_CELLS} are graded.")
    return notebook


def plan(submitted: NotebookNode, source: NotebookNode | None, *, full: bool) -> Plan:
    """The code that is to be run, in order.

    The student's own cells are taken as they are. The course's locked cells are taken from ``source``, whatever the
    submission made of them; ones that are gone are put back, second copies are left out. Question cells hold no code
    of the student and are never run. With ``full`` the cells that only show something are run as well.
    ``source`` None stands for a notebook that is no exercise of this course: all its code cells are run.
    """
    if source is None:
        cells = tuple(
            PlannedCell(f"cell-{index}", cell.source, index)
            for index, cell in enumerate(submitted.cells)
            if cell.cell_type == "code"
        )
        return Plan(cells, (), digest(submitted))
    locked = {grade_id(cell): cell for cell in source.cells if cell.cell_type == "code" and _is_locked(cell)}
    by_text = {_normal(cell.source): name for name, cell in locked.items()}
    notes: list[str] = []
    seen: set[str] = set()
    planned: list[tuple[str, PlannedCell]] = []
    for index, cell in enumerate(submitted.cells):
        name = grade_id(cell)
        if name not in locked and _normal(cell.source) in by_text and not grade_id(cell):
            name = by_text[_normal(cell.source)]
            notes.append(f"The cell `{name}` had lost its label; it was recognised by its text.")
        if name in locked:
            if name in seen:
                notes.append(f"The cell `{name}` was there twice; the first one counts.")
                continue
            seen.add(name)
            planned.append((name, PlannedCell(f"locked-{name}", locked[name].source, index)))
        elif cell.cell_type == "code":
            planned.append((name, PlannedCell(f"cell-{index}", cell.source, index)))
    order = [grade_id(cell) for cell in source.cells]
    for name in [name for name in locked if name not in seen]:
        later = set(order[order.index(name) + 1 :])
        place = next((i for i, (other, _) in enumerate(planned) if other in later), len(planned))
        planned.insert(place, (name, PlannedCell(f"locked-{name}", locked[name].source, None)))
        if _runs(locked[name], full=True):
            notes.append(f"The cell `{name}` was missing; it was put back.")
    cells = tuple(cell for name, cell in planned if name not in locked or _runs(locked[name], full=full))
    return Plan(cells, tuple(dict.fromkeys(notes)), digest(submitted))


def grade_id(cell: NotebookNode) -> str:
    """The nbgrader id of a cell, empty when it has none or one that is not text."""
    found = _nbgrader(cell).get("grade_id", "")
    return found if isinstance(found, str) else ""


def is_question(cell: NotebookNode) -> bool:
    """Whether the cell is a graded one that carries points and no answer of the student."""
    meta = _nbgrader(cell)
    return bool(meta.get("grade") and not meta.get("solution") and meta.get("points"))


def digest(notebook: NotebookNode) -> str:
    """A digest of the code cells: the same as long as nothing that is run changes."""
    text = json.dumps([cell.source for cell in notebook.cells if cell.cell_type == "code"])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _nbgrader(cell: NotebookNode) -> Mapping:
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, Mapping) else {}


def _is_locked(cell: NotebookNode) -> bool:
    return bool(_nbgrader(cell).get("locked"))


def _runs(cell: NotebookNode, *, full: bool) -> bool:
    """Whether a locked cell of the course is run: never a question, and what is only for the eye when wanted."""
    if is_question(cell):
        return False
    only_to_look_at = SHOW in cell.metadata.get("tags", []) or _nbgrader(cell).get("grade")
    return full or not only_to_look_at


def _normal(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
