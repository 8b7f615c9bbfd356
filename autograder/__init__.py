"""Auto-graded exercises on backpropagation: exact truth, isolated execution, marks with reasons.

:func:`check_layer` and :func:`assert_layer` check the backward pass of any layer: see docs/layers.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.layers import LayerError, assert_layer, check_layer

__version__ = "0.2.0"
__all__ = ["LayerError", "__version__", "assert_layer", "check_layer"]


def __getattr__(name: str) -> Any:
    """The layer door: numpy and sympy are imported when it is used, and not with every command."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograder import layers

    return getattr(layers, name)
