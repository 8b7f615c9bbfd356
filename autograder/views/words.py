"""How marks are put into words: the same in the terminal, in the notebook and on the feedback page."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.marking import STATUSES, Marks, QuestionMark
from autograder.mistakes import MISTAKES
from autograder.views import places

SIGNS = {"correct": "✓", "wrong": "✗", "missing": "–", "grader_error": "?"}
"""A sign beside the word, so that nothing is said by colour alone."""


def points(value: float) -> str:
    """Points without needless decimals.

    >>> points(2.0), points(2.5)
    ('2', '2.5')
    """
    return f"{round(value, 2):g}"


def sign(status: str) -> str:
    """The sign of a status."""
    return SIGNS.get(status, "!")


def word(status: str) -> str:
    """The words of a status."""
    return STATUSES[status]


def mistake(mistake_id: str) -> str:
    """A mistake in words: the title from the catalogue, or the words of its id."""
    return MISTAKES[mistake_id].title if mistake_id in MISTAKES else mistake_id.replace("-", " ")


def number(value: Any) -> str:
    """A number with six significant digits; text and None as they are."""
    if isinstance(value, str) or value is None:
        return str(value)
    return f"{float(value):.6g}"


def grid(value: Any) -> list[list[str]]:
    """An array as rows of printed numbers; a single number is one row of one entry. Raises ValueError for others."""
    array = np.atleast_2d(np.asarray(value))
    if array.ndim != 2:
        raise ValueError(f"only matrices are printed, not an array of shape {array.shape}")
    return [[number(entry) for entry in row] for row in array.tolist()]


def counted(number: int, thing: str) -> str:
    """A number of things in words.

    >>> counted(1, "student"), counted(2, "student")
    ('1 student', '2 students')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"


def summary(question: QuestionMark) -> str:
    """One sentence for one question: what to look at first."""
    if question.status == "correct":
        own = any(line.own for line in question.lines)
        return "Right, given your earlier values." if own else ""
    return " ".join(text for text in (question.message, places.first(question)) if text)


def to_do(marks: Marks) -> str:
    """What is left for a person, or empty."""
    if marks.error:
        return marks.error
    if marks.needs_person:
        return "The grader failed at a question: a person has to look at it."
    return ""
