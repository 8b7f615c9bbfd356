"""The record of the properties of f(x) = x tanh x: what is asked, what is true, and what wrong values tell."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy as sp

from autograder.exercise import RIGHT, Challenge, Probe, Reply, Verdict
from autograder.exercises.shared import at_each
from autograder.marking.compare import as_numbers, compare
from autograder.marking.judges import line_by_line
from autograder.mistakes import MISTAKES
from autograder.truth import derivative, many_digits
from autograder.truth.functions import far_out, xtanhx
from autograder.truth.programs import function


def recorded_properties(student, given):
    """The record of properties, with every number as a float."""
    record = student.properties
    if not isinstance(record, dict):
        raise ValueError("properties must be a dictionary")

    def plain(value):
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim):
            return [plain(entry) for entry in value]
        try:
            return float(value)
        except TypeError:
            return str(value)[:100]

    return {str(name)[:100]: plain(value) for name, value in record.items()}


RECORD = Probe(recorded_properties, lambda rng: [Challenge({}, shown=True)])


_Z = sp.Symbol("z", real=True)


@cache
def true_properties() -> dict[str, Any]:
    """Range, parity, monotone intervals, limits of the slope and its maximum, from sympy.

    For p > 0 sympy proves f'(p) > 0, so f increases on the right; f is even, so it decreases on the left, its smallest
    value is f(0), and it reaches everything up to its limit. The largest slope is where f'' = 0, found to 50 digits.
    Raises ValueError should sympy not be able to prove it.
    """
    f, slope = xtanhx(_Z), derivative("xtanhx")
    p, s = sp.symbols("p s", positive=True)
    even = f.subs(_Z, -_Z) == f
    rises = sp.factor(slope.subs(sp.tanh(_Z), 1 / (1 + s)).subs(_Z, p)).is_positive  # tanh p is between 0 and 1
    if not (even and rises):
        raise ValueError("sympy did not prove that x tanh x is even and increases for x > 0")
    with many_digits():
        largest_at = mpmath.findroot(function((_Z,), sp.diff(slope, _Z), exact=True), 1)
        largest = function((_Z,), slope, exact=True)(largest_at)
    return {
        "range": [float(f.subs(_Z, 0)), float(far_out(f, 1))],
        "parity": "even",
        "decreasing_on": [-np.inf, 0.0],
        "increasing_on": [0.0, np.inf],
        "slope_at_zero": float(slope.subs(_Z, 0)),
        "slope_at_minus_infinity": float(far_out(slope, -1)),
        "slope_at_plus_infinity": float(far_out(slope, 1)),
        "largest_slope_at": float(largest_at),
        "largest_slope": float(largest),
    }


class Wrong(NamedTuple):
    """A value that shows a mistake, and a hint where that of the catalogue does not fit."""

    value: Any
    mistake: str
    hint: str = ""


class Property(NamedTuple):
    """One line of the record: its points, what people call it, a hint for whatever is wrong, and known wrong values."""

    points: float
    label: str
    hint: str
    wrong: tuple[Wrong, ...] = ()


_TRY = MISTAKES["taken-for-monotone"].hint
_FLAT = "tanh becomes flat far out. Does x tanh x?"

PROPERTIES = {
    "range": Property(1, "range of f", "Can every number of your range be reached, and is f(-2) in it?", (
        Wrong([-np.inf, np.inf], "range-without-symmetry"),
        Wrong([-1.0, 1.0], "range-of-tanh", "This is the range of tanh. What does the factor x change?"),
        Wrong([0.0, 1.0], "range-of-tanh", "tanh stays below 1. Does x tanh x as well? Try x = 3."),
    )),
    "parity": Property(1, "parity of f", "Compare f(-x) with f(x) and with -f(x).", (
        Wrong("odd", "parity-of-one-factor"),
    )),
    "decreasing_on": Property(0.5, "where f decreases", _TRY, (Wrong("nowhere", "taken-for-monotone"),)),
    "increasing_on": Property(0.5, "where f increases", _TRY, (Wrong([-np.inf, np.inf], "taken-for-monotone"),)),
    "slope_at_zero": Property(
        0.5, "f'(0)", "Look at the picture of f and of its slope, or measure the slope between two close points.", (
        Wrong(1.0, "slope-of-tanh", "This is the slope of tanh at zero. f is a product."),
    )),
    "slope_at_minus_infinity": Property(
        0.5, "limit of f' on the left",
        "Which of the two terms of f' is left far out on the left, and what is its sign there?", (
        Wrong(0.0, "slope-of-tanh", _FLAT),
        Wrong(1.0, "sign-on-the-left"),
    )),
    "slope_at_plus_infinity": Property(
        0.5, "limit of f' on the right", "Which of the two terms of f' is left far out on the right?", (
        Wrong(0.0, "slope-of-tanh", _FLAT),
    )),
    "largest_slope_at": Property(
        1, "where f' is largest",
        "Where the slope is largest, its own derivative is zero. Four significant figures are needed.", (
        Wrong(np.inf, "largest-slope-at-the-end", "The slope tends to 1. What is it at x = 2?"),
    )),
    "largest_slope": Property(
        0.5, "the largest slope", "Put the place that you found into f'. Four significant figures are needed.", (
        Wrong(1.0, "largest-slope-at-the-end"),
    )),
}  # fmt: skip


@line_by_line
def by_property(name: str, reply: Reply) -> Verdict:
    """The verdict on one line of the record; the largest slope may follow from the student's own place."""
    got, expected = reply.values.get(name), true_properties()[name]
    if got is None:
        return Verdict("missing", message=f"`{name}` is not in your record, or still None.")
    if _same(got, expected):
        return RIGHT
    if name == "largest_slope" and _follows(got, reply.values.get("largest_slope_at")):
        return Verdict("correct", share=1.0, own=True, message="Right, given your own place.")
    nowhere = isinstance(got, str) and got == "nowhere"
    if isinstance(expected, list) and not (isinstance(got, list) and len(got) == 2) and not nowhere:
        return Verdict("wrong", message=f"`{name}` must be a list of two numbers, the left end and the right end.")
    if not isinstance(expected, list | str) and _number(got) is None:
        return Verdict("wrong", message=f"`{name}` must be one number.")
    told = f"`{name}` is not right."
    for wrong in PROPERTIES[name].wrong:
        if _same(got, wrong.value):
            return Verdict.named(wrong.mistake, title=told, hint=wrong.hint)
    return Verdict("wrong", message=told, hint=PROPERTIES[name].hint)


def _same(got: Any, expected: Any) -> bool:
    if isinstance(expected, str):
        return isinstance(got, str) and got.strip().lower() == expected
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == 2 and all(_same(g, e) for g, e in zip(got, expected))
    number = _number(got)
    if number is None or not np.isfinite(expected) or not np.isfinite(number):
        return number == expected
    return compare(number, np.array(expected), figures=4).equal if expected else abs(number) < 5e-4


def _number(value: Any) -> float | None:
    """The value as a number; an infinity may be spelt out."""
    if isinstance(value, str):
        spelt = value.strip().lower().lstrip("+")
        return {"inf": np.inf, "infinity": np.inf, "oo": np.inf, "-inf": -np.inf, "-oo": -np.inf}.get(spelt)
    array = as_numbers(value)
    return float(array.item()) if isinstance(array, np.ndarray) and array.size == 1 else None


def _follows(got: Any, place: Any) -> bool:
    number = _number(place)
    if number is None or not np.isfinite(number):
        return False
    there = float(at_each("xtanhx", np.array(number))[1])
    return there != 0 and _same(got, there)  # at zero it has been asked before
