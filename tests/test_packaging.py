"""What is released: versions, wheel and sdist, and the students' part without a word of the instructors'."""

import ast
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import numpy as np
import pytest

from autograder import __version__
from autograder.build.submission import solutions
from autograder.exercises import all_exercises

STUDENTS_PACKAGES = {"numpy", "matplotlib", "sklearn", "IPython", "ipywidgets", "tqdm", "pandas", "scipy", "sympy"}


def test_the_version_is_the_newest_of_the_changelog(root):
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == __version__


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """Wheel and sdist, built from what git has, by the backend that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "copy"
    copy.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((root / name).read_bytes())
    assert (
        tomllib.loads((copy / "pyproject.toml").read_text())["build-system"]["build-backend"] == "setuptools.build_meta"
    )
    code = "import setuptools.build_meta as b; print(b.build_wheel('..')); print(b.build_sdist('..'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def names_of(folder, pattern):
    (path,) = folder.glob(pattern)
    if path.suffix == ".whl":
        return set(zipfile.ZipFile(path).namelist())
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()} - {""}


@pytest.mark.slow
def test_wheel_and_sdist_have_the_whole_package_and_no_solved_exercise(built, root):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "autograder"], cwd=root, capture_output=True, text=True
    ).stdout.split()
    for pattern in ("*.whl", "*.tar.gz"):
        names = names_of(built, pattern)
        assert not set(listed) - names, pattern
        assert not [n for n in names if n.split("/")[0] in {"reference", "source", "assignments", "tests", "demo"}], (
            pattern
        )


@pytest.mark.slow
def test_the_wheel_brings_the_command_and_the_pytest_plugin(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        text = wheel.read(entry_points).decode()
    assert f"-{__version__}-" in path.name
    assert "[pytest11]\nautograder.pytest_plugin = autograder.pytest_plugin" in text
    assert "autograder = autograder.cli:main" in text


@pytest.mark.slow
def test_the_wheel_brings_the_tab_of_jupyterlab(built):
    laid = {name.partition(".data/data/")[2] for name in names_of(built, "*.whl")}
    assert "etc/jupyter/jupyter_server_config.d/backprop_autograder.json" in laid
    assert {f"share/jupyter/labextensions/backprop-autograder/{one}" for one in ("main.js", "package.json")} <= laid


CORE = {"numpy", "sympy", "mpmath", "rich", "markdown_it", "mdurl", "pygments", "autograder"}
"""What the package and its three dependencies bring."""

ONLY_CORE = f"""
import sys

class OnlyCore:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {sorted(CORE)} and not top.startswith("_"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, OnlyCore())
from autograder.cli import main
sys.exit(main(sys.argv[1:]))
"""


def with_the_core_only(*arguments):
    return subprocess.run([sys.executable, "-c", ONLY_CORE, *arguments], capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_gradients_are_explained_with_the_core_alone(tmp_path):
    rng = np.random.default_rng(0)
    X, Y, W1, b1 = rng.normal(size=(2, 5)), np.array([[0.0, 1, 1, 0, 1]]), rng.normal(size=(1, 2)), np.array([[0.3]])
    error = 1 / (1 + np.exp(-(W1 @ X + b1))) - Y
    point = {"dW1": error @ X.T, "db1": [[error.mean()]]}  # the weights lack the 1/m
    np.savez(tmp_path / "point.npz", X=X, Y=Y, W1=W1, b1=b1, **point)
    done = with_the_core_only(
        "explain", str(tmp_path / "point.npz"), "--hidden", "none", "--output", "sigmoid", "--loss", "bce"
    )
    assert not done.stderr
    assert "W1: wrong" in done.stdout
    assert "1/m" in done.stdout


def test_a_command_that_needs_more_says_what_to_type():
    done = with_the_core_only("grade", "submitted")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "pip install 'backprop-autograder[grade]'" in done.stderr


@pytest.mark.slow
def test_students_get_nothing_of_ours_to_import(root):
    """The package holds the key, so what students get must work without it."""
    for path in (root / "assignments").rglob("*.py"):
        beside = {other.stem for other in path.parent.glob("*.py")}
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {name.split(".")[0] for name in names}:
                assert name in STUDENTS_PACKAGES | beside | set(sys.stdlib_module_names), f"{path.name} imports {name}"


@pytest.mark.slow
def test_students_get_nothing_of_the_key(root):
    """No exercise module and no solved script, whole or in part, is among the students' files."""
    files = [path for path in (root / "assignments").rglob("*") if path.is_file()]
    given = b"\n".join(path.read_bytes() for path in files).decode(errors="replace")
    assert "BEGIN SOLUTION" not in given
    assert "HIDDEN TEST" not in given
    assert "mark_question" not in given
    for exercise in all_exercises():
        # notebooks hold their text as JSON: every line of a cell in quotes, with its end escaped
        solved = [source for source in solutions(root, exercise).values() if source.count("\n") >= 3]
        assert solved, f"no solved cell of {exercise.name} is long enough to be looked for"
        for source in (*solved, *(probe.source for probe in exercise.probes)):
            lines = [json.dumps(line + "\n") for line in source.strip().splitlines()[:-1]]
            assert source.strip() not in given
            assert ",\n    ".join(lines) not in given
