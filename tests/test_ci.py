"""Workflow files keep to their schemas, and their shell runs with the environment that the runner gives."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from autograder.build.submission import fill, solutions
from autograder.exercises import load

ACTION = ".github/actions/grade/action.yml"
WORKFLOW = ".github/workflows/grade.yml"
TESTS = ".github/workflows/test.yml"
PAGES = ".github/workflows/pages.yml"
GITLAB = "ci/gitlab/grade.gitlab-ci.yml"
STUDENT = "ci/gitlab/student.gitlab-ci.yml"

SCHEMAS = {
    ACTION: "github-actions",
    WORKFLOW: "github-workflows",
    TESTS: "github-workflows",
    PAGES: "github-workflows",
    GITLAB: "gitlab-ci",
    STUDENT: "gitlab-ci",
}


def check(path, schema):
    """In this process: a program of its own would import for seconds, for each file."""
    from check_jsonschema import main as check_jsonschema
    from click.testing import CliRunner

    command = ["--builtin-schema", f"vendor.{schema}"]
    if schema == "gitlab-ci":
        command += ["--data-transform", "gitlab-ci"]
    return CliRunner().invoke(check_jsonschema, [*command, str(path)])


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_files_keep_to_the_published_schemas(name, root):
    done = check(root / name, SCHEMAS[name])
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_the_schema_check_sees_a_mistake(root, tmp_path):
    broken = tmp_path / "grade.yml"
    broken.write_text((root / WORKFLOW).read_text().replace("runs-on:", "run-on:"))
    done = check(broken, "github-workflows")
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)  # and no failure of the program
    assert "run-on" in done.output


def test_no_shell_of_a_step_has_an_expression_in_it(root):
    """An expression is pasted into the script before the shell reads it; a name may then be code."""
    steps = yaml.safe_load((root / ACTION).read_text())["runs"]["steps"]
    steps += yaml.safe_load((root / WORKFLOW).read_text())["jobs"]["grade"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if "${{" in script]


def test_every_python_that_is_promised_is_tested(root):
    jobs = yaml.safe_load((root / TESTS).read_text())["jobs"]
    tested = {jobs["everything"]["steps"][1]["with"]["python-version"], *jobs["quick"]["strategy"]["matrix"]["python"]}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    promised = {text.rpartition(" ")[2] for text in project["classifiers"] if " 3." in text}
    assert tested == promised
    assert project["requires-python"] == f">={min(promised)}"


def test_no_checkout_leaves_its_token_on_disk(root):
    steps = yaml.safe_load((root / WORKFLOW).read_text())["jobs"]["grade"]["steps"]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == 2
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.fixture(scope="module")
def submission(tmp_path_factory, root):
    """A student's repository with one sheet: a slip in one cell, and a message that looks like a workflow command."""
    folder = tmp_path_factory.mktemp("repo") / "ada"
    (folder / "by_hand").mkdir(parents=True)
    exercise = load("worked_calculation")
    released = nbformat.read(root / "assignments" / "by_hand" / "worked_calculation.ipynb", as_version=4)
    cells = solutions(root, exercise) | {"loss": "y = 0.8\nloss = 0.0\nraise ValueError('\\n::stop-commands::x')"}
    nbformat.write(fill(released, cells), folder / "by_hand" / "worked_calculation.ipynb")
    return folder


def shell(script, cwd, environment):
    """Run a step as the runner does: bash with these flags, and nothing in the environment but what is given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        env=kept | environment | {"PYTHON": sys.executable},
    )


@pytest.mark.slow
def test_the_steps_of_the_action_grade_a_push(root, submission, tmp_path):
    steps = yaml.safe_load((root / ACTION).read_text())["runs"]["steps"]
    (grade,) = (step for step in steps if step.get("id") == "grade")
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(root / Path(ACTION).parent),
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "RUNNER_TEMP": str(tmp_path),
        "SUBMISSION": os.path.relpath(submission, tmp_path),
        "ISOLATION": "auto",
    }
    done = shell(grade["run"], tmp_path, environment)
    assert done.returncode == 0, done.stderr
    summary = (tmp_path / "summary.md").read_text()
    assert "ada worked&#95;calculation: 23 of 25 points" in summary
    assert "Look first at" in summary
    assert "points=23" in (tmp_path / "output").read_text()
    commands = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert 1 <= len(commands) <= 10
    assert not [line for line in commands if line.startswith("::stop")]
    uploaded = next(step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")).splitlines()
    for path in uploaded:
        assert Path(path.replace("${{ runner.temp }}", str(tmp_path))).is_file()
    assert sorted(path.name for path in (tmp_path / "feedback").iterdir()) == [
        "feedback.html",
        "junit.xml",
        "marks.csv",
        "marks.jsonl",
    ]
    assert json.loads((tmp_path / "feedback" / "marks.jsonl").read_text())["isolation"] in {"full", "reduced"}


@pytest.mark.slow
def test_a_folder_without_notebooks_fails_the_step_with_the_reason(root, tmp_path):
    done = shell('"$ROOT/tools/ci.sh" grade empty out', tmp_path, {"ROOT": str(root)})
    assert done.returncode == 2
    assert "does not exist" in done.stderr


def test_prepare_lifts_the_restriction_of_ubuntu_and_only_then(root, tmp_path):
    """With a false sudo and sysctl on PATH that write down what they are asked."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, body in (("id", "echo 1000"), ("sudo", 'printf "%s " "$@" >>"$LOG"'), ("bwrap", "true")):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    log, switch = tmp_path / "log", tmp_path / "switch"
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "LOG": str(log),
        "USERNS_SWITCH": str(switch),
        "ROOT": str(root),
    }
    for value, asked in (("0", ""), ("1", "-n sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 ")):
        switch.write_text(f"{value}\n")
        log.write_text("")
        assert shell('"$ROOT/tools/ci.sh" prepare', tmp_path, environment).returncode == 0
        assert log.read_text() == asked


@pytest.fixture
def gitlab(root, submission, tmp_path):
    """gitlab(**variables): the script of GitLab's job, with the student's repository in the place of the server's."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    repository = tmp_path / "repository"
    subprocess.run(["cp", "-r", submission, repository], check=True)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True).stdout.strip()
    job = yaml.safe_load((root / GITLAB).read_text())["grade"]
    course = tmp_path / "course"
    course.mkdir()
    for name in ("autograder", "source", "tools", "nbgrader_config.py"):
        (course / name).symlink_to(root / name)
    (tmp_path / "config").write_text(
        f'[url "{repository}"]\n\tinsteadOf = https://gitlab-ci:secret@gitlab.example/class/ada.git\n'
    )

    def run(**variables):
        environment = {
            "CI_SERVER_PROTOCOL": "https",
            "CI_SERVER_HOST": "gitlab.example",
            "READ_TOKEN": "secret",
            "STUDENTS": "class",
            "PROJECT": "class/ada",
            "COMMIT": commit,
            "GIT_CONFIG_GLOBAL": str(tmp_path / "config"),
        }
        return shell("\n".join(job["script"]), course, environment | variables), course / "feedback"

    return run


@pytest.mark.slow
def test_the_gitlab_job_grades_a_commit(gitlab):
    done, feedback = gitlab()
    assert done.returncode == 0, done.stderr
    assert json.loads((feedback / "marks.jsonl").read_text())["student"] == "ada"
    assert (feedback / "junit.xml").is_file()


@pytest.mark.parametrize(
    "variables",
    [
        {"PROJECT": "other/ada"},
        {"PROJECT": "class/../other/ada"},
        {"PROJECT": "class/$(id)"},
        {"COMMIT": "--upload-pack=x"},
    ],
)
def test_the_gitlab_job_sends_its_token_nowhere_else(gitlab, variables):
    done, feedback = gitlab(**variables)
    assert done.returncode == 1
    assert "is not" in done.stderr
    assert not feedback.exists()
