"""nbgrader's steps for one course folder, from Python: the same code as its command line, without a new process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traitlets.config import Config

from autograder import bridge, build
from autograder.course import place_only
from autograder.environment import put_programs_on_path


class CourseApi:
    """The steps of a course in the order in which they are taken. Every step returns what went wrong, in sentences."""

    def __init__(self, root: Path, db_url: str | None = None, *, marks_only: bool = False) -> None:
        """``root`` holds source/ and submitted/; the gradebook is made there when it is missing, or at ``db_url``.

        ``marks_only`` leaves out the course's own cells that only train for show or draw.
        """
        from nbgrader.apps.api import NbGraderAPI
        from nbgrader.coursedir import CourseDirectory

        put_programs_on_path()
        self.root = root
        config = Config()
        config.CourseDirectory.course_id = "backpropagation"
        config.CourseDirectory.root = str(root)
        if db_url is not None:
            config.CourseDirectory.db_url = db_url
        build.configure(config)
        bridge.configure(config)
        config.IsolatedExecute.show = not marks_only
        config.FeedbackExporter.place_only = place_only(root)
        self.config = config
        self._api = NbGraderAPI(CourseDirectory(config=config), config=config)

    def generate_assignment(self, sheet: str) -> list[str]:
        """source/ to assignments/, and the gradebook's entry."""
        return self._step(f"releasing {sheet}", self._api.generate_assignment, sheet)

    def autograde(self, sheet: str, student: str) -> list[str]:
        """submitted/ to autograded/, isolated, and the marks to the gradebook."""
        return self._step(f"grading {sheet} of {student}", self._api.autograde, sheet, student)

    def generate_feedback(self, sheet: str, student: str) -> list[str]:
        """autograded/ to feedback/."""
        return self._step(f"feedback on {sheet} for {student}", self._api.generate_feedback, sheet, student)

    def _step(self, what: str, step: Callable[..., dict[str, Any]], *names: str) -> list[str]:
        here = Path.cwd()
        try:
            result = step(*names, force=True)
        finally:
            os.chdir(here)  # nbgrader's converters change the working directory
        if result["success"]:
            return []
        reason = next((line for line in reversed((result.get("error") or result["log"]).splitlines()) if line), "")
        return [f"{what} failed: {reason}"]
