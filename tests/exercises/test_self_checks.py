"""The self-check cells of all exercises: what they pass, what they catch, and what they leave behind."""

import contextlib
import itertools
import math
import shutil
import sys

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from autograder.exercises import NAMES, load

SLOW = {"hidden_size", "sin_regression", "reaction_rates", "vanishing_gradients"}
"""Exercises whose solved notebook trains for longer than a quick test may."""

EXERCISES = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NAMES]


class Notebook:
    """A notebook whose cells are run one after the other, as a student does; pictures are left out."""

    def __init__(self, root, monkeypatch, name):
        matplotlib.use("Agg")
        folder = root / "source" / load(name).sheet
        for module in ("backprop", "selfcheck", "simple_network"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.chdir(folder)
        self.names = {"__name__": "__main__"}
        self.cells = [
            cell
            for cell in nbformat.read(folder / f"{name}.ipynb", as_version=4).cells
            if cell.cell_type == "code" and "show" not in cell.metadata.get("tags", ())
        ]

    def run(self, cell):
        exec(compile(cell.source, cell.id, "exec"), self.names)

    def checks(self, *, replaced=None):
        """Run all cells that are not marked; at each self-check stop before it and give its cell.

        ``replaced`` holds what stands in a cell in place of the solution.
        """
        for cell in self.cells:
            if cell.id.startswith("selfcheck"):
                yield cell
            elif not cell.metadata.get("nbgrader", {}).get("grade"):
                cell.source = (replaced or {}).get(cell.id, cell.source)
                self.run(cell)

    def said(self, grade_id, **replaced):
        """What the self-check says, on one line, when these cells hold something else."""
        for cell in self.checks(replaced=replaced):
            if cell.id == grade_id:
                with pytest.raises(AssertionError) as error:
                    self.run(cell)
                return " ".join(str(error.value).split())
        raise AssertionError(f"no cell {grade_id}")


@pytest.fixture
def notebook(root, monkeypatch):
    yield lambda name: Notebook(root, monkeypatch, name)
    plt.close("all")
    for module in ("backprop", "selfcheck", "simple_network"):
        sys.modules.pop(module, None)


def sizes_of(calls):
    """For each call of a check the sizes of its arrays that are not 1."""
    for arguments in calls:
        arrays = [value for value in arguments if isinstance(value, np.ndarray)]
        for value in arguments:
            if isinstance(value, dict):
                arrays += [array for array in value.values() if isinstance(array, np.ndarray)]
            elif hasattr(value, "forward_pass"):
                arrays += [array for name, array in vars(value).items() if name[0] in "Wb"]
        yield {size for array in arrays for size in array.shape} - {1}


@pytest.mark.parametrize("name", EXERCISES)
def test_right_work_passes_and_no_name_is_left_behind(notebook, monkeypatch, name):
    """A self-check leaves its own function, called as its cell is, and nothing that a student's code could pick up.

    And the sizes that it takes have no factor in common, nor with 2, so that a factor which is wrong has one cause.
    """
    book, calls, checked = notebook(name), [], 0
    for cell in book.checks():
        selfcheck = sys.modules.get("selfcheck")
        for check in ("check_gradient", "check_gradients", "check_update"):
            if selfcheck is not None and check in book.names:
                real = getattr(selfcheck, check)

                def noted(*arguments, real=real, **options):
                    calls.append((*arguments, *options.values()))
                    return real(*arguments, **options)

                book.names[check] = noted
        before = dict(book.names)
        book.run(cell)
        new = {key for key, value in book.names.items() if key not in before or before[key] is not value}
        assert new <= {cell.id, "check_values", "check_yourself"}
        checked += 1
    assert checked
    for sizes in sizes_of(calls):
        assert all(math.gcd(one, other) == 1 for one, other in itertools.combinations(sizes | {2}, 2)), sizes


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_notebook_is_told_what_is_missing(root, notebook, name):
    """No self-check of a sheet as it is released ends in an error of Python's."""
    book = notebook(name)
    released = root / "assignments" / load(name).sheet / f"{name}.ipynb"
    book.cells = [
        cell
        for cell in nbformat.read(released, as_version=4).cells
        if cell.cell_type == "code" and "show" not in cell.metadata.get("tags", ())
    ]
    for cell in book.cells:
        if cell.id.startswith("selfcheck"):
            with pytest.raises(AssertionError) as error:
                book.run(cell)
            assert type(error.value).__name__ == "SelfCheckFailed"
            said = " ".join(str(error.value).split())
            assert "not written yet" in said or "is not there" in said or "not filled in" in said, said
        else:
            with contextlib.suppress(NotImplementedError):
                book.run(cell)


@pytest.mark.slow
def test_run_all_of_a_half_solved_notebook_goes_to_its_end_and_validate_names_the_self_checks(root, tmp_path):
    """In a real kernel, as it is released: a slip in one cell, nothing in others, pictures of what is not there."""
    from nbclient import NotebookClient
    from nbgrader.validator import Validator

    folder = tmp_path / "sheet"
    shutil.copytree(root / "assignments" / "training", folder)
    path = folder / "hidden_size.ipynb"
    half = nbformat.read(path, as_version=4)
    for cell in half.cells:
        if cell.id == "study":
            cell.source = "def study(*arguments:\n    return []"
    nbformat.write(half, path)
    NotebookClient(half, resources={"metadata": {"path": str(folder)}}).execute()
    errors = {
        cell.id: " ".join(" ".join(output.traceback).split())
        for cell in half.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    }
    last = next(cell for cell in reversed(half.cells) if cell.cell_type == "code")
    assert last.execution_count == sum(cell.cell_type == "code" for cell in half.cells)
    assert "'(' was never closed" in errors.pop("study")
    assert "study is not there: its cell stopped in line 1 with SyntaxError" in errors.pop("selfcheck_study")
    assert "spread is not written yet: replace the line" in errors.pop("selfcheck_spread")
    assert errors.pop("table").startswith("This cell is not filled in yet")
    assert errors.pop("boundaries").startswith("table is not there: its cell is not filled in yet")
    assert errors.pop("defaults").startswith("study is not there: its cell stopped in line 1 with SyntaxError")
    assert list(errors) == ["sorted_sizes"]
    failed = Validator().validate(str(path))["failed"]
    assert len(failed) == 2
    assert all("Self-check: not yet." in cell["error"] for cell in failed)
