"""Where in a student's code a wrong answer comes from: the search, and what is believed of its result."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Probe, Values
from autograder.locate.job import Beside, Draw, points, to_record, to_repair
from autograder.locate.quantities import Quantity, described, quantities
from autograder.sandbox import Job, Outcome

Run = Callable[[Job], Outcome]

RTOL = 1e-7


class NotRun(Exception):
    """A job of a search was not run before, and may not be run now."""


@dataclass(frozen=True)
class Solution:
    """What the course's solution answers to a probe at the points of the search, and every exact quantity there."""

    asked: Mapping[str, Any]
    table: tuple[Quantity, ...]


def solutions(
    exercise: Exercise, seed: int, job: Job, cells: Sequence[int], run: Run, probes: Sequence[Probe],
    draw: Draw = points,
) -> dict[str, Solution]:  # fmt: skip
    """The solution's answers by probe, at the points that are drawn; what cannot be recorded is left out."""
    outcome = run(to_record(job, probes, seed, cells, draw))
    found = {}
    for probe in probes:
        answer = outcome.answers[probe.name][0]
        if answer.status != "answered" or not answer.values.get("answers"):
            continue
        network = next((q.network for q in exercise.questions if q.probe is probe and q.network), None)
        given, shown = draw(probe, seed)
        exact = [{name: value for name, value in one.items() if value is not None} for one in answer.values["answers"]]
        recorded, rows, in_calls, handed = (
            answer.values[name] for name in ("quantities", "rows", "in_calls", "handed")
        )
        if numbers := own_numbers(exercise, probe):  # the solution calculates with those of the sheet
            assert exercise.personal is not None
            true, recorded, rows, in_calls, handed = exercise.personal.truth(numbers), [], [], [], []
            exact = [{name: np.reshape(true[name], np.shape(value)) for name, value in one.items()} for one in exact]
        table = quantities(described(network), given, recorded, exact)
        asked = asked_of(given, exact, table, shown, rows, in_calls, handed)
        found[probe.name] = Solution(asked, tuple(table))
    return found


def own_numbers(exercise: Exercise, probe: Probe) -> Values | None:
    """The numbers of the one student whose exercise this is, where a probe asks for what follows from them."""
    if exercise.personal is None or exercise.rewritten is None:
        return None
    kept = probe.challenges(np.random.default_rng(0))[0].kept
    sheet = exercise.personal.sheet
    return kept if kept.keys() == sheet.keys() and kept is not sheet else None


def asked_of(
    points: Sequence[Values],
    exact: Sequence[Values],
    table: Sequence[Quantity],
    shown: int,
    rows: Sequence[Mapping[str, Any]] = (),
    in_calls: Sequence[Mapping[str, Any]] = (),
    handed: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What a search is given: the points, the exact answers and every quantity there, and which point is shown."""
    return {
        "points": list(points),
        "exact": list(exact),
        "table": [list(one.values) for one in table],
        "levels": [one.level for one in table],
        "wholes": [_hashed(one.whole) for one in table],
        "formulas": [one.formula for one in table],
        "named": [bool(one.text) for one in table],
        "rows": [_with_hashes(one) for one in rows],
        "handed": [_with_hashes(one) for one in handed],
        "in_calls": [{**one, "names": [_hashed(name) for name in one["names"]]} for one in in_calls],
        "rtol": RTOL,
        "shown": shown,
    }


def _with_hashes(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{way: [_hashed(name) for name in row[way]] for way in ("names", "read")}}


def _hashed(name: str) -> int:
    """What the sandbox may know of a name in the course's solution."""
    return zlib.crc32(name.encode()) if name else 0


@dataclass(frozen=True)
class Piece:
    """A piece of the same statement that gives an exact quantity."""

    line: int
    end_line: int
    col: int
    end_col: int
    given: Quantity | None


@dataclass(frozen=True)
class Repair:
    """One repair that came back, with the names of its quantities."""

    probe: str
    cell: int
    line: int
    end_line: int
    col: int
    end_col: int
    visit: int
    kind: str
    due: Quantity | None
    given: Quantity | None
    mends: tuple[str, ...]
    got: Any = None  #: its value at the small shown example
    expected: Any = None
    sound: tuple[Piece, ...] = ()
    beside: tuple[str, ...] = ()  #: what is right without it
    here: bool = False  #: whether a name holds what it should, and not what is due where it is used


def search(
    job: Job, cells: Sequence[int], probes: Sequence[Probe], known: Mapping[str, Solution], run: Run,
    beside: Mapping[str, Beside] = MappingProxyType({}), failed: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, list[Repair]], list[Probe], list[Probe]]:  # fmt: skip
    """The repairs of a student's code by probe, the probes to which all its answers are right, and those to which it
    has made another choice than the solution.

    ``beside`` has, by probe, what :func:`to_repair` is told beside the answers. ``failed`` hears of errors of the
    search itself, which keeps what it has found until then.
    """
    wanted = [probe for probe in probes if probe.name in known]
    if not wanted:
        return {}, [], []
    outcome = run(to_repair(job, {name: one.asked for name, one in known.items()}, wanted, cells, beside))
    found, right, other = {}, [], []
    for probe in wanted:
        answer = outcome.answers[probe.name][0]
        right += [probe] if answer.status == "answered" and answer.values.get("right") else []
        other += [probe] if answer.status == "answered" and answer.values.get("other") else []
        if message := answer.values.get("failed"):
            failed(f"the search in the answers to {probe.name} has failed: {message}")
        table = known[probe.name].table
        found[probe.name] = [
            _read(probe.name, one, table) for one in answer.values.get("found", ()) if answer.status == "answered"
        ]
    return found, right, other


def _read(probe: str, one: Mapping[str, Any], table: Sequence[Quantity]) -> Repair:
    def quantity(found: Mapping[str, Any], name: str) -> Quantity | None:
        number = int(np.asarray(found[name]))
        return table[number] if 0 <= number < len(table) else None

    def numbers(found: Mapping[str, Any], *names: str) -> dict[str, int]:
        return {name: int(np.asarray(found[name])) for name in names}

    place = ("line", "end_line", "col", "end_col")
    return Repair(
        probe, **numbers(one, "cell", *place, "visit"), kind=str(one["kind"]), due=quantity(one, "due"),
        given=quantity(one, "given"), mends=tuple(str(name) for name in one["mends"]), got=one["got"],
        expected=one["expected"],
        sound=tuple(Piece(**numbers(part, *place), given=quantity(part, "given")) for part in one["sound"]),
        beside=tuple(str(name) for name in one.get("beside", ())), here=bool(one.get("here")),
    )  # fmt: skip
