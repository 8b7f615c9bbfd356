"""nbgrader metadata against itself and against the exercise: each planted defect gives its reason and its line."""

from __future__ import annotations

import pytest

DEFECTS = {
    "points differ": ('"twice", "locked": true, "points": 3', '"twice", "locked": true, "points": 2', "2 points here"),
    "points of a task differ": ('"points": 2, "schema', '"points": 5, "schema', "5 points here and 2"),
    "no question": ('"grade_id": "twice"', '"grade_id": "thrice"', "thrice is no question"),
    "no cell": ('"grade_id": "twice"', '"grade_id": "thrice"', "the question twice"),
    "no written part": ('"grade_id": "why"', '"grade_id": "how"', "how is no written part"),
    "duplicate": ('"grade_id": "zero"', '"grade_id": "twice"', "is also used in line"),
    "zero points by another name": ('"grade_id": "selfcheck"', '"grade_id": "look"', "is called selfcheck..."),
    "a self-check with points": (
        '"selfcheck", "locked": true, "points": 0',
        '"selfcheck", "locked": true, "points": 1',
        "selfcheck is no question",
    ),
    "no schema version": ('"points": 3, "schema_version": 3, ', '"points": 3, ', '"schema_version" is missing'),
    "old schema version": ('"points": 3, "schema_version": 3, ', '"points": 3, "schema_version": 2, ', "or not 3"),
    "locked solution": ('"double", "locked": false', '"double", "locked": true', 'set "locked": false'),
    "open test": ('"twice", "locked": true', '"twice", "locked": false', 'set "locked": true'),
    "no points": ('"points": 3, ', "", '"points" is missing'),
    "negative points": ('"points": 3, ', '"points": -3, ', "no number from 0 up"),
    "points as text": ('"points": 3, ', '"points": "3", ', "no number from 0 up"),
    "points without a grade": ('"double", "locked": false', '"double", "locked": false, "points": 1', "never awarded"),
    "no grade id": ('"grade_id": "double", ', "", '"grade_id" is missing'),
    "bad grade id": ('"grade_id": "twice"', '"grade_id": "twice?"', "letters, digits"),
    "reserved grade id": ('"grade_id": "double"', '"grade_id": "cell-02"', "is kept for cells without one"),
    "flag missing": ('{"grade": false, "grade_id": "double"', '{"grade_id": "double"', "grade: each must be given"),
    "flag no boolean": ('"solution": true', '"solution": 1', "solution: each must be given"),
    "no object": ("import numpy as np", "pass\n\n# %% nbgrader=true", "nbgrader must be an object"),
    "grade id no text": ('"grade_id": "twice"', '"grade_id": ["twice"]', '"grade_id" is missing'),
    "unknown key": ('"points": 3, ', '"points": 3, "point": 3, ', "does not know point"),
    "graded task": ('"grade": false, "grade_id": "why"', '"grade": true, "grade_id": "why"', "marked by a person"),
    "task in code": ("# %% [markdown] nbgrader", "# %% nbgrader", "a task cell must be markdown"),
    "misspelt key": ("# %% nbgrader=", "# %% nbgarder=", "unknown cell metadata 'nbgarder'"),
    "broken json": ('"grade_id": "double"', '"grade_id" "double"', "correct quotes, commas and braces"),
    "misspelt cell type": ("# %% [markdown]\n", "# %% [markdwon]\n", "`[markdwon]` in the cell line"),
    "nothing says what is marked": ("# Marked here: double(0) is 0.\n", "", "nothing visible says what is marked"),
    "only code is visible": ("# Marked here: double(x) is twice x.\n", "", "nothing visible says what is marked"),
    "text before the first cell": ("# %% [markdown]\n", '"""Hi."""\n# %% [markdown]\n', "before the first `# %%`"),
    "a cell line in a string": ("import numpy as np", 'x = """\n# %% no cell\n"""', "keep `# %%` out of strings"),
}


@pytest.mark.parametrize(("old", "new", "reason"), DEFECTS.values(), ids=DEFECTS)
def test_a_planted_defect_gives_its_reason(course, old, new, reason):
    course.edit(course.doubling, old, new)
    problems = [problem for problem in course.check() if problem.path == course.doubling]
    assert reason in "\n".join(problem.message for problem in problems)


@pytest.mark.parametrize("name", ["points differ", "locked solution", "no question", "misspelt key", "broken json"])
def test_the_line_is_that_of_the_cell(course, name):
    old, new, reason = DEFECTS[name]
    course.edit(course.doubling, old, new)
    (problem,) = [one for one in course.check() if reason in one.message]
    assert problem.line == course.line(course.doubling, new)


def test_questions_in_another_order_than_in_the_exercise(course):
    course.edit(course.doubling, '"grade_id": "twice", "locked": true, "points": 3', '"grade_id": "A", "points": 1')
    course.edit(course.doubling, '"grade_id": "zero", "locked": true, "points": 1', '"grade_id": "twice", "points": 3')
    course.edit(course.doubling, '"grade_id": "A"', '"locked": true, "grade_id": "zero"')
    course.edit(course.doubling, '"grade_id": "twice"', '"locked": true, "grade_id": "twice"')
    (problem,) = [problem for problem in course.check() if problem.path == course.doubling]
    assert "in the order zero, twice" in problem.message
    assert problem.line == course.line(course.doubling, '"grade_id": "zero"')


def test_a_written_answer_must_be_worth_what_the_exercise_says(course):
    course.edit(course.adding, '"points": 4', '"points": 3')
    (problem,) = [problem for problem in course.check() if problem.path == course.adding]
    assert "words has 3 points here and 4" in problem.message


def test_a_written_answer_without_points_to_give(course):
    course.edit(course.adding, '{"grade": true, "grade_id": "words"', '{"grade": false, "grade_id": "words"')
    messages = "\n".join(problem.message for problem in course.check() if problem.path == course.adding)
    assert 'set "grade": true' in messages


def test_a_file_that_is_no_text(course):
    (course.root / course.adding).write_bytes(b"\xff\xfe\x00")
    problems = [problem for problem in course.check() if problem.path == course.adding]
    assert "jupytext cannot read it" in problems[0].message
