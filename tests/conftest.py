"""Fixtures that several folders use."""

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # each function is compiled to be called once or twice
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


QUICK_SECONDS = 0.2
"""A test that computes for longer, in the sandbox too, is to be marked slow. No other place says the number."""


def _computed() -> float:
    """Seconds of computing by this process and those of its processes that have ended: no matter what else runs."""
    return sum(os.times()[:4])


SLOW = {"slow", "heavy", "long"}
"""The marks of tests that are not quick: `make quick` leaves them out."""

BEGAN = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[BEGAN] = _computed()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    began = _computed()
    try:
        return (yield)
    finally:
        item.user_properties.append(("computed", _computed() - began))
        item.user_properties.append(("with fixtures", _computed() - item.stash[BEGAN]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the files that compute longest, and the tests that should be marked slow, which is no failure.

    Those are named that compute twice as long as they may, since machines differ.
    """
    passed = {report: dict(report.user_properties) for report in terminalreporter.getreports("passed")}
    files: Counter[str] = Counter()
    for report, found in passed.items():
        files[report.nodeid.partition("::")[0]] += found["with fixtures"]
    if len(files) > 10:
        most = ", ".join(f"{name.removeprefix('tests/')} {seconds:.0f}" for name, seconds in files.most_common(10))
        terminalreporter.write_line(f"{sum(files.values()):.0f} s were computed, most of them in {most}")
    for report, found in sorted(passed.items(), key=lambda one: -one[1]["computed"]):
        if found["computed"] > 2 * QUICK_SECONDS and not SLOW & report.keywords.keys():
            told = f"to be marked slow, it computes for {found['computed']:.1f} s: {report.nodeid}"
            terminalreporter.write_line(told, yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: what is left at the end is short, and the processes end together."""
    first = {item.path for item in items if SLOW & {mark.name for mark in item.iter_markers()}}
    items.sort(key=lambda item: item.path not in first)


def pytest_collection_finish() -> None:
    """What was imported stays: the collector of garbage need not go through it again and again."""
    gc.freeze()
