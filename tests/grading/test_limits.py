"""The limits that THREATS.md states are those that hold, with room for honest work."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from autograder.bridge import handed_in
from autograder.exercises import NAMES, load
from autograder.grading import notebook, submissions
from autograder.sandbox import Cell, Limits, shared_sandbox
from autograder.views import nesting

LEAST_FACTOR = 3
"""By how much every limit is above the largest need of a reference, at least."""

SLOWEST = "l2_regularization"
"""The exercise whose reference has the cell that computes longest."""


def rows(root: Path) -> list[tuple[str, float, str, float, int]]:
    """The table of THREATS.md: limit, need, exercise, the limit there, factor; seconds or bytes."""
    row = r"^\| `(\w+)`[^|]* \| ([\d.]+) (s|MB) \| (\w+) \| (\d+) (?:s|MB) \| (\d+) \|$"
    found = re.findall(row, (root / "THREATS.md").read_text(), re.M)
    scale = {"s": 1.0, "MB": 2.0**20}
    return [
        (limit, float(need) * scale[unit], name, float(allowed) * scale[unit], int(factor))
        for limit, need, unit, name, allowed, factor in found
    ]


def test_the_table_names_every_limit_of_time_memory_and_output(root: Path) -> None:
    measured = {field.name for field in fields(Limits) if re.search("cpu|memory|output", field.name)}
    assert {limit for limit, *_ in rows(root)} == measured


def test_the_table_states_the_limits_that_hold_and_their_factors(root: Path) -> None:
    for limit, need, name, allowed, factor in rows(root):
        assert vars(replace(Limits(), **load(name).limits))[limit] == allowed, limit
        assert int(allowed / need) == factor >= LEAST_FACTOR, limit


def test_the_other_figures_are_those_that_hold(root: Path) -> None:
    text, mega = " ".join((root / "THREATS.md").read_text().split()), 2**20
    own = {name: load(name).limits["answer_bytes"] for name in NAMES if "answer_bytes" in load(name).limits}
    assert own == {"ising_phases": mega, "exploding_gradients": 2 * mega}
    limits = Limits()
    for words, holds in {
        "answers of more than 64 KB (ising_phases 1 MB, exploding_gradients 2 MB)": limits.answer_bytes == 64 * 2**10,
        "Files: 16 MB each, 32 MB together": (limits.file_bytes, limits.tmp_bytes) == (16 * mega, 32 * mega),
        "32 threads; 256 open files": (limits.threads, limits.open_files) == (32, 256),
        "at most 50 MB, 2,000 cells": (50 * mega, 2000) == (notebook.MAX_BYTES, notebook.MAX_CELLS),
        "1,000,000 values in its JSON, and 30,000 without": (notebook.MAX_VALUES, notebook.MAX_OWN_VALUES)
        == (1_000_000, 30_000),
        "1,000 with their folders and 10 MB": (1000, 10 * mega) == (submissions.MAX_FILES, submissions.MAX_FILES_BYTES),
        "nbgrader copies 100 MB": 100 * mega == handed_in.MAX_COPIED_BYTES,
        "more than 500 elements inside each other": nesting.MAX_DEPTH == 500,
    }.items():
        assert words in text
        assert holds, words


def test_by_the_clock_twice_as_many_seconds_are_allowed_as_of_computing() -> None:
    for name in NAMES:
        limits = replace(Limits(), **load(name).limits)
        assert limits.cell_wall_seconds >= 2 * limits.cell_cpu_seconds
        assert limits.question_wall_seconds >= 2 * limits.question_cpu_seconds
        assert limits.wall_seconds >= 2 * limits.cpu_seconds


YARDSTICK = "import numpy as np\n_x = np.ones((64, 64))\nfor _ in range(20_000): _x = np.tanh(_x @ _x) + 0.5"
YARDSTICK_SECONDS = 0.4
"""What the yardstick computes on the machine of the table, so that a slower one makes no difference."""


@pytest.mark.slow
def test_the_slowest_reference_has_room(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    import limits as benchmark

    asked = benchmark.job(SLOWEST, full=True)
    allowed = asked.limits.cell_cpu_seconds
    long = {"cell_cpu_seconds": 600.0, "cell_wall_seconds": 1200.0, "cpu_seconds": 1200.0, "wall_seconds": 2400.0}
    cells = (Cell("before", YARDSTICK), *asked.cells, Cell("after", YARDSTICK))
    sandbox = shared_sandbox("auto")

    def need() -> float:
        outcome = sandbox.run(replace(asked, cells=cells, asks=(), limits=replace(asked.limits, **long)))
        assert {cell.status for cell in outcome.cells} == {"ok"}
        before, *seconds, after = (cell.cpu_seconds for cell in outcome.cells)
        return max(seconds) * YARDSTICK_SECONDS / max(before, after)

    # a neighbour on the same core makes some runs dearer than their yardstick, and none cheaper
    assert any(0 < LEAST_FACTOR * need() < allowed for _ in range(4))
