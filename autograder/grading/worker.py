"""What a worker does: it runs one notebook isolated. The same code in a thread here and on a machine of a cluster."""

from __future__ import annotations

import atexit
import threading

from autograder.grading.grade import Ran, execute
from autograder.sandbox import Job, Sandbox

_lock = threading.Lock()
_sandboxes: dict[str, Sandbox] = {}


def shared_sandbox(level: str) -> Sandbox:
    """The sandbox of this process at a level, started once. Raises SandboxUnavailable."""
    with _lock:
        if level not in _sandboxes:
            sandbox = Sandbox(level=level)
            atexit.register(sandbox.close)
            _sandboxes[level] = sandbox
        return _sandboxes[level]


def run_isolated(level: str, marks: Job | None, whole: Job) -> Ran:
    """Run one notebook in this process's sandbox; see :func:`autograder.grading.grade.execute`.

    A worker that cannot isolate refuses: raises SandboxUnavailable.
    """
    return execute(shared_sandbox(level), marks, whole)
