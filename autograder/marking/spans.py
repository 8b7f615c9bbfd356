"""Pieces of the source of a cell: where they begin and end, and the one home of how lines and columns are counted.

Lines count from 1 and end where Python ends them: at ``\\n``, ``\\r\\n`` and ``\\r``, nowhere else. Columns count
characters from 0, and the end is the first one behind the piece: within one line it is ``line[col:end_col]``. The
columns of ``ast`` are bytes of UTF-8, which :func:`span_of` alone turns into characters.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

LINE_END = re.compile(r"\r\n|\r|\n")
"""Python's ends of lines. ``str.splitlines`` knows more of them, among them form feeds, which stand in real code."""


@dataclass(frozen=True)
class Span:
    """A piece of the source of one cell.

    ``cell`` is the grade id of the cell, empty for a cell that the student has added. ``code`` is the exact text of the
    piece: where it does not stand there, nothing is marked. ``given`` is the quantity that it gives, or None.
    """

    cell: str
    line: int
    end_line: int
    col: int
    end_col: int
    code: str
    given: str | None = None


@dataclass(frozen=True)
class Place(Span):
    """The expression or statement with which a wrong value begins, with the quantity that is ``due`` there.

    ``visit`` counts the passes of a loop or the calls from 1; None where there is one only. ``text`` is one sentence:
    what it gives and what is due. ``got`` and ``expected`` are its value and the due one at the small example, or None.
    """

    visit: int | None = None
    due: str | None = None
    text: str = ""
    got: Any = None
    expected: Any = None


def blank_before(source: str) -> int:
    """How many blank lines a cell begins with: IPython leaves them out, and counts its lines without them."""
    return next((number for number, line in enumerate(LINE_END.split(source)) if line.strip()), 0)


def offsets(source: str, span: Span) -> tuple[int, int] | None:
    """Where a span begins and ends in the source; None where its text does not stand there."""
    starts = [0, *(end.end() for end in LINE_END.finditer(source))]
    if not 1 <= span.line <= span.end_line <= len(starts) or min(span.col, span.end_col) < 0:
        return None
    start, end = starts[span.line - 1] + span.col, starts[span.end_line - 1] + span.end_col
    return (start, end) if span.code and start < end and source[start:end] == span.code else None


def span_of(cell: str, source: str, node: ast.expr | ast.stmt) -> Span | None:
    """The span of a node of the tree of exactly this source; None where it does not lie in the source.

    >>> span_of("network", "é = a @ b", ast.parse("é = a @ b").body[0].value)
    Span(cell='network', line=1, end_line=1, col=4, end_col=9, code='a @ b', given=None)
    """
    lines = LINE_END.split(source)
    if not 1 <= node.lineno <= (node.end_lineno or 0) <= len(lines):
        return None
    last = node.end_lineno or 0
    col, end_col = (
        _characters(lines[node.lineno - 1], node.col_offset),
        _characters(lines[last - 1], node.end_col_offset),
    )
    starts = [0, *(end.end() for end in LINE_END.finditer(source))]
    code = source[starts[node.lineno - 1] + col : starts[last - 1] + end_col]
    return Span(cell, node.lineno, last, col, end_col, code)


def _characters(line: str, count: int | None) -> int:
    """How many characters so many bytes are."""
    return len(line.encode("utf-8", "surrogatepass")[:count].decode("utf-8", "ignore"))
