"""Cell lines, and a script against its exercise: each planted defect gives its reason and its line."""

from __future__ import annotations

import pytest

DEFECTS = {
    "no question": ('question="twice"', 'question="thrice"', "question='thrice' is no part of"),
    "no cell": ('question="twice"', 'question="thrice"', "twice of autograder/exercises/doubling.py has no cell"),
    "no written part": ('written="why"', 'written="how"', "written='how' is no part of"),
    "a question by another word": ('question="zero"', 'given="zero"', "zero of autograder/exercises/doubling.py has"),
    "duplicate": ('question="zero"', 'question="twice"', "is also used in line"),
    "no word": ('# %% given="setup"', "# %%", "says not what the cell is for"),
    "two words": ('given="setup"', 'given="setup" show="setup"', "says not what the cell is for"),
    "no id": ('given="setup"', 'given=""', "needs an id"),
    "bad id": ('question="twice"', 'question="twice?"', "needs an id of 1 to 64 letters, digits"),
    "id no text": ('question="twice"', 'question=["twice"]', "needs an id"),
    "text in code": ('[markdown] text="title"', 'text="title"', "is markdown; write `# %% [markdown] text=...`"),
    "code in text": ('# %% given="setup"', '# %% [markdown] given="setup"', "is code; write `# %% given=...`"),
    "misspelt word": ("# %% given=", "# %% givne=", "unknown word 'givne'"),
    "nbgrader's own form": ('student="double"', 'nbgrader={"solution": true}', "unknown word 'nbgrader'"),
    "broken line": ('student="double"', 'student="double', "correct quotes and braces"),
    "misspelt cell type": ("# %% [markdown] written", "# %% [markdwon] written", "`[markdwon]` in the cell line"),
    "nothing says what is marked": ("# double(0).\n", "", "say in a comment what is marked"),
    "a test of its own": ("# double(0).\n", "# double(0).\nassert double(0) == 0\n", "the build writes the test"),
    "points of no line": ("{line}", "{lime}", "{lime} names no line"),
    "no text at the top": ('[markdown] text="title"\n#', 'given="title"\n', "the first cell is text"),
    "text before the first cell": ("# %% [mark", '"""Hi."""\n# %% [mark', "before the first `# %%`"),
    "a cell line in a string": ("import numpy as np", 'x = """\n# %% no cell\n"""', "keep `# %%` out of strings"),
}


@pytest.mark.parametrize(("old", "new", "reason"), DEFECTS.values(), ids=DEFECTS)
def test_a_planted_defect_gives_its_reason(course, old, new, reason):
    course.edit(course.doubling, old, new)
    problems = [problem for problem in course.check() if problem.path == course.doubling]
    assert reason in "\n".join(problem.message for problem in problems)


@pytest.mark.parametrize("name", ["no question", "misspelt word", "broken line", "bad id"])
def test_the_line_is_that_of_the_cell(course, name):
    old, new, reason = DEFECTS[name]
    course.edit(course.doubling, old, new)
    (problem,) = [one for one in course.check() if reason in one.message]
    assert problem.line == course.line(course.doubling, new)


def test_questions_in_another_order_than_in_the_exercise(course):
    course.edit(course.doubling, 'question="twice"', 'question="once"')
    course.edit(course.doubling, 'question="zero"', 'question="twice"')
    course.edit(course.doubling, 'question="once"\n# double(x) {line},', 'question="zero"\n# double(x),')
    (problem,) = [problem for problem in course.check() if problem.path == course.doubling]
    assert "in the order zero, twice" in problem.message
    assert problem.line == course.line(course.doubling, 'question="zero"')


def test_a_file_that_is_no_text(course):
    (course.root / course.adding).write_bytes(b"\xff\xfe\x00")
    problems = [problem for problem in course.check() if problem.path == course.adding]
    assert "jupytext cannot read it" in problems[0].message
