"""Fixtures for the tests of exercises."""

import sys

import matplotlib
import nbformat
import pytest

from autograder.build.leaks import nbgrader_metadata
from autograder.exercises import load


@pytest.fixture
def self_check(root):
    """A function that runs one self-check cell of an exercise with the names that a student has defined."""

    def run(name, grade_id, names):
        cells = nbformat.read(root / "source" / load(name).sheet / f"{name}.ipynb", as_version=4).cells
        (cell,) = (cell for cell in cells if nbgrader_metadata(cell).get("grade_id") == grade_id)
        exec(compile(cell.source, cell.id, "exec"), names)

    return run


@pytest.fixture
def solved(root, monkeypatch):
    """A function from an exercise's name to the names that its solved notebook defines.

    Runs the cells that are neither marked nor drawn for show, and with them those whose grade ids are asked for.
    """

    def run(name, *with_cells):
        matplotlib.use("Agg")
        folder = root / "source" / load(name).sheet
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.chdir(folder)
        names = {"__name__": "__main__"}
        for cell in nbformat.read(folder / f"{name}.ipynb", as_version=4).cells:
            shown = "show" in cell.metadata.get("tags", ()) and cell.id not in with_cells
            if cell.cell_type == "code" and not shown and not nbgrader_metadata(cell).get("grade"):
                exec(compile(cell.source, cell.id, "exec"), names)
        return names

    yield run
    for module in ("backprop", "selfcheck", "simple_network"):
        sys.modules.pop(module, None)
