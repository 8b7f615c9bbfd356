"""Exact evaluation in several threads: mpmath has one precision for the whole process."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpmath

import autograder
from autograder.truth import many_digits
from autograder.truth.precision import DIGITS


def third(_):
    with many_digits():
        digits = []
        for _ in range(200):
            digits.append(mpmath.mp.dps)
            mpmath.mpf(1) / 3
    return set(digits)


def test_every_thread_computes_with_all_digits_and_leaves_none_behind():
    before = mpmath.mp.dps
    with ThreadPoolExecutor(4) as pool:
        assert set.union(*pool.map(third, range(40))) == {DIGITS}
    assert mpmath.mp.dps == before != DIGITS


def test_it_may_be_asked_for_inside():
    with many_digits(), many_digits():
        assert mpmath.mp.dps == DIGITS


def test_no_module_asks_mpmath_for_digits_on_its_own():
    """Another thread would take them away: marks are given in several at once."""
    package = Path(autograder.__file__).parent
    asking = [path.name for path in package.rglob("*.py") if "workdps" in path.read_text(encoding="utf-8")]
    assert asking == ["precision.py"]
