"""docs/own_course.md as an outsider follows it: the built package, an empty folder, a course, and a class of five."""

import csv
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from autograder.build.submission import fill

WRONG = {
    "ada": (),
    "ben": ((" - h * (d * h).mean(axis=1, keepdims=True)", ""),),
    "carla": (("(g * h).sum(axis=0), g.sum(axis=0)", "(g * h).mean(axis=0), g.mean(axis=0)"),),
    "dan": (("return gamma * (x - mean)", "return (x - mean)"), ("d = g * gamma", "d = g")),
}
"""A class of five: what each changes in the reference; the fifth hands in what was given out."""

DUE = {"ada": 9, "ben": 5, "carla": 7, "dan": 3, "eve": 0}


@pytest.fixture(scope="module")
def outsider(root, tmp_path_factory):
    """A function that runs a line of the page in the course's folder, with the built package and not this checkout."""
    place = tmp_path_factory.mktemp("outsider")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", place / "wheel", root]
    subprocess.run(wheel, check=True, timeout=600)
    (built,) = (place / "wheel").glob("*.whl")
    target = [*pip, "install", "-q", "--no-deps", "--target", place / "installed", built]
    subprocess.run(target, check=True, timeout=600)
    (place / "course").mkdir()

    def run(line, status=0):
        program, _, rest = line.partition(" ")
        words = f"{sys.executable} {'' if program == 'python' else f'-m {program} '}{rest}"
        environment = {**os.environ, "PYTHONPATH": str(place / "installed"), "COLUMNS": "160"}
        done = subprocess.run(
            words, shell=True, cwd=place / "course", env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == status, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run.course = place / "course"
    assert str(place) in run("python -c 'import autograder; print(autograder.__file__)'")
    return run


@pytest.mark.long
def test_every_command_of_the_page_works_for_an_outsider(outsider, root):
    page = (root / "docs" / "own_course.md").read_text(encoding="utf-8")
    first, second = (block.splitlines() for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    assert [line.split()[0] for line in first[:3]] == ["python", ".venv/bin/pip", "."]  # the environment is there
    for line in first[3:]:
        outsider(line)
    course = outsider.course
    for name in re.findall(r"^\| `([^`]*)` \|", page, re.MULTILINE):
        assert (course / name).is_file(), name
    assert outsider("autograder build --check")

    for line in second:
        if line == "autograder grade submitted":
            hand_in(course)
            outsider("autograder audit layer_norm")  # isolated, as marks are made
            records = [json.loads(one) for one in outsider(f"{line} --json").splitlines()]
            assert {one["student"]: one["points"] for one in records} == DUE
            told = {one["student"]: json.dumps(one["questions"]) for one in records}
            assert "variance-taken-for-constant" in told["ben"]
            assert "rows-averaged" in told["carla"]
            assert "gamma-left-out" in told["dan"]
        outsider(line)
    assert (course / "pages" / "eve" / "layers" / "layer_norm.html").is_file()
    assert (course / "student-kit" / "layers" / "selfcheck.py").is_file()
    assert "Layers" in (course / "student-kit" / "README.md").read_text()
    page = (course / "pages" / "ben" / "layers" / "layer_norm.html").read_text()
    assert "The standard deviation is taken for a constant." in page
    assert "Layer norm" in (course / "report.html").read_text()
    with open(course / "marks.csv", newline="") as file:
        assert {row["student"]: float(row["points"]) for row in csv.DictReader(file)} == DUE

    outsider("autograder new another --sheet outputs")
    assert (course / "course.toml").read_text().endswith('[sheets]\nlayers = "Layers"\noutputs = "Outputs"\n')
    outsider("autograder build")


def hand_in(course):
    released = nbformat.read(course / "assignments" / "layers" / "layer_norm.ipynb", as_version=4)
    solved = nbformat.read(course / "source" / "layers" / "layer_norm.ipynb", as_version=4)
    (cell,) = (one.source for one in solved.cells if one.metadata.get("nbgrader", {}).get("grade_id") == "layer")
    for student in DUE:
        text = cell
        for old, new in WRONG.get(student, ()):
            assert text.count(old) == 1
            text = text.replace(old, new)
        path = course / "submitted" / student / "layers" / "layer_norm.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(released, {"layer": text}) if student in WRONG else released, path)
