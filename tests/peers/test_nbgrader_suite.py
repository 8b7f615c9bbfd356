"""nbgrader's own tests, which ship with it, run against our preprocessors; docs/peers.md explains each difference.

A test that fails here and is not in the table fails ours, and so does one in the table that has begun to pass.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import nbgrader
import pytest

HERE = Path(__file__).parent
TESTS = Path(nbgrader.__file__).parent / "tests"

PARTS = {
    "preprocessors": ("preprocessors",),
    "validator": ("test_validator.py",),
    "validate": ("apps/test_nbgrader_validate.py",),
    "feedback": ("apps/test_nbgrader_generate_feedback.py",),
    "autograde": ("apps/test_nbgrader_autograde.py",),
}
"""What is run in one go, below nbgrader's folder of tests."""

QUICK = {
    "preprocessors": "TestSaveAutoGrades or TestGetGrades",
    "feedback": "test_help or test_single_file or test_filter_notebook or test_autotests",
    "autograde": "test_grade or test_showtraceback_exploit or test_no_execute or test_side_effects or handle_failure"
    " or kernelspec or test_hidden_tests_single_notebook",
}
"""Of the large parts, the tests that `make test-slow` runs; `make test-all` runs them all."""


def observed(folder: Path, part: str, *, only: str = "", ours: bool = True) -> dict[str, str]:
    """Run a part of nbgrader's tests and return each test's outcome, by its name below nbgrader's folder of tests."""
    place = folder / "nbgrader"
    place.symlink_to(TESTS.parent)  # some of the tests name their files from the folder above the package
    (folder / "pytest.ini").write_text("[pytest]\n")
    plugins = ["outcomes", *(["with_ours"] if ours else [])]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parents[1]}",
        "USER": pwd.getpwuid(os.getuid()).pw_name,
        "OUTCOMES": str(folder / "outcomes.json"),
        "JUPYTER_CONFIG_DIR": str(HERE / "config" if ours else folder),
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(folder / "tmp")]
    command += [word for plugin in plugins for word in ("-p", plugin)]
    command += [*(["-k", only] if only else []), *(f"nbgrader/tests/{name}" for name in PARTS[part])]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((folder / "outcomes.json").read_text())


def explained(root: Path) -> dict[str, str]:
    """The rows of the table of docs/peers.md: a test's name, and what becomes of it with ours."""
    text = (root / "docs" / "peers.md").read_text()
    table = text.split("<!-- nbgrader: begin -->")[1].split("<!-- nbgrader: end -->")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (failed|skipped) \| (.+) \|$", table, re.M)
    assert all(len(why) > 20 for _, _, why in rows)
    return {name: outcome for name, outcome, _ in rows}


def short(name: str) -> str:
    """A test's file and name, as the table gives them."""
    path, *_, test = name.split("::")
    return f"{Path(path).stem}::{test}"


def differences(outcomes: dict[str, str]) -> dict[str, str]:
    """What did not simply pass."""
    return {short(name): outcome for name, outcome in outcomes.items() if outcome != "passed"}


def compare(outcomes: dict[str, str], root: Path) -> None:
    """Every test that was run does what the table says."""
    ran = {short(name) for name in outcomes}
    assert differences(outcomes) == {name: what for name, what in explained(root).items() if name in ran}


@pytest.mark.heavy
@pytest.mark.parametrize("part", ["preprocessors", pytest.param("autograde", marks=pytest.mark.long)])
def test_the_quick_ones_do_with_ours_what_the_table_says(part: str, root: Path, tmp_path: Path) -> None:
    outcomes = observed(tmp_path, part, only=QUICK.get(part, ""))
    assert len(outcomes) >= 4
    compare(outcomes, root)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The outcomes of every part, with ours."""
    return {part: observed(tmp_path_factory.mktemp(part), part) for part in PARTS}


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_all_do_with_ours_what_the_table_says(part: str, everything: dict[str, dict[str, str]], root: Path) -> None:
    compare(everything[part], root)


@pytest.mark.long
def test_the_table_names_only_tests_that_there_are(everything: dict[str, dict[str, str]], root: Path) -> None:
    outcomes = {name: outcome for part in everything.values() for name, outcome in part.items()}
    assert explained(root) == differences(outcomes)
    count = sum(outcome == "passed" for outcome in outcomes.values())
    assert f"{count} of {len(outcomes)} tests pass" in (root / "docs" / "peers.md").read_text()


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_control_with_stock_nbgrader_they_all_pass(part: str, root: Path, tmp_path: Path) -> None:
    outcomes = observed(tmp_path, part, ours=False)
    skipped = {name for name, what in explained(root).items() if what == "skipped"}
    assert differences(outcomes) == dict.fromkeys(skipped & {short(name) for name in outcomes}, "skipped")
