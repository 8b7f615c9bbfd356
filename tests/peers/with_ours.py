"""A pytest plugin: nbgrader's own tests meet our preprocessors. Used as ``pytest -p with_ours``.

What nbgrader lets a course configure is set in ``config/nbgrader_config.py``. This plugin replaces the two things that
no configuration reaches: the class that the unit tests of SaveAutoGrades import, and what ``nbgrader validate`` runs
notebooks with.
"""

from __future__ import annotations

import os
from typing import Any

import nbgrader.preprocessors
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput
from nbgrader.validator import Validator

from autograder.bridge.preprocessors import IsolatedExecute, SaveMarks


class ExecuteForValidate(IsolatedExecute):
    """Ours, in the place of nbgrader's Execute in Validator, which says nothing about the notebook."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        about = {"notebook": "", "assignment": "", "student": ""}
        return super().preprocess(nb, {**resources, "nbgrader": about, "metadata": {"path": os.getcwd()}})


_stock = Validator.__init__


def _init(self: Validator, *arguments: Any, **settings: Any) -> None:
    _stock(self, *arguments, **settings)
    self.preprocessors = [CheckCellMetadata, ClearOutput, ExecuteForValidate]


Validator.__init__ = _init
nbgrader.preprocessors.SaveAutoGrades = SaveMarks
