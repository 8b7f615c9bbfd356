"""Fixtures that several folders use."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The course: this repository."""
    return Path(__file__).resolve().parents[1]
