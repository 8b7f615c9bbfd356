"""A browser for the tests, and a folder for what they have seen.

The pictures are kept in ``artefacts/``, so that a person can look at every page. Where Chromium is missing the tests
are skipped with the line to type; with ``BROWSER_REQUIRED=1``, as in CI, they fail.
"""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture(scope="session")
def artefacts():
    """Where pictures are kept; git ignores it."""
    folder = ROOT / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def driver():
    """One browser per module of tests."""
    import browser

    if browser.programs() is None:
        if os.environ.get("BROWSER_REQUIRED"):
            pytest.fail(browser.MISSING)
        pytest.skip(browser.MISSING)
    with browser.chromium() as one:
        yield one
