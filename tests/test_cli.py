"""The command line: exit statuses, tables, JSON, and one sentence for every bad use."""

import json
import subprocess
import sys

import nbformat
import pytest

from autograder import __version__
from autograder.audit import load_variants
from autograder.build.submission import fill, solutions
from autograder.cli import COMMANDS, main
from autograder.exercises import load


@pytest.fixture(scope="module")
def submitted(tmp_path_factory, root):
    """Two students: one right, one with a wrong derivative."""
    tree = tmp_path_factory.mktemp("class") / "submitted"
    exercise = load("tanh_swap")
    released = nbformat.read(root / "assignments" / "training" / "tanh_swap.ipynb", as_version=4)
    solved = solutions(root, exercise)
    wrong = load_variants(root, exercise).find("sigmoid-derivative").apply(solved)
    for student, cells in (("ada", solved), ("carla", wrong)):
        path = tree / student / "training" / "tanh_swap.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(released, cells), path)
    return tree


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)], capture_output=True, text=True, timeout=600
    )


@pytest.mark.slow
def test_grade_prints_a_table_and_succeeds_whatever_the_marks(submitted, root):
    done = run("grade", submitted, "--root", root)
    assert done.returncode == 0, done.stderr
    assert "ada" in done.stdout
    assert "20 / 20" in done.stdout
    assert "15 / 20" in done.stdout
    assert "derivative of sigmoid" in " ".join(done.stdout.split())
    assert "isolation: full" in done.stdout


@pytest.mark.slow
def test_grade_json_has_one_object_per_notebook(submitted, root, capsys):
    assert main(["grade", str(submitted), "--root", str(root), "--json", "--seed", "7"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_student = {record["student"]: record for record in records}
    assert by_student["carla"]["points"] == 15
    assert {record["seed"] for record in records} == {7}
    question = next(q for q in by_student["carla"]["questions"] if q["id"] == "hidden_gradients")
    assert question["mistakes"] == ["sigmoid-derivative-with-tanh"]
    assert question["status"] == "wrong"


@pytest.mark.slow
def test_a_notebook_that_needs_a_person_gives_exit_status_one(tmp_path, submitted, root, capsys):
    bad = tmp_path / "x" / "training" / "tanh_swap.ipynb"
    bad.parent.mkdir(parents=True)
    bad.write_text("{")
    assert main(["grade", str(submitted), str(tmp_path), "--root", str(root)]) == 1
    said = capsys.readouterr().out
    assert "20 / 20" in said
    assert "1 of 3 need a person" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade", "nowhere"], "nowhere does not exist"),
        (["grade"], "required: PATH"),
        (["grade", "x", "--seed", "-1"], "a seed is a whole number"),
        (["grade", "x", "--jobs", "0"], "a number of jobs"),
        (["grade", "x", "--isolation", "some"], "invalid choice"),
        (["audit", "no_such"], "no exercise 'no_such'"),
        (["nothing"], "invalid choice: 'nothing'"),
        ([], "required: COMMAND"),
    ],
)
def test_bad_use_gives_exit_status_two_and_one_sentence(arguments, said, capsys):
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_that_is_no_course_is_named(tmp_path, submitted):
    done = run("build", "--check", "--root", tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip()


def test_every_command_has_help_and_an_entry(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        assert command in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"autograder {__version__}\n"


def imported_by_grade(then, *modules):
    """Which of these modules are imported when ``autograder grade`` knows its arguments, and has done ``then``."""
    code = (
        "import contextlib, sys; from autograder.cli import main\n"
        f"with contextlib.suppress(SystemExit): main(['grade', '--help'])\n{then}\n"
        f"print(*[name for name in {modules} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_sandbox_starts_before_what_takes_long_is_imported():
    large = "autograder.sandbox", "sympy", "nbgrader", "nbformat"
    assert imported_by_grade("", *large) == set()  # a warm server may do it all
    start = "from autograder.sandbox import start_early"
    assert imported_by_grade(start, *large) == {"autograder.sandbox"}


@pytest.mark.slow
def test_the_start_imports_no_grammar_of_addresses():
    assert imported_by_grade("import autograder.commands.grade_class", "jsonschema", "lark") == {"jsonschema"}
