"""Many digits in one thread at a time: mpmath keeps its precision in one place for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import mpmath

DIGITS = 50
"""Decimal digits of the exact evaluation; results are rounded to float64 once, at the end."""

_LOCK = threading.RLock()


@contextmanager
def many_digits(digits: int = DIGITS) -> Iterator[None]:
    """Compute with so many digits inside; another thread that asks for them waits."""
    with _LOCK, mpmath.workdps(digits):
        yield
