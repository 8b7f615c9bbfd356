"""How exactly a number must be met: one table, for marks and for the explanation of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log

import numpy as np


@dataclass(frozen=True)
class Tolerance:
    """Relative tolerances for numbers of one precision.

    ``right`` is what a right answer is allowed, ``proof`` how near a wrong formula must come to be named as the reason;
    None where the numbers have too few digits to prove anything.
    """

    right: float
    proof: float | None


DOUBLE = Tolerance(right=1e-7, proof=1e-9)
"""Right float64 answers agree to about 5e-15. Integers and booleans are exact numbers."""

SINGLE = Tolerance(right=1e-3, proof=1e-4)

HALF = Tolerance(right=SINGLE.right, proof=None)
"""An answer chooses its precision, and so must not gain by it: half precision is allowed no more than single."""

BY_DTYPE = {"float32": SINGLE, "float16": HALF}

FLOOR = 1e-2
"""Entries smaller than this part of the largest expected one are compared on that scale: near zero, cancellation
leaves no relative precision to ask for."""

ROUNDING = 2e-6
"""Largest error, relative to the largest expected entry, of an array that was worked out in single precision.

These are 17 units of the last place; ``tests/marking/test_precision.py`` measures a third of it at most. The smallest
error of a known wrong solution is 4.7e-4."""

STRUCTURE = 1e-9
"""Errors whose signs change so seldom that chance would do it less often than this are no rounding errors."""


def tolerance(array: np.ndarray) -> Tolerance:
    """The tolerances for numbers of this array's dtype."""
    return BY_DTYPE.get(array.dtype.name, DOUBLE)


def allowed(expected: np.ndarray, rtol: float) -> np.ndarray:
    """The largest error that each entry may have: rtol * max(|expected|, FLOOR * max |expected|)."""
    size = np.abs(expected)
    return np.asarray(rtol * np.maximum(size, FLOOR * (float(size.max(initial=0.0)) or 1.0)))


def agree(values: np.ndarray, expected: np.ndarray, rtol: float) -> bool:
    """Whether two arrays have one shape and agree in every entry; what is not finite agrees with nothing."""
    with np.errstate(all="ignore"):
        return values.shape == expected.shape and bool((np.abs(values - expected) <= allowed(expected, rtol)).all())


def rounded_to_single(values: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    """Whether the errors of these arrays are those of single precision, whatever dtype they are kept in.

    They are at most :data:`ROUNDING`, and they have no structure: sorted by the expected values, their signs change as
    often as chance lets them. A slope that is measured between two points is as near, but its error is smooth.
    """
    signs: list[np.ndarray] = []
    for got, want in zip(values, expected):
        error = np.ravel(got - want)
        if not np.all(np.abs(error) <= ROUNDING * float(np.max(np.abs(want), initial=0.0))):
            return False
        ordered = error[np.argsort(np.ravel(want), kind="stable")]
        signs.append(np.sign(ordered[ordered != 0]))
    return chance_of_so_few_changes(signs) >= STRUCTURE


def chance_of_so_few_changes(signs: list[np.ndarray]) -> float:
    """The chance at most that fair coins, in rows of these lengths, change from throw to throw as seldom as ``signs``.

    n rows' neighbours are n fair coins again: P(at most k of n) <= 2^-n sum_{i <= k} (n choose i), added up exactly.
    """
    changes = sum(int(np.count_nonzero(row[1:] != row[:-1])) for row in signs)
    n = sum(max(len(row) - 1, 0) for row in signs)
    logs = [lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) - n * log(2) for i in range(changes + 1)]
    return float(min(1.0, np.sum(np.exp(logs))))
