"""The pages of a class are those of `nbgrader generate_feedback`, byte by byte, and only what changed is made again."""

import shutil
import sqlite3

import pytest
from class_kit import NAME, OTHER, SHEET, hand_in, hand_in_class, make_course, solved
from nbgrader.api import Gradebook

from autograder.bridge import pages
from autograder.bridge.api import CourseApi
from autograder.cli import main
from autograder.records.hints import write_hint
from autograder.records.read import students_and_sheets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def graded(tmp_path_factory, root):
    """A class with pages to make: slips, work that is late, marks and comments of people, files of one's own."""
    course = make_course(tmp_path_factory.mktemp("graded") / "course", root, (NAME, OTHER))
    hand_in_class(course, root)
    hand_in(course, "ada", solved(root, OTHER), OTHER)
    with sqlite3.connect(course / "gradebook.db") as db:
        db.execute("update assignment set duedate = '2025-01-01 00:00:00.000000'")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course)
        assert main(["grade", "submitted", "--gradebook", "--seed", "7", "--no-places"]) == 0
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(NAME, SHEET, "cy").grades
        for one in grades[:2]:
            one.manual_score, one.needs_manual_grade, one.extra_credit = 99.0, False, 0.5
        gradebook.find_submission_notebook(NAME, SHEET, "cy").comments[0].manual_comment = "well done"
        gradebook.db.commit()
    return course


@pytest.fixture(scope="module")
def by_nbgrader(graded, tmp_path_factory):
    """The same class with nbgrader's own pages."""
    theirs = shutil.copytree(graded, tmp_path_factory.mktemp("nbgrader") / "course", symlinks=True)
    api = CourseApi(theirs)
    for student, sheet in students_and_sheets(theirs):
        assert api.generate_feedback(sheet, student) == []
    return theirs


def made(course):
    folder = course / "feedback"
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): (path.read_bytes(), path.stat().st_mode) for path in files}


@pytest.mark.parametrize("processes", [1, 100])
def test_the_pages_are_those_of_nbgrader(graded, by_nbgrader, tmp_path, monkeypatch, processes):
    monkeypatch.setattr(pages, "IN_PROCESSES", processes)
    course = shutil.copytree(graded, tmp_path / "course", symlinks=True)
    (requests,) = by_nbgrader.glob("requests.json")  # the key of the codes on the pages
    shutil.copy(requests, course)
    left = []
    monkeypatch.setattr(CourseApi, "generate_feedback", lambda _, sheet, student: left.append(student) or [])
    assert pages.renew(course) == []
    assert left == []
    expected, found = made(by_nbgrader), made(course)
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name] == expected[name], name


def test_only_pages_that_would_be_others_are_made_again(graded, tmp_path, monkeypatch):
    course = shutil.copytree(graded, tmp_path / "course", symlinks=True)
    make, again = pages._make, []
    monkeypatch.setattr(pages, "_make", lambda root, folder: again.append(folder.student) or make(root, folder))

    def renewed():
        again.clear()
        assert pages.renew(course) == []
        return sorted(again)

    everybody = renewed()
    assert len(everybody) == len(set(everybody)) == 8
    assert renewed() == []
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.find_submission_notebook(NAME, SHEET, "di").comments[0].manual_comment = "see me"
        gradebook.db.commit()
    (course / "feedback" / "el" / SHEET / f"{NAME}.html").write_text("another page")
    shutil.rmtree(course / "feedback" / "flo")
    path = course / "autograded" / "gus" / SHEET / f"{NAME}.ipynb"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("edition", "version") + "\n")
    assert renewed() == ["di", "el", "flo", "gus"]
    assert renewed() == []
    write_hint(course, "a-cluster", "look again")
    assert renewed() == everybody
    (course / pages.STAMPS).write_text("{")
    assert renewed() == everybody


def test_what_is_no_record_of_ours_is_left_to_nbgrader(graded, tmp_path, monkeypatch):
    course = shutil.copytree(graded, tmp_path / "course", symlinks=True)
    path = course / "autograded" / "di" / SHEET / f"{NAME}.ipynb"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"student": "di"', '"student": "ada"'))
    left = []
    monkeypatch.setattr(CourseApi, "generate_feedback", lambda _, sheet, student: left.append(student) or ["told"])
    assert pages.renew(course) == ["told"]
    assert left == ["di"]
    assert (course / "feedback" / "ada" / SHEET / f"{NAME}.html").is_file()
