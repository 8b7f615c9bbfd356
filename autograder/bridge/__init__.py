"""The bridge to nbgrader: what it calls while it grades and writes pages, its gradebook, and its steps from Python."""

from autograder.bridge.preprocessors import configure

__all__ = ["configure"]
