"""Runs of a probe beside instrumented code: what it answers, and what a solution gives in its expressions."""

from __future__ import annotations

import contextlib
import random
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from . import codec
from .hooks import IDLE, MOST_HOOKS, RECORD, REPLACE, Visit, as_array
from .instrument import Instrument
from .stopwatch import OutOfTime

MOST_RUNS = 4000
"""Of the code, in the search for one question."""

MOST_CALLS = 1_400_000
"""So many function calls may all runs of a search make, as far as one run tells: a training is run less often."""

MOST_QUANTITIES = 500
PRECISION = 1e-8

Plain = dict[str, Any]


def same(a: Any, b: Any, rtol: float = PRECISION) -> bool:
    """Whether two values are the same: arrays of one shape in every entry, and anything else as it is."""
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
    if a.shape != b.shape:
        return False
    finite = np.isfinite(b)
    if not finite.all():
        if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
            return False
        a, b = a[finite], b[finite]
    size = np.abs(b)
    largest = size.max(initial=0.0)
    return bool(np.all(np.abs(a - b) <= rtol * np.maximum(size, 0.01 * (largest or 1.0))))


class Runs:
    """Runs of a probe beside the instrumented code, counted."""

    def __init__(
        self, instrument: Instrument, names: dict[str, Any], probe: Callable[[dict[str, Any], Plain], Any],
        points: list[Plain], *, again: bool,
    ) -> None:  # fmt: skip
        """Ask at these points; ``again`` runs the cells once more each time, for values that they work out."""
        self.hook, self.names, self.probe, self.points = instrument.hook, names, probe, points
        self.kept, self.count = dict(names), 0
        self.codes = instrument.codes() if again else []
        self.error: BaseException | None = None
        self.most, self.calls = MOST_RUNS, 0
        self.lazy = -1

    def define(self, codes: list[types.CodeType]) -> None:
        """Run the cells in another form; every run has what they define."""
        if self.codes:
            self.codes = codes
            return
        with contextlib.suppress(Exception):
            for code in codes:
                exec(code, self.names)
        self.kept = dict(self.names)

    def weigh(self) -> None:
        """Count the function calls of one run, and allow so many runs."""
        calls = 0

        def count(*_: Any) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            self.run(0, {})
        finally:
            sys.setprofile(None)
        self.hook.most = min(MOST_HOOKS, 5_000 + 10 * (self.hook.most - self.hook.left))
        self.calls = calls
        self.most = max(16, min(MOST_RUNS, MOST_CALLS // (calls // 2 + 1)))

    def run(self, point: int, over: dict[Visit, Any], mode: int = REPLACE) -> Plain:
        """What the probe answers at a point; what was there before an error counts, and the error is kept."""
        self.count += 1
        values: Plain = {}
        self.error = None
        given = _fresh(self.points[point])
        random.seed(0)
        np.random.seed(0)
        self.hook.begin(mode, over)
        try:
            with np.errstate(all="ignore"):
                for code in self.codes:
                    exec(code, self.names)
                _gather(self.probe(self.names, given), values)
        except OutOfTime:
            raise
        except BaseException as error:  # also MemoryError: another size may ask for too much
            self.error = error
        finally:
            self.hook.mode = IDLE
            self.names.clear()
            self.names.update(self.kept)
        return values


def _fresh(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _fresh(one) for key, one in value.items()}
    return [_fresh(one) for one in value] if isinstance(value, list) else value


def _gather(found: Any, values: Plain) -> None:
    for part in found if isinstance(found, types.GeneratorType) else [found]:
        for name, value in part.items():
            array = as_array(value)
            values[name] = value if isinstance(value, bool | str) else array
            if values[name] is None and value is not None:
                try:
                    values[name] = codec.plain(value)
                except codec.BadValue:
                    values[name] = None


def recorded(runs: Runs, instrument: Instrument) -> Plain:
    """What a solution answers at every point, and the different values that its expressions had."""
    answers, seen = [], []
    for point in range(len(runs.points)):
        answers.append(runs.run(point, {}, RECORD))
        seen.append(runs.hook.seen)
    found: dict[bytes, Plain] = {}
    for key in seen[0]:
        values = [one[key][0] for one in seen if key in one]
        if len(values) < len(seen) or any(isinstance(one, bool) for one in values):
            continue
        name = b"".join(np.round(one, 12).tobytes() + str(one.shape).encode() for one in values)
        if name not in found and len(found) >= MOST_QUANTITIES:
            continue
        node = instrument.nodes[key[0]]
        place = {"cell": node.cell, "line": node.line, "visit": key[1]}
        known = {"text": node.text[:80], "size": node.size, "values": values, "whole": "", **place}
        one = found.setdefault(name, known)
        one["whole"] = one["whole"] or (node.target if node.root == "assign" else "")
    return {"answers": answers, "quantities": list(found.values())}


def alike(first: list[Plain], second: list[Plain]) -> bool:
    """Whether two runs have given the same."""
    for one, other in zip(first, second):
        if one.keys() != other.keys():
            return False
        for value, again in zip(one.values(), other.values()):
            if isinstance(value, np.ndarray) and not np.array_equal(value, again, equal_nan=True):
                return False
    return True


def entries(value: Any) -> int:
    """How many arrays a list or a row of matrices holds; -1 for anything that is one value."""
    if isinstance(value, list):
        return len(value) if any(np.ndim(one) for one in value if isinstance(one, np.ndarray)) else -1
    return len(value) if isinstance(value, np.ndarray) and value.ndim == 3 else -1


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
