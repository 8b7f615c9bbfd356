"""Marker spelling: what is a marker, what only looks like one, and in which cell each may stand."""

from __future__ import annotations

import pytest

from autograder.build import markers


@pytest.mark.parametrize("line", [one.spelling for one in markers.MARKERS])
def test_the_exact_spelling_is_a_marker_at_any_indentation(line):
    assert markers.marker(line) is markers.marker(f"    {line}  ") is not None
    assert markers.near_miss(line) is None


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("## BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("# BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("#### BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("###BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("###  BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("### BEGIN  SOLUTION", "### BEGIN SOLUTION"),
        ("### BEGIN_SOLUTION", "### BEGIN SOLUTION"),
        ("### BEGINSOLUTION", "### BEGIN SOLUTION"),
        ("### BEGIN SOLUTIONS", "### BEGIN SOLUTION"),
        ("### BEGIN SOLUTION here", "### BEGIN SOLUTION"),
        ("### BEGN SOLUTION", "### BEGIN SOLUTION"),
        ("### EDN SOLUTION", "### END SOLUTION"),
        ("### end solution", "### END SOLUTION"),
        ("### End Solution (mine)", "### END SOLUTION"),
        ("BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("### BEGIN SOLUTOIN", "### BEGIN SOLUTION"),
        ("### BEGIN HIDDEN TEST", "### BEGIN HIDDEN TESTS"),
        ("### END HIDEN TESTS", "### END HIDDEN TESTS"),
        ("# begin hidden tests", "### BEGIN HIDDEN TESTS"),
        ("### END HIDDEN-TESTS", "### END HIDDEN TESTS"),
        ("### BEGIN MARK SCHEME", "=== BEGIN MARK SCHEME ==="),
        ("=== BEGIN MARK SCHEME ==", "=== BEGIN MARK SCHEME ==="),
        ("=== BEGIN MARKSCHEME ===", "=== BEGIN MARK SCHEME ==="),
        ("=== END MARKING SCHEME ===", "=== END MARK SCHEME ==="),
        ("=== end mark scheme ===", "=== END MARK SCHEME ==="),
        ("put your code after BEGIN SOLUTION please", "### BEGIN SOLUTION"),
    ],
)
def test_a_near_miss_is_seen_with_what_was_meant(line, meant):
    assert markers.near_miss(line).spelling == meant


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("### START HIDDEN TESTS", "hidden tests"),
        ("### SOLUTION", "solution"),
        ("== MARK SCHEME ==", "mark scheme"),
        ("--- HIDDEN TESTS", "hidden tests"),
    ],
)
def test_a_shouted_line_with_a_marker_s_words_is_seen(line, kind):
    assert markers.near_miss(line).kind == kind


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# Solution",
        "## The solution",
        "# begin with the solution of the first layer",
        "# end of the solution path",
        "## Both solutions are right",
        "### Tests that you can see",
        "return begin_solution",
        "# hidden layer",
        "x = 1  # the hidden units are tested below",
        "=======",
        "## Begin here",
        "### Why",
    ],
)
def test_plain_text_is_no_near_miss(line):
    assert markers.near_miss(line) is None


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ("### BEGIN SOLUTION", "##  BEGIN SOLUTION", "##  BEGIN", "looks like a marker"),
        ("### BEGIN SOLUTION\n", "", "### END SOLUTION", "closes nothing"),
        ("    ### END SOLUTION\n", "", "### BEGIN SOLUTION", "never closed"),
        ("### END SOLUTION", "### BEGIN SOLUTION", "### BEGIN SOLUTION", "never closed"),
        ("### END SOLUTION", "### END HIDDEN TESTS", "### END HIDDEN TESTS", "closes the solution"),
        ("# Twice as much.", "# ### BEGIN SOLUTION\n# 2\n# ### END SOLUTION", "### BEGIN", "outside a student cell"),
        ("double(2)", "### BEGIN SOLUTION\n### END SOLUTION", "### BEGIN SOLUTION\n", "outside a student cell"),
        ("import numpy as np", "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS", "### BEGIN HID", "the build writes"),
        ("# Twice as much.", "# === BEGIN MARK SCHEME ===\n# === END MARK SCHEME ===", "=== BE", "outside a written"),
        ("=== END MARK SCHEME ===", "=== END MARK SCHEMES ===", "SCHEMES", "=== END MARK SCHEME ==="),
        ("# Why does", "# === END MARK SCHEME ===\n# Say why", "=== END MARK", "closes nothing"),
    ],
)
def test_a_planted_marker_defect_is_found_in_its_line(course, old, new, at, reason):
    course.edit(course.doubling, old, new)
    problems = [problem for problem in course.check() if problem.path == course.doubling]
    assert reason in "\n".join(problem.message for problem in problems)
    if "\n" not in at:
        last = max(n for n, line in enumerate((course.root / course.doubling).read_text().split("\n"), 1) if at in line)
        first = course.line(course.doubling, at)
        assert {problem.line for problem in problems} & {first, last}


def test_end_before_begin_is_two_problems(course):
    course.edit(course.doubling, "### BEGIN SOLUTION", "### BEGIN_")
    course.edit(course.doubling, "### END SOLUTION", "### BEGIN SOLUTION")
    course.edit(course.doubling, "### BEGIN_", "### END SOLUTION")
    messages = [problem.message for problem in course.check() if problem.path == course.doubling]
    assert len(messages) == 2
    assert "closes nothing" in messages[0]
    assert "never closed" in messages[1]


def test_regions_are_taken_apart():
    source = "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc"
    assert markers.without_markers(source) == "a\nb\nc"
    assert list(markers.regions(source.split("\n"))) == [(None, "a"), ("solution", "b"), (None, "c")]
