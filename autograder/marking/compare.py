"""Is this value the expected one? Shape before value; tolerance by the precision of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.tolerance import agree, rounded_to_single, tolerance

HAND = 2e-3
"""Relative tolerance for values worked out by hand with four significant figures carried.

``tests/marking/test_compare.py`` works the calculation through with every intermediate rounded to four figures
and shows that this is enough, and that a half of it is not."""


@dataclass(frozen=True)
class Comparison:
    """How an answer compares with an expected value.

    ``shape`` is ``same``, ``flat`` (the numbers fit after adding or dropping axes of length one) or ``other``.
    ``difference`` is |got - expected| of every entry relative to the largest expected one, or None when the shapes
    do not fit. ``problem`` says in words why the answer is not an array of numbers; it is empty otherwise.
    """

    equal: bool
    shape: str = "same"
    difference: np.ndarray | None = None
    problem: str = ""


def as_numbers(value: Any) -> np.ndarray | str:
    """The value as an array of numbers, or a sentence that says why it is none.

    >>> as_numbers([1, [2, 3]])
    'it is not an array of numbers: its rows have different lengths'
    """
    if value is None:
        return "it is still None"
    if unreadable := problem_in(value):
        return unreadable
    if isinstance(value, str | dict):
        return f"it is {'text' if isinstance(value, str) else 'a dictionary'}, not an array of numbers"
    try:
        array = np.asarray(value)
    except ValueError:
        return "it is not an array of numbers: its rows have different lengths"
    if array.dtype.kind not in "biufc":
        return "it is not an array of numbers"
    if array.dtype.kind == "c":
        if np.any(array.imag != 0):
            return "it holds complex numbers"
        array = array.real
    return array


def problem_in(value: Any) -> str:
    """Why a value, or the first part of a list, could not be read; empty when all could.

    The isolated side sends the reason in the place of what may not cross the border.
    """
    if isinstance(value, list):
        return next(filter(None, map(problem_in, value)), "")
    return getattr(value, "problem", "") if isinstance(value, str) else ""


def whole_numbers(value: Any) -> np.ndarray | None:
    """The value as a row of whole numbers, an empty one for an empty list; None when it is something else.

    >>> whole_numbers([2.0, 3]), whole_numbers(0.5)
    (array([2, 3]), None)
    """
    array = as_numbers(value)
    if isinstance(array, str) or not np.all(np.abs(array) < 2**53) or np.any(array != np.round(array)):
        return None
    return array.ravel().astype(int)


def compare(got: Any, expected: np.ndarray, *, rtol: float | None = None, figures: int | None = None) -> Comparison:
    """Compare an answer with an expected array.

    An entry agrees when its error is at most what :func:`autograder.tolerance.allowed` says; ``rtol`` is taken from the
    dtype of the answer unless it is given. With ``figures`` an entry agrees when it is the expected one rounded to so
    many significant figures, or anything nearer.
    """
    array = as_numbers(got)
    if isinstance(array, str):
        return Comparison(False, "other", None, array)
    expected = np.asarray(expected, dtype=float)
    shape = "same"
    if array.shape != expected.shape:
        if tuple(n for n in array.shape if n != 1) != tuple(n for n in expected.shape if n != 1):
            return Comparison(False, "other")
        shape = "flat" if expected.ndim else "same"  # an array with one entry is one number
    values = array.astype(float).reshape(expected.shape)
    with np.errstate(all="ignore"):
        error = np.abs(values - expected)
        if figures is None:
            equal = agree(values, expected, tolerance(array).right if rtol is None else rtol)
        else:
            # half a unit of the last figure, and a little for numbers that lie on the edge
            unit = 10.0 ** (np.floor(np.log10(np.abs(expected))) + 1 - figures)
            equal = bool((error <= 0.505 * unit).all())
        difference = error / (float(np.abs(expected).max(initial=0.0)) or 1.0)
    return Comparison(equal, shape, difference)


def compare_all(
    got: Sequence[Any],
    expected: Sequence[np.ndarray],
    *,
    rtol: float | None = None,
    figures: int | None = None,
    by_content: bool = True,
) -> list[Comparison]:
    """Compare the answers at all challenges.

    Precision is judged ``by_content``: what is kept in double precision and was worked out in single precision, at
    every challenge, is right. Where a question asks for a formula, and a difference quotient would be as near, it is
    judged by the dtype alone.
    """
    found = [compare(one, want, rtol=rtol, figures=figures) for one, want in zip(got, expected)]
    if all(one.equal for one in found) or any(one.difference is None for one in found):
        return found
    if rtol is not None or figures is not None or not by_content:
        return found
    wanted = [np.asarray(want, dtype=float) for want in expected]
    values = [np.asarray(one).astype(float).reshape(want.shape) for one, want in zip(got, wanted)]
    return [replace(one, equal=True) for one in found] if rounded_to_single(values, wanted) else found
