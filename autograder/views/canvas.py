"""Scores filled into a gradebook that Canvas exported.

Canvas reads a file back only when it looks as Canvas wrote it, so nothing but the scores changes: every other byte of
the file stays, its quotes, its line ends and its mark of UTF-8 included.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.exercise import SHEETS
from autograder.views import words
from autograder.views.scores import Score

KEYS = ("SIS User ID", "SIS Login ID", "ID")
"""Columns that may hold the name of a student's folder."""

NUMBER = re.compile(r"\s*\(\d+\)\s*$")
POINTS_POSSIBLE = "points possible"


class NotCanvas(Exception):
    """The file cannot be filled. The message says why and what to do."""


@dataclass(frozen=True)
class Filled:
    """The file with the scores in it, how many cells changed, and what was left as it was, with the reason."""

    text: str
    changed: int
    left_out: tuple[str, ...]


def fill(
    text: str,
    scores: Iterable[Score],
    *,
    columns: Mapping[str, str] | None = None,
    emails: Mapping[str, str] | None = None,
) -> Filled:
    """Fill the scores into the text of an exported gradebook.

    ``columns`` names the assignment of a sheet where it has another name in Canvas; ``emails`` gives addresses that
    Canvas may use as login. Raises NotCanvas for a file of another kind, for an assignment that is not there or is
    there twice, and when Canvas gives it other points than the sheet has.
    """
    rows, delimiter = _rows(text)
    header = [_value(cell) for cell in rows[0].cells]
    keys = [header.index(key) for key in KEYS if key in header]
    if header[0] != "Student" or not keys:
        raise NotCanvas(
            "this is no gradebook that Canvas exported: its first row must have Student, ID and SIS Login ID. "
            "In Canvas open Grades and choose Export."
        )
    body = next((i for i, row in enumerate(rows) if _value(row.cells[0]).strip().lower() == POINTS_POSSIBLE), None)
    if body is None:
        raise NotCanvas("the file has no row Points Possible: export the gradebook again, as a whole.")
    students = _students(rows[body + 1 :], keys)
    changed, left_out = 0, []
    for score in scores:
        at = _column(header, score.sheet, columns or {})
        _agree(score, header[at], _value(rows[body].cells[at]))
        names = (score.student, (emails or {}).get(score.student, score.student))
        found = next((students[name] for name in map(_folded, names) if name in students), [])
        if score.problem:
            left_out.append(f"{score.student}, {score.sheet}: {score.problem}")
        elif not found:
            left_out.append(f"{score.student}: not in this gradebook.")
        elif len({id(row) for row in found}) > 1:
            left_out.append(f"{score.student}: more than one row of the gradebook has this name.")
        else:
            written = words.points(score.points)
            if _value(found[0].cells[at]) != written:
                found[0].cells[at] = f'"{written}"' if found[0].cells[at].startswith('"') else written
                changed += 1
    filled = "".join(delimiter.join(row.cells) + row.end for row in rows)
    return Filled(("\ufeff" if text.startswith("\ufeff") else "") + filled, changed, tuple(dict.fromkeys(left_out)))


@dataclass
class _Row:
    """A row as it stands in the file: cells with their quotes, and the end of the line."""

    cells: list[str]
    end: str


def _rows(text: str) -> tuple[list[_Row], str]:
    """The rows and the character between cells, which Canvas writes as the user's language has it."""
    text = text.removeprefix("\ufeff")
    head = re.match(r'"?Student"?([,;\t])', text)
    if head is None:
        raise NotCanvas(
            "this is no gradebook that Canvas exported: it does not begin with Student. "
            "In Canvas open Grades and choose Export."
        )
    delimiter = head[1]
    cell = re.compile(rf'("(?:[^"]|"")*"|(?!")[^{delimiter}\r\n]*)({delimiter}|\r\n|\n|\r|\Z)')
    rows, cells, at = [], [], 0
    while at < len(text):
        match = cell.match(text, at)
        if match is None:
            line = text.count("\n", 0, at) + 1
            raise NotCanvas(f"the quotes in line {line} do not close: export the gradebook again.")
        cells.append(match[1])
        at = match.end()
        if match[2] != delimiter:
            rows.append(_Row(cells, match[2]))
            cells = []
    if cells:  # the last line ends with an empty cell and without an end of line
        rows.append(_Row([*cells, ""], ""))
    width = len(rows[0].cells)
    for row in rows:
        row.cells += [""] * (width - len(row.cells))
    return rows, delimiter


def _value(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell.startswith('"') else cell


def _folded(name: str) -> str:
    """A name as it is compared: macOS writes an accent as a character of its own."""
    return unicodedata.normalize("NFC", name).casefold()


def _students(rows: Sequence[_Row], keys: Sequence[int]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        for name in {_folded(_value(row.cells[key]).strip()) for key in keys} - {""}:
            found.setdefault(name, []).append(row)
    return found


def _column(header: Sequence[str], sheet: str, columns: Mapping[str, str]) -> int:
    wanted = [columns[sheet]] if sheet in columns else [sheet, SHEETS.get(sheet, sheet)]
    names = {name.strip().casefold() for name in wanted}
    found = [
        index
        for index, title in enumerate(header)
        if title.strip().casefold() in names or NUMBER.sub("", title).strip().casefold() in names
    ]
    if len(found) == 1:
        return found[0]
    there = ", ".join(title for title in header if NUMBER.search(title)) or "none"
    what = "no column" if not found else "more than one column"
    raise NotCanvas(f"{what} for the sheet {sheet}: give --column '{sheet}=NAME'. The assignments are {there}.")


def _agree(score: Score, title: str, possible: str) -> None:
    try:
        most = float(possible.strip().replace(",", "."))
    except ValueError:
        raise NotCanvas(f"Points Possible of {title} is {possible!r}, not a number.") from None
    if abs(most - score.max_points) > 1e-6:
        raise NotCanvas(
            f"{title} has {words.points(most)} points in Canvas and the sheet has {words.points(score.max_points)}: "
            "set the points of the assignment in Canvas, then export again."
        )
