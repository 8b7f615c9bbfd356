"""nbgrader's own command with our configuration: the same bytes as the build, and no leak gets through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.build import BuildError, release

CONFIG = "from autograder.build import configure\n\nconfigure(get_config())\n"


def nbgrader(root: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess:
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}
    command = [binaries / "nbgrader", "generate_assignment", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_nbgrader_s_own_command_writes_the_same_bytes(course, tmp_path_factory):
    course.build()
    built = course.files("assignments")
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    home = tmp_path_factory.mktemp("home")
    for sheet in ("foundations", "by_hand"):
        (course.root / "assignments" / sheet / "left_over.txt").write_text("")
        done = nbgrader(course.root, sheet, home=home)
        assert done.returncode == 0, done.stderr
    assert course.files("assignments") == built
    assert (course.root / "gradebook.db").exists()


@pytest.mark.slow
def test_nbgrader_s_own_command_refuses_a_leak(course, tmp_path_factory):
    course.build()
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    course.edit("source/foundations/doubling.ipynb", "### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST")
    course.edit("source/foundations/doubling.ipynb", "### END HIDDEN TESTS", "### END HIDDEN TEST")
    done = nbgrader(course.root, "foundations", "--no-db", home=tmp_path_factory.mktemp("home"))
    assert done.returncode != 0
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
