"""`autograder viva`: questions from what a class handed in, printed and in a table."""

import csv
import shutil

import nbformat
import pytest

from autograder.build.submission import fill, solutions
from autograder.cli import main
from autograder.exercises import load

SHEET, NAME = "foundations", "relu_derivative"


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """Two with the same work, one with nothing done, and one whose file is no notebook."""
    course = tmp_path_factory.mktemp("viva") / "course"
    shutil.copytree(root / "source" / SHEET, course / "source" / SHEET)
    shutil.copy(root / "nbgrader_config.py", course)
    released = nbformat.read(root / "assignments" / SHEET / f"{NAME}.ipynb", as_version=4)
    for student, notebook in (("ada", fill(released, solutions(root, load(NAME)))), ("bo", None), ("cy", released)):
        path = course / "submitted" / student / SHEET / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook or fill(released, solutions(root, load(NAME))), path)
    broken = course / "submitted" / "dee" / SHEET / f"{NAME}.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    return course


def pages(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_a_class_gets_its_pages_and_the_same_again_from_the_same_seed(course, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(course)
    assert main(["viva", SHEET, "--seed", "7", "--to", str(tmp_path / "one")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "cy: there is no work in foundations that could be asked about" in said
    assert "relu_derivative.ipynb is not valid JSON" in said
    assert said.count("dee") == 1, "why there is no page is said once"
    first = pages(tmp_path / "one" / SHEET)
    assert set(first) == {"ada.html", "bo.html", "results.csv"}
    assert first["ada.html"].replace(b"ada", b"bo") != first["bo.html"], "the same work, other questions"
    assert main(["viva", SHEET, "--seed", "7", "--to", str(tmp_path / "two")]) == 1
    assert pages(tmp_path / "two" / SHEET) == first

    table = tmp_path / "one" / SHEET / "results.csv"
    kept = list(csv.reader(table.read_text().splitlines()))
    kept[1][-2] = "right"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(kept)
    assert main(["viva", SHEET, "--seed", "7", "--student", "ada", "--to", str(tmp_path / "one")]) == 0
    assert list(csv.reader(table.read_text().splitlines()))[1][-2] == "right"
    capsys.readouterr()
    assert main(["viva", SHEET, "--seed", "8", "--to", str(tmp_path / "one")]) == 2
    assert "1 results are noted for other questions" in " ".join(capsys.readouterr().err.split())
    assert pages(tmp_path / "one" / SHEET)["ada.html"] == first["ada.html"], "all or nothing"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "there is no sheet 'nothing'"),
        ([SHEET, "--student", "zoe"], "nothing of foundations was handed in by zoe"),
        (["training"], "nothing of training was handed in by anybody"),
        ([SHEET, "--seed", "-1"], "a seed is a whole number from 0"),
    ],
)
def test_bad_use_is_said(course, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(course)
    assert main(["viva", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
