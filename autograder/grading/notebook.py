"""A submitted notebook, read with care and healed where that is certain, as the cells that are to be run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat.reader
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.grading.mending import complete, leave_out_outputs, mend

MAX_BYTES = 50 * 2**20
"""Largest notebook that is read. A notebook with its figures has a few hundred kilobytes."""

REFUSED = "This notebook was not graded:"
"""How the text begins that stands in the place of a notebook which was set aside; the reason follows."""

MAX_CELLS = 2_000
"""Most cells that a notebook may have."""

MAX_VALUES = 1_000_000
"""Most values in a notebook with its outputs: `{}` is two bytes in the file and some hundred in memory."""

MAX_OWN_VALUES = 30_000
"""Most values in a notebook without its outputs: nbformat looks at each of them, and at what is wrong for long."""

_TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)

SHOW = "show"
"""Tag of the course's own cells that only train for show or draw: they are left out when only marks are wanted."""


class BadNotebook(Exception):
    """The file cannot be graded as it is. The message says why, in one sentence, and what to do."""


@dataclass(frozen=True)
class Healed:
    """The cells of a notebook after healing, where each stood in the submission (None: put back), and what was done."""

    cells: tuple[NotebookNode, ...]
    positions: tuple[int | None, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PlannedCell:
    """One cell that is to be run: its id, its code and its position in the submitted notebook (None: not in it)."""

    id: str
    source: str
    index: int | None


@dataclass(frozen=True)
class Plan:
    """What is to be run of a notebook, what was healed, the digest of its code, and where its questions stand.

    ``places`` has the grade id of every question cell with the number of cells that are run before it.
    """

    cells: tuple[PlannedCell, ...]
    notes: tuple[str, ...]
    digest: str
    places: Mapping[str, int]


def read_notebook(path: Path) -> NotebookNode:
    """Read a submitted notebook as data: regular files only, no links, capped in size, whatever its version.

    Raises BadNotebook.
    """
    return parse_notebook(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """The content of a regular file, one byte more than is allowed at most; no link is followed. Raises BadNotebook."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BadNotebook(gone(path.name)) from None
    except PermissionError:
        raise BadNotebook(f"{path.name} may not be read: give the grading user permission to read it.") from None
    except OSError:
        raise BadNotebook(f"{path.name} is a link, not a file: ask for the notebook itself.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadNotebook(f"{path.name} is not a regular file: ask for the notebook itself.")
    with open(descriptor, "rb") as file:
        return file.read(MAX_BYTES + 1)


def gone(name: str) -> str:
    """What is said of a notebook that was there a moment ago."""
    return f"{name} is not there any more: put it back and run the same command again."


def parse_notebook(data: bytes, name: str) -> NotebookNode:
    """The notebook in these bytes, converted to the current format, without its outputs. Raises BadNotebook."""
    if len(data) > MAX_BYTES:
        raise BadNotebook(f"{name} is larger than {MAX_BYTES // 2**20} MB: clear its outputs and hand it in again.")
    if not data.strip():
        raise BadNotebook(f"{name} is empty: hand in the saved notebook.")
    if data.startswith(REFUSED.encode()):
        raise BadNotebook(data.decode(errors="replace").removeprefix(REFUSED).strip())
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
        if values_in(text) > MAX_VALUES:
            raise BadNotebook(f"{name} holds more than {MAX_VALUES} values: clear its outputs and hand it in again.")
        content = json.loads(text)
    except UnicodeDecodeError:
        raise BadNotebook(f"{name} is not text in UTF-8: open it in Jupyter, save it and hand it in again.") from None
    except (ValueError, RecursionError):
        raise BadNotebook(
            f"{name} is not valid JSON, so it is not a notebook: open it in Jupyter, save it and hand it in again."
        ) from None
    if not isinstance(content, dict) or type(content.get("nbformat")) is not int:
        raise BadNotebook(f"{name} is JSON but not a notebook: hand in the .ipynb file that Jupyter saved.")
    try:
        number = leave_out_outputs(content)
        if number <= MAX_CELLS:
            mend(content)
        # half a symbol, as programs leave that cut a text, can stand in JSON and in no text: it becomes a "?"
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
    except Exception:
        raise BadNotebook(f"{name} is a damaged notebook: open it in Jupyter, save it and hand it in again.") from None
    if number > MAX_CELLS:
        raise BadNotebook(f"{name} has {number} cells; at most {MAX_CELLS} are graded.")
    if values_in(text) > MAX_OWN_VALUES:
        raise BadNotebook(
            f"{name} holds more than {MAX_OWN_VALUES} values besides its outputs: copy the answers into a fresh "
            "notebook of the course and hand it in again."
        )
    try:
        if content["nbformat"] == 4:  # mended; nbformat's validation would only log what it thinks of the rest
            notebook = nbformat.reader.reads(text)
        else:
            notebook = nbformat.reads(text, as_version=4)
        readable = all(isinstance(c.source, str) and isinstance(c.cell_type, str) for c in notebook.cells)
    except Exception:  # nbformat's converters raise whatever a damaged notebook makes them raise
        raise BadNotebook(f"{name} is a damaged notebook: open it in Jupyter, save it and hand it in again.") from None
    if not readable:
        raise BadNotebook(f"{name} is a damaged notebook: a cell has no source.")
    while len(_known) >= MOST_KNOWN:
        del _known[next(iter(_known))]
    _known[hashlib.sha256(data).digest()] = None
    return complete(notebook)


MOST_KNOWN = 1000
"""So many notebooks are remembered as ones that can be read."""

_known: dict[bytes, None] = {}


def is_known(data: bytes) -> bool:
    """Whether a notebook of just these bytes was parsed a while ago, and was none that is refused."""
    return hashlib.sha256(data).digest() in _known


def values_in(text: str) -> int:
    """How many values there are in JSON, at most; keys count too."""
    separators = sum(map(text.count, ",:[{"))
    return separators if separators <= MAX_OWN_VALUES else sum(map(_TEXT.sub("", text).count, ",:[{"))


def heal(submitted: NotebookNode, source: NotebookNode) -> Healed:
    """The submitted cells as the course needs them, where that is certain.

    The first cell with an id of the course keeps it, with the course's own settings; the course's locked cells get back
    their text, and what a student wrote into one that is text is kept in a cell below it. Further copies, and ids that
    the course does not know, lose their label and stay as cells of the student. Labelled cells that are gone are put
    back in their place, the student's own ones empty.
    """
    known = {grade_id(cell): cell for cell in source.cells if grade_id(cell)}
    by_text = {_normal(cell.source): name for name, cell in known.items() if is_locked(cell)}
    kept = {grade_id(cell) for cell in submitted.cells}
    notes: list[str] = []
    cells: list[tuple[str, NotebookNode, int | None]] = []
    seen: set[str] = set()
    for index, original in enumerate(submitted.cells):
        cell, name = _copied(original), grade_id(original)
        if not name and by_text.get(_normal(cell.source), "") not in kept | seen | {""}:
            name = by_text[_normal(cell.source)]
            notes.append(f"The cell `{name}` had lost its label; it was recognised by its text.")
        if name in seen:
            notes.append(f"The cell `{name}` was there twice; the first one counts.")
            if is_locked(known[name]):
                continue
        if name in known and name not in seen:
            seen.add(name)
            if cell.cell_type != known[name].cell_type and not is_locked(known[name]):
                words = "code" if known[name].cell_type == "code" else "text"
                notes.append(f"The cell `{name}` had become another kind of cell; it was made {words} again.")
            cells.append((name, _as_the_course_has_it(cell, known[name]), index))
            if own := _written_into(cell, known[name]):
                cells.append(("", new_markdown_cell(own), None))
                notes.append(
                    f"What you wrote into the cell `{name}`, which is the course's, was kept in a cell below it."
                )
        else:
            cell.metadata.pop("nbgrader", None)
            cells.append(("", cell, index))
    order = list(known)
    for name in [name for name in order if name not in seen]:
        if known[name].cell_type != "code" and not _counts(known[name]):
            continue  # prose that the student has deleted is not missed
        later = set(order[order.index(name) + 1 :])
        place = next((i for i, (other, _, _) in enumerate(cells) if other in later), len(cells))
        cell = _copied(known[name])
        if not is_locked(cell):
            cell.source = ""  # the source notebook holds the solution
        cells.insert(place, (name, cell, None))
        notes.append(f"The cell `{name}` was missing; it was put back.")
    return Healed(
        tuple(cell for _, cell, _ in cells), tuple(index for _, _, index in cells), tuple(dict.fromkeys(notes))
    )


def plan(submitted: NotebookNode, source: NotebookNode | None, *, full: bool) -> Plan:
    """The code that is to be run, in order.

    The student's own cells are taken as they are, the course's locked cells as the course has them. Question cells hold
    no code of the student and are never run. With ``full`` the cells that only show something are run as well.
    ``source`` None stands for a notebook that is no exercise of this course: all its code cells are run.
    """
    if source is None:
        return _planned(_as_it_is(submitted), digest(submitted), lambda _: True)
    marks, whole = plans(submitted, source)
    return whole if full else marks


def plans(submitted: NotebookNode, source: NotebookNode, *, healed: bool = False) -> tuple[Plan, Plan]:
    """The code to be run for the marks alone, and with what only shows something; see :func:`plan`.

    ``healed`` says that the cells of the notebook are those of :func:`heal`.
    """
    code = digest(submitted)
    mended = _as_it_is(submitted) if healed else heal(submitted, source)
    return (
        _planned(mended, code, lambda cell: _runs(cell, full=False)),
        _planned(mended, code, lambda cell: _runs(cell, full=True)),
    )


def _as_it_is(notebook: NotebookNode) -> Healed:
    return Healed(tuple(notebook.cells), tuple(range(len(notebook.cells))), ())


def _planned(healed: Healed, code: str, runs: Callable[[NotebookNode], bool]) -> Plan:
    cells: list[PlannedCell] = []
    places = {}
    for cell, index in zip(healed.cells, healed.positions, strict=True):
        if is_question(cell):
            places[grade_id(cell)] = len(cells)
        if cell.cell_type == "code" and runs(cell):
            name = f"locked-{grade_id(cell)}" if index is None else f"cell-{index}"
            cells.append(PlannedCell(name, cell.source, index))
    return Plan(tuple(cells), healed.notes, code, places)


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


def _nbgrader(cell: NotebookNode) -> Mapping[str, Any]:
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, Mapping) else {}


def is_locked(cell: NotebookNode) -> bool:
    """Whether students may not change the cell."""
    return bool(_nbgrader(cell).get("locked"))


def _runs(cell: NotebookNode, *, full: bool) -> bool:
    """Whether a cell is run: never a question, and the course's own that are only for the eye when wanted."""
    if is_question(cell):
        return False
    if not is_locked(cell):
        return True
    only_to_look_at = SHOW in cell.metadata.get("tags", []) or _nbgrader(cell).get("grade")
    return full or not only_to_look_at


def _counts(cell: NotebookNode) -> bool:
    """Whether the gradebook has an entry for the cell."""
    meta = _nbgrader(cell)
    return bool(meta.get("grade") or meta.get("solution") or meta.get("task"))


def _as_the_course_has_it(cell: NotebookNode, source: NotebookNode) -> NotebookNode:
    """A labelled cell with the course's settings and tags and, when it is locked, with the course's text and kind."""
    checksum = _nbgrader(cell).get("checksum")
    if is_locked(source):
        healed: NotebookNode = _copied(source)
        healed.id = cell.get("id", healed.get("id"))
    else:
        healed = _of_kind(cell, source.cell_type)
        healed.metadata.nbgrader = _copied(source.metadata.nbgrader)
        healed.metadata.pop("tags", None)
    if isinstance(checksum, str):
        healed.metadata.nbgrader["checksum"] = checksum
    return healed


def _written_into(cell: NotebookNode, source: NotebookNode) -> str:
    """The lines that a student wrote into a locked cell of text; empty when it is as it was released.

    The release has no mark scheme, so nothing is said of lines that are gone.
    """
    if not is_locked(source) or source.cell_type == "code" or cell.cell_type == "code":
        return ""
    if _nbgrader(cell).get("checksum") == _checksum(cell):
        return ""  # untouched since its release, which may be an older one
    course = {line.strip() for line in source.source.splitlines()}
    return "\n".join(line for line in cell.source.splitlines() if line.strip() not in course).strip()


def _checksum(cell: NotebookNode) -> str:
    """nbgrader's checksum of a locked cell without points, as a release has it."""
    parts = (cell.source, cell.cell_type, "False", "False", "True", grade_id(cell))
    return hashlib.md5("".join(parts).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _of_kind(cell: NotebookNode, kind: str) -> NotebookNode:
    """The cell as code or as text, whichever it should be."""
    if cell.cell_type == kind:
        return cell
    make: Callable[..., NotebookNode] = new_code_cell if kind == "code" else new_markdown_cell
    made = make(cell.source, metadata=cell.metadata)
    made["id"] = cell.get("id", made["id"])
    return made


def _copied(value: Any) -> Any:
    """A deep copy of a part of a notebook: ``copy.deepcopy`` takes six times as long for it."""
    if isinstance(value, dict):
        made = value.__class__.__new__(value.__class__)
        dict.update(made, {k: _copied(held) if isinstance(held, dict | list) else held for k, held in value.items()})
        return made
    return [_copied(one) for one in value] if isinstance(value, list) else value


@lru_cache(maxsize=512)
def _normal(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
