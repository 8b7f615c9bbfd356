"""Marks first: what the course shows for the eye is left out of the marks pass, and no mark depends on it."""

from dataclasses import replace

import pytest
from sample_kit import sampled

from autograder.course import source_notebook
from autograder.exercises import NAMES, load
from autograder.grading.grade import execute, give_marks, prepare
from autograder.marking import to_json


def prepared(name, root, submission, **cells):
    notebook = submission(name, **cells)
    return prepare(notebook, load(name), root=root, seed=11)


@pytest.mark.parametrize("name", NAMES)
def test_the_marks_pass_leaves_out_cells_of_the_course_only(name, root, submission):
    one = prepared(name, root, submission)
    quick, everything = one.marks.planned.cells, one.whole.planned.cells
    assert set(quick) <= set(everything)
    source = {
        cell.source
        for cell in source_notebook(root, load(name)).cells
        if cell.metadata.get("nbgrader", {}).get("locked")
    }
    assert {cell.source for cell in everything if cell not in quick} <= source


IN_CI = ("exploding_gradients", "multi_output", "sgd", "tanh_swap")


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(NAMES, *IN_CI))
def test_marks_are_equal_with_and_without_what_is_for_the_eye(name, root, sandbox, submission):
    one = prepared(name, root, submission)
    quick, whole = execute(sandbox, one.marks_job, one.whole.job), execute(sandbox, None, one.whole.job)
    marks = [to_json(give_marks(one, ran).marks)["questions"] for ran in (quick, whole)]
    assert marks[0] == marks[1]
    assert all(question["status"] == "correct" for question in marks[0])


@pytest.mark.slow
def test_a_cell_that_needs_what_was_left_out_is_run_with_it(root, sandbox, submission):
    one = prepared("tanh_swap", root, submission)
    show = next(cell for cell in one.whole.job.cells if cell not in one.marks.job.cells)
    needs = replace(one.marks.job.cells[-1], source=f"{one.marks.job.cells[-1].source}\nassert left_out == 1")
    whole = tuple(replace(cell, source="left_out = 1") if cell == show else cell for cell in one.whole.job.cells)
    marks_job = replace(one.marks.job, cells=(*one.marks.job.cells[:-1], needs))
    whole_job = replace(one.whole.job, cells=tuple(needs if cell.id == needs.id else cell for cell in whole))
    ran = execute(sandbox, marks_job, whole_job)
    assert ran.whole
    assert all(result.status == "ok" for result in ran.outcome.cells if result.id in (needs.id, show.id))


def test_an_untouched_stub_is_no_reason_to_run_everything(root, sandbox, submission):
    one = prepared("tanh_swap", root, submission, train_on_moons="raise NotImplementedError")
    assert not execute(sandbox, one.marks_job, one.whole.job).whole
