"""What every expression of instrumented code passes through: values are recorded, or replaced by others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .formulas import Formula, sampled

MOST_HOOKS = 400_000
"""So many expressions may one run pass: what loops without end is not searched."""

MOST_VISITS = 8
"""So many visits of one expression are looked at."""

MOST_ENTRIES = 4096
"""So many entries of a row, and of an answer that is compared at every run, are looked at."""

MOST_OF_ARRAY = 1 << 16
"""So many entries may an array have that is looked at."""

LONGEST = 64
"""So many visits of an expression are looked at as one row."""

MOST_IN_CALLS = 2000
"""So many numbers and truth values of one expression are looked at, call by call of what is asked."""

NUMBERS = frozenset((bool, int, float, np.bool_, np.float64, np.int64))

IDLE, RECORD, REPLACE = 0, 1, 2

Visit = tuple[int, int]
"""An expression by its number, and which of its visits."""


class TooMuch(BaseException):
    """A run that passes more expressions than is allowed."""


class Hook:
    """What every expression passes through: it records or replaces values, or does nothing."""

    def __init__(self) -> None:
        """Do nothing."""
        self.mode, self.left = IDLE, MOST_HOOKS
        self.visits: dict[int, int] = {}
        self.seen: dict[Visit, tuple[Any, Any, int]] = {}
        self.rows: dict[int, list[Any]] = {}
        self.over: dict[int, dict[int, Any]] = {}
        self.generators: set[int] = set()  #: the expressions that give a generator of random numbers
        self.left_behind: dict[Visit, dict[str, Any]] = {}
        self.reached: Visit = (-1, -1)  #: where an error first came out of what is worked out lazily
        self.asked: frozenset[int] = frozenset()
        """The functions that the question asks for: each return of one of them ends a call."""
        self.call, self.within = 0, dict[int, int]()
        self.in_calls: dict[int, list[tuple[int, Any]]] = {}
        self.over_calls: dict[int, dict[tuple[int, int], Any]] = {}
        self._stored: Any = None

    def begin(self, mode: int, over: dict[Visit, Any] | None = None) -> None:
        """Start a run."""
        self.mode, self.left, self.visits, self.seen, self.over = mode, MOST_HOOKS, {}, {}, {}
        self.left_behind, self.reached, self.rows = {}, (-1, -1), {}
        self.call, self.within, self.in_calls, self.over_calls = 0, {}, {}, {}
        for (index, visit), value in (over or {}).items():
            if isinstance(visit, tuple):
                self.over_calls.setdefault(index, {})[visit] = value
            else:
                self.over.setdefault(index, {})[visit] = value

    def tick(self) -> None:
        """One turn of a loop. Raises TooMuch."""
        self.left -= 1
        if self.left < 0:
            raise TooMuch

    def value(self, index: int, value: Any) -> Any:
        """The value of an expression, or what is to stand in its place. Raises TooMuch."""
        if not self.mode:
            return value
        self.left -= 1
        if self.left < 0:
            raise TooMuch
        if index in self.over_calls:
            number = self.within[index] = self.within.get(index, -1) + 1
            wanted_here = self.over_calls[index].get((self.call, number))
            value = value if wanted_here is None else _in_place_of(value, wanted_here)
        if self.mode == RECORD:
            visit = self.visits[index] = self.visits.get(index, -1) + 1
            if visit <= LONGEST or (self.asked and visit < MOST_IN_CALLS):
                self._keep((index, visit), value)
            wanted = self.over.get(index)
        else:
            wanted = self.over.get(index)
            if wanted is None:
                return value
            visit = self.visits[index] = self.visits.get(index, -1) + 1
        if wanted is None or visit not in wanted:
            return value
        return _in_place_of(value, wanted[visit])

    def lazily(self, index: int, work_out: Callable[[], Any]) -> Any:
        """What is to stand in the place of an expression, or its value."""
        visit = self.visits.get(index, -1) + 1
        if visit in self.over.get(index, {}):
            self.visits[index] = visit
            return _in_place_of(None, self.over[index][visit])
        try:
            value = work_out()
        except BaseException:
            if self.reached[0] < 0:
                self.reached = index, visit
            raise
        return self.value(index, value)

    def leaves(self, index: int, names: dict[str, Any]) -> None:
        """The end of a function: what it should have left behind can be put there."""
        if not self.mode:
            return
        visit = self.visits[index] = self.visits.get(index, -1) + 1
        if self.mode == RECORD and visit < 3:
            self.left_behind[index, visit] = names
        for (owner, attribute), value in self.over.get(index, {}).get(visit, {}).items():
            setattr(names[owner], attribute, value)
        if index in self.asked:
            self.call += 1
            self.within.clear()

    def stores(self, index: int, value: Any) -> bool:
        """Whether a variable is to get another value, which :meth:`stored` gives; an array gets it in place."""
        made = self.value(index, value)
        if made is value:
            return False
        if isinstance(value, np.ndarray) and isinstance(made, np.ndarray) and value.shape == made.shape:
            try:
                value[...] = made
                return False
            except (TypeError, ValueError):
                pass
        self._stored = made
        return True

    def stored(self) -> Any:
        """The value for a variable."""
        return self._stored

    def _keep(self, key: Visit, value: Any) -> None:
        if self.asked and type(value) in NUMBERS:
            mine = self.in_calls.setdefault(key[0], [])
            if len(mine) < MOST_IN_CALLS:
                mine.append((self.call, value))
        if key[1] > LONGEST:
            return
        found = as_array(value)
        self.rows.setdefault(key[0], []).append(found)
        if key[1] >= MOST_VISITS:
            return
        if found is not None:
            self.seen[key] = (found, value, len(self.seen))
        elif type(value) in (bool, np.bool_):
            self.seen[key] = (bool(value), value, len(self.seen))
        elif isinstance(value, np.random.Generator | np.random.RandomState) or value is np.random:
            self.generators.add(key[0])


def as_array(value: Any) -> np.ndarray | None:
    """A copy of what is an array of numbers, or a number; None for anything else, and for what is large."""
    kind = type(value)
    try:
        if kind is range:
            return np.array(value, float) if len(value) <= MOST_OF_ARRAY else None
        if kind is np.ndarray:
            if value.dtype.kind in "biuf" and value.size <= MOST_OF_ARRAY:
                return np.array(value, float)
        elif kind in (int, float) or (kind is not np.bool_ and issubclass(kind, np.number)):
            return np.array(float(value))
        elif kind in (list, tuple) and 0 < len(value) <= 200 and not _is_deep(value):
            arrays = [one for one in value if isinstance(one, np.ndarray)]
            if len({one.shape for one in arrays}) > 1 or sum(one.size for one in arrays) > MOST_OF_ARRAY:
                return None  # numpy takes milliseconds to say so
            made = np.array(value)
            if made.dtype.kind in "iuf" and made.size <= MOST_OF_ARRAY:
                return made.astype(float)
        elif kind.__module__.startswith("sympy."):
            return sampled(value)
    except (TypeError, ValueError, OverflowError):
        pass
    return None


def _is_deep(value: Any, depth: int = 4) -> bool:
    """Whether lists stand in lists too often: numpy goes for ever into one that holds itself, as changes make it."""
    if not isinstance(value, list | tuple):
        return False
    return not depth or any(_is_deep(one, depth - 1) for one in (*value[:1], *value[-1:]))


def _in_place_of(value: Any, wanted: Any) -> Any:
    """The wanted value in the form of what is there: whole numbers stay whole, for they may be indices."""
    if isinstance(wanted, bool):
        return wanted
    if isinstance(wanted, Formula):
        return value if wanted.expression is None else wanted.expression
    is_whole = _holds_whole(value) and bool(np.all(wanted == np.floor(wanted)))
    if isinstance(value, list | tuple):
        made = wanted.astype(int) if is_whole else wanted
        return type(value)(made.tolist()) if wanted.ndim else made.item()
    if wanted.ndim == 0 and not isinstance(value, np.ndarray):
        return int(wanted) if isinstance(value, int) and float(wanted).is_integer() else float(wanted)
    return wanted.astype(value.dtype if isinstance(value, np.ndarray) else int) if is_whole else wanted.copy()


def _holds_whole(value: Any) -> bool:
    """Whether it is an array, a list or a range of whole numbers."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "iu"
    return isinstance(value, range) or (isinstance(value, list | tuple) and bool(value) and type(value[0]) is int)
