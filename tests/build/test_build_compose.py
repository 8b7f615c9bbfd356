"""What the exercise knows is written into the notebook: title, plan, points, metadata and the hidden test."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest

from autograder.build import compose, script
from autograder.exercise import Line, Probe, Question


def cells(course, path="source/foundations/doubling.ipynb"):
    course.build()
    return {cell.id: cell for cell in nbformat.read(course.root / path, as_version=4).cells}


def test_the_first_cell_begins_with_what_the_exercise_says_of_itself(course):
    title = "# Doubling\n\n**10 minutes · difficulty 1 of 5 · 6 points**\n\nTwice as much."
    assert cells(course)["title"].source == title


def test_a_guide_without_an_exercise_stays_as_it_is_written(course):
    assert cells(course, "source/guide/beginning.ipynb")["title"].source == "# How to begin"


def test_the_heading_of_a_written_part_ends_with_its_points(course):
    assert cells(course)["why"].source.startswith("## Say why (2 points)\n\nWhy does this work?")


def test_a_question_says_what_is_marked_and_calls_the_marking(course):
    assert cells(course)["twice"].source == (
        "# Marked after you hand in: double(x) (three points), which is twice x.\n"
        "### BEGIN HIDDEN TESTS\n"
        "from autograder.in_kernel import mark_question\n\n"
        'mark_question("doubling", "twice", globals())\n'
        "### END HIDDEN TESTS"
    )


def test_other_points_in_the_exercise_are_other_points_everywhere(course):
    one = course.exercises[0]
    questions = (replace(one.questions[0], lines=(Line("line", 0.5),)), *one.questions[1:])
    course.exercises = (replace(one, questions=questions), *course.exercises[1:])
    found = cells(course)
    assert "3.5 points**" in found["title"].source
    assert "double(x) (half a point)," in found["twice"].source
    assert found["twice"].metadata["nbgrader"]["points"] == 0.5


@pytest.mark.parametrize(
    ("cell", "flags", "points"),
    [
        ("title", {"locked"}, None),
        ("setup", {"locked"}, None),
        ("double", {"solution"}, None),
        ("selfcheck_double", {"grade", "locked"}, 0),
        ("twice", {"grade", "locked"}, 3),
        ("why", {"locked", "task"}, 2),
    ],
)
def test_the_metadata_of_every_role(course, cell, flags, points):
    given = dict(cells(course)[cell].metadata["nbgrader"])
    assert {key for key, value in given.items() if value is True} == flags
    assert given.pop("points", None) == points
    assert set(given) == {"grade", "solution", "locked", "task", "grade_id", "schema_version"}


def test_code_that_only_shows_carries_its_tag_beside_others(course):
    course.edit(course.doubling, 'given="setup"', 'show="setup" tags=["slow"]')
    assert cells(course)["setup"].metadata["tags"] == ["show", "raises-exception", "slow"]


QUESTION = Question(
    "asked",
    "",
    (Line("z", 2), Line("dz", 2), Line("b", 0.25), Line("c", 1), Line("d", 11)),
    Probe(len, lambda rng: ()),
    lambda *_: {},
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("z {z}", "z (two points)"),
        ("z and dz {z, dz}", "z and dz (two points each)"),
        ("b {b}, c {c}, d {d}", "b (a quarter of a point), c (one point), d (11 points)"),
    ],
)
def test_points_are_written_in_words(course, words, said):
    path = course.root / "reference/by_hand/adding.py"
    path.write_text(f'# %% [markdown] text="title"\n# Hi\n\n# %% question="asked"\n# {words}.\n')
    one, problems = script.read(path, "adding.py")
    assert not problems
    made = compose.notebook(one, replace(course.exercises[1], questions=(QUESTION,)))
    assert made.cells[1].source.split("\n")[0] == f"# Marked after you hand in: {said}."


@pytest.mark.parametrize("place", ["{each}", "{z, c}", "{y}", "{}"])
def test_a_place_that_cannot_be_filled_is_known(place):
    assert compose.unknown_lines(f"a {place} and c {{c}}", QUESTION) == [place]
