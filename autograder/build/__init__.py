"""reference/ -> source/ -> assignments/, and the checks that hold the three together."""

from autograder.build.generate import build, check
from autograder.build.problem import BuildError, Problem
from autograder.build.release import configure

__all__ = ["BuildError", "Problem", "build", "check", "configure"]
