"""`pytest --submission PATH`: questions are test items, and the submission never configures pytest."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from sample_kit import sampled

from autograder.audit import load_variants
from autograder.build.submission import fill, solutions
from autograder.commands.pytest import arguments
from autograder.exercises import load

pytestmark = pytest.mark.slow  # each starts pytest in a process of its own

TRAP = "raise SystemExit('code of the submission ran in pytest')"


@pytest.fixture(scope="module")
def submitted(tmp_path_factory, root):
    """Right, wrong and unreadable work, and files with which a submission could take over pytest."""
    tree = tmp_path_factory.mktemp("class") / "submitted"
    exercise = load("tanh_swap")
    released = nbformat.read(root / "assignments" / "training" / "tanh_swap.ipynb", as_version=4)
    solved = solutions(root, exercise)
    wrong = load_variants(root, exercise).find("sigmoid-derivative").apply(solved)
    for student, cells in (("ada", solved), ("carla", wrong)):
        path = tree / student / "training" / "tanh_swap.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(released, cells), path)
    (tree / "bo" / "training").mkdir(parents=True)
    (tree / "bo" / "training" / "homework.ipynb").write_text("{")
    for folder in (tree, tree / "ada", tree / "ada" / "training"):
        (folder / "conftest.py").write_text(TRAP)
        (folder / "test_mine.py").write_text(TRAP)
    (tree / "numpy.py").write_text(TRAP)
    (tree / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --submission-isolation=none\n")
    return tree


def run_pytest(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-p", "autograder.pytest_plugin", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def ran(submitted, root, tmp_path_factory):
    """One run over everything: its result and its JUnit file."""
    report = tmp_path_factory.mktemp("junit") / "report.xml"
    return run_pytest(f"--submission={submitted}", f"--junitxml={report}", "--submission-seed", 7, cwd=root), report


def test_questions_pass_fail_and_need_a_person(ran):
    done, _ = ran
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 7 passed, 1 error" in done.stdout
    assert "carla/tanh_swap::hidden_gradients" in done.stdout
    assert "The derivative of sigmoid is used with tanh" in done.stdout
    assert "A person has to look: homework.ipynb is not valid JSON" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_points_are_summed_per_notebook(ran):
    assert "ada/tanh_swap: 20 / 20 points" in ran[0].stdout
    assert "carla/tanh_swap: 15 / 20 points" in ran[0].stdout


def test_nothing_of_the_submission_configures_pytest(ran, submitted):
    """Neither its conftest.py nor its pytest.ini, which asks for no isolation; and nothing is written there."""
    done, report = ran
    assert "code of the submission ran" not in done.stdout + done.stderr
    isolation = {p.get("value") for p in ElementTree.parse(report).iter("property") if p.get("name") == "isolation"}
    assert isolation
    assert "none" not in isolation
    assert not (submitted / ".pytest_cache").exists()


def test_junit_xml_has_points_as_properties(ran):
    cases = {f"{c.get('classname')}.{c.get('name')}": c for c in ElementTree.parse(ran[1]).iter("testcase")}
    case = cases["carla.tanh_swap.hidden_gradients"]
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert (float(properties["points"]), float(properties["max_points"])) == (3, 8)
    assert (properties["status"], properties["seed"]) == ("wrong", "7")
    assert "3 of 8 points" in case.find("failure").get("message")
    assert cases["bo.homework.notebook"].find("error") is not None


def test_questions_are_selected_by_name(submitted, root):
    done = run_pytest(f"--submission={submitted}", "--collect-only", "-q", "-k", "carla and gradients", cwd=root)
    found = [line for line in done.stdout.splitlines() if "::" in line]
    assert found == ["carla/tanh_swap::output_gradients", "carla/tanh_swap::hidden_gradients"]


def test_the_path_may_be_a_word_of_its_own(submitted, root, tmp_path):
    """pytest then takes the submission for its root folder, and would put its cache there."""
    alone = shutil.copytree(submitted / "ada", tmp_path / "ada")
    done = run_pytest("--submission", alone, "--collect-only", "-q", cwd=root)
    assert "4 tests collected" in done.stdout
    assert "code of the submission ran" not in done.stdout + done.stderr
    assert not (alone / ".pytest_cache").exists()


def test_configuration_of_a_submission_that_pytest_has_read_is_refused(submitted, root):
    done = run_pytest("--submission", submitted, cwd=root)
    assert done.returncode == 4
    assert "with the equals sign" in done.stderr


EVIL = "[pytest]\npythonpath = .\naddopts = -p evil\n"


@pytest.mark.parametrize("way", sampled(["folder", "student", "notebook"], "folder"))
def test_the_command_reads_nothing_of_a_submission(submitted, root, tmp_path, way):
    """Bare pytest would load the module that this pytest.ini names, before any plugin could refuse it."""
    tree = shutil.copytree(submitted, tmp_path / "submitted")
    for folder in (tree, tree / "ada", tree / "ada" / "training"):
        (folder / "pytest.ini").write_text(EVIL)
        (folder / "evil.py").write_text(TRAP)
    path = {"folder": tree, "student": tree / "ada", "notebook": tree / "ada" / "training" / "tanh_swap.ipynb"}[way]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "autograder", "pytest", path, "--collect-only", "-q"],
        cwd=root, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert "code of the submission ran" not in done.stdout + done.stderr
    assert "tests collected" in done.stdout, done.stdout + done.stderr
    assert list(tree.rglob(".pytest_cache")) == []


def test_no_option_opens_the_door_again():
    told = arguments(Path("x"), Path("/course"), ["-c", "x/pytest.ini", "--rootdir=x", "-k", "y"])
    assert told[:5] == ["-c", "x/pytest.ini", "--rootdir=x", "-k", "y"]
    assert told[-3:] == ["--rootdir=/course", "--config-file=/dev/null", "--noconftest"]


@pytest.mark.long
def test_workers_grade_with_one_seed_and_stop_at_the_first_failure(submitted, root, tmp_path):
    path = tmp_path / "report.xml"
    arguments = (f"--submission={submitted}/carla", "-n", "2", "--dist", "loadfile", "-x", f"--junitxml={path}")
    done = run_pytest(*arguments, cwd=root)
    assert done.returncode == 2
    assert "stopping after 1 failures" in done.stdout
    seeds = {p.get("value") for p in ElementTree.parse(path).iter("property") if p.get("name") == "seed"}
    assert len(seeds) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--submission=nowhere"], "nowhere does not exist"),
        (["--submission=source", "tests"], "takes the place of test paths"),
    ],
)
def test_bad_use_is_said_in_a_sentence(arguments, said, root):
    done = run_pytest(*arguments, cwd=root)
    assert done.returncode in (2, 4)
    assert said in done.stdout + done.stderr


def test_pytest_does_not_start_inside_a_submission(submitted):
    done = run_pytest("--submission", ".", cwd=submitted)
    assert done.returncode == 4
    assert "start it in the course's folder" in done.stderr


def test_without_the_option_the_plugin_does_nothing(tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import sys\ndef test_own():\n    assert not [m for m in sys.modules if m.startswith('autograder.m')]\n"
    )
    done = run_pytest("-q", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
