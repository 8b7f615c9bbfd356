"""Notebooks that come back damaged: healed where that is certain, and then worth what they were worth."""

from __future__ import annotations

import json
from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading import notebook as reading
from autograder.grading.grade import grade_notebook
from autograder.grading.notebook import BadNotebook, digest, grade_id, heal, parse_notebook, plan

NAME = "worked_calculation"


@pytest.fixture
def solved(submission):
    return submission(NAME)


@pytest.fixture
def marked(root, sandbox):
    def run(notebook):
        """The marks of a notebook that has been written to bytes and read again, as a submission is."""
        data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        return grade_notebook(parse_notebook(data, "x.ipynb"), load(NAME), sandbox, root=root, seed=1).marks

    return run


def cell(notebook, name):
    return next(one for one in notebook.cells if grade_id(one) == name)


def merged(notebook):
    """The answer to (a) with the next cells pasted under it; they themselves are gone."""
    at = notebook.cells.index(cell(notebook, "forward"))
    following = [one for one in notebook.cells[at + 1 : at + 3] if one.cell_type == "code"]
    notebook.cells[at].source += "\n" + "\n".join(one.source for one in following)
    notebook.cells = [one for one in notebook.cells if one not in following]


def split(notebook):
    """JupyterLab gives both halves the label."""
    at = notebook.cells.index(cell(notebook, "forward"))
    lines = notebook.cells[at].source.splitlines()
    second = deepcopy(notebook.cells[at])
    notebook.cells[at].source, second.source = "\n".join(lines[:-1]), lines[-1]
    second["id"] = "half"
    notebook.cells.insert(at + 1, second)


def retyped(notebook):
    """Answers that have become text, and text that has become code."""
    for name in ("forward", "loss"):
        cell(notebook, name).cell_type = "markdown"
        cell(notebook, name).pop("outputs")
        cell(notebook, name).pop("execution_count")


def without_labels(notebook):
    for one in notebook.cells:
        one.metadata.clear()


def without_own_labels(notebook):
    for one in notebook.cells:
        if one.metadata.get("nbgrader", {}).get("solution"):
            one.metadata.clear()


def reordered(notebook):
    """Questions first, prose last; the answers keep their order."""
    labels = {id(one): one.metadata.get("nbgrader", {}) for one in notebook.cells}
    notebook.cells.sort(key=lambda one: (one.cell_type == "markdown", not labels[id(one)].get("grade")))


def colab(notebook):
    """What Colab makes of a notebook: its own metadata everywhere, no ids, an older minor version."""
    notebook.nbformat_minor = 0
    notebook.metadata = {"colab": {"provenance": [], "toc_visible": True}, "accelerator": "GPU",
                         "kernelspec": {"name": "python3", "display_name": "Python 3"}}  # fmt: skip
    for one in notebook.cells:
        one.pop("id", None)
        one.metadata |= {"id": "aBcD", "colab": {"base_uri": "https://localhost:8080/"}, "outputId": "x"}


def vs_code(notebook):
    """What VS Code makes of it: language tags, an extra blank line at the end of cells, no kernelspec."""
    notebook.metadata = {"language_info": {"name": "python"}, "vscode": {"interpreter": {"hash": "0"}}}
    for one in notebook.cells:
        one.metadata["vscode"] = {"languageId": "python"}
        if one.metadata.get("nbgrader", {}).get("locked"):
            one.source += "\n\n"


def no_kernelspec(notebook):
    notebook.metadata = {}


def bare_cells(notebook):
    """Without the fields that some programs leave empty."""
    for one in notebook.cells:
        for name in ("outputs", "execution_count", "id"):
            one.pop(name, None)


def lines_as_lists(notebook):
    for one in notebook.cells:
        one.source = one.source.splitlines(keepends=True)


def python_2(notebook):
    notebook.cells.append(new_code_cell("print 'the loss is', loss"))


def with_outputs(notebook):
    for one in notebook.cells:
        if one.cell_type == "code":
            one.outputs = [new_output("stream", text="x" * 1_000_000)]


def raw_cells(notebook):
    notebook.cells.insert(0, nbformat.v4.new_raw_cell("---\ntitle: mine\n---"))


def foreign_fields(notebook):
    notebook["extra"] = {"x": 1}
    for one in notebook.cells:
        one["collapsed"] = True
        one.metadata["execution"] = {"iopub.status.busy": "x"}


def half_a_symbol(notebook):
    """What is left of an emoji that a program cut in two: JSON can hold it, and no text can."""
    notebook.cells.insert(0, new_code_cell("mood = '\ud83d'  # \ud83d\ude00"))
    notebook.cells.append(new_markdown_cell("\udc00"))
    notebook.metadata["title"] = "\udfff"


DAMAGE = (
    merged, split, retyped, without_labels, without_own_labels, reordered, colab, vs_code, no_kernelspec, bare_cells,
    lines_as_lists, python_2, with_outputs, raw_cells, foreign_fields,
    half_a_symbol,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_costs_an_honest_student_nothing(marked, solved, damage):
    damage(solved)
    marks = marked(solved)
    assert marks.points == 25, (marks.notes, [(q.id, q.message) for q in marks.questions])
    assert not marks.needs_person


def version_3(notebook):
    cells = [
        {"cell_type": one.cell_type, "metadata": one.metadata, "source": one.source} if one.cell_type != "code" else
        {"cell_type": "code", "input": one.source, "outputs": [], "language": "python", "metadata": one.metadata,
         "collapsed": False}
        for one in notebook.cells
    ]  # fmt: skip
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}


def version_2(notebook):
    """Without metadata of cells, which came later."""
    old = version_3(notebook)
    for one in old["worksheets"][0]["cells"]:
        del one["metadata"]
    return old | {"nbformat": 2}


ENCODINGS = {
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "old Mac line ends": lambda text: text.replace("\n", "\r").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 of the other order": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "escaped": lambda text: json.dumps(json.loads(text), ensure_ascii=True).encode(),
    "version 3": lambda text: json.dumps(version_3(nbformat.reads(text, 4))).encode(),
    "version 2": lambda text: json.dumps(version_2(nbformat.reads(text, 4))).encode(),
    "a later minor version": lambda text: text.replace('"nbformat_minor": 5', '"nbformat_minor": 9').encode(),
}


@pytest.mark.parametrize("write", ENCODINGS.values(), ids=ENCODINGS)
def test_how_it_was_saved_costs_nothing(marked, solved, write):
    assert marked(write(json.dumps(solved, indent=1))).points == 25


def test_text_in_an_unknown_encoding_goes_to_a_person(solved):
    solved.cells.append(new_markdown_cell("é"))
    with pytest.raises(BadNotebook, match="save it and hand it in again"):
        parse_notebook(json.dumps(solved, ensure_ascii=False).encode("latin-1"), "x.ipynb")


def test_fifty_megabytes_of_outputs_are_told_with_the_remedy(solved, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 100_000)
    with_outputs(solved)
    with pytest.raises(BadNotebook, match="clear its outputs"):
        parse_notebook(json.dumps(solved).encode(), "x.ipynb")


def test_what_was_healed_is_told(root, solved):
    source = source_notebook(root, load(NAME))
    split(solved)
    retyped(solved)
    notes = plan(solved, source, full=False).notes
    assert any("was there twice" in note for note in notes)
    assert any("was made code again" in note for note in notes)


def test_an_answer_in_words_that_became_code_is_text_again_and_is_not_run(root):
    source = deepcopy(source_notebook(root, load(NAME)))
    label = {"grade_id": "words", "grade": True, "solution": True, "locked": False, "points": 2, "schema_version": 3}
    source.cells.append(new_markdown_cell("", metadata={"nbgrader": label}))
    submitted = deepcopy(source)
    submitted.cells[-1] = new_code_cell("Because the slope is small.", metadata={"nbgrader": label})
    assert heal(submitted, source).cells[-1].cell_type == "markdown"
    assert all("slope" not in planned.source for planned in plan(submitted, source, full=True).cells)


def test_the_record_carries_the_digest_of_the_code_that_it_was_given_for(marked, solved):
    before = marked(solved)
    assert before.digest == digest(solved)
    solved.cells.append(new_code_cell("x = 1"))
    assert marked(solved).digest != before.digest
