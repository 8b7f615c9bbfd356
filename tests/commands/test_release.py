"""A sheet that was released and then mended: students get it, and keep all that they did."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.cli import main

NAME, SHEET = "tanh_swap", "training"


@pytest.fixture
def course(tmp_path, root, monkeypatch):
    """A course with one exercise and an exchange; nothing is released yet."""
    course = tmp_path / "course"
    shutil.copytree(
        root / "source" / SHEET, course / "source" / SHEET,
        ignore=lambda _, names: [name for name in names if name.endswith(".ipynb") and name != f"{NAME}.ipynb"],
    )  # fmt: skip
    (tmp_path / "exchange").mkdir()
    exchange = f"\nc.Exchange.root = {str(tmp_path / 'exchange')!r}\n"
    (course / "nbgrader_config.py").write_text((root / "nbgrader_config.py").read_text() + exchange)
    monkeypatch.chdir(course)
    monkeypatch.setenv("COLUMNS", "200")
    return course


def mend(course, number):
    """What an instructor mends: a text, a self-check and a module."""
    path = course / "source" / SHEET / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    cells["task"].source += f"\n\nMended {number}."
    nbformat.write(notebook, path)
    with (course / "source" / SHEET / "backprop.py").open("a") as file:
        file.write(f"MENDED = {number}\n")


def fetch(folder, course, *, replace=False):
    """nbgrader fetch_assignment training, as a student."""
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeFactory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.course_id = "backpropagation"
    config.Exchange.root = str(course.parent / "exchange")
    config.Exchange.assignment_dir = str(folder)
    step = ExchangeFactory(config=config).FetchAssignment(
        coursedir=CourseDirectory(config=config, assignment_id=SHEET), authenticator=Authenticator(config=config),
        config=config, replace_missing_files=replace,
    )  # fmt: skip
    with contextlib.chdir(folder):
        step.start()


def work(notebook: Path):
    """A student's work: an answer and a cell of one's own."""
    content = json.loads(notebook.read_text())
    cells = {cell["id"]: cell for cell in content["cells"]}
    cells["network"]["source"] = "class TanhNetwork: pass"
    content["cells"].insert(3, {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "my remark"})
    notebook.write_text(json.dumps(content))


def carried(folder, number):
    """Run what students run; their notebook then."""
    done = subprocess.run(
        [sys.executable, f"correction_{number}/carry_over.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = [("".join(cell["source"])) for cell in json.loads((folder / f"{NAME}.ipynb").read_text())["cells"]]
    assert "class TanhNetwork: pass" in text
    assert "my remark" in text
    assert any(f"Mended {number}." in one for one in text)
    assert f"MENDED = {number}" in (folder / "backprop.py").read_text()
    return done.stdout


def test_the_page_says_what_is_done_here(root):
    section = (
        (root / "docs" / "instructors.md").read_text(encoding="utf-8").split("\n## A mistake in a released sheet\n")[1]
    )
    typed = "".join(re.findall(r"```sh\n(.*?)```", section.split("\n## ")[0], re.DOTALL)).splitlines()
    assert [line.partition(" --say")[0] for line in typed if not line.startswith("#")] == [
        f"autograder release {SHEET} --correct",
        f"nbgrader fetch_assignment {SHEET} --replace",
        f"cd {SHEET} && python correction_1/carry_over.py",
    ]


@pytest.mark.slow
def test_a_corrected_sheet_reaches_students_on_a_hub_with_their_work_in_it(course, tmp_path, capsys):
    student = tmp_path / "student"
    student.mkdir()
    assert main(["release", SHEET]) == 0
    fetch(student, course)
    work(student / SHEET / f"{NAME}.ipynb")
    assert main(["release", SHEET]) == 2
    assert "--correct" in capsys.readouterr().err
    assert main(["release", SHEET, "--correct"]) == 0
    assert "nothing of training has changed since it was released" in capsys.readouterr().out
    for number in (1, 2):
        mend(course, number)
        assert main(["release", SHEET, "--correct", "--say", f"We mended {number}."]) == 0
        said = capsys.readouterr().out
        assert "tanh_swap.ipynb: task" in said
        assert "backprop.py: changed" in said
        assert "nbgrader fetch_assignment training --replace" in said
        fetch(student, course, replace=True)
        assert f"We mended {number}." in carried(student / SHEET, number)
    assert main(["release", SHEET, "--correct"]) == 0
    assert "has changed since correction 2" in capsys.readouterr().out
    fetch(student, course, replace=True)
    assert not list((student / SHEET).glob("correction_3"))
    # all of it is handed in, and only the notebook in its place counts
    shutil.copytree(student / SHEET, course / "submitted" / "ada" / SHEET)
    from autograder.grading.finding import find

    (found,) = find([course / "submitted"], course)
    assert (found.student, found.exercise, found.problem) == ("ada", NAME, "")


@pytest.mark.slow
def test_a_corrected_sheet_is_an_archive_that_replaces_nothing(course, tmp_path, root, capsys):
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text().partition("\nc.Exchange")[0])
    assert main(["release", SHEET, "--correct"]) == 2
    assert "--earlier" in " ".join(capsys.readouterr().err.split())
    assert main(["release", SHEET]) == 0
    assert "autograder kit training" in capsys.readouterr().out
    assert main(["kit", SHEET]) == 0
    student = tmp_path / "student"
    with zipfile.ZipFile(course / "student-kit.zip") as archive:
        archive.extractall(student)
    work(student / "student-kit" / SHEET / f"{NAME}.ipynb")
    mend(course, 1)
    assert main(["release", SHEET, "--correct"]) == 0
    with zipfile.ZipFile(course / "corrections" / SHEET / "correction_1.zip") as archive:
        assert not [name for name in archive.namelist() if (student / "student-kit" / name).exists()]
        archive.extractall(student / "student-kit")
    carried(student / "student-kit" / SHEET, 1)
    mend(course, 2)
    kit = str(course / "student-kit.zip")
    assert main(["release", SHEET, "--correct", "--earlier", kit]) == 0
    assert main(["release", SHEET, "--correct", "--earlier", "no.zip"]) == 2


def test_a_notebook_with_numbers_of_ones_own_is_not_replaced_by_that_of_the_sheet(tmp_path, root, monkeypatch):
    from argparse import Namespace

    from autograder.commands import release

    cell = b'{"cells": [{"id": "a", "cell_type": "raw", "source": "", "metadata": {}}]}'
    files = {"worked_calculation.ipynb": cell, "backprop.py": b"mended"}
    for name, data in files.items():
        (tmp_path / "assignments" / "by_hand").mkdir(parents=True, exist_ok=True)
        (tmp_path / "assignments" / "by_hand" / name).write_bytes(data)
    monkeypatch.setattr(release, "_alone", lambda *_: {"worked_calculation.ipynb"})
    lines = release._correct(Namespace(sheet="by_hand", say=""), tmp_path, {}, None)
    assert "worked_calculation.ipynb is left out" in " ".join(lines)
    there = tmp_path / "corrections" / "by_hand" / "correction_1"
    assert {path.name for path in there.iterdir()} == {"backprop.py.new", "carry_over.py"}
