"""A student's work in a corrected notebook: all of it, in its place, whatever was done to the notebook before."""

import copy
import json

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.build.carry_over import _as_released, _name, _source, carry, main
from autograder.exercises import all_exercises, load

NAME = "relu_derivative"  # with answers in code and in words


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def released(root):
    return read(root / "assignments" / load(NAME).sheet / f"{NAME}.ipynb")


def is_answer(cell):
    return not cell["metadata"].get("nbgrader") or cell["metadata"]["nbgrader"]["solution"]


def mended(released):
    """The instructor's correction: another text, another self-check, another stub, one cell more and one less."""
    notebook = copy.deepcopy(released)
    cells = [cell for cell in notebook["cells"] if not is_answer(cell)]
    cells[0]["source"] = "# A mended title"
    next(cell for cell in cells if cell["id"].startswith("selfcheck"))["source"] = "mended = True"
    next(cell for cell in notebook["cells"] if is_answer(cell))["source"] = "raise NotImplementedError('mended')"
    new = copy.deepcopy(cells[0])
    new["id"], new["source"] = "new", "one more remark"
    new["metadata"]["nbgrader"]["grade_id"] = "new"
    notebook["cells"].insert(4, new)
    del notebook["cells"][2]
    return notebook


def test_every_cell_of_every_release_tells_that_it_is_as_it_was_given_out(root):
    """nbgrader's own checksum, computed without nbgrader."""
    for exercise in all_exercises():
        for cell in read(root / "assignments" / exercise.sheet / f"{exercise.name}.ipynb")["cells"]:
            if "nbgrader" in cell["metadata"]:
                assert _as_released(cell), cell["id"]
                assert not _as_released({**cell, "source": _source(cell) + "x"})
            else:
                assert _source(cell) == ""


EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["write", "add", "delete", "move", "copy", "lose the name", "lose all names", "our text", "add text"]
        ),
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    max_size=8,
)


def edited(notebook, edits):
    """A student's notebook, and the texts in it that are the student's own."""
    notebook, written = copy.deepcopy(notebook), []
    cells = notebook["cells"]
    for number, (edit, at, to) in enumerate(edits):
        text = f"own_{number} = {number}"
        if edit == "add" or edit == "add text":
            kind = "code" if edit == "add" else "markdown"
            cell = {"cell_type": kind, "id": f"mine{number}", "metadata": {}, "source": [text]}
            cells.insert(
                at % (len(cells) + 1), cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
            )
            continue
        cell = cells[at % len(cells)]
        if edit == "write" and is_answer(cell):
            cell["source"] = text
        elif edit == "our text" and cell["cell_type"] == "markdown":
            cell["source"] = _source(cell) + f"\n\n{text}"
        elif edit == "delete" and not any(one in _source(cell) for one in ("own_",)) and len(cells) > 1:
            cells.remove(cell)
        elif edit == "move":
            cells.remove(cell)
            cells.insert(to % (len(cells) + 1), cell)
        elif edit == "copy":
            cells.insert(to % (len(cells) + 1), {**copy.deepcopy(cell), "id": f"copy{number}"})
        elif edit == "lose the name":
            cell.pop("id", None)
        elif edit == "lose all names":
            for one in cells:
                one.pop("id", None)
            notebook["nbformat_minor"] = 4
    for cell in cells:
        if "own_" in _source(cell):
            written.append(_source(cell))
    return notebook, written


@settings(max_examples=150, deadline=None)
@given(edits=EDITS)
def test_all_that_a_student_wrote_is_there_and_all_that_we_give_is_the_corrected(released, edits):
    corrected = mended(released)
    mine, written = edited(released, edits)
    result, _ = carry(mine, corrected)
    nbformat.validate(nbformat.from_dict(result))
    there = [_source(cell) for cell in result["cells"]]
    assert not [text for text in written if text not in there]
    ours = [cell for cell in result["cells"] if "nbgrader" in cell["metadata"]]
    wanted = [cell for cell in corrected["cells"] if "nbgrader" in cell["metadata"]]
    assert [_name(cell) for cell in ours] == [_name(cell) for cell in wanted]
    for one, other in zip(ours, wanted, strict=True):
        assert one["metadata"] == other["metadata"]
        assert is_answer(other) or _source(one) == _source(other)
    again, notes = carry(result, corrected)
    assert again == result
    assert notes == []


def test_an_answer_stands_in_its_own_cell_and_an_own_cell_where_it_stood(released):
    mine = copy.deepcopy(released)
    answer = next(cell for cell in mine["cells"] if is_answer(cell) and cell["cell_type"] == "code")
    words = next(cell for cell in mine["cells"] if cell["id"].endswith("_answer"))
    answer["source"], answer["outputs"], words["source"] = (
        "mine = 1",
        [{"output_type": "stream", "name": "stdout", "text": "1"}],
        "because",
    )
    at = mine["cells"].index(answer)
    mine["cells"].insert(at, {"cell_type": "markdown", "id": "note", "metadata": {}, "source": "a note"})
    for cell in mine["cells"]:
        cell.pop("id")  # as some editors do
    result, _ = carry(mine, mended(released))
    cells = {_name(cell): cell for cell in result["cells"]}
    assert _source(cells[answer["metadata"]["nbgrader"]["grade_id"]]) == "mine = 1"
    assert cells[answer["metadata"]["nbgrader"]["grade_id"]]["outputs"] == answer["outputs"]
    names = [_source(cell) for cell in result["cells"]]
    assert names.index("a note") == names.index("mine = 1") - 1
    question = next(n for n, cell in enumerate(result["cells"]) if _source(cell) == "because")
    assert result["cells"][question]["id"].endswith("_answer")


def test_a_folder_is_brought_up_to_date_once_and_what_was_there_is_kept(released, tmp_path, capsys):
    folder = tmp_path / "correction_1"
    folder.mkdir()
    (folder / f"{NAME}.ipynb.new").write_text(json.dumps(mended(released)))
    (folder / "backprop.py.new").write_text("mended = True\n")
    (folder / "broken.ipynb.new").write_text(json.dumps(mended(released)))
    (folder / "correction.txt").write_text("The sign in part (b) was wrong.\n")
    mine, _ = edited(released, [("write", 3, 0), ("add", 5, 0)])
    (tmp_path / "My homework.ipynb").write_text(json.dumps(mine))
    (tmp_path / "backprop.py").write_text("mended = False\n")
    (tmp_path / "broken.ipynb").write_text("{")
    assert main(folder) == 1
    said = capsys.readouterr().out
    assert said.startswith("The sign in part (b) was wrong.")
    assert "My homework.ipynb is corrected, with your work in it" in said
    assert "broken.ipynb: nothing was done" in said
    assert "# A mended title" in (tmp_path / "My homework.ipynb").read_text()
    assert (tmp_path / "backprop.py").read_text() == "mended = True\n"
    assert (folder / "before" / "backprop.py.before").read_text() == "mended = False\n"
    assert json.loads((folder / "before" / "My homework.ipynb.before").read_text()) == mine
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(folder) == 1  # the broken one still is
    assert files == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert "has the correction already" in capsys.readouterr().out
