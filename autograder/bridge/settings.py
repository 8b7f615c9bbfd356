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
