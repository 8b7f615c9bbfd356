"""What arrives under another name, packed or with fields that editors write is read; what is not read is named."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat.validator import iter_validate

from autograder.bridge.handed_in import ASIDE, inspect
from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading import arrived
from autograder.grading.arrived import BadArchive, by_name, recognise, unpack
from autograder.grading.finding import find
from autograder.grading.notebook import BadNotebook, parse_notebook, plan
from autograder.grading.placing import put_in_place
from autograder.grading.submissions import content
from autograder.marking import Marks
from autograder.views.gradescope import results

NAME = "tanh_swap"


@pytest.fixture(scope="module")
def written(submission) -> str:
    return nbformat.writes(submission(NAME))


@pytest.fixture
def solved(written) -> dict:
    return json.loads(written)


@pytest.fixture
def code(root):
    """What would be run of a notebook."""

    def of(data: bytes) -> list[tuple[str, str]]:
        planned = plan(parse_notebook(data, "x.ipynb"), source_notebook(root, load(NAME)), full=True)
        return [(cell.id, cell.source) for cell in planned.cells]

    return of


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def lay(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def every(name: str, value: object):
    def change(notebook: dict) -> None:
        for cell in notebook["cells"]:
            if name != "execution_count" or cell["cell_type"] == "code":
                cell[name] = value

    return change


def about(**fields: object):
    return lambda notebook: notebook["metadata"].update(fields)


def numbered(name: str):
    def change(notebook: dict) -> None:
        for number, cell in enumerate(notebook["cells"]):
            cell["id"] = name.format(number)

    return change


def old_outputs(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "pyout", "prompt_number": 1, "text": ["1"]}]


def old_kinds(notebook: dict) -> None:
    notebook["cells"] += [
        {"cell_type": "heading", "level": 2, "source": ["Mine"], "metadata": {}},
        {"cell_type": "sketch", "source": "o", "metadata": {}, "strokes": [1]},
        {"cell_type": "markdown", "source": None, "metadata": None, "attachments": None},
    ]


def in_cells(**fields: object):
    def change(notebook: dict) -> None:
        for cell in notebook["cells"]:
            cell["metadata"].update(fields)

    return change


FIELDS = {
    "id too long": numbered("x" * 80 + "{}"),
    "id of another editor": numbered("#VSC-{:08d}"),
    "id empty": every("id", ""),
    "id a number": every("id", 7),
    "id null": every("id", None),
    "id twice": every("id", "same"),
    "count as text": every("execution_count", "3"),
    "count as float": every("execution_count", 3.0),
    "count negative": every("execution_count", -1),
    "outputs null": every("outputs", None),
    "outputs of an earlier format": old_outputs,
    "kinds of an earlier format": old_kinds,
    "kernelspec null": about(kernelspec=None, language_info=None),
    "kernelspec empty": about(kernelspec={}, language_info={}),
    "kernelspec a text": about(kernelspec="python3", authors="me", title=3),
    "no minor": lambda notebook: notebook.pop("nbformat_minor"),
    "minor as text": lambda notebook: notebook.update(nbformat_minor="5"),
    "minor of an earlier format, with ids": lambda notebook: notebook.update(nbformat_minor=2),
    "metadata null": lambda notebook: notebook.update(metadata=None),
    "fields of cells": in_cells(collapsed="yes", scrolled="auto", tags="x", jupyter=None, name=3, format=1),
    "unknown fields": every("color", "red"),
}
"""What editors have been seen to write around cells."""


@pytest.mark.parametrize("kind", FIELDS)
def test_fields_that_editors_write_cost_nothing_at_any_door(solved, code, tmp_path, kind):
    changed = deepcopy(solved)
    FIELDS[kind](changed)
    data = json.dumps(changed).encode()
    assert code(data) == code(json.dumps(solved).encode())
    path = lay(tmp_path, {f"ada/training/{NAME}.ipynb": data}) / f"ada/training/{NAME}.ipynb"
    inspect([path])  # what nbgrader is given
    written = json.loads(path.read_text())
    assert list(iter_validate(written)) == []
    assert len({cell.get("id", number) for number, cell in enumerate(written["cells"])}) == len(written["cells"])
    assert code(path.read_bytes()) == code(data)
    if path.read_bytes() != data:
        assert (tmp_path / "ada" / ASIDE / "training" / path.name).read_bytes() == data


def test_whoever_cannot_be_read_gets_no_zero_on_a_platform(tmp_path):
    (found,) = find([lay(tmp_path, {"homework.html": b"<html>"})], student="eve")
    assert "homework.html is a printed page" in found.problem
    marks = Marks("eve", "", "", (), error=found.problem)
    tests = results([marks], [load(NAME)], done=True, seconds=0)["tests"]
    assert all("score" not in test and "homework.html" in test["output"] for test in tests)


def test_a_source_that_is_no_text_is_refused(solved):
    solved["cells"][3]["source"] = 3
    with pytest.raises(BadNotebook, match="damaged"):
        parse_notebook(json.dumps(solved).encode(), "x.ipynb")


@pytest.mark.parametrize(
    "name",
    [
        f"{NAME}.ipynb", f"{NAME}.ipynb.txt", f"{NAME}.ipynb.json", f"{NAME}.json", NAME, f"{NAME} (1).ipynb",
        f"{NAME}-1.ipynb", f"Copy of {NAME}.ipynb", f"Kopie von {NAME}.ipynb", "Tanh Swap.ipynb", f"{NAME}_copy.ipynb",
        "homework Lovelace.ipynb", "Untitled3.ipynb", f"{NAME}.IPYNB",
    ],
)  # fmt: skip
@pytest.mark.parametrize("door", ["grade", "platform", "zip"])
def test_a_notebook_is_read_whatever_its_name_has_become(solved, code, tmp_path, name, door):
    data = json.dumps(solved).encode()
    files = {name: data} if door != "zip" else {"hw.zip": zipped({f"mine/{name}": data, "__MACOSX/x": b""})}
    lay(tmp_path / "submitted/ada/training", files)
    found = find([tmp_path / "submitted"], student="eve" if door == "platform" else None)
    assert [(one.student, one.sheet, one.exercise, one.problem) for one in found] == [
        ("eve" if door == "platform" else "ada", "training", NAME, "")
    ]
    assert content(found[0]) == data
    place = tmp_path / "submitted/ada/training" / f"{NAME}.ipynb"
    if door != "platform" and name != f"{NAME}.IPYNB":
        (put,) = put_in_place(found, lambda *_: place)
        assert (put.path, put.member, put.problem) == (place, "", "")
        assert place.read_bytes() == data
        assert find([tmp_path / "submitted"], tmp_path)[0].path == place
        assert name == place.name or any((tmp_path / "submitted/ada" / ASIDE).rglob("*"))


SILENT = {
    "bob/training/tanh_swap.html": "printed page",
    "cy/training/tanh_swap.pdf": "printed page",
    "di/training/hw.rar": "archive of a kind",
    "ed/tanh_swap.py": "script",
    "fay/training/photo.jpg": "photo.jpg is no notebook",
    "gus/training/broken.zip": "damaged or no zip",
    "hal/training/notes.json": "notes.json is no notebook",
    "ida/training/other.ipynb": "no exercise of this course",
}


def test_whoever_handed_in_what_cannot_be_read_is_named(solved, tmp_path):
    data = json.dumps(solved).encode()
    other = nbformat.writes(nbformat.v4.new_notebook()).encode()
    files = {name: other if name.endswith(".ipynb") else b"x" for name in SILENT}
    lay(tmp_path / "submitted", {**files, "ada/training/tanh_swap.ipynb": data, "ada/data/x.csv": b""})
    (tmp_path / "submitted/joe/training").mkdir(parents=True)
    (tmp_path / "submitted/kim").mkdir()
    lay(tmp_path / "submitted", {"leo/training/.ipynb_checkpoints/tanh_swap-checkpoint.ipynb": data})
    found = {one.student: one.problem for one in find([tmp_path / "submitted"], tmp_path)}
    assert set(found) == {"ada", "joe", "kim", "leo", *(name[: name.index("/")] for name in SILENT)}
    assert not found["ada"]
    for name, words in SILENT.items():
        assert words in found[name[: name.index("/")]], name
    assert "is empty" in found["joe"]
    assert "is empty" in found["kim"]
    assert "leo holds only tanh_swap-checkpoint.ipynb: ask for the .ipynb file" in found["leo"]


def test_a_sheet_without_a_notebook_is_named_beside_another_that_has_one(solved, tmp_path):
    files = {"training/tanh_swap.ipynb": json.dumps(solved).encode(), "foundations/simple_network.docx": b"x"}
    lay(tmp_path / "submitted/ada", files)
    told = [one for one in find([tmp_path / "submitted"]) if one.problem]
    assert [(one.sheet, one.exercise) for one in told] == [("foundations", "simple_network")]


def test_a_name_and_questions_that_say_different_things_are_asked_about(solved):
    assert recognise("sgd (1).ipynb", json.dumps(solved).encode()) == (
        "",
        "sgd (1).ipynb holds the questions of tanh_swap: ask which exercise it is, and give it that name.",
    )


def test_a_name_is_only_an_exercise_when_nothing_but_marks_of_copies_is_added():
    assert [by_name(name) for name in ("tanh.ipynb", "tanh_swap2.ipynb", "my tanh_swap.ipynb", "")] == [""] * 4


def link() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("tanh_swap.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: zipped({"../x.ipynb": b""}), "leads out"),
        (lambda: zipped({"/etc/x": b""}), "leads out"),
        (lambda: zipped({"C:\\x": b""}), "leads out"),
        (lambda: zipped({"a\\..\\..\\x": b""}), "leads out"),
        (link, "a link"),
        (lambda: zipped({"x": b"\0" * 4_000_000}), "holds more than"),
        (lambda: zipped({name: zipped({"x": b"\0" * 2_000_000}) for name in ("a.zip", "b.zip")}), "holds more than"),
        (lambda: zipped({"a/" * 25 + "x": b""}), "folders inside each other"),
        (lambda: zipped({str(number): b"" for number in range(21)}), "more than 20 files"),
        (lambda: zipped({"x.ipynb": b"", "X.ipynb": b""}), "twice"),
        (lambda: b"PK\x03\x04 and no more", "damaged"),
        (lambda: zipped({"x": b"y" * 1000})[:-30], "damaged"),
    ],
)  # fmt: skip
def test_an_archive_is_opened_within_limits(monkeypatch, data, reason):
    monkeypatch.setattr(arrived, "MAX_UNPACKED", arrived.MAX_UNPACKED // 64)
    monkeypatch.setattr(arrived, "MAX_MEMBERS", 20)
    with pytest.raises(BadArchive, match=reason):
        unpack(data(), "hw.zip")


def test_archives_inside_archives_are_opened_once():
    inner = zipped({"x.ipynb": b"1"})
    assert [one.name for one in unpack(zipped({"a.zip": inner, "b": b""}), "hw.zip")] == ["a.zip/x.ipynb", "b"]
    assert [one.name for one in unpack(zipped({"b.zip": zipped({"a.zip": inner})}), "hw.zip")] == ["b.zip/a.zip"]


def test_the_module_that_comes_with_a_sheet_is_no_notebook_of_another(solved, tmp_path):
    notebook = json.dumps(solved).encode()
    lay(tmp_path / "ada", {"training/tanh_swap.ipynb": notebook, "training/simple_network.py": b"x = 1"})
    lay(tmp_path / "bo", {"foundations/simple_network.py": b"x = 1"})
    found = find([tmp_path])
    assert [(one.student, one.exercise, bool(one.problem)) for one in found] == [
        ("ada", "tanh_swap", False),
        ("bo", "simple_network", True),
    ]
