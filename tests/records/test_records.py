"""Records of marks in autograded/, where one notebook that cannot be read is one that cannot be read, and no more."""

import json

import nbformat
import pytest
from nbformat.v4 import new_notebook

from autograder.marking import Marks, to_json
from autograder.records.autograded import KEY, autograded
from autograder.views.report import class_report


@pytest.fixture
def graded(tmp_path):
    """graded(student): where the autograded notebook of a student lies."""

    def place(student):
        path = tmp_path / "autograded" / student / "training" / "tanh_swap.ipynb"
        path.parent.mkdir(parents=True)
        record = to_json(Marks(student, "training", "tanh_swap", (), isolation="full", seed=1))
        nbformat.write(new_notebook(metadata={KEY: record}), path)
        return path

    return place


def too_large(path):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"cells": [{"outputs": [0] * 1_000_001}]}))


def no_notebook(path):
    path.write_text("{")


def a_strange_record(path):
    content = json.loads(path.read_text())
    content["metadata"][KEY] |= {"questions": [1]}
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("damage", [too_large, no_notebook, a_strange_record], ids=lambda one: one.__name__)
def test_one_that_cannot_be_read_stops_no_report_on_the_others(tmp_path, graded, damage):
    graded("ada")
    damage(graded("mallory"))
    marks = {one.student: one for one in autograded(tmp_path)}
    assert not marks["ada"].needs_person
    assert marks["mallory"].needs_person
    assert "mallory" in marks["mallory"].error
    assert marks["mallory"].error in class_report(list(marks.values())).replace("&#39;", "'").replace("&#34;", '"')


def test_a_foreign_notebook_that_cannot_be_read_is_left_out(tmp_path, graded):
    foreign = graded("ada").with_name("mine.ipynb")
    foreign.write_text("{")
    assert [one.exercise for one in autograded(tmp_path)] == ["tanh_swap"]
