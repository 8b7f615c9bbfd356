"""Expressions of sympy as quantities: what one gives at some fixed numbers for its symbols stands for it."""

from __future__ import annotations

import sys
import zlib
from typing import Any

import numpy as np

FORM = (5, 1, 1, 1)
"""No array of anybody's has this shape."""

MOST_OPERATIONS = 200


class Formula(np.ndarray):
    """What an expression gives there; ``expression`` is itself."""

    expression: Any = None

    def __array_finalize__(self, other: Any) -> None:
        """What is worked out with the numbers is not the expression any more."""
        self.expression = None


_known: dict[Any, Formula | None] = {}


def sampled(value: Any) -> np.ndarray | None:
    """An expression as numbers: a number as itself; None for what is no expression, or none that gives numbers."""
    sympy = sys.modules.get("sympy")
    if sympy is None or not isinstance(value, sympy.Expr) or isinstance(value, sympy.Lambda):
        return None
    if not value.free_symbols:
        return np.array(float(value)) if value.is_number and value.is_real else None
    if value not in _known:
        _known[value] = _worked_out(value, sympy.lambdify)
    return _known[value]


def _worked_out(value: Any, lambdify: Any) -> Formula | None:
    try:
        if value.count_ops() > MOST_OPERATIONS:
            return None
        symbols = sorted(value.free_symbols, key=str)
        numbers = [np.random.default_rng(zlib.crc32(str(one).encode())).uniform(-2, 2, FORM) for one in symbols]
        with np.errstate(all="ignore"):
            found = np.broadcast_to(np.asarray(lambdify(symbols, value, "numpy")(*numbers), float), FORM)
    except Exception:  # what numpy does not know, or what is complex
        return None
    if not np.all(np.isfinite(found)):
        return None
    made = np.array(found).view(Formula)
    made.expression = value
    return made


def written(value: np.ndarray) -> str:
    """The expression as a text that gives it back; empty for what is none."""
    expression = getattr(value, "expression", None)
    return "" if expression is None else str(sys.modules["sympy"].srepr(expression))


def again(text: str) -> np.ndarray | None:
    """The expression of such a text, where there is sympy."""
    sympy = sys.modules.get("sympy")
    return None if sympy is None else sampled(sympy.sympify(text))
