"""Submitted notebooks: read with care, healed where that is certain."""

import contextlib
import json
import os

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading import notebook as reading
from autograder.grading.notebook import BadNotebook, digest, grade_id, heal, parse_notebook, plan, read_notebook


def written(tmp_path, data):
    path = tmp_path / "tanh_swap.ipynb"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"not json", "is not valid JSON"),
        (b"\xff\xfe\x00{\x00", "is not text in UTF-8"),
        ("{'é'}".encode("latin-1"), "is not text in UTF-8"),
        (b'{"a": 1}', "is JSON but not a notebook"),
        (b"[1, 2]", "is JSON but not a notebook"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "is a damaged notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}', "is a damaged"),
        (b'{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": 3}', "is a damaged notebook"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason_and_a_fix(tmp_path, data, reason):
    with pytest.raises(BadNotebook, match=reason) as caught:
        read_notebook(written(tmp_path, data))
    assert str(caught.value).endswith((".", "!"))


def test_a_link_is_not_followed(tmp_path):
    target = written(tmp_path, b"{}")
    link = tmp_path / "link.ipynb"
    link.symlink_to(target)
    with pytest.raises(BadNotebook, match="is a link"):
        read_notebook(link)


def test_a_pipe_does_not_hang_the_reader(tmp_path):
    path = tmp_path / "pipe.ipynb"
    os.mkfifo(path)
    with pytest.raises(BadNotebook, match="not a regular file"):
        read_notebook(path)


def test_a_huge_notebook_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    with pytest.raises(BadNotebook, match="is larger than"):
        read_notebook(written(tmp_path, b" " * 1001))


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    text = nbformat.writes(new_notebook(cells=[new_code_cell("x = 1")])).replace("\n", "\r\n")
    assert read_notebook(written(tmp_path, b"\xef\xbb\xbf" + text.encode())).cells[0].source == "x = 1"


def test_an_old_notebook_is_converted():
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1", "outputs": [], "language": "python"}]}],
    }
    assert parse_notebook(json.dumps(old).encode(), "old.ipynb").cells[0].source == "x = 1"


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["nbformat", "cells", "metadata", "source", "cell_type", "x"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_either_read_or_refused(content):
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, **content} if isinstance(content, dict) else content)
    with contextlib.suppress(BadNotebook):
        assert parse_notebook(data.encode(), "any.ipynb").nbformat == 4


@pytest.fixture
def source(root):
    return source_notebook(root, load("tanh_swap"))


@pytest.fixture
def solved(submission):
    return submission("tanh_swap")


def ids(planned):
    return [cell.id for cell in planned.cells]


def test_only_marks_leaves_out_what_is_for_the_eye(solved, source):
    marks, full = plan(solved, source, full=False), plan(solved, source, full=True)
    sources = [cell.source for cell in full.cells if cell not in marks.cells]
    assert len(sources) == 3
    assert "check_gradients" in sources[0]
    assert "check_training_report" in sources[1]
    assert "plot_decision_boundary" in sources[2]
    assert not any("mark_question" in cell.source for cell in full.cells)


def test_a_changed_locked_cell_is_replaced_by_the_courses(solved, source):
    for cell in solved.cells:
        if grade_id(cell) == "setup":
            cell.source = "raise SystemExit"
    assert all("SystemExit" not in cell.source for cell in plan(solved, source, full=False).cells)


def test_a_deleted_locked_cell_is_put_back_in_its_place(solved, source):
    solved.cells = [cell for cell in solved.cells if grade_id(cell) != "setup"]
    planned = plan(solved, source, full=False)
    assert ids(planned)[0] == "locked-setup"
    assert planned.notes == ("The cell `setup` was missing; it was put back.",)


def test_a_second_copy_of_a_locked_cell_is_left_out(solved, source):
    position = next(i for i, cell in enumerate(solved.cells) if grade_id(cell) == "setup")
    solved.cells.append(solved.cells[position].copy())
    planned = plan(solved, source, full=False)
    assert sum("import matplotlib" in cell.source for cell in planned.cells) == 1
    assert "was there twice" in planned.notes[0]


def test_a_locked_cell_without_its_label_is_recognised_by_its_text(solved, source):
    cell = next(cell for cell in solved.cells if grade_id(cell) == "setup")
    del cell.metadata["nbgrader"]
    planned = plan(solved, source, full=False)
    assert sum("import matplotlib" in cell.source for cell in planned.cells) == 1
    assert "recognised by its text" in planned.notes[0]


def test_a_second_copy_of_a_students_cell_runs_too(solved, source):
    position = next(i for i, cell in enumerate(solved.cells) if grade_id(cell) == "train_on_moons")
    solved.cells.append(solved.cells[position].copy())
    solved.cells[-1].source = "second = 2"
    planned = plan(solved, source, full=False)
    assert planned.cells[-1].source == "second = 2"
    assert "was there twice" in planned.notes[0]


def test_a_deleted_question_is_put_back_and_a_deleted_answer_stays_empty(solved, source):
    solved.cells = [c for c in solved.cells if grade_id(c) not in ("hidden_gradients", "train_on_moons")]
    healed = heal(solved, source)
    by_id = {grade_id(cell): cell for cell in healed.cells}
    assert "mark_question" in by_id["hidden_gradients"].source
    assert by_id["train_on_moons"].source == ""
    order = [grade_id(cell) for cell in source.cells]
    assert [grade_id(cell) for cell in healed.cells] == order


def test_healing_twice_is_healing_once(solved, source):
    solved.cells = [*solved.cells[3:], solved.cells[8].copy()]
    once = heal(solved, source)
    again = NotebookNode(solved | {"cells": list(once.cells)})
    assert heal(again, source).cells == once.cells
    assert heal(again, source).notes == ()


def test_points_and_tags_of_the_submission_do_not_count(solved, source):
    for cell in solved.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["points"] = 1000
            cell.metadata.nbgrader["schema_version"] = 99
            cell.metadata["tags"] = ["skip-execution", "show"]
    healed = heal(solved, source)
    by_id = {grade_id(cell): cell for cell in source.cells}
    for cell in filter(grade_id, healed.cells):
        assert cell.metadata.nbgrader["schema_version"] == 3
        assert cell.metadata.nbgrader.get("points") == by_id[grade_id(cell)].metadata.nbgrader.get("points")
    assert len(plan(solved, source, full=False).cells) == 3


def test_a_students_own_cells_run_where_they_stand(solved, source):
    solved.cells.insert(0, new_code_cell("first = 1"))
    solved.cells.append(new_code_cell("last = 1"))
    sources = [cell.source for cell in plan(solved, source, full=False).cells]
    assert (sources[0], sources[-1]) == ("first = 1", "last = 1")


def test_the_digest_changes_with_the_code_and_with_nothing_else(solved):
    before = digest(solved)
    solved.cells.append(new_markdown_cell("prose"))
    solved.metadata["x"] = 1
    assert digest(solved) == before
    solved.cells.append(new_code_cell("1"))
    assert digest(solved) != before


@pytest.mark.parametrize("metadata", [{"nbgrader": 3}, {"nbgrader": {"grade_id": ["x"]}}, {"nbgrader": None}])
def test_strange_metadata_is_taken_for_none(solved, source, metadata):
    solved.cells.append(new_code_cell("1", metadata=metadata))
    assert plan(solved, source, full=False).cells[-1].source == "1"


def test_what_was_written_into_a_locked_cell_is_kept_below_it():
    def labelled(name, source):
        about = {"grade_id": name, "locked": True, "task": True, "grade": False, "solution": False}
        return new_markdown_cell(source, metadata={"nbgrader": about})

    course = labelled("why", "### Why?\n\nSay it.\n\n=== BEGIN MARK SCHEME ===\n\n- secret")
    mine = labelled("why", "### Why?\n\nSay it.\n\nBecause of the chain rule.")
    healed = heal(new_notebook(cells=[mine]), new_notebook(cells=[course]))
    assert [cell.source for cell in healed.cells] == [course.source, "Because of the chain rule."]
    assert healed.notes == ("What you wrote into the cell `why`, which is the course's, was kept in a cell below it.",)
    again = heal(new_notebook(cells=list(healed.cells)), new_notebook(cells=[course]))
    assert [cell.source for cell in again.cells] == [cell.source for cell in healed.cells]
    assert again.notes == ()


def test_a_locked_cell_of_an_older_release_is_not_taken_for_an_answer(root):
    released = nbformat.read(root / "assignments/training/tanh_swap.ipynb", as_version=4)
    older = nbformat.read(root / "source/training/tanh_swap.ipynb", as_version=4)
    for cell in older.cells:
        if cell.metadata.get("nbgrader", {}).get("locked") and cell.cell_type == "markdown":
            cell.source = "newer words"
    assert not any("kept" in note for note in heal(released, older).notes)
