"""A class gets places too: after its marks, once for equal code, and kept in the journal like every other run."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from class_kit import hand_in, make_course, solved

from autograder.bridge.gradebook_writer import Writer
from autograder.grading import searches
from autograder.grading.batch import UNCHANGED, Course, grade_class
from autograder.grading.finding import find
from autograder.grading.grade import Ran
from autograder.grading.journal import Journal
from autograder.grading.worker import run_isolated
from autograder.records.read import autograded

NAME = "relu_derivative"
WRONG = """def relu(Z):
    return np.maximum(Z, 0)


def relu_derivative(Z):
    return Z * (Z > 0)
"""


@pytest.fixture
def course(tmp_path, root):
    course = make_course(tmp_path / "course", root, [NAME])
    hand_in(course, "ada", solved(root, NAME), NAME)
    for student in ("bo", "cy"):
        hand_in(course, student, solved(root, NAME, functions=WRONG), NAME)
    return course


def grade(course, *, pool=True, feedback=True, places=True):
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(2) as workers:
        shared = Course(
            course, journal, writer, workers if pool else None, journal.seed(7), window=lambda: 2, places=places
        )
        return list(grade_class(shared, find([course / "submitted"]), feedback=feedback))


def found(course):
    return {
        marks.student: [line.place.code for mark in marks.questions for line in mark.lines if line.place]
        for marks in autograded(course)
    }


def runs(course):
    with Journal(course) as journal:
        return journal.count()


@pytest.mark.slow
def test_the_second_pass_finds_places_once_for_equal_code_and_later_passes_keep_them(course):
    assert not any(one.problem for one in grade(course, feedback=False))
    assert found(course) == {"ada": [], "bo": [], "cy": []}, "marks come first"
    before = runs(course)
    assert not any(one.problem for one in grade(course))
    places = found(course)
    assert places["ada"] == []
    assert places["bo"] == places["cy"] == ["Z * (Z > 0)"]
    searched = runs(course)
    assert searched - before <= 2 + 3, "the solution once, one search for both, and what is for the eye of three"
    for notebook in (course / "autograded").rglob("*.ipynb"):
        notebook.unlink()
    assert not any(one.problem for one in grade(course, pool=False, feedback=False))
    assert found(course) == places, "marked again from what was kept, the places are there again"
    assert runs(course) == searched


@pytest.mark.slow
def test_without_places_nothing_more_is_run(course):
    grade(course, places=False)
    assert found(course) == {"ada": [], "bo": [], "cy": []}


def failing(level, marks, whole):
    raise OSError("the worker's disk is full")


@pytest.mark.slow
def test_a_search_that_fails_costs_places_alone(course, monkeypatch):
    monkeypatch.setattr("autograder.grading.searches.run_isolated", failing)
    assert not any(one.problem for one in grade(course))
    assert found(course) == {"ada": [], "bo": [], "cy": []}


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["the worker's disk is full", "its time was over"])
def test_a_search_that_failed_is_tried_again_at_the_next_grade(course, monkeypatch, failure):
    def out_of_time(level, marks, whole):
        ran = run_isolated(level, marks, whole)
        late = {ask: tuple(replace(one, status="timed_out") for one in of) for ask, of in ran.outcome.answers.items()}
        return Ran(replace(ran.outcome, answers=late), ran.whole)

    grade(course, feedback=False)
    with monkeypatch.context() as patch:
        patch.setattr(searches, "run_isolated", failing if "disk" in failure else out_of_time)
        assert not any(one.problem for one in grade(course))
    assert found(course) == {"ada": [], "bo": [], "cy": []}
    grade(course)
    assert found(course) == {"ada": [], "bo": ["Z * (Z > 0)"], "cy": ["Z * (Z > 0)"]}
    count = runs(course)
    assert {one.how for one in grade(course)} == {UNCHANGED}
    assert runs(course) == count
