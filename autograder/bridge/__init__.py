"""The bridge to nbgrader: what it calls while it grades and writes pages, its gradebook, and its steps from Python."""

from __future__ import annotations

from typing import Any


def configure(c: Any) -> None:
    """Set nbgrader to grade with this package. Loads it only then: JupyterLab looks into this folder when it starts."""
    from autograder.bridge import preprocessors

    preprocessors.configure(c)
