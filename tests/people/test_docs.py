"""Every command of the instructors' page is run, in the order in which it stands there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.build.submission import fill, solutions
from autograder.exercises import load


def commands(text):
    """The lines of the shell blocks."""
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def course(tmp_path, root):
    """A course with one exercise, its release, and two students with the same unexplained mistake."""
    for folder in ("source", "assignments"):
        shutil.copytree(root / folder / "training", tmp_path / folder / "training")
        for other in (tmp_path / folder / "training").glob("*.ipynb"):
            if other.stem != "tanh_swap":
                other.unlink()
    for folder in ("source", "assignments"):
        (tmp_path / folder / "by_hand").mkdir()
        notebook = f"{folder}/by_hand/worked_calculation.ipynb"
        shutil.copy(root / notebook, tmp_path / notebook)
    (tmp_path / "students.csv").write_text("id\ncarla\ndmitri\n")
    shutil.copy(root / "nbgrader_config.py", tmp_path)
    released = nbformat.read(root / "assignments" / "training" / "tanh_swap.ipynb", as_version=4)
    odd = dict(solutions(root, load("tanh_swap")))
    odd["network"] = odd["network"].rstrip() + "\n        self.dW1 = self.dW1 * 1.2345\n"
    for student in ("carla", "dmitri"):
        path = tmp_path / "submitted" / student / "training" / "tanh_swap.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(released, odd), path)
    return tmp_path


def run(course, line):
    """Run one line as it stands, with our interpreter."""
    program, *arguments = shlex.split(line)
    assert program in ("autograder", "nbgrader"), line
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        timeout=400,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.long
@pytest.mark.xdist_group("nbgrader")
def test_every_command_works_and_the_hint_arrives(course, root):
    cluster = ""
    for line in commands((root / "docs" / "instructors.md").read_text()):
        if line == "autograder build --check":  # needs the whole course, and `make test` runs it
            continue
        said = run(course, line.replace("CLUSTER", cluster))
        if line == "autograder hint":
            cluster = next(entry.split()[0] for entry in said.splitlines() if "2 ×" in entry)
    hint = "Which values does the hidden layer send on?"
    for page in ("feedback/carla", "feedback/dmitri", "pages/carla"):
        assert hint in (course / page / "training" / "tanh_swap.html").read_text()
    assert "carla" in (course / "report.html").read_text()
    assert "carla" not in (course / "report-without-names.html").read_text()
    assert (course / "student-kit.zip").is_file()
    assert len((course / "grades.csv").read_text().splitlines()) == 3
    own = [course / "variants" / s / "by_hand" / "worked_calculation.ipynb" for s in ("carla", "dmitri")]
    assert len({path.read_text() for path in own}) == 2


def test_every_subcommand_for_instructors_is_described(root):
    text = (root / "docs" / "instructors.md").read_text()
    for name in ("feedback", "report", "hint", "kit", "variants"):
        assert f"autograder {name}" in text
