"""The course in this repository is sound and what is generated is current."""

from __future__ import annotations

from pathlib import Path

from autograder.build import check

ROOT = Path(__file__).parents[2]


def test_the_course_passes_its_own_check():
    assert [str(problem) for problem in check(ROOT)] == []
