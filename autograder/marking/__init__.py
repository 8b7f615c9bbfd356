"""Answers to marks: shape, value, follow-through, diagnosis. Pure functions of exercise, seed and answers."""

from autograder.marking.mark import challenges, mark
from autograder.marking.marks import STATUSES, LineMark, Marks, QuestionMark, from_json, to_json

__all__ = ["STATUSES", "LineMark", "Marks", "QuestionMark", "challenges", "from_json", "mark", "to_json"]
