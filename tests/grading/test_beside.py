"""What lies in a submission beside the notebook, on purpose or by accident: it costs no mark and no other student."""

import os
import subprocess

import nbformat
import pytest

from autograder.course import sheet_files
from autograder.grading import submissions
from autograder.grading.finding import find
from autograder.grading.grade import beside
from autograder.grading.many import grade
from autograder.grading.submissions import MAX_FILES, MAX_FILES_BYTES, own_files
from autograder.sandbox import Sandbox


@pytest.fixture
def folder(tmp_path, submission):
    """The folder of one student's right notebook."""
    place = tmp_path / "submitted" / "ada" / "training"
    place.mkdir(parents=True)
    nbformat.write(submission("tanh_swap"), place / "tanh_swap.ipynb")
    return place


def thousands_of_files(folder):
    for number in range(5000):
        (folder / f"{number}.txt").touch()


def thousands_of_folders(folder):
    for number in range(5000):
        (folder / f"f{number}").mkdir()
        (folder / f"f{number}" / "x").touch()


def a_name_in_another_encoding(folder):
    (folder / os.fsdecode(b"d\xe9j\xe0.csv")).touch()


def a_folder_that_python_takes_for_a_module_of_the_sheet(folder):
    (folder / "simple_network").mkdir()
    (folder / "simple_network" / "__init__.py").write_text("raise SystemExit")


def a_compiled_module_of_the_sheet(folder):
    (folder / "simple_network.abi3.so").write_bytes(b"\x7fELF")


def a_folder_called_like_a_module(folder):
    (folder / "simple_network.py").mkdir()
    (folder / "simple_network.py" / "x").touch()


def a_file_where_bytecode_goes(folder):
    (folder / "__pycache__").touch()


def odd_names(folder):
    for name in ("a\nb", "\x1b[2J", "-rf", "~", "..x", "C:\\con", "é" * 120, "\u202e", "'\"`$(x)"):
        (folder / name).touch()


def a_huge_file_full_of_nothing(folder):
    with open(folder / "big.csv", "wb") as file:
        file.truncate(1 << 40)


LITTER = (
    thousands_of_files, thousands_of_folders, a_name_in_another_encoding,
    a_folder_that_python_takes_for_a_module_of_the_sheet, a_compiled_module_of_the_sheet, a_folder_called_like_a_module,
    a_file_where_bytecode_goes, odd_names, a_huge_file_full_of_nothing,
)  # fmt: skip


@pytest.fixture(scope="module")
def reduced():
    with Sandbox(level="reduced") as box:
        yield box


@pytest.mark.parametrize("box", ["sandbox", pytest.param("reduced", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "litter",
    [
        pytest.param(one, id=one.__name__, marks=[pytest.mark.slow] * one.__name__.startswith("thousands"))
        for one in LITTER
    ],
)
def test_what_lies_beside_a_right_notebook_costs_it_nothing(folder, request, root, litter, box):
    litter(folder)
    (one,) = find([folder.parents[1]])
    marks = grade(one, request.getfixturevalue(box), root=root, seed=1)
    assert (marks.points, marks.needs_person) == (20, False), (marks.error, [q.message for q in marks.questions])


@pytest.mark.slow
def test_own_files_and_their_folders_are_limited_in_number_and_size(folder):
    thousands_of_folders(folder)
    found = own_files(folder)
    assert MAX_FILES - 2 <= len(found) + len({name.split("/")[0] for name in found}) + 1 <= MAX_FILES
    for number in range(3):
        (folder / f"0{number}.bin").write_bytes(bytes(MAX_FILES_BYTES // 2))
    assert {name for name in own_files(folder) if name.endswith(".bin")} == {"00.bin", "01.bin"}


@pytest.fixture
def deep(folder):
    """The same with a thousand folders inside each other; they go again, since pytest could not remove them."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    yield folder
    subprocess.run(["rm", "-rf", folder / "d"], check=True)


@pytest.mark.slow
def test_a_thousand_folders_inside_each_other_stop_nobody(deep):
    assert [one.student for one in find([deep.parents[1]])] == ["ada"]
    assert own_files(deep) == {}


def test_own_files_that_are_in_nobodys_way_are_there(root):
    sheet = sheet_files(root, "training")
    own = {"data/x.csv": b"1", "helpers.py": b"2", "network/__init__.py": b"3", "simple_network.csv/x": b"4"}
    laid = beside(own | {"selfcheck.py": b"mine"}, sheet)
    assert laid == {"data/x.csv": b"1", "helpers.py": b"2", "network/__init__.py": b"3", **sheet}
    data = beside({"data": b"1", "data/mine.csv": b"2"}, {"data/course.csv": b"3"})
    assert data == {"data/mine.csv": b"2", "data/course.csv": b"3"}


def test_a_folder_called_like_the_notebook_is_told(folder, sandbox, root):
    (folder / "tanh_swap.ipynb").unlink()
    (folder / "tanh_swap.ipynb").mkdir()
    (one,) = find([folder.parents[1]])
    marks = grade(one, sandbox, root=root, seed=1)
    assert (marks.student, marks.needs_person) == ("ada", True)
    assert "not a regular file" in marks.error


def test_a_notebook_whose_ending_is_in_capitals_is_graded(folder, sandbox, root):
    (folder / "tanh_swap.ipynb").rename(folder / "tanh_swap.IPYNB")
    (one,) = find([folder.parents[1]])
    assert grade(one, sandbox, root=root, seed=1).points == 20


@pytest.mark.parametrize("name", [b"m\xfcller", b"\x1b[2J"])
def test_a_student_whose_folder_cannot_be_named_is_told_and_stops_nobody(folder, name):
    os.rename(folder.parent, os.path.join(os.fsencode(folder.parents[1]), name))
    (one,) = find([folder.parents[1]])
    assert "rename it" in one.problem
    one.student.encode()
    assert one.student.isprintable()


def test_a_folder_that_cannot_be_read_is_told(folder, monkeypatch):
    scan = os.scandir

    def refuse(path):
        if os.fspath(path) == str(folder.parent):
            raise PermissionError(path)
        return scan(path)

    monkeypatch.setattr(submissions.os, "scandir", refuse)
    (one,) = find([folder.parents[1]])
    assert "the folder ada cannot be read" in one.problem
