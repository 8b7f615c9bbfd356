"""Runs of a probe beside instrumented code, and what it answers."""

from __future__ import annotations

import contextlib
import copy
import math
import random
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import codec
from ..stopwatch import OutOfTime
from . import hooks
from .hooks import IDLE, MOST_ENTRIES, MOST_HOOKS, REPLACE, TooMuch, Visit, as_array
from .instrument import Instrument

MOST_RUNS = 4000
"""Of the code, in the search for one question."""

MOST_CALLS = 1_400_000
"""So many function calls may all runs of a search make, as far as one run tells: a training is run less often."""

LEAST_RUNS = 16
"""With fewer nothing is found: so many are made of code that takes long, too."""

MOST_IN_ONE = MOST_CALLS // 2
"""A run that makes more calls than these is broken off, and not searched."""

PRECISION = 1e-8

ROUNDING = 1e-4
"""What is so much smaller than the largest entry may be off by as much as one of this size."""

HOOKED = 7
"""The call of a hook takes as long as so many others."""

SHORT = 16
"""With so few entries Python is quicker than numpy."""

Plain = dict[str, Any]


def same(a: Any, b: Any, rtol: float = PRECISION) -> bool:
    """Whether two values are the same: arrays of one shape in every entry, and anything else as it is."""
    if type(a) is type(b) is np.ndarray and a.dtype.char == b.dtype.char == "d":
        return _same_numbers(a, b, rtol)
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(same(a[key], b[key], rtol) for key in b)
    if isinstance(b, list) and isinstance(a, list) and any(isinstance(one, np.ndarray | list | dict) for one in b):
        return len(a) == len(b) and all(same(one, other, rtol) for one, other in zip(a, b))
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b) and bool(a == b)
    try:
        a, b = np.asarray(a, float), np.asarray(b, float)
    except (TypeError, ValueError):
        return False
    return _same_numbers(a, b, rtol)


def _same_numbers(a: np.ndarray, b: np.ndarray, rtol: float) -> bool:
    if a.shape != b.shape:
        return False
    if b.size <= SHORT and math.isfinite(sum(due := b.ravel().tolist())):
        least = ROUNDING * (max(map(abs, due), default=0.0) or 1.0)
        return all(abs(one - other) <= rtol * max(abs(other), least) for one, other in zip(a.ravel().tolist(), due))
    finite = np.isfinite(b)
    if not finite.all():
        if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
            return False
        a, b = a[finite], b[finite]
    size = np.abs(b)
    largest = size.max(initial=0.0)
    return bool(np.all(np.abs(a - b) <= rtol * np.maximum(size, ROUNDING * (largest or 1.0))))


def is_the_same(one: object, other: object) -> bool:
    """Whether two answers are the same, entry by entry."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_the_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_the_same, one, other))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)  # type: ignore[arg-type]
    return one == other


class Runs:
    """Runs of a probe beside the instrumented code, counted."""

    def __init__(
        self, instrument: Instrument, names: dict[str, Any], probe: Callable[[dict[str, Any], Plain], Any],
        points: list[Plain], *, again: bool,
    ) -> None:  # fmt: skip
        """Ask at these points; ``again`` runs the cells once more each time, for values that they work out."""
        self.hook, self.names, self.probe, self.points = instrument.hook, names, probe, points
        self.kept = dict(names)
        self.count, self.price = 0.0, 1.0
        """How many runs were made, as parts of whole ones: what breaks off early, or has no hooks, costs less."""
        self.shares: list[float] = []  #: of a run, up to the end of each part of the answer
        self.bounds: list[int] = []  #: so many hooks may each part of a run pass
        self.part_of: dict[str, int] = {}  #: in which part of the answer a name is asked for
        self.passed = 0
        self.given: Plain = {}  #: to the last run
        self.codes = instrument.codes() if again else []
        self.error: BaseException | None = None
        self.caught: BaseException | None = None  #: by the question, which gives it in the place of an answer
        self.most, self.calls, self.weight, self.hooks = MOST_RUNS, 0, 1, 0
        self.lazy = -1
        self.ends = float("inf")
        """With so much computing time spent, no further run is begun for the search: what it has found counts."""
        drawing = [one for one in names.values() if isinstance(one, np.random.Generator)]
        self.drawing = [(one, copy.deepcopy(one.bit_generator.state)) for one in drawing]

    def define(self, codes: list[types.CodeType]) -> None:
        """Run the cells in another form; every run has what they define."""
        if self.codes:
            kept = {one.co_filename for one in self.codes}
            self.codes = [one for one in codes if one.co_filename in kept]
            return
        with contextlib.suppress(Exception):
            for code in codes:
                exec(code, self.names)
        self.kept = dict(self.names)

    def leave_out(self, needed: set[int]) -> None:
        """Run no other cells again, where these answer the same alone."""
        before = self.codes
        fewer = [one for one in before if int(one.co_filename[6:-1]) in needed]
        if 0 < len(fewer) < len(before):
            whole = [self.run(point, {}) for point in range(len(self.points))]
            self.codes = fewer
            if not is_the_same(whole, [self.run(point, {}) for point in range(len(self.points))]):
                self.codes = before
            self.count = 0.0

    def weigh(self) -> None:
        """Count the function calls of one run, and allow so many runs."""
        calls, passed = self.counted()
        self.calls, self.weight, self.hooks = calls + passed, calls + HOOKED * passed, passed // 2
        self.most = max(LEAST_RUNS, min(MOST_RUNS, MOST_CALLS // (self.calls // 2 + 1)))

    def reprice(self) -> None:
        """Count each of the following runs as the part of a whole one that it now is."""
        calls, passed = self.counted()
        self.price = min(1.0, (calls + HOOKED * passed) / max(self.weight, 1))

    def changes_given(self) -> bool:
        """Whether the code changes what it is given."""
        found = False
        for point in range(len(self.points)):
            self.run(point, {})
            found = found or not is_the_same(self.given, self.points[point])
        return found

    def head(self, wrong: set[str]) -> float:
        """Which part of a run lies before the last of these answers: a try that mends none of them ends there."""
        last = max((self.part_of.get(name.split("\n")[0], len(self.shares)) for name in wrong), default=0)
        return self.shares[last] if last < len(self.shares) else 1.0

    def is_long(self, needed: set[int] | None = None) -> bool:
        """Whether one run, of the cells that are ``needed``, makes more calls than one may."""
        before = self.codes
        if needed is not None:
            self.codes = [one for one in before if int(one.co_filename[6:-1]) in needed]
        calls, passed = self.counted()
        self.codes = before
        return calls + passed > 2 * MOST_IN_ONE

    def counted(self) -> tuple[int, int]:
        """The function calls of one run, and those of hooks; a run of too many ends with TooMuch."""
        calls = passed = 0
        self.passed = 0
        own = {__file__, hooks.__file__, contextlib.__file__}  # reading the answers is no work of the code
        ways = vars(hooks.Hook).keys()

        def count(frame: types.FrameType, *_: Any) -> None:
            nonlocal calls, passed
            self.passed += 1
            if calls + passed > 2 * MOST_IN_ONE:
                raise TooMuch
            if frame.f_code.co_filename not in own:
                calls += 1
            elif frame.f_code.co_name in ways:
                passed += 1

        sys.setprofile(count)
        try:
            self.run(0, {})
        finally:
            sys.setprofile(None)
            self.passed = 0
        return calls, passed

    def run(
        self, point: int, over: dict[Visit, Any], mode: int = REPLACE, keeps: Callable[[Plain], bool] = lambda _: True
    ) -> Plain:
        """What the probe answers at a point; what was there before an error counts, and the error is kept.

        ``keeps`` says of each part of the answer whether the rest is worth its time.
        """
        if time.process_time() > self.ends:
            self.most = min(self.most, int(self.count))
        values: Plain = {}
        seen, ends, bounds = 0, list[int](), list[int]()
        with self.running(over, point, mode):
            self.hook.left = most = self.bounds[0] if self.bounds else MOST_HOOKS
            for code in self.codes:
                exec(code, self.names)
            for part in self._parts(self.probe(self.names, self.given)):
                self.part_of.update(dict.fromkeys(part, seen))
                seen += 1
                ends.append(self.passed)
                bounds.append(5_000 + 10 * (most - self.hook.left))
                values.update(part)
                if not keeps(part):
                    break
                self.hook.left = most = self.bounds[seen] if seen < len(self.bounds) else MOST_HOOKS
        if ends and ends[-1]:
            self.shares = [one / ends[-1] for one in ends]
            self.bounds = [min(MOST_HOOKS, one) for one in bounds]
        at = seen - (self.error is None)  # an error came out of the next part
        self.count += self.price * (self.shares[at] if 0 <= at < len(self.shares) else 1.0)
        return values

    @contextlib.contextmanager
    def running(self, over: dict[Visit, Any], point: int = 0, mode: int = REPLACE) -> Iterator[None]:
        """Where code runs: what it draws is the same each time, its error is kept, and names are put back."""
        self.error = self.caught = None
        self.given = _fresh(self.points[point])
        random.seed(0)
        np.random.seed(0)
        for generator, state in self.drawing:
            generator.bit_generator.state = state
        self.hook.begin(mode, over)
        try:
            with np.errstate(all="ignore"):
                yield
        except OutOfTime:
            raise
        except BaseException as error:  # also MemoryError: another size may ask for too much
            self.error = error
        finally:
            self.hook.mode = IDLE
            self.names.clear()
            self.names.update(self.kept)

    def _parts(self, found: Any) -> Iterator[Plain]:
        for part in found if isinstance(found, types.GeneratorType) else [found]:
            self.caught = self.caught or next((one for one in part.values() if isinstance(one, Exception)), None)
            yield {name: readable(value) for name, value in part.items()}


@contextlib.contextmanager
def same_draws() -> Iterator[None]:
    """Let a generator without a seed give the same numbers at every run, to the solution and to the student."""
    drawn = np.random.default_rng

    def seeded(seed: Any = None) -> np.random.Generator:
        return drawn(0 if seed is None else seed)

    np.random.default_rng = seeded
    try:
        yield
    finally:
        np.random.default_rng = drawn


def _fresh(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _fresh(one) for key, one in value.items()}
    return [_fresh(one) for one in value] if isinstance(value, list) else value


def readable(value: Any) -> Any:
    """An answer as it is compared: an array, a list of arrays, or what it is made of."""
    if isinstance(value, bool | str) or value is None:
        return value
    rows = _rows(value)
    made = as_array(value) if rows is None else rows
    if made is None:
        with contextlib.suppress(codec.BadValue):
            return codec.plain(value)
    return made


def _rows(value: Any) -> list[Any] | None:
    """The arrays of a list of arrays, whose shapes may be the same at one point, and differ at another."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, np.ndarray) for one in value):
        return None
    if not all(one.ndim and one.dtype.kind in "biuf" for one in value):
        return None
    return [np.array(one, float) if one.size <= MOST_ENTRIES else _some(one) for one in value]


def _some(value: np.ndarray) -> np.ndarray:
    """Entries of all parts of a large array, after its shape: to copy all of it at every run takes most of the time."""
    every = value.size // MOST_ENTRIES | 1
    return np.concatenate([value.shape, np.ravel(value)[::every]]).astype(float)


def unsteady(first: list[Plain], second: list[Plain]) -> set[str]:
    """The names under which two runs have given something else."""
    found: set[str] = set()
    for one, other in zip(first, second):
        found |= one.keys() ^ other.keys()
        for name in one.keys() & other.keys():
            value, again = one[name], other[name]
            if isinstance(value, int | float | np.ndarray) and not np.array_equal(value, again, equal_nan=True):
                found.add(name)
    return found


def entries(value: Any) -> int:
    """How many arrays a list or a row of matrices holds; -1 for anything that is one value."""
    if isinstance(value, list):
        return len(value) if any(np.ndim(one) for one in value if isinstance(one, np.ndarray)) else -1
    return len(value) if isinstance(value, np.ndarray) and value.ndim == 3 else -1


def as_rows(values: Plain, due: dict[str, int]) -> Plain:
    """The values, with a list of its rows for an array where a list is due."""
    return {
        name: list(value) if isinstance(value, np.ndarray) and value.ndim and due.get(name, -1) >= 0 else value
        for name, value in values.items()
    }


def parts(values: Plain) -> Plain:
    """The entries of lists of arrays and of dicts, each by a name of its own, so that each can be right."""
    found: Plain = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update(parts({f"{name}\n{key}": one for key, one in value.items()}))
        elif entries(value) >= 0:
            found.update(parts({f"{name}\n{number}": one for number, one in enumerate(value)}))
        else:
            found[name] = value
    return found
