"""The corpus of solutions by which the place of a mistake is measured is itself right."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from autograder.exercises import load
from autograder.grading.grade import grade_notebook
from autograder.sandbox import Sandbox

spec = importlib.util.spec_from_file_location("places_corpus", Path(__file__).with_name("corpus.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
CORPUS = module.corpus()


def test_every_text_at_fault_stands_exactly_once():
    assert len({entry.id for entry in CORPUS}) == len(CORPUS)
    for entry in CORPUS:
        assert [entry.source.count(text) for text in entry.faults] == [1] * len(entry.faults), entry.id
        assert bool(entry.faults) == (entry.kind == "wrong"), entry.id
        assert len(entry.why) == len(entry.faults), entry.id


@pytest.mark.slow
def test_wrong_ones_lose_and_right_ones_do_not(root):
    def lost(entry):
        solved, stub = (nbformat.read(root / kind / f"{entry.notebook}.ipynb", 4) for kind in ("source", "assignments"))
        answers = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in solved.cells}
        for cell in stub.cells:
            nbgrader = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and nbgrader.get("solution"):
                cell.source = entry.source if nbgrader["grade_id"] == entry.cell else answers[nbgrader["grade_id"]]
        marks = grade_notebook(stub, load(entry.notebook.split("/")[1]), sandbox, root=root, seed=1).marks
        assert not any(question.status == "grader_error" for question in marks.questions), entry.id
        return sum(line.max_points - line.points for question in marks.questions for line in question.lines)

    judged = [entry for entry in CORPUS if entry.kind != "odd"]
    with Sandbox() as sandbox, ThreadPoolExecutor(2) as pool:
        for entry, points in zip(judged, pool.map(lost, judged)):
            assert (points > 0) == (entry.kind == "wrong"), (entry.id, points)
