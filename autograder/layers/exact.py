"""The exact vector-Jacobian product of a forward pass, by the route that holds.

Three routes, and no route is trusted because it ran:

- **sympy**: the forward pass is run on symbols, and the sum of its outputs times the upstream gradient is
  differentiated. Where formulas stay small.
- **complex step**: f'(x) = Im f(x + ih) / h with h = 1e-30, exact to rounding (Squire and Trapp 1998). It is believed
  when, along a random direction, it is the slope at sixty digits: ``np.abs`` and ``np.var`` of complex numbers are not
  those of real ones, and numpy does not say so. These two are put right; what else there is, is found so.
- **sixty digits**: one-sided difference quotients with h = 1e-25, whose error lies below the last place of a float.
  Where the two sides differ there is a kink, and every slope between them is right.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy

from autograder.layers.scalars import DIGITS, Beyond, Scalar, numbers, symbols
from autograder.truth.precision import many_digits

Arrays = Mapping[str, np.ndarray]
Outputs = tuple[np.ndarray, ...]
Run = Callable[[Mapping[str, Any]], Outputs]
"""A forward pass from its differentiable inputs to its outputs."""

SYMPY, COMPLEX, DIGITWISE = "sympy", "complex step", "sixty digits"

LARGEST_FORMULA = 3_000
"""So many operations, times symbols to differentiate by, are left to sympy: a fraction of a second."""

MOST_SYMBOLS = 16
"""With more the formula is not even written down."""

STEP = 1e-30
SMALL = mpmath.mpf(10) ** -25
AGREES = 1e-11
"""Two exact routes differ by rounding alone; a wrong one differs by as much as the gradients are large."""
MEASURED = 1e-6
"""What a difference quotient of floats can tell."""


class LayerError(ValueError):
    """The layer cannot be checked as it is written; the message says what to change."""


@dataclass(frozen=True)
class Product:
    """A vector-Jacobian product: per input the gradient, as an interval where the forward pass has a kink.

    ``route`` says how it was found, ``checked`` by what.
    """

    low: Arrays
    high: Arrays
    route: str
    checked: str

    def __getitem__(self, name: str) -> np.ndarray:
        """The gradient by an input; at a kink the middle of its interval."""
        return np.asarray((self.low[name] + self.high[name]) / 2)

    @property
    def kinks(self) -> tuple[str, ...]:
        """The inputs whose gradient is an interval somewhere."""
        return tuple(name for name in self.low if np.any(self.low[name] != self.high[name]))


def product(run: Run, inputs: Arrays, upstream: Outputs) -> Product:
    """The exact gradient of sum(upstream * output) by every input. Raises LayerError when no route holds."""
    rng = np.random.default_rng(20240229)
    along = {name: rng.normal(size=array.shape) for name, array in inputs.items()}
    reasons = []
    sides: tuple[float, float] | None = None
    try:
        sides = _sides(run, inputs, upstream, along)
    except Beyond as reason:
        reasons.append(f"sixty digits: {reason}")
    if sides is not None and not _near(sides[0], sides[1], abs(sides[0]), AGREES):
        return digitwise(run, inputs, upstream)  # the point itself lies on a kink
    for name, route in ((SYMPY, symbolic), (COMPLEX, complex_step)):
        try:
            found = route(run, inputs, upstream)
        except Beyond as reason:
            reasons.append(f"{name}: {reason}")
            continue
        slope = sum(float(np.sum(found[key] * along[key])) for key in found)
        size = sum(float(np.sum(np.abs(found[key] * along[key]))) for key in found)
        if sides is not None and _near(slope, sides[0], size, AGREES):
            return Product(found, found, name, DIGITWISE)
        if sides is None and _near(slope, _quotient(run, inputs, upstream, along), size, MEASURED):
            return Product(found, found, name, "difference quotients, to six digits")
        reasons.append(f"{name}: it is not the slope of the forward pass along a random direction")
    if sides is not None:
        return digitwise(run, inputs, upstream)
    raise LayerError("no exact route goes through this forward pass. " + "; ".join(dict.fromkeys(reasons)))


def symbolic(run: Run, inputs: Arrays, upstream: Outputs) -> dict[str, np.ndarray]:
    """By sympy. Raises Beyond where a formula cannot be had, or is too long."""
    if sum(array.size for array in inputs.values()) > MOST_SYMBOLS:
        raise Beyond("the formula is too long")
    given = {name: symbols(array, name) for name, array in inputs.items()}
    outputs = _computed(run, given, upstream)
    names = [entry.value for array in given.values() for entry in array.flat]
    length = sum(entry.size for out in outputs for entry in out.flat if isinstance(entry, Scalar))
    if length * len(names) > LARGEST_FORMULA:
        raise Beyond("the formula is too long")
    total = sympy.Add(
        *(
            sympy.Rational(*float(g).as_integer_ratio()) * out.value
            for outs, gs in zip(outputs, upstream)
            for out, g in zip(outs.flat, np.asarray(gs).flat)
            if isinstance(out, Scalar)
        )
    )
    slopes = sympy.lambdify(names, [total.diff(name) for name in names], modules="mpmath", cse=True)
    with many_digits(DIGITS):
        try:
            values = slopes(*(mpmath.mpf(float(x)) for array in inputs.values() for x in array.flat))
            flat = np.array([float(value) for value in values])
        except (TypeError, NameError, ZeroDivisionError, ValueError) as problem:
            raise Beyond(str(problem)) from None
    return _split(flat, inputs)


def complex_step(run: Run, inputs: Arrays, upstream: Outputs) -> dict[str, np.ndarray]:
    """By a step along the imaginary axis. Raises Beyond where the forward pass takes no complex numbers."""
    given = {name: array.astype(complex).view(_Complex) for name, array in inputs.items()}
    slopes = []
    for array in given.values():
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + 1j * STEP
            outputs = _computed(run, given, upstream)
            array[index] = kept
            slopes.append(sum(float(np.sum(g * np.imag(out))) for out, g in zip(outputs, upstream)) / STEP)
    return _split(np.array(slopes), inputs)


class _Complex(np.ndarray):
    """Complex numbers whose absolute value and variance are the analytic functions that they are on real numbers."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(one) if isinstance(one, _Complex) else one for one in inputs]
        if "out" in options:
            options["out"] = tuple(np.asarray(one) if isinstance(one, _Complex) else one for one in options["out"])
        if ufunc is np.absolute and method == "__call__" and not options:
            found = np.where(np.real(plain[0]) < 0, -plain[0], plain[0])
        else:
            found = getattr(ufunc, method)(*plain, **options)
        return found.view(_Complex) if isinstance(found, np.ndarray) else found

    def var(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False) -> Any:  # type: ignore[override]
        """The mean square distance from the mean, without absolute values."""
        mean = self.mean(axis=axis, keepdims=True)
        squares = (self - mean) ** 2
        return squares.sum(axis=axis, keepdims=keepdims) / (self.size / np.size(mean) - ddof)

    def std(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False) -> Any:  # type: ignore[override]
        """Its root."""
        return np.sqrt(self.var(axis, ddof=ddof, keepdims=keepdims))


def digitwise(run: Run, inputs: Arrays, upstream: Outputs) -> Product:
    """By one-sided difference quotients at sixty digits. Raises Beyond where objects cannot go through."""
    pairs = []
    for name, array in inputs.items():
        for index in np.ndindex(array.shape):
            along = {other: np.zeros(one.shape) for other, one in inputs.items()}
            along[name][index] = 1.0
            pairs.append(_sides(run, inputs, upstream, along))
    ends = np.array(pairs, dtype=float).reshape(-1, 2)
    smooth = np.abs(ends[:, 0] - ends[:, 1]) <= 1e-15 * np.abs(ends).max(axis=1)
    ends[smooth] = ends[smooth].mean(axis=1, keepdims=True)
    low, high = _split(ends.min(axis=1), inputs), _split(ends.max(axis=1), inputs)
    return Product(low, high, DIGITWISE, "both sides")


def _sides(run: Run, inputs: Arrays, upstream: Outputs, along: Arrays) -> tuple[float, float]:
    """The slopes along a direction, to its left and to its right, from numbers of sixty digits."""
    with many_digits(DIGITS):

        def value(sign: int) -> Any:
            given = {
                name: numbers(array) + numbers(along[name]) * Scalar(sign * SMALL) for name, array in inputs.items()
            }
            total = mpmath.mpf(0)
            for out, g in zip(_computed(run, given, upstream), upstream):
                for entry, weight in zip(out.flat, np.asarray(g).flat):
                    number = entry.value if isinstance(entry, Scalar) else mpmath.mpf(float(entry))
                    total += mpmath.mpf(float(weight)) * number
            return total

        here = value(0)
        try:
            return float((here - value(-1)) / SMALL), float((value(1) - here) / SMALL)
        except TypeError:  # a complex number, as the root of a negative one
            raise Beyond("a value is not real") from None


def _quotient(run: Run, inputs: Arrays, upstream: Outputs, along: Arrays) -> float:
    """The slope along a direction from floats: central difference quotients, extrapolated once (Richardson)."""

    def value(h: float) -> float:
        outputs = run({name: array + h * along[name] for name, array in inputs.items()})
        return sum(float(np.sum(g * out)) for out, g in zip(outputs, upstream))

    def slope(h: float) -> float:
        return (value(h) - value(-h)) / (2 * h)

    return (4 * slope(5e-5) - slope(1e-4)) / 3


def _computed(run: Run, given: Mapping[str, Any], upstream: Outputs) -> Outputs:
    """What the forward pass makes of numbers that are no floats, in the shapes it makes of floats. Raises Beyond."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            outputs = run(given)
    except Beyond:
        raise
    except Exception as problem:
        said = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise Beyond(said) from problem
    if [np.shape(out) for out in outputs] != [np.shape(g) for g in upstream]:
        raise Beyond("the output has another shape than for floats")
    return outputs


def _near(one: float, other: float, size: float, rtol: float) -> bool:
    return abs(one - other) <= rtol * max(size, abs(other), 1e-300)


def _split(flat: np.ndarray, inputs: Arrays) -> dict[str, np.ndarray]:
    """One row of numbers as arrays in the shapes of the inputs."""
    found, start = {}, 0
    for name, array in inputs.items():
        found[name] = flat[start : start + array.size].reshape(array.shape)
        start += array.size
    return found
