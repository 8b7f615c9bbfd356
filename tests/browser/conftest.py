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


PARTS = ROOT / ".npm"
"""What ``make site-parts`` installs: Pyodide, and axe."""

AXE = """
const done = arguments[arguments.length - 1];
axe.run(document).then((found) => done(found.violations
  .filter((one) => ['serious', 'critical'].includes(one.impact))
  .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 120)} ${node.failureSummary}`))),
  (error) => done([String(error)]));
"""


@pytest.fixture(scope="session")
def parts():
    """The folder of what npm installs; missing it is a skip, or a failure where a browser is required."""
    if not (PARTS / "node_modules" / "axe-core").is_dir():
        missing = "Pyodide and axe, which npm installs, are missing: make site-parts"
        (pytest.fail if os.environ.get("BROWSER_REQUIRED") else pytest.skip)(missing)
    return PARTS


@pytest.fixture(scope="session")
def serious(parts):
    """serious(driver): what axe finds serious or critical on the page that is open."""
    axe = (parts / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def found(driver):
        driver.execute_script(axe)
        return driver.execute_async_script(AXE)

    return found


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
