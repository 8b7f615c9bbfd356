"""Nothing that was handed in is taken for the course: no command runs a configuration, or any file, beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import COMMANDS
from autograder.course import CourseError, find_root, root_of_hand_in

MARKER = "EXECUTED"


def boobytrapped(folder: Path, root: Path) -> Path:
    """What a student may hand in: all that anything could take for a configuration or a module, beside a notebook."""
    trap = f"import pathlib\npathlib.Path({str(folder)!r}, {MARKER!r}).touch()\n"
    (folder / "source" / "training").mkdir(parents=True)
    for name in ("nbgrader_config.py", "conftest.py", "sitecustomize.py", "autograder.py", "numpy.py", "setup.py"):
        (folder / name).write_text(trap)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p conftest\npythonpath = .\n")
    (folder / "source" / "training" / "backprop.py").write_text(trap)
    (folder / "training").mkdir()
    shutil.copy(root / "assignments" / "training" / "tanh_swap.ipynb", folder / "training")
    shutil.copy(root / "source" / "training" / "tanh_swap.ipynb", folder / "source" / "training")
    return folder


@pytest.fixture
def course(tmp_path: Path, root: Path) -> Path:
    folder = tmp_path / "course"
    (folder / "source").mkdir(parents=True)
    shutil.copytree(root / "source" / "training", folder / "source" / "training")
    shutil.copy(root / "nbgrader_config.py", folder)
    boobytrapped(folder / "submitted" / "eve", root)
    return folder


EVE = "submitted/eve"
PATHS = [EVE, f"{EVE}/training", f"{EVE}/training/tanh_swap.ipynb", "submitted"]


def test_the_course_is_looked_for_where_people_work(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course)
    for path in PATHS:
        assert find_root(graded=[Path(path)]) == course.resolve()
    assert root_of_hand_in(course / EVE / "training") == course.resolve()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("way", ["here", "named"])
@pytest.mark.parametrize("outer", [True, False])
def test_a_root_that_was_handed_in_is_refused(
    course: Path, tmp_path: Path, path: str, way: str, outer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not outer:  # downloaded to a folder that is no course
        (course / "nbgrader_config.py").unlink()
    monkeypatch.chdir(course / EVE if way == "here" else tmp_path)
    with pytest.raises(CourseError, match="which was handed in"):
        find_root(None if way == "here" else course / EVE, graded=[course / path])
    if outer:
        with pytest.raises(CourseError, match="which was handed in"):
            find_root(course / EVE)


def test_a_course_inside_another_is_a_course(course: Path, tmp_path: Path, root: Path) -> None:
    inner = course / "demo"
    (inner / "source").mkdir(parents=True)
    shutil.copy(root / "nbgrader_config.py", inner)
    assert find_root(inner, graded=[inner / "submitted"]) == inner.resolve()


USES = {
    "collect": [["{path}", "--dry-run"], ["{path}"]],
    "return": [["training", "--folders", "{out}"]],
    "grade": [["{path}"], ["{path}", "--gradebook"], ["{path}", "--json"]],
    "serve": [["--stop"], ["--minutes", "0"]],
    "remark": [[]],
    "forget": [["eve", "--dry-run"]],
    "feedback": [["{path}", "--to", "{out}"], []],
    "report": [["{path}", "--output", "{out}/report.html"]],
    "roster": [[], ["--to", "{out}/roster.html"]],
    "hint": [["tanh_swap", "--list"]],
    "numbers": [["list"]],
    "release": [["training"], ["training", "--correct", "--earlier", "{path}"]],
    "kit": [["--to", "{out}/kit.zip"]],
    "site": [["--to", "{out}/site"]],
    "build": [["--check"]],
    "new": [["training", "an_exercise", "A title"]],
    "explain": [["{path}"]],
    "audit": [["tanh_swap", "--in-process"]],
    "export": [["{path}", "--csv"]],
    "gradescope": [["--grade", "{path}", "--output", "{out}/results.json"]],
    "mark": [["training", "--no-browser", "--port", "1"]],  # a port that nobody may take: it stops at once
    "doctor": [[]],
    "demo": [["{out}/demo"]],
    "pytest": [["{path}"]],
    "viva": [["training", "--to", "{out}"]],
    "requests": [["list"], ["add", "{path}", "--student", "eve"]],
}
"""How every command is used with what was handed in; some of these are refused, which is as good."""


def test_every_command_is_here() -> None:
    assert set(COMMANDS) <= set(USES)


def walk(course: Path, out: Path, command: str, where: str, path: str) -> None:
    for use in USES[command]:
        arguments = [word.format(path=course / path, out=out) for word in use]
        code = f"import sys\nfrom autograder.cli import main\nsys.exit(main({[command, *arguments]!r}))"
        subprocess.run(
            [sys.executable, "-P", "-c", code], cwd=course / where, capture_output=True, timeout=300, check=False,
            env={**os.environ, "PYTHONSAFEPATH": "1"},
        )  # fmt: skip
        assert not (course / EVE / MARKER).exists(), f"autograder {command} {arguments} in {where or 'the course'}"


NOTEBOOK = f"{EVE}/training/tanh_swap.ipynb"
TAKE_A_PATH = [name for name in sorted(COMMANDS) if any("{path}" in word for use in USES[name] for word in use)]
IN_CI = {("grade", EVE, EVE), ("pytest", EVE, EVE)}
PLACES = [(name, "", NOTEBOOK) for name in sorted(COMMANDS)] + [(name, EVE, EVE) for name in sorted(COMMANDS)]
PLACES += [(name, where, path) for name in TAKE_A_PATH for where, path in (("", EVE), (EVE, NOTEBOOK))]
"""Each command where people work and where the traps lie, with all that it is given. In CI are two: one of those that
grade as we start, and the one that pytest starts."""


@pytest.mark.parametrize(
    ("command", "where", "path"),
    [pytest.param(*one, marks=pytest.mark.slow if one in IN_CI else pytest.mark.long) for one in PLACES],
)
def test_no_command_runs_anything_that_was_handed_in(
    course: Path, tmp_path: Path, command: str, where: str, path: str
) -> None:
    walk(course, tmp_path, command, where, path)
