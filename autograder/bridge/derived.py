"""Penalties and capped points before they are read: derived when they are needed, not when a notebook was run."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import Config
from traitlets.log import get_logger

from autograder.bridge.given import derive


def root_of(config: Config) -> Path:
    """The course's folder in a configuration of nbgrader: by default the working directory."""
    course = config.CourseDirectory
    return Path(course.root if "root" in course else Path.cwd()).absolute()


def database_of(config: Config) -> str:
    """The gradebook of a configuration of nbgrader."""
    course = config.CourseDirectory
    return str(course.db_url) if "db_url" in course else f"sqlite:///{root_of(config) / 'gradebook.db'}"


def autograded_of(config: Config) -> Path:
    """The folder with the notebooks that were marked."""
    course = config.CourseDirectory
    return root_of(config) / str(course.autograded_directory if "autograded_directory" in course else "autograded")


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
        derive(gradebook, self.config, autograded_of(self.config))
        super().export(gradebook)
