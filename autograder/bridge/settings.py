"""nbgrader's configuration of a course, read as nbgrader reads it."""

from __future__ import annotations

import os
from pathlib import Path

from nbgrader.apps.baseapp import NbGrader
from traitlets.config import Config

from autograder.environment import put_programs_on_path


def course_config(root: Path) -> Config:
    """What nbgrader_config.py of a course and of this machine say."""
    put_programs_on_path()
    here = Path.cwd()
    os.chdir(root)  # nbgrader looks for its configuration in the working directory
    try:
        app = NbGrader()
        app.initialize([])
        config: Config = app.config.copy()
    finally:
        os.chdir(here)
        NbGrader.clear_instance()
    config.CourseDirectory.root = str(root.resolve())
    return config


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
