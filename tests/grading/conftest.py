"""The sandbox of the process, and submissions made from the released notebooks."""

import sys
from pathlib import Path

import nbformat
import pytest

from autograder.audit import Variant
from autograder.build.submission import fill, solutions
from autograder.exercises import load
from autograder.sandbox import shared_sandbox

sys.path.insert(0, str(Path(__file__).parent))  # test_growth uses what test_batch has


@pytest.fixture(scope="session")
def sandbox():
    return shared_sandbox("auto")


@pytest.fixture(scope="session")
def submission(root):
    """submission(exercise, **cells): the solved notebook with some cells replaced."""

    def make(name, **cells):
        exercise = load(name)
        released = nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
        return fill(released, Variant("", "", cells=cells).apply(solutions(root, exercise)))

    return make
