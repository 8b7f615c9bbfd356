"""What a worker does: it runs one notebook isolated. The same code in a thread here and on a machine of a cluster."""

from __future__ import annotations

from autograder.grading.grade import Ran, execute
from autograder.sandbox import Job, shared_sandbox


def run_isolated(level: str, marks: Job | None, whole: Job) -> Ran:
    """Run one notebook in this process's sandbox; see :func:`autograder.grading.grade.execute`.

    A worker that cannot isolate refuses: raises SandboxUnavailable.
    """
    return execute(shared_sandbox(level), marks, whole)
