"""Answers to marks: shape, value, follow-through, diagnosis. Pure functions of exercise, seed and answers."""

from autograder.marking.mark import challenges, mark, truth_meanwhile, work_out_truth
from autograder.marking.marks import (
    SCHEMA,
    STATUSES,
    BadRecord,
    LineMark,
    Marks,
    QuestionMark,
    from_json,
    questions_from_json,
    to_json,
    with_lines,
)
from autograder.marking.spans import Place, Span

__all__ = [
    "SCHEMA",
    "STATUSES",
    "BadRecord",
    "LineMark",
    "Marks",
    "Place",
    "QuestionMark",
    "Span",
    "challenges",
    "from_json",
    "mark",
    "questions_from_json",
    "to_json",
    "truth_meanwhile",
    "with_lines",
    "work_out_truth",
]
