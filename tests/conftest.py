"""Fixtures that several folders use."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "kits"))  # in importlib mode no folder of tests is on the path


@pytest.fixture(scope="session")
def root() -> Path:
    """The course: this repository."""
    return Path(__file__).resolve().parents[1]


LONG_SECONDS = 600.0
"""What has not happened by then never will, however slow the machine."""


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], object]:
    """until(holds) waits until a condition holds and returns what it gave. Raises AssertionError."""

    def until(holds: Callable[[], object]) -> object:
        end = time.monotonic() + LONG_SECONDS
        while not (found := holds()):
            assert time.monotonic() < end, "what is waited for does not happen"
            time.sleep(0.02)
        return found

    return until
