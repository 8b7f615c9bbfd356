"""The zip for Gradescope, unpacked as Gradescope does it, and its scripts run in that place."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile

import nbformat
import pytest

from autograder.build.submission import fill, solutions
from autograder.cli import main
from autograder.commands import gradescope
from autograder.exercises import load
from autograder.marking import Marks

METADATA = {"id": 1, "users": [{"email": "ada@example.org", "id": 2, "name": "Ada"}, {"email": "bo@example.org"}]}


def solved(root, name="worked_calculation", **cells):
    exercise = load(name)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    return fill(released, solutions(root, exercise) | cells)


@pytest.fixture(scope="module")
def archive(tmp_path_factory, root):
    path = tmp_path_factory.mktemp("zip") / "autograder.zip"
    assert main(["gradescope", "--exercises", "worked_calculation", "--output", str(path), "--root", str(root)]) == 0
    return path


def test_the_zip_has_the_two_scripts_at_its_root_and_what_grading_needs(archive):
    with zipfile.ZipFile(archive) as file:
        names = set(file.namelist())
        modes = {info.filename: info.external_attr >> 16 for info in file.infolist()}
    assert {"setup.sh", "run_autograder", "course/requirements.lock", "course/nbgrader_config.py"} <= names
    assert {
        "course/source/by_hand/worked_calculation.ipynb",
        "course/autograder/exercises/worked_calculation.py",
    } <= names
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755
    assert not [
        name for name in names if name.startswith(("course/reference", "course/tests")) or "__pycache__" in name
    ]
    assert not [name for name in names if name.startswith("course/source/training")]


def test_the_same_course_gives_the_same_bytes(archive, root, tmp_path):
    gradescope.build(root, [load("worked_calculation")], tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_the_scripts_are_sound_shell(archive, tmp_path):
    with zipfile.ZipFile(archive) as file:
        for name in ("setup.sh", "run_autograder"):
            assert subprocess.run(["bash", "-n"], input=file.read(name), timeout=600).returncode == 0


@pytest.fixture
def container(archive, tmp_path):
    """/autograder of a Gradescope container, with this process's environment in the place of the one of setup.sh."""
    base = tmp_path / "autograder"
    with zipfile.ZipFile(archive) as file:
        file.extractall(base / "source")
    (base / "source" / ".venv" / "bin").mkdir(parents=True)
    (base / "source" / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (base / "source" / ".venv" / "bin" / "python").chmod(0o755)
    (base / "submission").mkdir()
    (base / "results").mkdir()
    (base / "submission_metadata.json").write_text(json.dumps(METADATA))
    return base


def run_autograder(base):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        ["bash", base / "source" / "run_autograder"],
        cwd=base,
        capture_output=True,
        text=True,
        timeout=600,
        env=environment | {"AUTOGRADER_BASE": str(base)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads((base / "results" / "results.json").read_text())


@pytest.mark.slow
def test_a_submission_is_graded_in_the_container(container, root):
    nbformat.write(solved(root, loss="y = 0.8\nloss = 0.0"), container / "submission" / "worked_calculation.ipynb")
    file = run_autograder(container)
    assert [test["number"] for test in file["tests"]] == ["1.1", "1.2", "1.3", "1.4"]
    assert sum(test["score"] for test in file["tests"]) == 23
    assert {test["status"] for test in file["tests"]} == {"passed", "failed"}
    assert not list((container / "results").glob("*.part"))


@pytest.mark.slow
def test_a_container_that_is_killed_in_the_middle_keeps_what_was_earned(container, root, until):
    """As at Gradescope's time-out: one question sleeps for longer than anybody waits, those before it are saved."""
    endless = "import time\n\ndef train_on_moons(*_):\n    time.sleep(3600)\n"
    notebook = solved(root, "tanh_swap", train_on_moons=endless)
    nbformat.write(notebook, container / "submission" / "tanh_swap.ipynb")
    script = container / "source" / "run_autograder"
    script.write_text(script.read_text().replace("worked_calculation", "tanh_swap"))
    shutil.copytree(root / "source" / "training", container / "source" / "course" / "source" / "training")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    running = subprocess.Popen(
        ["bash", script], cwd=container, env=environment | {"AUTOGRADER_BASE": str(container)}, start_new_session=True
    )
    results = container / "results" / "results.json"

    def scores():
        return [test["score"] for test in json.loads(results.read_text())["tests"]] if results.is_file() else []

    try:
        until(lambda: scores() == [5, 4, 8, 0] or running.poll() is not None)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert scores() == [5, 4, 8, 0]
    file = json.loads(results.read_text())
    assert "the time of the autograder ran out" in file["tests"][3]["output"]


@pytest.mark.slow
def test_nothing_handed_in_is_said(tmp_path, root):
    (tmp_path / "submission").mkdir()
    asked = ["--exercises", "worked_calculation", "--grade", tmp_path / "submission", "--output", tmp_path / "r.json"]
    assert main(["gradescope", *map(str, asked), "--root", str(root)]) == 0
    file = json.loads((tmp_path / "r.json").read_text())
    assert {test["score"] for test in file["tests"]} == {0}
    assert "was not handed in" in file["tests"][0]["output"]


@pytest.fixture
def watched(monkeypatch):
    """The points of all tests at every time that the results are written."""
    seen = []
    replace = gradescope._replace

    def keep(path, text):
        replace(path, text)
        seen.append([test.get("score") for test in json.loads(path.read_text())["tests"]])

    monkeypatch.setattr(gradescope, "_replace", keep)
    return seen


@pytest.mark.slow
def test_the_results_are_written_after_every_question(tmp_path, root, watched):
    """The second and the third question of tanh_swap share a probe, so its four questions come in three steps."""
    nbformat.write(solved(root, "tanh_swap"), tmp_path / "tanh_swap.ipynb")
    out = tmp_path / "out" / "results.json"
    gradescope.grade_submission(tmp_path, [load("tanh_swap")], out, root=root, student="ada")
    assert watched == [[0, 0, 0, 0], [5, 0, 0, 0], [5, 4, 8, 0], *[[5, 4, 8, 3]] * 3]


def test_without_isolation_there_are_no_results(tmp_path, root, monkeypatch, capsys):
    """An old file must not be taken for the result of this run."""
    out = tmp_path / "results.json"
    out.write_text("{}")

    def refuse(level):
        raise gradescope.SandboxUnavailable("no walls here. Install them.")

    monkeypatch.setattr(gradescope, "shared_sandbox", refuse)
    arguments = ["gradescope", "--grade", str(tmp_path), "--output", str(out), "--root", str(root)]
    assert main(arguments) == 1
    assert not out.exists()
    assert "no walls here" in capsys.readouterr().err


def test_who_submitted_comes_from_the_metadata(tmp_path, root, monkeypatch):
    nbformat.write(solved(root), tmp_path / "worked_calculation.ipynb")
    (tmp_path / "meta.json").write_text(json.dumps(METADATA))
    names = []

    def graded(submission, sandbox, **rest):
        names.append(submission.student)
        return Marks(submission.student, submission.sheet, submission.exercise, ())

    monkeypatch.setattr(gradescope, "grade", graded)
    monkeypatch.setattr(gradescope, "shared_sandbox", lambda level: None)
    arguments = [
        "--grade",
        tmp_path,
        "--output",
        tmp_path / "r.json",
        "--metadata",
        tmp_path / "meta.json",
        "--root",
        root,
    ]
    assert main(["gradescope", *map(str, arguments)]) == 0
    assert names == ["ada@example.org, bo@example.org"]


def test_a_sheet_stands_for_its_exercises():
    assert {exercise.sheet for exercise in gradescope._wanted(["by_hand"])} == {"by_hand"}
    assert "worked_calculation" in [exercise.name for exercise in gradescope._wanted(["by_hand"])]


def test_unknown_exercises_are_named(capsys):
    assert main(["gradescope", "--exercises", "nothing"]) == 2
    assert "there is no exercise 'nothing'" in capsys.readouterr().err
