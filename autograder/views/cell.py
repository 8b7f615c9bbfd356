"""Marks as the outputs of a graded cell: a table to read, and the points where nbgrader looks for them."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from nbformat import NotebookNode
from nbformat.notebooknode import from_dict
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from autograder.marking import LineMark, Marks, QuestionMark
from autograder.views import places, words
from autograder.views.terminal import plain


def outputs(question: QuestionMark, marks: Marks) -> list[NotebookNode]:
    """What is written under a graded cell.

    The table comes first, as HTML and as plain text. Then, unless a person has to look, the points as the cell's
    result: a number between 0 and the maximum, which nbgrader's SaveAutoGrades reads.
    """
    key = hashlib.sha256(pickle.dumps((question, marks.isolation))).digest()
    if (data := _shown.get(key)) is None:
        while len(_shown) >= MOST_KEPT:
            del _shown[next(iter(_shown))]
        data = _shown[key] = {"text/html": to_html(question, marks), "text/plain": to_text(question)}
    shown = from_dict({"output_type": "display_data", "metadata": {}, "data": data})
    if question.status == "grader_error":
        return [shown]
    earned = {"text/plain": repr(float(min(max(question.points, 0.0), question.max_points)))}
    result = {"output_type": "execute_result", "metadata": {}, "data": earned, "execution_count": None}
    return [shown, from_dict(result)]


MOST_KEPT = 1000
"""So many different tables are remembered: a class gives the same right answers, and the same mistakes, again."""

_shown: dict[bytes, dict[str, str]] = {}


def to_html(question: QuestionMark, marks: Marks) -> str:
    """The table of one question as a self-contained piece of HTML."""
    told = places.told_at(question)
    return _template().render(
        question=question, marks=marks, told=told, heat=heat, matrix=matrix, example=example, **_helpers()
    )


def to_text(question: QuestionMark) -> str:
    """The table of one question as plain text."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=True)
    for name in ("", "points", "", ""):
        table.add_column(name)
    told = places.told_at(question)
    for line in question.lines:
        found = " ".join(text for text in (line.message, line.hint, told.get(line.name)) if text)
        earned = f"{words.points(line.points)} / {words.points(line.max_points)}"
        table.add_row(line.label or line.name, earned, f"{words.sign(line.status)} {words.word(line.status)}", found)
    head = f"{question.title}: {words.points(question.points)} of {words.points(question.max_points)} points"
    said = question.message if question.status not in ("correct", "wrong") else ""
    return plain(Group(Text(head), table, *(Text(text) for text in (said, *question.remarks) if text)))


def heat(line: LineMark) -> list[list[tuple[float, str]]]:
    """The heat map of where a value differs: for every entry a strength from 0 to 1 and a label.

    Empty when nothing can be drawn. The strength is logarithmic: 0 at a relative difference of 1e-7, 1 at 1.
    """
    if line.difference is None or line.status == "correct":
        return []
    array = np.atleast_2d(np.asarray(line.difference, dtype=float))
    if array.ndim != 2 or array.size > 400 or array.size < 2:
        return []
    with np.errstate(all="ignore"):
        strength = np.clip((np.log10(array) + 7) / 7, 0, 1)
    strength = np.where(np.isfinite(array), np.nan_to_num(strength), 1.0)
    return [
        [(float(s), "same" if s == 0 else words.number(d) if np.isfinite(d) else "not finite") for s, d in zip(*rows)]
        for rows in zip(strength, array)
    ]


def example(question: QuestionMark) -> list[tuple[str, list[list[str]]]]:
    """The inputs of the small example, by name, as rows of printed numbers."""
    inputs = question.example if isinstance(question.example, Mapping) else {}
    return [(str(name), rows) for name, value in inputs.items() if (rows := matrix(value))]


def matrix(value: object) -> list[list[str]]:
    """A value as rows of printed numbers, or empty when it cannot be shown as a matrix."""
    try:
        rows = words.grid(value) if value is not None else []
    except (TypeError, ValueError):
        return []
    return rows if sum(map(len, rows)) <= 64 else []


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("autograder.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("question.html.j2")


def _helpers() -> dict[str, Any]:
    return {"points": words.points, "sign": words.sign, "word": words.word}
