"""Marks as the result file of Classroom 50 (``classroom50/result/v1``), whose scores are whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from autograder.marking import Marks
from autograder.views import words

SCALE = 100
"""Units per point: with hundredths no part of a point is lost to whole numbers."""

NEEDED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
"""Variables of the runner's environment that the file cannot do without."""


class NotTheRunner(Exception):
    """The environment is not that of a Classroom 50 runner. The message names what is missing."""


def result(
    all_marks: Sequence[Marks], environment: Mapping[str, str], now: datetime, *, scale: int = SCALE
) -> dict[str, Any]:
    """The result of one submission. Raises NotTheRunner.

    ``now`` is the time of grading. The runner replaces ``owner``, ``assignment_type`` and ``datetime`` by what it
    knows itself. A notebook or question that needs a person is in the tests as not passed, and says so.
    """
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise NotTheRunner(f"Classroom 50's runner sets {', '.join(missing)}, and here they are not set.")
    tests = [test for marks in all_marks for test in _tests(marks, scale)]
    return {
        "schema": "classroom50/result/v1",
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environment.get("OWNER") or environment.get("USERNAME") or "unknown",
        "submission": environment["SUBMISSION_TAG"],
        "commit": environment["COMMIT_URL"],
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or environment["COMMIT_URL"],
        "datetime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }


def _tests(marks: Marks, scale: int) -> list[dict[str, Any]]:
    if marks.error:
        return [_test(marks.exercise, 0, 0, False, f"Not graded, a person has to look: {marks.error}")]
    return [
        _test(
            f"{marks.exercise}: {question.title}",
            round(question.points * scale),
            round(question.max_points * scale),
            question.points == question.max_points,
            words.summary(question),
        )
        for question in marks.questions
    ]


def _test(name: str, score: int, most: int, passed: bool, message: str) -> dict[str, Any]:
    return {"test-name": name, "passed": passed, "score": score, "max-score": most, "message": message}
