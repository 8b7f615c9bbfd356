"""Fixtures for the tests of exercises."""

import sys

import matplotlib
import nbformat
import pytest

from autograder.build.leaks import nbgrader_metadata
from autograder.exercises import load
from autograder.in_kernel import ask
from autograder.marking import challenges, mark


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
    Cells can be changed by their grade ids.
    """

    def run(name, *with_cells, **changed):
        matplotlib.use("Agg")
        folder = root / "source" / load(name).sheet
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.chdir(folder)
        names = {"__name__": "__main__"}
        for cell in nbformat.read(folder / f"{name}.ipynb", as_version=4).cells:
            shown = "show" in cell.metadata.get("tags", ()) and cell.id not in with_cells
            if cell.cell_type == "code" and not shown and not nbgrader_metadata(cell).get("grade"):
                exec(compile(changed.get(cell.id, cell.source), cell.id, "exec"), names)
        return names

    yield run
    for module in ("backprop", "selfcheck", "simple_network"):
        sys.modules.pop(module, None)


@pytest.fixture
def lost(solved):
    """A function from an exercise and changed cells to the points that each line of its questions loses."""

    def run(name, seed=1, **changed):
        exercise, names = load(name), solved(name, **changed)
        answers = {
            probe.name: [ask(probe, names, challenge.given) for challenge in challenges(load(name), seed)[probe.name]]
            for probe in exercise.probes
        }
        lines = [(question.id, line) for question in mark(exercise, seed, answers) for line in question.lines]
        off = {f"{id}.{line.name}": line.max_points - line.points for id, line in lines}
        return {name: points for name, points in off.items() if points}

    return run
