"""Whether a released notebook gives away what it should not, proved from the solved cells and not from nbgrader."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nbformat import NotebookNode

from autograder.build import markers

STUBS = {"code": "raise NotImplementedError()", "markdown": "YOUR ANSWER HERE", "raw": ""}
"""The last line of nbgrader's own stubs, by type of cell: what stands in place of a solution."""

_TOKEN = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\w+|[^\w\s]")
_HEADS = ("def ", "class ", "import ", "from ", "@")


@dataclass(frozen=True)
class Secret:
    """One line that students must not see, and what kind of region holds it."""

    kind: str
    line: str

    @cached_property
    def normal(self) -> str:
        """The line as it is looked for in every text."""
        return _normal(self.line)


def nbgrader_metadata(node: NotebookNode) -> dict[str, Any]:
    """The nbgrader metadata of a notebook cell, empty when it has none or when it is no object."""
    metadata = node.metadata.get("nbgrader")
    return metadata if isinstance(metadata, dict) else {}


def secrets(cells: Iterable[NotebookNode], public: Iterable[str] = ()) -> tuple[Secret, ...]:
    """The telling lines of solved cells that stand nowhere outside the markers, nor in the ``public`` texts.

    A solution cell without markers is a secret as a whole, since nbgrader replaces the whole of it.
    """
    hidden: dict[str, Secret] = {}
    shown = [_normal(line) for text in public for line in text.split("\n")]
    for cell in cells:
        lines = cell.source.split("\n")
        solved = nbgrader_metadata(cell).get("solution", False)
        whole = solved and not any(markers.marker(line) for line in lines)
        for kind, line in markers.regions(lines):
            if whole or kind is not None:
                if _telling(line):
                    hidden.setdefault(_normal(line), Secret(kind or "solution", line.strip()))
            else:
                shown.append(_normal(line))
    text = "\n".join(shown)
    return tuple(secret for normal, secret in hidden.items() if normal not in text)


def given_away(hidden: Iterable[Secret], text: str) -> Iterator[Secret]:
    """The secrets that stand in a text, whatever its spacing, alone in a line or as a part of one."""
    normal = "\n".join(_normal(line) for line in text.split("\n"))
    return (secret for secret in hidden if secret.normal in normal)


def notebook_leaks(hidden: Iterable[Secret], released: NotebookNode) -> Iterator[str]:
    """What a released notebook gives away or carries along, each with the fix."""
    for secret in given_away(hidden, "\n".join(strings(released))):
        yield (
            f"the {secret.kind} line `{secret.line}` is in the released notebook; "
            "check the markers around it and that it is nowhere else"
        )
    for position, cell in enumerate(released.cells, start=1):
        where = nbgrader_metadata(cell).get("grade_id") or f"cell {position}"
        if cell.get("outputs"):
            yield f"{where} has an output; release cells without outputs"
        if cell.get("execution_count") is not None:
            yield f"{where} has an execution count; release cells that have never run"
        for line in cell.source.split("\n"):
            found = markers.marker(line) or markers.near_miss(line)
            if found is not None:
                yield f"{where} still has `{line.strip()}`; write `{found.spelling}` exactly, where it belongs"
        if nbgrader_metadata(cell).get("solution") and STUBS[cell.cell_type] not in cell.source:
            yield f"{where} is a solution cell without the stub; put its answer between solution markers"


def strings(value: object) -> Iterator[str]:
    """Every text in a notebook: sources, outputs and metadata."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def _normal(line: str) -> str:
    """The line as tokens with one space around each, so that a part of a line is found and a part of a name is not."""
    return f" {' '.join(_TOKEN.findall(line))} "


def _telling(line: str) -> bool:
    """Whether a line says something about the answer and is not just a line that any code has.

    That is: four words of prose, an operation or a call with three names or numbers, or one number of three digits.
    """
    text = line.strip()
    if text.startswith(_HEADS) or len(_TOKEN.findall(text)) < 3:
        return False
    number = re.search(r"\d\.?\d\.?\d", text)
    computes = re.search(r"[-+*/@(<>]|==", text) and len(re.findall(r"\w+", text)) >= 3
    speaks = len(re.findall(r"[A-Za-z]{2,}", text)) >= 4
    return bool(number or computes or speaks)
