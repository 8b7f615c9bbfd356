"""Questions about the student's own lines: what one computes and in which shape, and where a factor was lost."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nbformat import NotebookNode

from autograder.build.markers import regions
from autograder.exercise import Exercise, Probe, Values
from autograder.grading.notebook import grade_id
from autograder.locate import Code
from autograder.locate.quantities import Quantity, described, quantities
from autograder.marking import LineMark, QuestionMark
from autograder.marking.spans import LINE_END, Place, blank_before
from autograder.mistakes import NOT_DONE
from autograder.views.viva import Asked

AROUND = 2
"""So many lines are printed before and after the one that is asked about."""

SMALLEST = 4
"""An expression of fewer parts is not asked about: there is nothing to tell."""

MOST_TEXT = 80
"""So much of an expression comes with what was recorded of it."""

LONGEST = 110
"""A longer line does not fit on the page."""


@dataclass(frozen=True)
class Listing:
    """The source of one cell: where it stands in the notebook, and the lines that the course has given."""

    number: int
    source: str
    given: frozenset[str]

    def around(self, line: int, end: int = 0) -> tuple[tuple[int, str, bool], ...]:
        """A few lines around some, with those marked."""
        lines = LINE_END.split(self.source)
        first, last = max(1, line - AROUND), min(len(lines), max(line, end) + AROUND)
        return tuple(
            (number, lines[number - 1][:LONGEST], line <= number <= max(line, end)) for number in range(first, last + 1)
        )

    def is_own(self, line: int) -> bool:
        """Whether a line was written by the student."""
        lines = LINE_END.split(self.source)
        return 1 <= line <= len(lines) and lines[line - 1].strip() not in self.given


def listings(code: Code, notebook: NotebookNode, source: NotebookNode) -> dict[int, Listing]:
    """The cells that students write, by their number in the job."""
    given: dict[str, frozenset[str]] = {
        grade_id(cell): frozenset(line.strip() for kind, line in regions(LINE_END.split(cell.source)) if kind is None)
        for cell in source.cells
    }
    found = {}
    for number, name in code.own.items():
        text = code.job.cells[number].source
        at = next((index for index, cell in enumerate(notebook.cells) if cell.source == text), None)
        if at is not None:
            found[number] = Listing(at + 1, text, given.get(name, frozenset()))
    return found


@dataclass(frozen=True)
class Recorded:
    """What one expression gave at every point, and where it stands. It comes from the student's side: plain data."""

    cell: int
    line: int
    visit: int
    text: str
    values: tuple[np.ndarray, ...]


def _read(recorded: Mapping[str, Any]) -> Iterator[Recorded]:
    for one in recorded.get("quantities", ()):
        try:
            cell, line, visit = (int(np.asarray(one[name])) for name in ("cell", "line", "visit"))
            yield Recorded(
                cell, line, visit, str(one["text"]), tuple(np.asarray(each, float) for each in one["values"])
            )
        except (KeyError, TypeError, ValueError):
            continue


def statements(source: str) -> dict[int, str]:
    """What is assigned or returned in one line, by the line as IPython counts; nothing where the cell is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Return) and node.value is not None and node.lineno == node.end_lineno:
            parts = sum(isinstance(part, ast.expr) for part in ast.walk(node.value))
            if parts >= SMALLEST and not isinstance(node.value, ast.Tuple):
                found[node.lineno - blank_before(source)] = ast.unparse(node.value)
    return found


def lines(
    exercise: Exercise, probe: Probe, network: Any, points: Sequence[Values], recorded: Mapping[str, Any],
    own: Mapping[int, Listing],
) -> Iterator[Asked]:  # fmt: skip
    """What a line computes. ``recorded`` is what came back: values are the student's own, the text is ours."""
    table = quantities(described(network), points, [], [{}])
    found = list(_read(recorded))
    again = {(one.cell, one.line) for one in found if one.visit}  # in a loop a line has many values
    for one in found:
        listing, values = own.get(one.cell), one.values
        stated = statements(listing.source).get(one.line, "") if listing is not None else ""
        if listing is None or not stated or stated[:MOST_TEXT] != one.text or (one.cell, one.line) in again:
            continue
        cell, line = one.cell, one.line + blank_before(listing.source)
        text = LINE_END.split(listing.source)[line - 1].strip() if listing.is_own(line) else ""
        if not text or len(text) > LONGEST or values[0].ndim != 2 or not np.all(np.isfinite(values[0])):
            continue
        name = _named(table, values)
        shape = " × ".join(map(str, values[0].shape))
        sizes = ", ".join(
            f"`{key}` {' × '.join(map(str, np.shape(value)))}"
            for key, value in points[0].items() if np.ndim(value) == 2
        )  # fmt: skip
        yield Asked(
            "line", 2 if name else 1, exercise.name,
            f"What {'does line' if name else 'is the shape of what line'} {line} of your cell {listing.number} "
            f"{'compute, and in which shape,' if name else 'computes'} when the sizes are {sizes}?",
            f"{name[:1].upper()}{name[1:]}, in the shape {shape}." if name else f"Its shape is {shape}.",
            code=listing.around(line),
            check={"probe": probe.name, "cell": cell, "line": line, "shape": values[0].shape, "points": tuple(points),
                   "values": values[0], "quantity": name},
        )  # fmt: skip


def _named(table: Sequence[Quantity], values: Sequence[np.ndarray]) -> str:
    """The exact quantity that these values are at every point; the simplest one."""
    fitting = [
        one for one in table
        if one.text and all(
            mine.shape == due.shape and np.allclose(mine, due, rtol=1e-7, atol=1e-12)
            for mine, due in zip(values, one.values, strict=True)
        )
    ]  # fmt: skip
    if any(one.id == f"dW{layer}" for one in fitting for layer in "12"):
        fitting = [one for one in fitting if not one.id.endswith(" data")]  # without a penalty they are the same
    return min(fitting, key=lambda one: one.level).text if fitting and np.any(values[0]) else ""


def slips(
    exercise: Exercise, questions: Sequence[QuestionMark], own: Mapping[int, Listing], code: Code
) -> Iterator[Asked]:
    """What went wrong, for every line of the record whose mistake is known by name."""
    for question in questions:
        for line in question.lines:
            if line.status != "wrong" or not line.mistakes or set(line.mistakes) & NOT_DONE:
                continue
            found = _listing(line.place, own, code) if line.place is not None else None
            asked = f"Your `{line.name}` in “{question.title}” is not right. "
            about = {"mistakes": line.mistakes, "question": question.id, "line": line.name, "place": line.place}
            yield Asked("slip", 3, exercise.name, f"{asked}What went wrong, and where in your code?", _key(line),
                        check=about)  # fmt: skip
            if found is not None and line.place is not None:
                place = line.place
                yield Asked(
                    "slip", 2, exercise.name,
                    f"{asked}It begins in the marked line of your cell {found.number}. What should stand there, "
                    "and why?",
                    _key(line), code=found.around(place.line, place.end_line), check=about,
                )  # fmt: skip


def _key(line: LineMark) -> str:
    place = line.place.text if line.place is not None else ""
    return " ".join(text for text in (line.message, place, line.hint) if text)


def _listing(place: Place, own: Mapping[int, Listing], code: Code) -> Listing | None:
    return next(
        (one for number, one in own.items() if code.own[number] == place.cell and place.code in one.source), None
    )
