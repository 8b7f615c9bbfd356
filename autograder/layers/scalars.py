"""Numbers that numpy computes with as objects: fifty digits, or formulas of sympy.

numpy applies an arithmetic function to an array of objects entry by entry: ``np.exp`` calls their method ``exp``. So a
forward pass that was written for floats runs on these too, and nothing of it is written twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy

DIGITS = 60
"""With how many decimal digits mpmath computes: fifty are left after a step of 1e-10 of the rounding."""


class Beyond(Exception):
    """This kind of number cannot do what the forward pass asks for; the message says what that is."""


class Scalar:
    """A real number of mpmath, or a formula of sympy in real symbols.

    A formula is not compared with anything and has no absolute value: which branch is taken would be lost.
    ``size`` counts the operations that it is written with.
    """

    __slots__ = ("size", "value")

    def __init__(self, value: Any, size: int = 1) -> None:
        self.value, self.size = value, size

    def _with(self, other: object, operation: Callable[[Any, Any], Any]) -> Any:
        if isinstance(other, Scalar):
            value, size = other.value, other.size
        elif isinstance(other, (bool, int, float, np.bool_, np.integer, np.floating)):
            value, size = self._number(other), 1
        else:
            return NotImplemented
        return Scalar(operation(self.value, value), self.size + size)

    def _number(self, number: Any) -> Any:
        """A number of Python or numpy in the library of this one, digit for digit."""
        if isinstance(number, (bool, int, np.bool_, np.integer)):
            return sympy.Integer(int(number)) if self.symbolic else mpmath.mpf(int(number))
        if not self.symbolic or not np.isfinite(number):
            return mpmath.mpf(float(number)) if not self.symbolic else sympy.Float(float(number))
        return sympy.Rational(*float(number).as_integer_ratio())

    @property
    def symbolic(self) -> bool:
        """Whether it is a formula."""
        return isinstance(self.value, sympy.Basic)

    def _compared(self, other: object, operation: Callable[[Any, Any], bool]) -> Any:
        if self.symbolic:
            raise Beyond("a comparison (max, where, clip) has no formula")
        compared = self._with(other, operation)
        return compared if compared is NotImplemented else bool(compared.value)

    def __add__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other: object) -> Any:
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a * b)

    def __truediv__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a / b)

    def __rtruediv__(self, other: object) -> Any:
        return self._with(other, lambda a, b: b / a)

    def __pow__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a**b)

    def __rpow__(self, other: object) -> Any:
        return self._with(other, lambda a, b: b**a)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Scalar:
        return Scalar(-self.value, self.size + 1)

    def __pos__(self) -> Scalar:
        return self

    def __abs__(self) -> Scalar:
        if self.symbolic:
            raise Beyond("an absolute value has no formula without a case")
        return Scalar(abs(self.value), self.size + 1)

    def __lt__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: a < b)

    def __le__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: a <= b)

    def __gt__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: a > b)

    def __ge__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: a >= b)

    def __eq__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: a == b)

    def __ne__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: a != b)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __float__(self) -> float:
        raise Beyond(
            "an entry is put into an array of floats, or made a float: make that array with np.zeros_like(x), or with "
            "dtype=x.dtype"
        )

    __int__ = __index__ = __complex__ = __float__

    def __getattr__(self, name: str) -> Any:
        """The functions that numpy asks an object for by their names."""
        if name.startswith("_"):
            raise AttributeError(name)
        of = _FUNCTIONS.get(name)
        if of is None:
            raise AttributeError(f"np.{name} is unknown to numbers of fifty digits")
        return lambda: Scalar(of(sympy if self.symbolic else mpmath, self.value), self.size + 1)

    @property
    def real(self) -> Scalar:
        """Itself."""
        return self

    def conjugate(self) -> Scalar:
        """Itself."""
        return self


_NAMES = {"arccos": "acos", "arcsin": "asin", "arctan": "atan", "arccosh": "acosh", "arcsinh": "asinh",
          "arctanh": "atanh"}  # fmt: skip
_SAME = ("exp", "sqrt", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")


def _called(name: str) -> Callable[[Any, Any], Any]:
    return lambda library, x: getattr(library, name)(x)


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: _called(name) for name in _SAME},
    **{name: _called(theirs) for name, theirs in _NAMES.items()},
    "log2": lambda library, x: library.log(x) / library.log(2),
    "log10": lambda library, x: library.log(x) / library.log(10),
    "log1p": lambda library, x: library.log(1 + x),
    "exp2": lambda library, x: (x * 0 + 2) ** x,
    "expm1": lambda library, x: library.exp(x) - 1,
    "cbrt": lambda library, x: library.sign(x) * abs(x) ** (library.Integer(1) / 3 if library is sympy else
                                                            library.mpf(1) / 3),
}  # fmt: skip


def numbers(array: np.ndarray) -> np.ndarray:
    """The entries of an array of floats as numbers of mpmath, digit for digit."""
    made = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        made[index] = Scalar(mpmath.mpf(float(array[index])))
    return made


def symbols(array: np.ndarray, name: str) -> np.ndarray:
    """A real symbol of sympy for every entry of an array."""
    made = np.empty(array.shape, dtype=object)
    for count, index in enumerate(np.ndindex(array.shape)):
        made[index] = Scalar(sympy.Symbol(f"{name}_{count}", real=True))
    return made
