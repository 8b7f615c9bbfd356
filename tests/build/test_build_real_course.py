"""The course in this repository is sound and what is generated is current."""

from __future__ import annotations

from pathlib import Path

import nbformat

from autograder.build import check

ROOT = Path(__file__).parents[2]


def test_the_course_passes_its_own_check():
    assert [str(problem) for problem in check(ROOT)] == []


def test_no_line_of_code_is_cut_off_in_a_window_of_usual_width(root):
    """A cell of JupyterLab in a window of 1150 pixels shows 120 characters."""
    for path in sorted((root / "assignments").rglob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            lines = cell.source.splitlines() if cell.cell_type == "code" else []
            assert not [line for line in lines if len(line) > 120], path.name
