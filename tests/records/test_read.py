"""Records of marks, read again: one notebook that cannot be read is one that cannot be read, and no more."""

import json
from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_notebook

from autograder.cli import main
from autograder.marking import BadRecord, LineMark, Marks, QuestionMark, from_json, to_json
from autograder.records.read import KEY, NoRecords, autograded, read
from autograder.views import github, junit, marks_page
from autograder.views.report import class_report
from autograder.views.scores import by_sheet, moodle, plain_csv


def record(student, points=20.0):
    line = LineMark("a", "A", points, 20.0, "correct", expected=[1.0], got=["nan"], mistakes=("sign",))
    question = QuestionMark("tanh_swap", "T", points, 20.0, "correct", lines=(line,), remarks=("r",))
    return to_json(Marks(student, "training", "tanh_swap", (question,), isolation="full", seed=1, notes=("n",)))


@pytest.fixture
def graded(tmp_path):
    """graded(student): where the autograded notebook of a student lies."""

    def place(student, of=None, folder="autograded"):
        path = tmp_path / folder / student / "training" / "tanh_swap.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(metadata={KEY: record(of or student)}), path)
        return path

    return place


def too_large(path):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"cells": [{"outputs": [0] * 1_000_001}]}))


def no_notebook(path):
    path.write_text("{")


def not_text(path):
    path.write_bytes(b"\xff\xfe\x00")


def a_strange_record(path):
    content = json.loads(path.read_text())
    content["metadata"][KEY] |= {"questions": [1]}
    path.write_text(json.dumps(content))


def points_in_words(path):
    content = json.loads(path.read_text())
    content["metadata"][KEY]["questions"][0]["points"] = "all"
    path.write_text(json.dumps(content))


def of_another_student(path):
    path.write_text(path.read_text().replace("mallory", "ada"))


def of_another_exercise(path):
    path.write_text(path.read_text().replace('"exercise": "tanh_swap"', '"exercise": "sgd"'))


def a_link(path):
    path.rename(path.with_suffix(".away"))
    path.symlink_to(path.with_suffix(".away"))


DAMAGES = [
    too_large, no_notebook, not_text, a_strange_record, points_in_words, of_another_student, of_another_exercise, a_link
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_one_that_cannot_be_read_stops_nothing_for_the_others(tmp_path, graded, damage, capsys):
    graded("ada")
    damage(graded("mallory"))
    marks = {one.student: one for one in autograded(tmp_path)}
    assert set(marks) == {"ada", "mallory"}
    assert not marks["ada"].needs_person
    assert marks["mallory"].needs_person
    assert marks["mallory"].points == 0
    assert "mallory" in marks["mallory"].error
    assert marks["mallory"].error in class_report(list(marks.values())).replace("&#39;", "'").replace("&#34;", '"')
    main(["export", str(tmp_path / "autograded"), "--csv", "-"])
    said = capsys.readouterr().out
    assert "ada,training,tanh_swap,20,20" in said
    assert "mallory,training,tanh_swap,20" not in said


def test_a_foreign_notebook_is_left_out_whatever_it_says(tmp_path, graded):
    foreign = graded("ada").with_name("mine.ipynb")
    foreign.write_text("{")
    nbformat.write(new_notebook(metadata={KEY: record("ada")}), foreign.with_name("other.ipynb"))
    assert [one.exercise for one in autograded(tmp_path)] == ["tanh_swap"]


def test_what_was_handed_in_is_no_record(tmp_path, graded, monkeypatch, capsys):
    path = graded("mallory", folder="submitted")
    planted = graded("mallory", folder="submitted/mallory/training/autograded")
    for where in (path, path.parent, path.parents[1], path.parents[2], planted, planted.parents[2], tmp_path):
        assert main(["export", str(where), "--csv", "-"]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert "is not in autograded/" in told.err
    monkeypatch.chdir(path.parents[2])
    with pytest.raises(NoRecords, match="is not in autograded/"):
        read([path.relative_to(path.parents[2])])


def test_any_part_of_autograded_can_be_read(tmp_path, graded, monkeypatch):
    path = graded("ada")
    graded("bo")
    for where, count in ((path, 1), (path.parent, 1), (path.parents[1], 1), (path.parents[2], 2)):
        assert len(read([where])) == count
    monkeypatch.chdir(path.parents[1])
    assert [one.student for one in read([path.parent.relative_to(path.parents[1])])] == ["ada"]


def leaves(record, at=()):
    """The place of every value in a record."""
    yield at
    if isinstance(record, dict | list):
        for key, value in record.items() if isinstance(record, dict) else enumerate(record):
            yield from leaves(value, (*at, key))


def changed(record, at, value):
    record = deepcopy(record)
    inner = record
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return record


@pytest.mark.parametrize("value", [None, "x", -1, 1.5, float("nan"), True, [], [1], {}, {"x": 1}], ids=repr)
def test_a_record_with_anything_in_any_place_is_refused_or_shown(value):
    for at in list(leaves(record("ada")))[1:]:
        try:
            marks = [from_json(changed(record("ada"), at, value)), from_json(record("bo"))]
        except BadRecord:
            continue
        for view in (plain_csv, junit.junit, marks_page.page, github.summary, class_report):
            assert view(marks)
        moodle(by_sheet(marks), {})
