"""The record of marks: what every view reads and nothing else writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from math import isfinite
from typing import Any, get_type_hints

import numpy as np

from autograder.marking.spans import Place, Span

SCHEMA = "backprop-autograder/marks/v1"
"""Name and version of the record as JSON; ``marks.schema.json`` beside this module describes it.

The number grows when a field goes or changes its meaning. A new field does not change it: readers skip what they do
not know.
"""

STATUSES = {
    "correct": "right",
    "wrong": "wrong",
    "missing": "not done",
    "raised": "error",
    "timed_out": "too slow",
    "out_of_memory": "out of memory",
    "output_limit": "too much output",
    "crashed": "crashed",
    "grader_error": "needs a person",
}
"""Every status with the words that people read. ``grader_error`` is our fault, never a zero."""


@dataclass(frozen=True)
class LineMark:
    """The mark of one line; the fields are those of :class:`autograder.exercise.Verdict`.

    ``place`` is where in the student's own code a wrong value begins, where that was proven. It changes words, no mark.
    """

    name: str
    label: str
    points: float
    max_points: float
    status: str
    own: bool = False
    mistakes: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    expected: Any = None
    got: Any = None
    difference: Any = None
    remarks: tuple[str, ...] = ()
    fingerprint: str = ""
    evidence: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class QuestionMark:
    """The mark of one question and of its lines.

    ``example`` maps the inputs of the small example that expected and own numbers are shown for to their values.
    ``sound`` are the pieces of the student's code that give exactly what they should: up to there all is right.
    """

    id: str
    title: str
    points: float
    max_points: float
    status: str
    mistakes: tuple[str, ...] = ()
    message: str = ""
    lines: tuple[LineMark, ...] = ()
    remarks: tuple[str, ...] = ()
    example: Any = None
    sound: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Marks:
    """The marks of one notebook.

    ``max_points`` counts what the machine marks; ``written_points`` is what a person adds later.
    ``isolation`` is the level at which the code ran and ``seed`` draws the challenges, so that the same marks come
    out again. ``notes`` say what was healed in the notebook or kept it from being graded.
    ``digest`` is that of the code cells that these marks were given for. ``error`` says why nothing could be graded.
    """

    student: str
    sheet: str
    exercise: str
    questions: tuple[QuestionMark, ...]
    isolation: str = ""
    seed: int = 0
    written_points: float = 0.0
    notes: tuple[str, ...] = ()
    digest: str = ""
    seconds: float = 0.0
    error: str = ""

    @property
    def points(self) -> float:
        """Points earned in all questions."""
        return round(sum(question.points for question in self.questions), 6)

    @property
    def max_points(self) -> float:
        """Points that the machine can give."""
        return sum(question.max_points for question in self.questions)

    @property
    def needs_person(self) -> bool:
        """Whether a person has to look: the notebook could not be graded, or the grader failed somewhere."""
        return bool(self.error) or any(question.status == "grader_error" for question in self.questions)

    def question(self, question_id: str) -> QuestionMark:
        """The mark of one question. Raises KeyError when there is none."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)


def with_lines(marks: Marks, change: Callable[[QuestionMark, LineMark], LineMark]) -> Marks:
    """The same marks with every line as ``change`` makes it of the question and the line."""
    questions = (
        replace(question, lines=tuple(change(question, line) for line in question.lines))
        for question in marks.questions
    )
    return replace(marks, questions=tuple(questions))


def to_json(marks: Marks) -> dict[str, Any]:
    """The record as plain data for ``json.dumps``; arrays become lists and numbers stay exact."""
    record = {field.name: getattr(marks, field.name) for field in fields(marks)}
    ordered = {"schema": SCHEMA} | {name: record.pop(name) for name in ("student", "sheet", "exercise")}
    ordered |= {"points": marks.points, "max_points": marks.max_points}
    plain: dict[str, Any] = _plain(ordered | {name: record.pop(name) for name in ("isolation", "seed")} | record)
    return plain


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if is_dataclass(value):
        return {field: _plain(getattr(value, field)) for field in _fields_of(value.__class__)}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)  # JSON has no NaN and no infinity
    return value


@cache
def _fields_of(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


class BadRecord(ValueError):
    """The data is no record of marks that this version reads. The message says what it is instead."""


def from_json(record: Mapping[str, Any]) -> Marks:
    """The marks that :func:`to_json` wrote; fields of later versions are skipped. Raises BadRecord."""
    schema = record.get("schema") if isinstance(record, Mapping) else None
    if schema != SCHEMA:
        raise BadRecord(f"this is no record of marks: its schema is {schema!r}, and {SCHEMA!r} is read here")
    try:
        return Marks(**_known(Marks, record), questions=questions_from_json(record["questions"]))
    except (AttributeError, KeyError, TypeError) as error:
        raise BadRecord(f"this record of marks is damaged: {type(error).__name__}: {error}") from None


def questions_from_json(records: Sequence[Mapping[str, Any]]) -> tuple[QuestionMark, ...]:
    """The questions of a record of marks. Raises AttributeError, KeyError or TypeError where it is damaged."""
    return tuple(
        QuestionMark(
            **_known(QuestionMark, question),
            lines=tuple(_line(line) for line in question["lines"]),
            sound=_sound(question.get("sound", [])),
        )
        for question in records
    )


def _line(record: Mapping[str, Any]) -> LineMark:
    place = record.get("place")
    return LineMark(**_known(LineMark, record), place=None if place is None else Place(**_known(Place, place)))


def _sound(spans: Any) -> tuple[Span, ...]:
    if not isinstance(spans, list):
        raise TypeError(f"sound is {str(spans)[:50]!r}")
    return tuple(Span(**_known(Span, span)) for span in spans)


def _known(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass that a record has, without those that are records too. Raises TypeError."""
    known = {}
    for name, (is_of_type, read) in _types(kind).items():
        if name in record:
            if not is_of_type(record[name]) or (name == "status" and record[name] not in STATUSES):
                raise TypeError(f"{name} is {str(record[name])[:50]!r}")
            known[name] = read(record[name])
    return known


def _is_number(value: Any) -> bool:
    """Whether it is a number of the record: none is negative or without end."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0


_TYPES: dict[Any, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    str: (lambda value: isinstance(value, str), str),
    bool: (lambda value: isinstance(value, bool), bool),
    int: (lambda value: _is_number(value) and isinstance(value, int), int),
    float: (lambda value: _is_number(value), float),
    int | None: (lambda value: value is None or (_is_number(value) and isinstance(value, int)), lambda value: value),
    str | None: (lambda value: value is None or isinstance(value, str), lambda value: value),
    tuple[str, ...]: (lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value), tuple),
    Any: (lambda value: True, lambda value: value),
}
"""For every type of field: whether a value of JSON is of it, and how it becomes one."""


@cache
def _types(kind: type) -> dict[str, tuple[Callable[[Any], bool], Callable[[Any], Any]]]:
    return {name: _TYPES[hint] for name, hint in get_type_hints(kind).items() if hint in _TYPES}
