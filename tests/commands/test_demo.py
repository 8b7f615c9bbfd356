"""The demo class: every mark is the one that the work deserves."""

import os
import re
import sqlite3
import subprocess
import sys

import pytest

from autograder.commands.demo import _marks
from autograder.demo.students import STUDENTS, hand_ins


def test_the_class_has_the_students_that_the_readme_speaks_of():
    assert len(STUDENTS) == 13


LESS = """
import sys
from autograder.cli import main
from autograder.exercises import load
# an endless loop is asked three times and called by a cell: several times what training takes is enough of it
load("tanh_swap").limits.update(question_cpu_seconds=1.0, cell_cpu_seconds=5.0)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.heavy
def test_every_mark_is_deserved(tmp_path, root):
    done = subprocess.run(
        [sys.executable, "-c", LESS, "demo", "--folder", tmp_path / "demo", "--root", root],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"PATH": os.defpath},  # as .venv/bin/autograder, without activating
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the most common mistakes" in done.stdout
    (jupyter,) = re.findall(r"formgrader: cd \S+ && (\S+) lab", done.stdout)
    assert (tmp_path / "demo" / jupyter).is_file()
    handed_in = hand_ins(root)
    assert len(handed_in) == 26
    for one in handed_in:
        marks = _marks(tmp_path / "demo", one)
        assert (one.student, marks.points) == (one.student, one.points)
        assert marks.isolation == "full"
    assert (tmp_path / "demo" / "feedback" / "carla" / "training" / "tanh_swap.html").is_file()
    with sqlite3.connect(tmp_path / "demo" / "gradebook.db") as database:
        (graded,) = database.execute("select count(*) from submitted_assignment").fetchone()
    assert graded == 26


@pytest.mark.slow
def test_a_folder_of_the_users_is_not_replaced(tmp_path, root, capsys):
    from autograder.cli import main

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    assert main(["demo", "--folder", str(tmp_path / "mine"), "--root", str(root)]) == 2
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    assert "is no demo course" in capsys.readouterr().err
