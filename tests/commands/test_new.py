"""The skeleton of a new exercise works at once, and what cannot become an exercise is refused with a reason."""

import ast
import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograder.build.balance import SHEET_POINTS, imbalance
from autograder.cli import main
from autograder.exercises import NAMES

NEW = "one_neuron"
FOLDERS = ("autograder", "reference", "source", "assignments", "tests/exercises", "tests/kits")
FILES = ("nbgrader_config.py", "pyproject.toml", "tests/conftest.py", "docs/exercises.md")


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """A copy of the course with a new exercise in the third sheet."""
    copy = tmp_path_factory.mktemp("new") / "course"
    for folder in FOLDERS:
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        (copy / file).parent.mkdir(exist_ok=True)
        shutil.copy(root / file, copy / file)
    done = autograder(copy, "new", NEW, "--sheet", "training", "--title", "One neuron's gradients")
    assert done.returncode == 0, done.stderr
    assert "the sheet training is worth 105 points and not 100" in done.stdout
    done = autograder(copy, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"wrote assignments/training/{NEW}.ipynb" in done.stdout
    return copy


def python(course, *arguments):
    """Run a module of the copy, not of this checkout."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(course), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=600,
    )


def autograder(course, *arguments):
    return python(course, "autograder", *arguments)


@pytest.mark.heavy
def test_the_course_with_it_is_sound_and_tidy(course):
    done = autograder(course, "build", "--check")
    assert done.returncode == 0, done.stdout
    done = python(course, "ruff", "check", "autograder", "tests", "reference")
    assert done.returncode == 0, done.stdout


@pytest.mark.heavy
def test_its_graders_are_graded(course):
    done = autograder(course, "audit", "--in-process", "--json", NEW)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["questions"]
    assert [row["question"] for row in rows] == ["output", "gradients"]
    for row in rows:
        assert row["killed"] == row["variants"] > 1
        assert row["named"] == row["nameable"]
        assert row["rejected"] == 0


@pytest.mark.heavy
def test_its_own_tests_and_those_of_every_exercise_pass(course):
    done = python(course, "pytest", "-q", "-p", "no:cacheprovider", "tests/exercises", "-k", NEW)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(done.stdout.splitlines()[-1].split()[0])
    assert passed >= 7 + 5  # its own, and those that hold for every exercise


@pytest.mark.heavy
def test_the_reference_gets_full_marks_and_the_stub_none_with_a_sentence_that_helps(course):
    def hand_in(student, notebook):
        path = course / "submitted" / student / "training" / f"{NEW}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)

    solved = nbformat.read(course / "source" / "training" / f"{NEW}.ipynb", as_version=4)
    hand_in("reference", solved)
    hand_in("stub", nbformat.read(course / "assignments" / "training" / f"{NEW}.ipynb", as_version=4))
    done = autograder(course, "grade", "submitted", "--json")
    assert done.returncode == 0, done.stderr
    by = {record["student"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert (by["reference"]["points"], by["reference"]["max_points"]) == (4, 4)
    assert by["stub"]["points"] == 0
    for question in by["stub"]["questions"]:
        assert question["status"] == "missing"
        assert "is not written yet" in question["message"]


@pytest.mark.heavy
def test_it_stands_last_in_its_sheet(course):
    tree = ast.parse((course / "autograder" / "exercises" / "__init__.py").read_text())
    (names,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OURS"
    )
    after = NAMES.index("sgd") + 1
    assert names == (*NAMES[:after], NEW, *NAMES[after:])


@pytest.fixture
def small(tmp_path):
    """As much of a course as the command looks at."""
    files = {
        "nbgrader_config.py": "",
        "source/foundations/first_step.ipynb": "",
        "reference/foundations/first_step.py": "",
        "reference/toolkit/backprop.py": "",
        "autograder/exercises/shared.py": "",
        "autograder/exercises/__init__.py": 'OURS = (\n    # foundations\n    "first_step",\n)\n',
        "tests/exercises/test_guide.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "sheet", "title", "said"),
    [
        ("first_step", "foundations", "", "the course has an exercise first_step already"),
        ("First", "foundations", "", "'First' cannot be a name"),
        ("two words", "foundations", "", "'two words' cannot be a name"),
        ("../escape", "foundations", "", "'../escape' cannot be a name"),
        ("lambda", "foundations", "", "'lambda' cannot be a name"),
        ("x" * 41, "foundations", "", "cannot be a name: take up to 40 small letters"),
        ("more_variants", "foundations", "", "files that end like this hold variants"),
        ("shared", "foundations", "", "is the name of another file of the course"),
        ("backprop", "foundations", "", "is the name of another file of the course"),
        ("guide", "foundations", "", "tests/exercises/test_guide.py is there already"),
        ("second", "advanced", "", "there is no sheet 'advanced'; the sheets are foundations, by_hand"),
        ("second", "foundations", 'A "quoted" one', "a title is one line"),
        ("second", "foundations", "two\nlines", "a title is one line"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_nothing_is_written(small, name, sheet, title, said, capsys):
    before = files(small)
    assert main(["new", name, "--sheet", sheet, "--title", title, "--root", str(small)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert files(small) == before


def test_a_folder_without_the_package_is_refused(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / "source").mkdir()
    assert main(["new", "second", "--sheet", "foundations", "--root", str(tmp_path)]) == 2
    assert "exercises are added in a checkout of the course" in capsys.readouterr().err


def test_the_first_exercise_of_a_sheet_stands_behind_the_sheets_before(small, capsys):
    assert main(["new", "second", "--sheet", "design", "--root", str(small)]) == 0
    text = (small / "autograder" / "exercises" / "__init__.py").read_text()
    assert text == 'OURS = (\n    # foundations\n    "first_step",\n    # design\n    "second",\n)\n'
    assert (small / "reference" / "design" / "second.py").read_text().count('question="gradients"') == 1


@pytest.mark.parametrize(
    ("points", "said"), [({"a": 60, "b": 45}, "To take away 5, change"), ({"a": 60, "b": 37.5}, "To add 2.5, change")]
)
def test_a_sheet_out_of_balance_says_what_to_change(points, said):
    sentence = imbalance("training", points)
    assert said in sentence
    assert f"(a 60, b {points['b']:g})" in sentence
    assert not imbalance("training", {"a": SHEET_POINTS})
    assert "is worth 45 points and not 50" in imbalance("beyond", {"a": 25, "b": 20})
