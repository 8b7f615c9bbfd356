"""nbgrader's configuration of this course. nbgrader reads it when it is run in this folder or with --course-dir."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # the package, also where it is not installed

from autograder import build, preprocessors

c = get_config()  # noqa: F821  (traitlets puts it here)

c.CourseDirectory.course_id = "backpropagation"

# source/ -> assignments/, with the leak check last
build.configure(c)

# submitted/ -> autograded/: isolated execution, marks in the trusted process
preprocessors.configure(c)
