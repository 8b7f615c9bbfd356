"""Fixtures that several folders use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "kits"))  # in importlib mode no folder of tests is on the path


@pytest.fixture(scope="session")
def root() -> Path:
    """The course: this repository."""
    return Path(__file__).resolve().parents[1]
