"""What the commands import before they have anything to say: nothing that they do not need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "sympy", "nbformat", "msgpack", "rich", "sklearn", "scipy", "matplotlib", "IPython", "nbgrader")
REPORT = """
import json, sys
from autograder.cli import main
try:
    status = main(sys.argv[2:])
except SystemExit as end:
    status = end.code
print(json.dumps([status, sorted(name for name in sys.argv[1].split() if name in sys.modules)]))
"""


def imported(*arguments, among=HEAVY):
    """Which of these modules are there after a command, which ends well."""
    run = subprocess.run(
        [sys.executable, "-c", REPORT, " ".join(among), *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, found = json.loads(run.stdout.splitlines()[-1])
    assert not status, run.stderr
    return found


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["grade", "--help"]])
def test_help_imports_nothing_large(words):
    assert imported(*words) == []


ARGCOMPLETE = """
import json, sys
def autocomplete(parser):
    sub = parser._subparsers._group_actions[0].choices
    print(json.dumps([list(sub), [o for a in sub["grade"]._actions for o in a.option_strings], sorted(sys.modules)]))
    sys.exit()
"""


@pytest.mark.parametrize("line", ["autograder ", "autograder gr", "autograder grade --"])
def test_completion_knows_every_command_and_the_options_of_the_one_in_use(line, tmp_path):
    (tmp_path / "argcomplete.py").write_text(ARGCOMPLETE, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "_ARGCOMPLETE": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "autograder"],
        env={**env, "COMP_LINE": line}, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    commands, options, modules = json.loads(run.stdout)
    assert commands == list(COMMANDS)
    assert ("--seed" in options) == (" grade " in line)
    assert not set(HEAVY) & set(modules)


def test_the_zygote_is_started_before_numpy_is_imported():
    code = "import sys, autograder.sandbox.shared; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["by_hand/worked_calculation", "training/tanh_swap"])
def test_grading_one_notebook_imports_nothing_of_the_notebooks(name):
    """Not even where the notebook itself uses scikit-learn, or is drawn."""
    among = ("sklearn", "scipy", "matplotlib", "IPython", "nbgrader", "nbconvert", "jupyter_server", "sqlalchemy")
    assert imported("grade", ROOT / "source" / f"{name}.ipynb", among=among) == []


TRUTH = """
import sys
from autograder.exercises import all_exercises
from autograder.marking import work_out_truth
for exercise in all_exercises():
    work_out_truth(exercise, 7)
    assert "sympy.physics" not in sys.modules, exercise.name
"""


@pytest.mark.slow
def test_no_truth_calls_what_imports_the_units_of_sympy():
    """``simplify`` and ``solve`` do, which takes a fifth of a second; the formulas of a network need neither."""
    run = subprocess.run([sys.executable, "-c", TRUTH], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
