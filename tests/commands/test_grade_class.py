"""What a person sees while a class is graded: progress on a terminal, a summary at the end, quiet elsewhere."""

import argparse
import json
import os
import pty
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from class_kit import NAME, SHEET, hand_in, make_course, solved
from rich.console import Console

from autograder import sandbox
from autograder.cli import main
from autograder.commands import grade_class as class_command
from autograder.grading import batch
from autograder.grading.batch import FAILED, GRADED, UNCHANGED, Done
from autograder.grading.submissions import Submission
from autograder.marking import Marks, QuestionMark
from autograder.records.read import read
from autograder.sandbox import Limits

GRADE = (sys.executable, "-m", "autograder", "grade", "submitted", "--gradebook", "--marks-only")


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    folder = make_course(tmp_path_factory.mktemp("seen") / "course", root)
    for number, student in enumerate(("ada", "bo", "cy")):
        hand_in(folder, student, solved(root, loss=f"y = 0.8\nloss = {number}"))
    (folder / "submitted" / "cy" / SHEET / f"{NAME}.ipynb").write_text("{")
    return folder


def on_a_terminal(command, folder):
    """Run a command whose standard error is a terminal; its status, standard output and what the terminal showed."""
    ours, theirs = pty.openpty()
    shown = []

    def read():
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:
                return
            if not data:
                return
            shown.append(data)

    reader = threading.Thread(target=read)
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "140"}
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment)
    os.close(theirs)
    reader.start()
    said = process.communicate(timeout=600)[0]
    reader.join(timeout=600)
    os.close(ours)
    return process.returncode, said, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", b"".join(shown).decode())


@pytest.mark.slow
def test_progress_on_a_terminal_and_a_summary(course):
    status, said, shown = on_a_terminal(GRADE, course)
    assert status == 1
    assert re.search(r"marks .*\d/3 \d+ running 1 failing \S*:\S*", shown), shown
    assert "3 notebooks in" in said
    assert "2 graded" in said
    assert "1 not done" in said
    assert "points on average" in said
    assert re.search(r"peak memory: \d+ MB here, \d+ MB in one notebook", said)
    assert f"cy {NAME}: {NAME}.ipynb is not valid JSON" in said


@pytest.mark.slow
def test_elsewhere_only_the_records_are_written(course, monkeypatch):
    with monkeypatch.context() as here:
        here.chdir(course)
        main(list(GRADE[3:]))
    done = subprocess.run([*GRADE, "--json"], cwd=course, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert done.stderr == ""
    records = {one["student"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert set(records) == {"ada", "bo", "cy"}
    assert records["cy"]["how"] == "failed"
    assert "not valid JSON" in records["cy"]["problem"]
    assert records["ada"]["questions"]


NOTHING_CHANGED = SimpleNamespace(changed=lambda submission: [])
"""A writer of whose marks no person has changed any."""


def shown_as(batch, *, json):
    asked = argparse.Namespace(json=json, cluster=None, jobs=2)
    return class_command._show(batch, 2, asked, Console(stderr=True), NOTHING_CHANGED)


def shown(batch, capsys):
    """The summary of a batch, and the exit status."""
    status = class_command._show(
        batch, 2, argparse.Namespace(json=False, cluster=None, jobs=2), Console(stderr=True), NOTHING_CHANGED
    )
    return status, capsys.readouterr().out


def done(student, how, points, problem="", status="correct"):
    question = QuestionMark("one", "One", points, 5.0, status, ())
    marks = Marks(student, SHEET, NAME, (question,), "full", 7)
    return Done(Submission(student, SHEET, NAME, Path(f"{student}.ipynb")), how, marks, problem)


def test_every_line_is_a_record_also_of_what_could_not_be_marked(tmp_path, capsys):
    """Such a line once stopped the export of all others."""
    broken = Done(Submission("cy", SHEET, NAME, Path("cy.ipynb")), FAILED, None, "cy.ipynb is not valid JSON.")
    batch = [done("ada", GRADED, 5.0), broken]
    class_command._show(
        batch, 2, argparse.Namespace(json=True, cluster=None, jobs=2), Console(stderr=True), NOTHING_CHANGED
    )
    (tmp_path / "marks.jsonl").write_text(capsys.readouterr().out)
    marks = {one.student: one for one in read([tmp_path / "marks.jsonl"])}
    assert marks["ada"].points == 5
    assert marks["cy"].error == "cy.ipynb is not valid JSON."


SETTINGS = "\nc.IsolatedExecute.isolation = 'none'\nc.IsolatedExecute.seed = 11\n{limit} = 7\n"


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["c.IsolatedExecute.timeout", "c.Execute.timeout"])
@pytest.mark.parametrize(
    ("options", "level", "seed"), [((), "none", 11), (("--isolation", "reduced", "--seed", "12"), "reduced", 12)]
)
def test_the_configuration_of_the_course_holds_unless_the_command_says_otherwise(
    tmp_path, root, monkeypatch, limit, options, level, seed
):
    course = make_course(tmp_path / "course", root)
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(SETTINGS.format(limit=limit))
    hand_in(course, "ada", solved(root))
    asked = []

    def refuse(*given):
        asked.append(given)
        raise RuntimeError("not run in this test")

    monkeypatch.setattr(batch, "run_isolated", refuse)
    monkeypatch.setattr(sandbox, "start_early", lambda *_: None)
    options = ("--gradebook", "--marks-only", "--root", str(course), *options)
    assert main(["grade", str(course / "submitted"), *options]) == 1
    for found, _, job in asked:
        assert (found, job.seed, job.limits.cell_wall_seconds) == (level, seed, Limits().per_cell(7).cell_wall_seconds)
    assert asked


def test_the_bar_of_the_feedback_goes_to_its_end(monkeypatch):
    bars = []

    class Watched(class_command.Progress):
        def __init__(self, *given, **settings):
            super().__init__(*given, **settings)
            bars.append(self)

    monkeypatch.setattr(class_command, "Progress", Watched)
    first, bad = done("ada", GRADED, 2.0), done("bo", FAILED, 0.0, "its folder cannot be read")
    batch = [first, bad, replace(first, how=UNCHANGED, marks=None, feedback=True)]
    class_command._show(
        batch, 2, argparse.Namespace(json=False, cluster=None, jobs=2), Console(stderr=True), NOTHING_CHANGED
    )
    marks, feedback = bars[0].tasks
    assert (marks.completed, marks.total, feedback.completed, feedback.total) == (2, 2, 1, 1)


def test_the_average_is_of_what_is_in_the_gradebook(capsys):
    batch = [done("ada", GRADED, 2.0), done("bo", FAILED, 5.0, "the gradebook is locked")]
    status, said = shown(batch, capsys)
    assert status == 1
    assert "2 points on average" in said


def test_control_c_says_how_to_go_on(capsys):
    def interrupted():
        yield done("ada", GRADED, 2.0)
        raise KeyboardInterrupt

    status, said = shown(interrupted(), capsys)
    assert status == 130
    assert "1 notebook" in said
    assert "the same command goes on" in " ".join(said.split())


def test_who_needs_a_person_is_named(capsys):
    status, said = shown([done("ada", GRADED, 0.0, status="grader_error"), done("bo", GRADED, 5.0)], capsys)
    assert status == 1
    assert "1 notebook needs a person" in said
    assert f"ada {NAME}" in said
    assert f"bo {NAME}" not in said
    assert "in one notebook" not in said  # nothing was run
