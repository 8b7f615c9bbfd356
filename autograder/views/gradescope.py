"""Marks as Gradescope's ``results.json``: one test per question, also while grading is still under way.

Fields as in Gradescope's autograder specification. A question that needs a person has no score, since none was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.exercise import Exercise
from autograder.marking import Marks, QuestionMark
from autograder.views import words
from autograder.views.cell import to_text

NOT_REACHED = "Not marked: the time of the autograder ran out before this question. Points above are kept."
NOT_HANDED_IN = "This notebook was not handed in."


def results(all_marks: Sequence[Marks], wanted: Sequence[Exercise], *, done: bool, seconds: float) -> dict[str, Any]:
    """The whole file. ``wanted`` are the exercises of the assignment, in its order.

    While ``done`` is false the questions that have no mark yet are listed as not reached, so that the file is right
    whenever grading is stopped.
    """
    found = {marks.exercise: marks for marks in all_marks}
    names = {exercise.name for exercise in wanted}
    unread = " ".join(marks.error for marks in all_marks if marks.error and marks.exercise not in names)
    tests: list[dict[str, Any]] = []
    said = [f"{marks.exercise}: {text}" for marks in all_marks for text in (*marks.notes, words.to_do(marks)) if text]
    for number, exercise in enumerate(wanted, 1):
        marks = found.get(exercise.name)
        # what could not be read may be this notebook: nobody gets a zero for it
        error = marks.error if marks else unread if done else ""
        missing = "" if error else NOT_HANDED_IN if marks is None and done else NOT_REACHED
        marked = {question.id: question for question in marks.questions} if marks else {}
        for part, question in enumerate(exercise.questions, 1):
            test = _frame(f"{number}.{part}", exercise, question.title, question.points)
            if question.id in marked:
                test |= _marked(marked[question.id])
            elif missing:
                test |= {"score": 0.0, "status": "failed", "output": missing}
            else:
                test |= {"output": f"Not graded, a person has to look: {error}", "tags": ["needs-person"]}
            tests.append(test)
        if exercise.written:
            points = words.points(sum(part.points for part in exercise.written))
            said.append(f"{exercise.name}: parts in words, {points} points, are marked by a person.")
    strangers = [marks for marks in all_marks if marks.exercise not in {exercise.name for exercise in wanted}]
    said += [f"{marks.exercise}: not part of this assignment." for marks in strangers if not marks.error]
    file: dict[str, Any] = {
        "execution_time": round(float(seconds), 3),
        "output": "\n".join(said),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"seeds": {marks.exercise: marks.seed for marks in all_marks}},
        "tests": tests,
    }
    if not any("score" in test for test in tests):
        # Gradescope wants a number somewhere
        file["score"] = 0.0
        file["output"] = f"Nothing could be graded, so this 0 is no mark: a person has to look.\n{file['output']}"
    return file


def _frame(number: str, exercise: Exercise, title: str, points: float) -> dict[str, Any]:
    return {
        "name": f"{exercise.title}: {title}",
        "number": number,
        "max_score": float(points),
        "output": "",
        "output_format": "text",
        "visibility": "visible",
        "tags": [],
    }


def _marked(question: QuestionMark) -> dict[str, Any]:
    if question.status == "grader_error":
        return {"output": question.message, "tags": ["needs-person"]}
    return {
        "score": question.points,
        "status": "passed" if question.points == question.max_points else "failed",
        "output": to_text(question),
        "tags": [question.status, *question.mistakes],
    }
