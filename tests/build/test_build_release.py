"""nbgrader's own command with our configuration: the same bytes as the build, and no leak gets through."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader_kit import nbgrader

from autograder.build import BuildError, release

CONFIG = "from autograder.build import configure\n\nconfigure(get_config())\n"


@pytest.mark.slow
def test_nbgrader_s_own_command_writes_the_same_bytes(course, tmp_path_factory):
    course.build()
    built = course.files("assignments")
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    home = tmp_path_factory.mktemp("home")
    for sheet in ("foundations", "by_hand"):
        (course.root / "assignments" / sheet / "left_over.txt").write_text("")
        nbgrader(course.root, "generate_assignment", sheet, HOME=str(home))
    assert course.files("assignments") == built
    assert (course.root / "gradebook.db").exists()


@pytest.mark.slow
def test_nbgrader_s_own_command_refuses_a_leak(course, tmp_path_factory):
    course.build()
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    course.edit("source/foundations/doubling.ipynb", "### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST")
    course.edit("source/foundations/doubling.ipynb", "### END HIDDEN TESTS", "### END HIDDEN TEST")
    home = str(tmp_path_factory.mktemp("home"))
    done = nbgrader(course.root, "generate_assignment", "foundations", "--no-db", status=1, HOME=home)
    assert "write `### BEGIN HIDDEN TESTS` exactly" in done.stderr
    assert not (course.root / "assignments/foundations").exists()


def test_the_build_leaves_the_gradebook_alone(course):
    course.build()
    assert not list(course.root.rglob("*.db"))


def test_the_build_comes_back_to_the_working_directory(course):
    before = Path.cwd()
    course.build()
    assert Path.cwd() == before


def test_a_failure_inside_nbgrader_comes_with_its_reason(course):
    course.build()
    course.edit("source/foundations/doubling.ipynb", "    ### END SOLUTION", "    pass")
    with pytest.raises(BuildError, match="no end solution statement found"):
        release.generate(course.root, "foundations")
