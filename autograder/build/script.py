"""Reading a reference script, whose cell lines say in one word what each cell is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from autograder.build.problem import Problem


@dataclass(frozen=True)
class Role:
    """What a cell is for: its type, what nbgrader must know of it, and the tags that it carries."""

    kind: str
    grade: bool = False
    solution: bool = False
    locked: bool = True
    task: bool = False
    tags: tuple[str, ...] = ()


GOES_ON = "raises-exception"
"""The tag of a cell that depends on what students write. When such a cell raises, "Run All" goes on, in JupyterLab,
VS Code and nbclient alike, so a half-solved notebook runs to its end. The error stays an error: `nbgrader validate`
names a self-check that raises, and would call wrong work a success if the check only printed what it saw."""

ROLES = {
    "text": Role("markdown"),
    "given": Role("code"),
    "show": Role("code", tags=("show", GOES_ON)),
    "student": Role("code", solution=True, locked=False, tags=(GOES_ON,)),
    "selfcheck": Role("code", grade=True, tags=(GOES_ON,)),
    "question": Role("code", grade=True),
    "written": Role("markdown", task=True),
    "open": Role("code", locked=False),
}
"""The words of a cell line, ``# %% student="network"``: each with the id of its cell behind it.

Text that students read and code that is given are locked, and so is code that only trains or draws for show; in an
``open`` cell they may do as they like. ``student`` is what they write, ``selfcheck`` checks it without points,
``question`` is marked by the machine and ``written`` by a person.
"""

KEPT_METADATA = ("tags", "jupyter", "slideshow")
"""Other cell metadata that a script may set and that goes into the notebook."""

JUPYTEXT_METADATA = ("cell_marker", "lines_to_next_cell", "lines_to_end_of_cell_marker", "skipline", "noskipline")
"""Cell metadata by which jupytext remembers the layout of a script."""

CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CELL_LINE = re.compile(r"# %%(?!%)")


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a reference script: the cell itself and the lines it takes up, counted from 1."""

    node: NotebookNode
    line: int
    text: tuple[str, ...]

    @property
    def role(self) -> str:
        """The word in ``ROLES`` that its cell line begins with; empty when it has none or several."""
        words = [word for word in ROLES if word in self.node.metadata]
        return words[0] if len(words) == 1 else ""

    @property
    def grade_id(self) -> str:
        """The id by which nbgrader knows the cell, empty when it has none."""
        given = self.node.metadata.get(self.role)
        if not isinstance(given, str):
            return ""
        return f"selfcheck_{given}" if self.role == "selfcheck" else given

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines as the notebook shows them (markdown without its ``# ``), with their numbers in the script."""
        for number, text in enumerate(self.text, start=self.line + 1):
            yield number, re.sub(r"^# ?", "", text) if self.node.cell_type != "code" else text


@dataclass(frozen=True, eq=False)
class Script:
    """A reference script as it was read: ``path`` is relative to the root of the course."""

    path: str
    cells: tuple[Cell, ...]

    def of_role(self, role: str) -> list[Cell]:
        """Its cells of one role, in order."""
        return [cell for cell in self.cells if cell.role == role]


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
    one = Script(name, tuple(Cell(node, start + 1, tuple(lines[start + 1 : end])) for node, start, end in places))
    return one, list(_problems(one))


def _header(lines: list[str]) -> int:
    """The index of the first line that is neither blank nor part of a jupytext header."""
    index = 0
    if lines and lines[0].rstrip() == "# ---":
        index = next((i for i, line in enumerate(lines[1:], start=1) if line.rstrip() == "# ---"), 0) + 1
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index


def _problems(script: Script) -> Iterator[Problem]:
    """What is wrong with the cell lines, whatever the exercise."""
    seen: dict[str, int] = {}
    for cell in script.cells:
        found = list(_line_problems(cell))
        yield from (Problem(script.path, cell.line, message) for message in found)
        if cell.grade_id in seen:
            message = f"the id {cell.grade_id!r} is also used in line {seen[cell.grade_id]}; rename one of them"
            yield Problem(script.path, cell.line, message)
        elif cell.grade_id:
            seen[cell.grade_id] = cell.line


def _line_problems(cell: Cell) -> Iterator[str]:
    metadata = cell.node.metadata
    if "incorrectly_encoded_metadata" in metadata:
        yield 'the cell line is not `word="id"`; correct quotes and braces'
        return
    if "title" in metadata:
        yield (
            f"`{metadata['title']}` in the cell line is neither a cell type nor metadata and would be lost; "
            'write [markdown] or student="id", or move a title into the cell'
        )
    known = {*ROLES, *KEPT_METADATA, *JUPYTEXT_METADATA, "title"}
    for key in sorted(set(metadata) - known):
        yield f"unknown word {key!r} in the cell line; use one of {', '.join((*ROLES, *KEPT_METADATA))}"
    if not cell.role:
        yield f'the cell line says not what the cell is for; give it one of {", ".join(ROLES)}, as in student="network"'
    elif not CELL_ID.fullmatch(cell.grade_id):
        yield f'{cell.role}="..." needs an id of 1 to 64 letters, digits, - and _'
    elif cell.node.cell_type != ROLES[cell.role].kind:
        wanted = "# %% [markdown]" if ROLES[cell.role].kind == "markdown" else "# %%"
        yield f"a cell that is {cell.role!r} is {ROLES[cell.role].kind}; write `{wanted} {cell.role}=...`"
