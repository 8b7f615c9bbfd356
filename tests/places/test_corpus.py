"""The corpus of solutions by which the place of a mistake is measured is itself right."""

import importlib.util
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from sample_kit import sampled

from autograder.exercises import load
from autograder.grading.grade import grade_notebook
from autograder.sandbox import shared_sandbox

spec = importlib.util.spec_from_file_location("places_corpus", Path(__file__).with_name("corpus.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
CORPUS, UNSEEN, THIRD, FOURTH, FIFTH = (module.corpus(folder) for folder in ("", "unseen", "third", "fourth", "fifth"))
ALL = CORPUS + UNSEEN + THIRD + FOURTH + FIFTH


def test_every_text_at_fault_stands_exactly_once():
    assert len({entry.id for entry in ALL}) == len(ALL)
    for entry in ALL:
        texts = entry.faults + entry.alternatives
        assert [entry.source.count(text) for text in texts] == [1] * len(texts), entry.id
        assert bool(entry.faults) == (entry.kind == "wrong"), entry.id
        assert len(entry.why) == len(entry.faults), entry.id


def test_there_are_enough():
    for entries, enough in (
        (CORPUS, {"wrong": 60, "right": 20, "odd": 10}),
        (UNSEEN, {"wrong": 56, "right": 16}),
        (THIRD, {"wrong": 69, "right": 22}),
        (FOURTH, {"wrong": 148, "right": 34}),
        (FIFTH, {"wrong": 299, "right": 61}),
    ):
        kinds = Counter(entry.kind for entry in entries)
        for kind, least in enough.items():
            assert kinds[kind] >= least, kinds


@pytest.fixture(scope="module")
def sandbox():
    return shared_sandbox("auto")


IN_CI = ("training/tanh_swap",)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sampled(sorted({entry.notebook for entry in ALL}), *IN_CI))
def test_wrong_ones_lose_and_right_ones_do_not(root, sandbox, notebook):
    solved, stub = (nbformat.read(root / kind / f"{notebook}.ipynb", 4) for kind in ("source", "assignments"))
    answers = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in solved.cells}
    for entry in ALL:
        if entry.notebook != notebook or entry.kind == "odd":
            continue
        for cell in stub.cells:
            nbgrader = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and nbgrader.get("solution"):
                cell.source = entry.source if nbgrader["grade_id"] == entry.cell else answers[nbgrader["grade_id"]]
        marks = grade_notebook(stub, load(notebook.split("/")[1]), sandbox, root=root, seed=1).marks
        assert not any(question.status == "grader_error" for question in marks.questions), entry.id
        lost = sum(line.max_points - line.points for question in marks.questions for line in question.lines)
        assert (lost > 0) == (entry.kind == "wrong"), (entry.id, lost)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [entry for entry in CORPUS if entry.kind == "odd"], ids=lambda entry: entry.id)
@pytest.mark.parametrize("wrong", [False, True], ids=["as it is", "with a mistake"])
def test_of_odd_ones_nothing_false_is_claimed_and_nothing_is_lost(root, sandbox, entry, wrong):
    source = entry.source.replace("(Z1 > 0)", "(Z1 < 0)", 1) if wrong else entry.source
    solved, stub = (nbformat.read(root / kind / f"{entry.notebook}.ipynb", 4) for kind in ("source", "assignments"))
    answers = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in solved.cells}
    for cell in stub.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and nbgrader.get("solution"):
            cell.source = source if nbgrader["grade_id"] == entry.cell else answers[nbgrader["grade_id"]]
    exercise = load(entry.notebook.split("/")[1])
    exercise = replace(exercise, limits={**exercise.limits, "question_cpu_seconds": 2.0, "question_wall_seconds": 8.0})
    plain, placed = (
        grade_notebook(stub, exercise, sandbox, root=root, seed=1, places=places).marks for places in (False, True)
    )
    assert placed.points == plain.points
    for question, other in zip(placed.questions, plain.questions, strict=True):
        assert [line.status for line in question.lines] == [line.status for line in other.lines]
        for line in question.lines:
            at_fault = line.place is None or "(Z1 " in source.split("\n")[line.place.line - 1]
            assert at_fault
            assert line.place is None or line.points < line.max_points
