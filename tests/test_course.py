import subprocess
import sys

import nbformat
import pytest

from autograder.course import compiled_modules, differences_cost, find_root, imported_by, place_only, sheet_files
from autograder.exercises import NAMES, load
from autograder.grading.journal import key_of
from autograder.sandbox import Cell, Job


@pytest.fixture(scope="module")
def root():
    return find_root()


def test_python_takes_a_sheets_modules_from_their_bytecode(root, tmp_path):
    for name, data in (sheet_files(root, "training") | compiled_modules(root, "training")).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"raise SystemExit('compiled again')" if name == "backprop.py" else data)
    told = "import backprop; print(backprop.load_moons.__code__.co_filename)"
    ran = subprocess.run([sys.executable, "-c", told], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert ran.stdout.strip() == str(tmp_path / "backprop.py"), ran.stderr


@pytest.mark.parametrize("sheet", ["foundations", "by_hand", "training", "design", "beyond"])
def test_every_module_of_a_sheet_is_compiled(root, sheet):
    modules = {name for name in sheet_files(root, sheet) if name.endswith(".py")}
    assert {name.split("/")[-1].split(".")[0] for name in compiled_modules(root, sheet)} == {
        name.removesuffix(".py") for name in modules
    }
    assert modules


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_states_its_minutes_difficulty_and_points(root, name):
    exercise = load(name)
    notebook = nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    stated = f"**{exercise.minutes} minutes · difficulty {exercise.difficulty} of 5 · {exercise.points:g} points**"
    assert stated in notebook.cells[0].source
    assert 1 <= exercise.difficulty <= 5


def test_bytecode_is_no_part_of_what_a_job_is():
    one, two = (Job((Cell("a", "1"),), bytecode={"__pycache__/backprop.pyc": data}) for data in (b"one", b"two"))
    assert one == two
    assert key_of(one, "full") == key_of(two, "full")
    assert key_of(one, "full") != key_of(Job((Cell("a", "1"),), files={"backprop.py": b""}), "full")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("c = get_config()\nc.{} = True\n", True),
        ("c = get_config()\nc.{} = False\n", False),
        ("c = get_config()\n# c.{} = True\n", False),
        ("raise SystemExit\n", False),  # not run: it says nothing of it
    ],
)
@pytest.mark.parametrize(
    ("setting", "read"),
    [("FeedbackExporter.place_only", place_only), ("IsolatedExecute.differences_cost", differences_cost)],
)
def test_the_course_says_what_students_are_told_and_what_differences_cost(tmp_path, text, wanted, setting, read):
    (tmp_path / "nbgrader_config.py").write_text(text.format(setting))
    assert read(tmp_path) is wanted


def test_what_code_imports_is_seen_also_where_a_module_of_the_sheet_imports_it_late(root):
    assert imported_by(root, "training", "import numpy as np\n  from sklearn.svm import SVC") == (
        "numpy",
        "sklearn.svm",
    )
    assert "sklearn.datasets" in imported_by(root, "training", "X, Y = backprop.load_moons()")
    assert imported_by(root, "training", "backprop.sigmoid(0)") == ()
