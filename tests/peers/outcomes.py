"""A pytest plugin: writes what became of every test into the file that OUTCOMES names, as one JSON object.

It also spares nbgrader's tests a second each: the newest version of the gradebook's format is asked for once, not with
a new process for every new gradebook.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

import nbgrader.api
import pytest

nbgrader.api.get_alembic_version = functools.cache(nbgrader.api.get_alembic_version)

_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember the worst that happened to a test in set-up, call and tear-down."""
    name = report.nodeid.split("nbgrader/tests/")[-1]
    if report.outcome != "passed" or report.when == "call":
        _outcomes[name] = _outcomes[name] if _outcomes.get(name) == "failed" else report.outcome


def pytest_sessionfinish() -> None:
    """Write it down."""
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(_outcomes))
