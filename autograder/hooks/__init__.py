"""What nbgrader calls while it grades and writes pages: each is named in its configuration by :func:`configure`."""

from autograder.hooks.preprocessors import configure

__all__ = ["configure"]
