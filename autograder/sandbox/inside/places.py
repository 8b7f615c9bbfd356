"""What the notebook's plain names held at the places where questions stand, before later cells gave them other values.

Numbers, texts, arrays and lists and dicts of those are remembered; functions and classes are not, and are asked as they
are in the end. A name without a value, or one that is left open, is not remembered either.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from . import codec

MOST_BYTES = 1 << 16
"""Of one value: what is larger is no answer that somebody has written down."""

MOST_ITEMS = 1000
_DEPTH = 6
_KEPT_AS_THEY_ARE = (bool, int, float, complex, str, np.generic)


class _Other(Exception):
    """The value is no plain one, or too large."""


def remembered(names: dict[str, Any]) -> dict[str, Any]:
    """Copies of the plain values among the notebook's globals."""
    found = {}
    for name, value in names.items():
        if value is None or value is Ellipsis or name.startswith("_"):
            continue
        with contextlib.suppress(_Other):
            found[name] = copied(value)
    return found


def copied(value: Any) -> Any:
    """A copy that later code cannot change. Raises an error for what is no plain value."""
    return _copied(value, _DEPTH, [MOST_ITEMS])


def _copied(value: Any, depth: int, left: list[int]) -> Any:
    kind = type(value)
    left[0] -= 1
    if not depth or left[0] < 0:
        raise _Other
    if kind is np.ndarray:
        if value.dtype.hasobject or value.nbytes > MOST_BYTES:
            raise _Other
        return value.copy()
    if kind is list or kind is tuple:
        return kind([_copied(item, depth - 1, left) for item in value])
    if kind is dict:
        return {key: _copied(item, depth - 1, left) for key, item in value.items()}
    plain = value is None or value is Ellipsis or issubclass(kind, _KEPT_AS_THEY_ARE)
    number = hasattr(kind, "__float__") and not hasattr(kind, "__array__")  # a fraction, an expression
    if plain or number or depth < _DEPTH:  # what stands in a list, plain or not, stays what it is
        return value
    raise _Other


def changed_since(then: dict[str, Any], now: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Those of these names that had another value then, with copies of it."""
    return {
        name: copied(then[name])
        for name in sorted(names & then.keys())
        if name not in now or (now[name] is not then[name] and _bytes(now[name]) != _bytes(then[name]))
    }


def _bytes(value: Any) -> bytes:
    return codec.encode(codec.readable({"value": value}), max_bytes=1 << 62)
