"""A submission is looked at before nbgrader copies and opens what is in it."""

import json
import logging
import os
import shutil

import nbformat
import pytest
from class_kit import NAME, SHEET, hand_in, solved
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets.log import get_logger

from autograder.bridge.handed_in import ASIDE, MAX_COPIED_BYTES, inspect, is_other_work
from autograder.grading.notebook import MAX_OWN_VALUES, REFUSED


@pytest.fixture
def handed_in(tmp_path):
    """One student's folder with a small notebook."""
    path = tmp_path / "ada" / "training" / "sgd.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), path)
    return path


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr(get_logger(), "propagate", True)
    caplog.set_level(logging.WARNING)
    return lambda: "\n".join(record.getMessage() for record in caplog.records)


def aside(notebook, name):
    return notebook.parents[1] / ASIDE / "training" / name


def test_a_file_that_would_fill_the_disk_as_a_copy_is_set_aside(handed_in, said):
    for name, size in (("big.csv", 1 << 40), ("a.csv", MAX_COPIED_BYTES - 10), ("b.csv", 11)):
        with open(handed_in.parent / name, "wb") as file:
            file.truncate(size)
    inspect([handed_in])
    assert aside(handed_in, "big.csv").stat().st_size == 1 << 40
    left = {path.name: path.stat().st_size for path in handed_in.parent.iterdir() if path.suffix == ".csv"}
    assert sum(left.values()) <= MAX_COPIED_BYTES
    assert "big.csv is more than the 100 MB" in said()


def test_a_time_stamp_without_end_is_not_read_to_its_end(handed_in, said):
    with open(handed_in.parent / "timestamp.txt", "wb") as file:
        file.truncate(MAX_COPIED_BYTES - 1)
    inspect([handed_in])
    assert "holds no time" in said()
    assert aside(handed_in, "timestamp.txt").exists()


def test_names_do_not_steer_the_terminal_of_who_reads_the_log(handed_in, said):
    (handed_in.parent / "\x1b[2J\x07").symlink_to("/\x1b]0;owned")
    inspect([handed_in])
    assert "\\x1b[2J\\x07 is a link to /\\x1b]0;owned" in said()
    assert "\x1b" not in said()


def test_a_notebook_with_so_many_outputs_that_nbgrader_would_take_minutes_is_written_without(handed_in, said):
    output = new_output("stream", text="x")
    book = nbformat.read(handed_in, as_version=4)
    book.cells[0].outputs = [output] * (MAX_OWN_VALUES // 4)
    handed_in.write_text(json.dumps(book))
    inspect([handed_in])
    assert nbformat.read(handed_in, as_version=4).cells[0].outputs == []
    assert nbformat.read(handed_in, as_version=4).cells[0].source == "x = 1"
    assert "has very many saved outputs" in said()
    assert aside(handed_in, "sgd.ipynb").exists()


def test_half_a_symbol_which_no_text_can_hold_is_replaced(handed_in, said):
    book = nbformat.read(handed_in, as_version=4)
    book.cells[0].source = "x = '\ud83d'"
    handed_in.write_text(json.dumps(book))
    inspect([handed_in])
    assert nbformat.read(handed_in, as_version=4).cells[0].source == "x = '?'"
    assert "half a symbol" in said()


def test_an_ordinary_notebook_is_left_as_it_is(handed_in, said):
    before = handed_in.read_bytes()
    inspect([handed_in])
    assert handed_in.read_bytes() == before
    assert said() == ""


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)], ids=["pipe", "device"])
def test_a_notebook_that_is_no_file_is_refused_with_the_reason_in_its_place(handed_in, make):
    handed_in.unlink()
    make(handed_in)
    inspect([handed_in])
    assert handed_in.read_text().startswith(REFUSED)


def test_a_damaged_record_of_earlier_marks_stops_no_one(tmp_path, root):
    """nbgrader's whole run once stopped at it."""
    shutil.copytree(root / "source" / SHEET, tmp_path / "source" / SHEET)
    (tmp_path / "nbgrader_config.py").touch()
    handed = hand_in(tmp_path, "ada", solved(root))
    graded = tmp_path / "autograded" / "ada" / SHEET
    graded.mkdir(parents=True)
    notebook = nbformat.read(handed, as_version=4)
    for record in ({"questions": [1]}, {"schema": "backprop-autograder/marks/v1", "questions": [1]}, {}, [1], None):
        notebook.metadata["autograder"] = record
        nbformat.write(notebook, graded / f"{NAME}.ipynb")
        assert is_other_work(handed.parent, graded)
