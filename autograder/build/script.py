"""Reading a reference script and turning it into a notebook with the same bytes on every machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from autograder.build.problem import Problem

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    # the version of the running Python is left out: it would differ between machines
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}

KEPT_METADATA = ("nbgrader", "tags", "jupyter", "slideshow")
"""Cell metadata that a script may set and that goes into the notebook."""

JUPYTEXT_METADATA = ("cell_marker", "lines_to_next_cell", "lines_to_end_of_cell_marker", "skipline", "noskipline")
"""Cell metadata by which jupytext remembers the layout of a script."""

CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
POSITION_ID = re.compile(r"cell-\d+")
CELL_LINE = re.compile(r"# %%(?!%)")


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a reference script: the cell itself and the lines it takes up, counted from 1."""

    node: NotebookNode
    line: int
    text: tuple[str, ...]

    @property
    def nbgrader(self) -> dict:
        """The cell's nbgrader metadata, empty when it has none."""
        return nbgrader_metadata(self.node)

    @property
    def grade_id(self) -> str:
        """The id by which nbgrader knows the cell, empty when it has none."""
        grade_id = self.nbgrader.get("grade_id")
        return grade_id if isinstance(grade_id, str) else ""

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines as the notebook shows them (markdown without its ``# ``), with their numbers in the script."""
        for number, text in enumerate(self.text, start=self.line + 1):
            yield number, re.sub(r"^# ?", "", text) if self.node.cell_type != "code" else text


@dataclass(frozen=True, eq=False)
class Script:
    """A reference script as it was read: ``path`` is relative to the root of the course."""

    path: str
    cells: tuple[Cell, ...]

    @property
    def graded(self) -> bool:
        """Whether a mark hangs on any cell of it."""
        return any(cell.nbgrader.get("grade") or cell.nbgrader.get("task") for cell in self.cells)


def nbgrader_metadata(node: NotebookNode) -> dict:
    """The nbgrader metadata of a notebook cell, empty when it has none or when it is no object."""
    metadata = node.metadata.get("nbgrader")
    return metadata if isinstance(metadata, dict) else {}


def read(path: Path, name: str) -> tuple[Script, list[Problem]]:
    """Read the script at ``path``, called ``name`` in problems.

    A script that jupytext cannot read comes back without cells and with the problem.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        nodes = jupytext.reads("\n".join(lines) + "\n", fmt="py:percent").cells
    except Exception as error:  # jupytext passes on whatever YAML, nbformat or the decoder raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return Script(name, ()), [Problem(name, None, f"jupytext cannot read it as a percent script: {reason}")]
    starts = [index for index, line in enumerate(lines) if CELL_LINE.match(line)]
    first = _header(lines)
    if first < len(lines) and not CELL_LINE.match(lines[first]):
        message = "text before the first `# %%` would become a cell of its own; move it below a `# %%` line"
        return Script(name, ()), [Problem(name, first + 1, message)]
    if len(nodes) != len(starts):
        message = f"{len(starts)} lines start with `# %%` but there are {len(nodes)} cells; keep `# %%` out of strings"
        return Script(name, ()), [Problem(name, None, message)]
    ends = [*starts[1:], len(lines)]
    places = zip(nodes, starts, ends, strict=True)
    cells = tuple(Cell(node, start + 1, tuple(lines[start + 1 : end])) for node, start, end in places)
    return Script(name, cells), [problem for cell in cells for problem in _lost_metadata(name, cell)]


def notebook(script: Script) -> NotebookNode:
    """The solved notebook of a script: cell ids from grade id or position, nothing that depends on the machine."""
    result = nbformat.v4.new_notebook(metadata={"kernelspec": dict(KERNELSPEC), "language_info": dict(LANGUAGE_INFO)})
    result.nbformat_minor = 5
    for position, cell in enumerate(script.cells, start=1):
        metadata = {key: cell.node.metadata[key] for key in KEPT_METADATA if key in cell.node.metadata}
        make = getattr(nbformat.v4, f"new_{cell.node.cell_type}_cell")
        cell_id = cell.grade_id or f"cell-{position:02d}"
        result.cells.append(make(cell.node.source.strip("\n"), metadata=metadata, id=cell_id))
    return result


def text(notebook: NotebookNode) -> str:
    """The notebook as a file: sorted keys, indent 1, a newline at the end; exactly what nbconvert writes."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def _header(lines: list[str]) -> int:
    """The index of the first line that is neither blank nor part of a jupytext header."""
    index = 0
    if lines and lines[0].rstrip() == "# ---":
        index = next((i for i, line in enumerate(lines[1:], start=1) if line.rstrip() == "# ---"), 0) + 1
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index


def _lost_metadata(path: str, cell: Cell) -> Iterator[Problem]:
    """What stands in the cell line but would not reach the notebook, such as a misspelt key."""
    metadata = cell.node.metadata
    if "incorrectly_encoded_metadata" in metadata:
        yield Problem(path, cell.line, "the cell line is not `key=<JSON>`; correct quotes, commas and braces")
    if "title" in metadata:
        yield Problem(
            path,
            cell.line,
            f"`{metadata['title']}` in the cell line is neither a cell type nor metadata and would be lost; "
            "write [markdown] or nbgrader={...}, or move a title into the cell",
        )
    known = {*KEPT_METADATA, *JUPYTEXT_METADATA, "incorrectly_encoded_metadata", "title"}
    for key in sorted(set(metadata) - known):
        yield Problem(path, cell.line, f"unknown cell metadata {key!r}; use one of {', '.join(KEPT_METADATA)}")
