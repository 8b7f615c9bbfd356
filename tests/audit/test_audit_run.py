"""The audit compares the marks of every variant with what it deserves, one after another or at the same time."""

import copy
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from autograder.audit.graders import running
from autograder.audit.run import audit
from autograder.audit.variants import load_variants
from autograder.commands.audit import markdown
from autograder.course import source_notebook
from autograder.exercises import load
from autograder.marking import QuestionMark
from autograder.marking.marks import LineMark


def generous(notebook, exercise):
    """A grader that gives everybody full marks, some of them sooner than others."""
    time.sleep(0.002 * (sum(len(cell.source) for cell in notebook.cells) % 7))
    marks = []
    for question in exercise.questions:
        lines = tuple(LineMark(line.name, line.label, line.points, line.points, "correct") for line in question.lines)
        full = question.points
        marks.append(QuestionMark(question.id, question.title, full, full, "correct", lines=lines))
    return tuple(marks)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu_derivative", "worked_calculation"])
def test_the_report_does_not_depend_on_how_many_are_graded_at_the_same_time(name, root):
    alone = audit(load(name), root, generous)
    with ThreadPoolExecutor(8) as pool:
        assert audit(load(name), root, generous, pool=pool) == alone
    assert sum(row.killed for row in alone.rows) == 0
    assert len(alone.failures) > 10


@pytest.mark.slow
def test_variants_are_graded_in_other_threads(root):
    seen = set()

    def noting(notebook, exercise):
        seen.add(threading.current_thread())
        return generous(notebook, exercise)

    with ThreadPoolExecutor(4) as pool:
        audit(load("tanh_swap"), root, noting, pool=pool)
    assert len(seen) > 1
    assert threading.main_thread() not in seen


def test_what_one_variant_changes_in_a_module_of_the_sheet_the_next_does_not_see(root):
    exercise = load("tanh_swap")
    changed = copy.deepcopy(source_notebook(root, exercise))
    changed.cells[-1].update(cell_type="code", source="SimpleNeuralNetwork.train = None")
    with running(changed, exercise, root) as names:
        assert names["SimpleNeuralNetwork"].train is None
    with running(source_notebook(root, exercise), exercise, root) as names:
        assert names["SimpleNeuralNetwork"].train is not None


@pytest.mark.slow
def test_a_quick_right_cell_stands_where_a_wrong_variant_edits_nothing_and_in_shams(root):
    variants, graded = load_variants(root, load("sin_regression")), []

    def noting(notebook, exercise):
        graded.append({cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in notebook.cells})
        return generous(notebook, exercise)

    audit(load("sin_regression"), root, noting)
    quick, reference = variants.find(variants.quick).cells["fit_sine"].strip(), graded[1]
    wrong = graded[2 + len(variants.right) :]  # the stub, the reference and the right ones come before
    wrong, shams = wrong[: len(variants.wrong)], wrong[len(variants.wrong) :]
    assert quick not in reference["fit_sine"]
    for variant, cells in zip(variants.wrong, wrong, strict=True):
        own = "fit_sine" in {*variant.edits, *variant.cells}
        assert (quick in cells["fit_sine"]) is not own, variant.id
    assert all(quick in cells["fit_sine"] for cells in shams)
    with pytest.raises(KeyError):  # a wrong one is not taken for a right one
        replace(variants, quick=variants.wrong[0].id).around({})


@pytest.mark.slow
def test_a_grader_that_fails_fails_the_audit(root):
    def broken(notebook, exercise):
        raise RuntimeError("nothing can be run")

    with ThreadPoolExecutor(2) as pool, pytest.raises(RuntimeError, match="nothing can be run"):
        audit(load("tanh_swap"), root, broken, pool=pool)


@pytest.mark.slow
def test_the_table_has_a_row_for_each_exercise(root):
    exercise = load("tanh_swap")
    rows = markdown(audit(exercise, root, generous)).splitlines()
    assert len(rows) == 3
    right = 4 * (1 + len(load_variants(root, exercise).right))  # the reference is right as well
    row = rf"\| `tanh_swap` \| 4 \| 0 of \d+ \| 0 of \d+ \| 0 of {right} \| 20 of 20 \| 0 of 20 \|"
    assert re.fullmatch(row, rows[2])
