"""The course's own preprocessors, for nbgrader's tests. Folders keep nbgrader's names, which its tests expect."""

from autograder import bridge

bridge.configure(get_config())  # noqa: F821  (traitlets puts it here)
