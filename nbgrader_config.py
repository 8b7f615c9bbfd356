"""nbgrader's configuration of this course. nbgrader reads it when it is run in this folder or with --course-dir."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # the package, also where it is not installed

from autograder import bridge, build
from autograder.environment import put_programs_on_path

c = get_config()  # noqa: F821  (traitlets puts it here)

put_programs_on_path()  # nbgrader needs alembic there, also when it is started as .venv/bin/nbgrader

c.CourseDirectory.course_id = "backpropagation"

# source/ -> assignments/, with the leak check last
build.configure(c)

# submitted/ -> autograded/: isolated execution, marks in the trusted process
bridge.configure(c)
