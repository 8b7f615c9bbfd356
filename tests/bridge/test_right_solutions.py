"""Every reference and two right solutions in another style get full marks, through nbgrader and on the command line."""

import json
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograder.audit import Variant, load_variants
from autograder.bridge.api import CourseApi
from autograder.build.submission import fill, solutions
from autograder.exercise import SHEETS
from autograder.exercises import all_exercises

pytestmark = pytest.mark.heavy


STUDENTS = ("reference", "second", "third")
"""The first is graded in every run; the audit gives all right variants full marks, in processes of their own."""
CLASSES = [pytest.param((sheet, STUDENTS[:1]), marks=[pytest.mark.long] * (sheet != "by_hand")) for sheet in SHEETS]
CLASSES += [pytest.param((sheet, STUDENTS), marks=pytest.mark.long) for sheet in SHEETS]


@pytest.fixture(scope="module", params=CLASSES, ids=lambda one: f"{one[0]}-{len(one[1])}")
def group(request):
    return request.param


@pytest.fixture(scope="module")
def course(tmp_path_factory, root, group):
    """One sheet with three students: the reference solution and the first two right variants of every exercise."""
    sheet, students = group
    folder = tmp_path_factory.mktemp(sheet) / "course"
    shutil.copytree(root / "source" / sheet, folder / "source" / sheet)
    shutil.copy(root / "nbgrader_config.py", folder)
    for exercise in (one for one in all_exercises() if one.sheet == sheet):
        released = nbformat.read(root / "assignments" / sheet / f"{exercise.name}.ipynb", as_version=4)
        solved = solutions(root, exercise)
        right = (Variant("reference", ""), *load_variants(root, exercise).right[:2])
        for student, variant in zip(students, right):
            path = folder / "submitted" / student / sheet / f"{exercise.name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(fill(released, variant.apply(solved)), path)
    return folder


def test_full_marks_through_nbgrader(course, group):
    from nbgrader.api import Gradebook

    sheet, students = group
    api = CourseApi(course, marks_only=True)
    assert api.generate_assignment(sheet) == []
    for student in students:
        assert api.autograde(sheet, student) == []
    lost = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        submissions = gradebook.assignment_submissions(sheet)
        assert len(submissions) == len(students)
        for submission in submissions:
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.auto_score is not None and grade.auto_score != grade.max_score:
                        lost[submission.student.id, notebook.name, grade.name] = grade.auto_score
    assert lost == {}


@pytest.mark.long
def test_full_marks_on_the_command_line(course, group, root):
    sheet, students = group
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", course / "submitted", "--json", "--root", root],
        capture_output=True,
        text=True,
        timeout=900,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(records) == len(students) * sum(exercise.sheet == sheet for exercise in all_exercises())
    assert [(r["student"], r["exercise"]) for r in records if r["points"] != r["max_points"]] == []
