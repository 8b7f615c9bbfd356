"""Fixtures that several folders use."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

KITS = Path(__file__).parent / "kits"
sys.path.insert(0, str(KITS))  # in importlib mode no folder of tests is on the path
os.environ["PATH"] = f"{KITS / 'programs'}{os.pathsep}{os.environ['PATH']}"
# as `autograder.cli` does: jsonschema imports this when it is there, and that builds a grammar for 1.4 s
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


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


QUICK_SECONDS = 1.0
"""What a test that is not marked slow may compute: twice what the mark asks for, since machines differ."""


def _computed() -> float:
    """Seconds of computing by this process and those of its processes that have ended: no matter what else runs."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    began = _computed()
    try:
        return (yield)
    finally:
        item.user_properties.append(("computed", _computed() - began))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that should be marked slow, which is no failure."""
    found = {
        report.nodeid: dict(report.user_properties)["computed"]
        for report in terminalreporter.getreports("passed")
        if not {"slow", "long"} & report.keywords.keys()
    }
    for name, seconds in sorted(found.items(), key=lambda one: -one[1]):
        if seconds > QUICK_SECONDS:
            terminalreporter.write_line(f"to be marked slow, it computes for {seconds:.1f} s: {name}", yellow=True)


def pytest_collection_finish() -> None:
    """What was imported stays: the collector of garbage need not go through it again and again."""
    gc.freeze()
