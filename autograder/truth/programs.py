"""Expressions as Python functions, for mpmath's numbers or numpy's arrays.

``sympy.lambdify`` does this, too, but what it imports and looks up for each function costs more than what we compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.pycode import MpmathPrinter

Program = Callable[..., Any]

_SETTINGS = {"fully_qualified_modules": True, "inline": True, "allow_unknown_functions": False}


@lru_cache(maxsize=1024)
def text(expression: sp.Expr, exact: bool) -> str:
    """The expression in Python."""
    printer = (MpmathPrinter if exact else NumPyPrinter)(_SETTINGS)
    return str(printer.doprint(expression))


@lru_cache(maxsize=4096)
def of_text(arguments: tuple[str, ...], returned: str, exact: bool) -> Program:
    """The function of these arguments that returns this text of :func:`text`."""
    names = {"mpmath": mpmath} if exact else {"numpy": np}
    program: Program = eval(f"lambda {', '.join(arguments)}: {returned}", names)
    return program


def function(arguments: Sequence[sp.Symbol], expression: sp.Expr, *, exact: bool) -> Program:
    """The expression as a function of its symbols."""
    return of_text(tuple(map(str, arguments)), text(expression, exact), exact)
