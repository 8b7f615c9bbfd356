"""Auto-graded exercises on backpropagation: exact truth, isolated execution, marks with reasons."""

__version__ = "0.2.0"
