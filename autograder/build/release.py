"""From source/ to assignments/ with nbgrader's own code, set up in one place for our build and for its command line."""

from __future__ import annotations

import logging
from pathlib import Path

from traitlets.config import Config

from autograder.build.problem import BuildError, Problem

LEAK_CHECK = "autograder.build.leakcheck.LeakCheck"


def configure(c: Config) -> None:
    """Set on a traitlets config what decides the bytes in assignments/.

    Called by the build and by the course's ``nbgrader_config.py``, so both write the same files.
    """
    c.CourseDirectory.source_directory = "source"
    c.CourseDirectory.release_directory = "assignments"
    # assignments/ is generated and committed, so it always exists: without force nbgrader would skip the sheet
    # and leave the gradebook without its cells
    c.GenerateAssignment.force = True
    c.GenerateAssignment.preprocessors.append(LEAK_CHECK)


def generate(root: Path, sheet: str) -> None:
    """Write ``root/assignments/<sheet>`` from ``root/source/<sheet>``.

    Needs no gradebook. It changes the working directory while it runs, as nbgrader's converters do.
    Raises BuildError with nbgrader's reasons.
    """
    # nbgrader takes two seconds to import, which a command that does not build should not wait for
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    config = Config()
    configure(config)
    config.SaveCells.enabled = False
    log = logging.Logger("autograder.build")
    kept = _Kept()
    log.addHandler(kept)
    course = CourseDirectory(root=str(root), assignment_id=sheet, config=config, log=log)
    try:
        GenerateAssignment(coursedir=course, no_database=True, config=config, log=log).start()
    except NbGraderException:
        raise BuildError([Problem(f"source/{sheet}", None, reason) for reason in kept.reasons]) from None


class _Kept(logging.Handler):
    """Keeps the reasons of a failure: the last line of each error that nbgrader logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.reasons.append(record.getMessage().strip().splitlines()[-1])
