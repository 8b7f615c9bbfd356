"""Penalties and capped points before they are read: derived when they are needed, not when a notebook was run."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import Config
from traitlets.log import get_logger

from autograder.bridge.given import derive
from autograder.bridge.settings import autograded_of, database_of
from autograder.course import CourseError


class DeriveForPages:
    """nbgrader's hook before the pages of one submission are made."""

    def __init__(self, config: Config) -> None:
        """The configuration is read at the time of the call: it may still be incomplete now."""
        self._config = config

    def __call__(self, *, assignment: str, student: str, notebooks: list[str]) -> None:
        """Derive what the pages show. ``student`` is nbgrader's pattern; the paths tell which one."""
        for folder in {Path(name).parent for name in notebooks}:
            try:
                with Gradebook(database_of(self._config)) as gradebook:
                    derive(gradebook, self._config, autograded_of(self._config), folder.name, folder.parent.name)
            except Exception as problem:
                # nbgrader only notes an error of a hook and goes on; without notebooks it makes no wrong page
                get_logger().error("The marks could not be derived, and no page is made: %r", problem)
                notebooks.clear()


class DerivedCsv(CsvExportPlugin):
    """nbgrader's table, of sums that follow from the marks there are now."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table."""
        try:
            derive(gradebook, self.config, autograded_of(self.config))
        except CourseError as problem:
            raise SystemExit(f"nbgrader export: {problem}") from None
        super().export(gradebook)
