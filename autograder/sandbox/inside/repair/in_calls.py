"""Numbers and truth values, call by call of what is asked: a function may end earlier or later than the solution's.

A checker that is asked about forty gradients passes its comparison as often as it takes. The visits of an expression
are counted anew in every call, and what the solution gives at the same visit of the same call can stand there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .instrument import Instrument, Node, leaves
from .rows import FIRST, OF_THAT_NAME, Rows
from .runs import PRECISION, Plain
from .seen import Candidate

MOST = 200
"""So many different ones of a solution are kept."""

ROUNDING = 1e-12
"""Beside the largest number of a call this is nothing."""

InCalls = list[dict[tuple[int, int], Any]]
"""At every point: what an expression gives, by the call and the visit in it."""


def counted(recorded: list[dict[int, list[tuple[int, Any]]]]) -> dict[int, InCalls]:
    """What the hooks have recorded, by expressions, with the visits counted in each call."""
    made: dict[int, InCalls] = {}
    for index in recorded[0]:
        points: InCalls = []
        for one in recorded:
            found: dict[tuple[int, int], Any] = {}
            last, number = -1, 0
            for call, value in one.get(index, []):
                last, number = call, number + 1 if call == last else 0
                found[call, number] = value
            points.append(found)
        kinds = {isinstance(value, bool | np.bool_) for one in points for value in one.values()}
        if all(points) and len(kinds) == 1:
            made[index] = points
    return made


def verdicts(exact: list[Plain], calls: int) -> InCalls:
    """What so many calls have to return, where all that is asked in lists is yes or no, call by call."""
    made: InCalls = []
    for one in exact:
        lists = [value for value in one.values() if isinstance(value, list) or getattr(value, "ndim", 0) == 1]
        said = [value for values in lists for value in values]
        if len(said) != calls or not all(isinstance(value, bool | np.bool_) for value in said):
            return []
        made.append({(call, 0): bool(value) for call, value in enumerate(said)})
    return made


def different(recorded: list[dict[int, list[tuple[int, Any]]]], instrument: Instrument) -> list[Plain]:
    """Those of a solution as plain data: calls, visits and values at every point, and the names that hold them."""
    found: dict[Any, Plain] = {}
    for index, points in counted(recorded).items():
        node = instrument.nodes[index]
        name = repr(points)
        if name not in found:
            if len(found) >= MOST:
                continue
            found[name] = {
                "calls": [np.array([key[0] for key in one]) for one in points],
                "visits": [np.array([key[1] for key in one]) for one in points],
                "values": [np.array(list(one.values()), float) for one in points],
                "truth": isinstance(next(iter(points[0].values())), bool | np.bool_),
                "test": False,
                "names": [],
            }
        found[name]["test"] |= node.root == "test"
        names = [node.text] if node.leaf else []
        names += [node.target] if node.root == "assign" and node.target else []
        found[name]["names"] += [one for one in names if one not in found[name]["names"]]
    return list(found.values())


@dataclass(frozen=True)
class Known:
    """What the solution gives, whether these are truth values, and hashes of the names that hold it."""

    points: InCalls
    truth: bool
    names: frozenset[int]
    test: bool = False  #: whether it is a whole condition


class Calls:
    """What could stand in the place of numbers and truth values, call by call."""

    def __init__(self, nodes: list[Node], known: list[Plain], trusted: frozenset[str]) -> None:
        """``known`` are those of the solution, with the hashes of names; ``trusted`` are functions that are right."""
        self.nodes, self.trusted = nodes, trusted
        self.known = [
            Known(
                [_by_visit(one["calls"][n], one["visits"][n], one["values"][n], one["truth"]) for n in range(points)],
                bool(one["truth"]), frozenset(one["names"]), bool(one["test"]),
            )
            for one in known if (points := len(one["values"]))
        ]  # fmt: skip

    def all(
        self, recorded: list[dict[int, list[tuple[int, Any]]]], rows: Rows, verdicts: InCalls
    ) -> Iterator[Candidate]:
        """Every one that the solution has under the name that is given it here, and every other condition.

        ``verdicts`` are what each call is to return, where that is yes or no.
        """
        self.mine, self.rows = counted(recorded), rows
        for index, points in self.mine.items():
            node = self.nodes[index]
            truth = isinstance(next(iter(points[0].values())), bool | np.bool_)
            name = zlib.crc32(node.target.encode())
            fitting = [one for one in self.known if one.truth == truth and (truth or name in one.names)]
            fitting += [Known(verdicts, True, frozenset())] if truth and verdicts and node.root == "return" else []
            if not truth and not (node.root == "assign" and node.target):
                continue
            if (
                rows.calls_own(node, self.trusted)
                or (truth and node.leaf)
                or any(_is_the_same(points, one.points) for one in fitting if one.test or node.root != "test")
            ):
                continue
            fitting = [one for one in fitting if not _equal(points, one.points)]
            if all(map(self._is_right, leaves(self.nodes, node))):
                for one in fitting:
                    rank = FIRST if truth else OF_THAT_NAME
                    yield Candidate(rank, (index, 0), "row", -1, tuple(one.points))

    def _is_right(self, leaf: int) -> bool:
        """Whether a name gives what the solution reads by that name, wherever both do."""
        node, mine = self.nodes[leaf], self.mine.get(leaf)
        if node.kind == "Constant":
            return True
        if mine is None:
            inner = node.children and all(map(self._is_right, node.children))
            return bool(inner) or (not node.children and (self.rows.is_right(leaf) or self.rows.is_read(leaf)))
        name = zlib.crc32(node.text.encode())
        return any(not one.truth and name in one.names and _equal(mine, one.points) for one in self.known)


def _by_visit(calls: Any, visits: Any, values: Any, truth: bool) -> dict[tuple[int, int], Any]:
    return {
        (int(call), int(visit)): bool(value) if truth else np.array(float(value))
        for call, visit, value in zip(calls, visits, values)
    }


def _is_the_same(mine: InCalls, known: InCalls) -> bool:
    return _equal(mine, known) and all(one.keys() == other.keys() for one, other in zip(mine, known, strict=True))


def _equal(mine: InCalls, known: InCalls) -> bool:
    """Whether both are the same at every visit that both have, and there are such."""
    for one, other in zip(mine, known, strict=True):
        common = one.keys() & other.keys()
        if not common:
            return False
        sizes: dict[int, float] = {}
        for (call, _), value in other.items():
            sizes[call] = max(sizes.get(call, 0.0), abs(float(value)))
        for key in common:
            due = float(other[key])
            if not abs(float(one[key]) - due) <= PRECISION * abs(due) + ROUNDING * sizes[key[0]]:
                return False
    return True
