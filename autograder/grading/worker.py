"""What a worker does: it runs one notebook isolated. The same code in a thread here and on a machine of a cluster."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from autograder.grading.grade import Ran, execute
from autograder.sandbox import Job, shared_sandbox


def run_isolated(level: str, marks: Job | None, whole: Job) -> Ran:
    """Run one notebook in this process's sandbox; see :func:`autograder.grading.grade.execute`.

    A worker that cannot isolate refuses: raises SandboxUnavailable.
    """
    return execute(shared_sandbox(level), marks, whole)


SWITCH_SECONDS = 0.0005
"""For so long a thread that a process has answered waits while another thread computes; Python's own is ten times that.

A worker's thread waits once for every frame, and between two jobs for some messages: meanwhile a processor is idle.
"""


@contextlib.contextmanager
def promptly() -> Iterator[None]:
    """Let the threads of workers go on soon, whatever the thread of the batch does meanwhile."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
