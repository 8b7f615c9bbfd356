"""The layer door: an author writes a forward pass, and its backward pass is checked against the exact product.

:func:`check_layer` says what is wrong with a backward pass, :func:`assert_layer` fails a test with it, and
:class:`Layer` gives the exact numbers, for the questions of a course.
"""

from autograder.layers.check import Alias, Backward, Finding, LayerReport, assert_layer, check_layer, named
from autograder.layers.exact import LayerError
from autograder.layers.layer import Layer

__all__ = [
    "Alias",
    "Backward",
    "Finding",
    "Layer",
    "LayerError",
    "LayerReport",
    "assert_layer",
    "check_layer",
    "named",
]
