"""Rows: what an expression gives at all of its visits, one after the other, as in a loop or step after step.

What a mistake makes wrong at one visit is carried on to the next, so that no single value in its place mends more than
one step. The row that the solution gives, in the place of a whole row, mends every step; it is tried where the code
first leaves what is known: at expressions that give something unknown while all that they are made of is known.
"""

from __future__ import annotations

import builtins
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .candidates import Candidates, is_scaled
from .hooks import LONGEST, MOST_ENTRIES, MOST_VISITS
from .instrument import Node
from .runs import Plain, same
from .seen import FOREIGN, Candidate

MOST_ROWS = 160
MOST_NUMBERS = 300_000
"""So many numbers may all rows of a solution hold."""

OF_THAT_NAME, COPIED, FIRST, KNOWN = 0.4, 0.5, 0.55, 0.7
"""What a row costs where the solution gives a name of the same kind another one, where a name is only given another
one's value, where it is the first that is unknown, and elsewhere."""


def different_rows(rows: list[dict[int, list[Any]]], nodes: list[Node]) -> Iterator[Plain]:
    """The different rows, as far as they are not too long, each with the names that get it."""
    found: dict[bytes, Plain] = {}
    left = MOST_NUMBERS
    for index, values in together(rows).items():
        name = b"".join(np.round(value, 12).tobytes() + str(value.shape).encode() for one in values for value in one)
        if name not in found:
            size = sum(value.size for one in values for value in one)
            if len(found) >= MOST_ROWS or size > left:
                continue
            left -= size
            found[name] = {"values": values, "names": [], "read": []}
        node = nodes[index]
        if node.leaf and node.kind != "Constant" and node.text not in found[name]["read"]:
            found[name]["read"].append(node.text)
        if node.root == "assign" and node.target and node.target not in found[name]["names"]:
            found[name]["names"].append(node.target)
    yield from found.values()


def together(rows: list[dict[int, list[Any]]]) -> dict[int, list[list[Any]]]:
    """The rows of the expressions that are visited more than once, at every point."""
    made = {}
    for index in rows[0]:
        values = [one.get(index, []) for one in rows]
        if not all(0 < len(one) <= LONGEST for one in values) or max(map(len, values)) < 2:
            continue
        if any(value is None for one in values for value in one):
            continue
        if all(sum(value.size for value in one) <= MOST_ENTRIES for one in values):
            made[index] = values
    return made


@dataclass(frozen=True)
class Row:
    """A row of the solution: its values at every point, and hashes of the names that get it or hold it there."""

    values: list[list[Any]]
    names: frozenset[int]
    read: frozenset[int] = frozenset()

    @property
    def form(self) -> tuple[Any, ...]:
        """How many values there are, and their shapes, at every point."""
        return form_of(self.values)


def form_of(values: list[list[Any]]) -> tuple[Any, ...]:
    """How many values there are, and their shapes, at every point."""
    return tuple(tuple(np.shape(value) for value in one) for one in values)


class Rows:
    """The rows that could stand in the place of those of a student's expressions."""

    def __init__(
        self, nodes: list[Node], rows: list[Plain], table: list[list[Any]], levels: list[float], read: set[str]
    ) -> None:
        """``rows`` are those of the solution, with the hashes of names; what is in the ``table`` is known, too.

        ``read`` are the names of the code that the question asks for.
        """
        self.nodes = nodes
        functions = [one for one in nodes if one.kind == "Function"]
        called = {node.text.split("(")[0] for node in nodes if node.kind == "Call"}
        asked = [one for one in functions if one.target in read and one.target not in called]
        self.own = {name for one in functions for name in (one.target, *one.stores)} | {one.target for one in nodes}
        self.handed = {name for one in asked for name in one.arguments}
        self.given = self.handed - {name for one in functions for name in one.stores}
        self.by_form: dict[Any, list[Row]] = {}
        for one in rows:
            row = Row(one["values"], frozenset(one["names"]), frozenset(one["read"]))
            self.by_form.setdefault(row.form, []).append(row)
        every = [one["values"] for one in rows]
        points = len(table[0]) if table else len(every[0]) if every else 0
        self.known = [{_mark(value) for one in every for value in one[point]} for point in range(points)]
        for number, values in enumerate(table):
            if levels[number] < FOREIGN:
                for known, value in zip(self.known, values):
                    known.add(_mark(value))
                    if np.ndim(value) == 2:
                        known.add(_mark(np.transpose(value)))

    def see(self, rows: list[dict[int, list[Any]]], candidates: Candidates, over: set[int]) -> None:
        """What every expression gives now; those of ``over`` have been mended."""
        self.candidates = candidates
        self.firsts: dict[int, int | None] = {}
        self.mine = {index: values for index, values in together(rows).items() if index not in over}
        self.right = {
            index
            for index, values in self.mine.items()
            if any(_equal(values, one.values) for one in self._fitting(values))
        }

    def _fitting(self, values: list[list[Any]]) -> list[Row]:
        return self.by_form.get(form_of(values), [])

    def _in_place_of(self, index: int, values: list[list[Any]]) -> list[Row]:
        """The rows that fit; what a loop goes over may be longer or shorter."""
        if self.nodes[index].root != "iter" or any(np.ndim(value) != 1 for one in values for value in one):
            return self._fitting(values)
        rows = [row for fitting in self.by_form.values() for row in fitting]
        return [
            row for row in rows
            if [len(one) for one in row.values] == [len(one) for one in values]
            and all(np.ndim(value) == 1 for one in row.values for value in one)
        ]  # fmt: skip

    def steady(self) -> dict[int, int]:
        """The expressions that give the same at all visits, and at how many."""
        return {
            index: min(map(len, values)) for index, values in self.mine.items()
            if all(np.array_equal(value, one[0]) for one in values for value in one)
        }  # fmt: skip

    def all(self) -> Iterator[Candidate]:
        """Every row in the place of another one, at expressions that a mistake can begin with."""
        for index, values in self.mine.items():
            for row in self._in_place_of(index, values):
                cost = self._cost(index, row)
                if cost is not None and not _equal(values, row.values) and not self._is_only_scaled(index, row):
                    named = zlib.crc32(self.nodes[index].target.encode()) in row.names
                    yield _candidate(OF_THAT_NAME if named else cost, index, row)

    def in_operands(self, index: int) -> Iterator[Candidate]:
        """Another row of the solution in the place of a name that an expression is made of, unless the solution means
        by that name what it holds until the expression first gives something unknown."""
        first = self._first_unknown(index)
        for leaf in self._leaves(self.nodes[index]):
            values = self.mine.get(leaf)
            if values is None or self._is_read_so(leaf, None if first is None else first + 1):
                continue
            if self.nodes[leaf].kind in ("Name", "Attribute", "Subscript"):
                yield from (
                    _candidate(0.0, leaf, row) for row in self._fitting(values) if not _equal(values, row.values)
                )

    def named(self) -> list[Candidate]:
        """All names that the solution gives another row, each with its own: several slips may be mended at once."""
        found = []
        for index, values in self.mine.items():
            node = self.nodes[index]
            name = zlib.crc32(node.target.encode())
            fitting = [one for one in self._fitting(values) if node.target and name in one.names]
            wrong = node.root == "assign" and len(fitting) == 1 and not _equal(values, fitting[0].values)
            if wrong and self._cost(index, fitting[0]) is not None:
                found.append(_candidate(OF_THAT_NAME, index, fitting[0]))
        return found

    def _cost(self, index: int, row: Row) -> float | None:
        """What it costs to put a row there; None where what it is made of is at fault, or nothing can be said."""
        node = self.nodes[index]
        if node.kind in ("Tuple", "AugAssign") or any(self._has_right_name(one) for one in self._up_from(index)):
            return None
        is_plain = node.leaf and node.kind in ("Name", "Attribute", "Constant")
        if is_plain:
            is_copy = node.root == "assign" and bool(node.target) and node.statement is not None
            is_right = node.kind == "Constant" or node.text in self.given or self._is_read_so(index)
            unknown = self._first_unknown(index)
            is_known = unknown is None or unknown > _first_other(self.mine[index], row.values)
            return COPIED if (node.root == "return" and is_right) or (is_copy and is_known) else None
        first = self._first_unknown(index)
        if first is not None:  # until there it may give what is known, but not what is due
            first = min(first, _first_other(self.mine[index], row.values))
        if self._calls_a_name(node) or any(self._first_unknown(one) is not None for one in self._calls(node)):
            return None
        for leaf in self._leaves(node):
            one = self.nodes[leaf]
            if one.children or self._is_builtin(one):
                continue  # what it is made of is looked at
            if one.text in self.given and self.nodes[one.parent].kind == "Subscript":
                continue  # an entry of what is given is right, also of arrays that differ in shape
            if len(self.mine.get(leaf, self.mine[index])[0]) != len(self.mine[index][0]):
                return None  # a branch: which of its visits belong together is not known
            if (leaf, 0) not in self.candidates.seen or self._is_given_something_else(leaf):
                return None  # of an object nothing is known
            if not self._is_right_until(leaf, None if self._is_counted(index) else first):
                return None
        return KNOWN if first is None else FIRST

    def _is_builtin(self, node: Node) -> bool:
        return node.kind == "Name" and node.text not in self.own and hasattr(builtins, node.text)

    def _calls_a_name(self, node: Node) -> bool:
        """Whether it calls a function of the code's own: what is wrong may be in it, or in what it was given."""
        name = node.called
        return bool(name) and (name in self.own or not (name in self.handed or hasattr(builtins, name)))

    def calls_own(self, node: Node, but: frozenset[str]) -> bool:
        """Whether it is, or holds, a call of a function of the code's own, ``but`` of these."""
        calls = [node] * self._calls_a_name(node) + [self.nodes[one] for one in self._calls(node)]
        return any(one.called not in but for one in calls)

    def _calls(self, node: Node) -> Iterator[int]:
        """The calls of the code's own functions in an expression: these may have read what was changed."""
        for child in node.children:
            if self._calls_a_name(self.nodes[child]):
                yield child
            yield from self._calls(self.nodes[child])

    def _leaves(self, node: Node) -> Iterator[int]:
        for child in node.children:
            if self.nodes[child].leaf:
                yield child
                yield from self._leaves(self.nodes[child])
            else:
                yield from self._leaves(self.nodes[child])

    def _first_unknown(self, index: int) -> int | None:
        """The first visit at which an expression gives nothing that is known to be right."""
        node, values = self.nodes[index], self.mine.get(index)
        if node.kind == "Constant" or index in self.right:
            return None
        if self._is_counted(index):
            return 0
        if index in self.firsts:
            return self.firsts[index]
        visits = min(map(len, values)) if values is not None else MOST_VISITS
        found = next((visit for visit in range(visits) if not self._is_known(index, visit)), None)
        self.firsts[index] = found
        return found

    def _is_counted(self, index: int) -> bool:
        """Whether it gives numbers that change: each of them is known, and says nothing."""
        values = self.mine.get(index)
        if values is None or any(np.ndim(one[0]) for one in values):
            return False
        return any(not np.array_equal(value, one[0]) for one in values for value in one)

    def _is_read_so(self, leaf: int, end: int | None = None) -> bool:
        """Whether the solution reads just this row by that name, up to a visit or to the end."""
        name, mine = zlib.crc32(self.nodes[leaf].text.encode()), [one[:end] for one in self.mine[leaf]]
        return any(
            name in row.read and _equal(mine, [one[:end] for one in row.values])
            for row in self._fitting(self.mine[leaf])
        )

    def is_right(self, leaf: int) -> bool:
        """Whether a name gives what one of the solution's does, at all its visits."""
        return self._is_right_until(leaf, None)

    def is_read(self, leaf: int) -> bool:
        """Whether a name holds an array at every visit that the solution reads by that name at one."""
        values, name = self.mine.get(leaf, []), zlib.crc32(self.nodes[leaf].text.encode())
        rows = [row.values for fitting in self.by_form.values() for row in fitting if name in row.read]
        known = [{_mark(value) for one in rows for value in one[point]} for point in range(len(values))]
        return bool(values) and all(
            np.ndim(value) and _mark(value) in marks for one, marks in zip(values, known) for value in one
        )

    def _is_right_until(self, leaf: int, first: int | None) -> bool:
        """Whether a name gives what one of the solution's does, in its order, up to a visit or to the end."""
        values = self.mine.get(leaf)
        if values is None or self.nodes[leaf].kind == "Constant":
            return self._first_unknown(leaf) is None
        end = None if first is None else first + 1
        mine = [one[:end] for one in values]
        fitting = self._fitting(values)
        name = zlib.crc32(self.nodes[leaf].text.encode())
        so_called = [row for row in fitting if name in row.read]
        if any(_equal(mine, [one[:end] for one in row.values]) for row in so_called or fitting):
            return True
        if so_called or self._is_other_count(values, fitting):
            return False
        stays = all(np.array_equal(value, one[0]) for one in values for value in one)
        return stays and self._first_unknown(leaf) is None

    def _is_other_count(self, values: list[list[Any]], fitting: list[Row]) -> bool:
        """Whether it is a whole number at every visit, and the solution has other ones there, but not these."""
        if not all(_is_count(value) for one in values for value in one):
            return False
        return any(row.names and all(_is_count(value) for one in row.values for value in one) for row in fitting)

    def other_counts(self) -> set[int]:
        """The names that hold whole numbers, where the solution gives names other ones, but none of them these."""
        return {
            index for index, values in self.mine.items()
            if self.nodes[index].kind == "Name" and index not in self.right
            and self._is_other_count(values, self._fitting(values))
        }  # fmt: skip

    def _is_known(self, index: int, visit: int) -> bool:
        mine = self.mine.get(index)
        values: Any = self.candidates.seen.get((index, visit)) if mine is None else [one[visit] for one in mine]
        if values is None or any(isinstance(one, bool) for one in values):
            return True
        if not values[0].ndim and all(float(one).is_integer() for one in values):
            return True
        return all(_mark(value) in known for value, known in zip(values, self.known))

    def _is_given_something_else(self, leaf: int) -> bool:
        """Whether a name holds what it was given, where the solution gives a name so called something else."""
        name, values = zlib.crc32(self.nodes[leaf].text.encode()), self.mine.get(leaf)
        if values is None or not any(name in one.names for rows in self.by_form.values() for one in rows):
            return False
        return any(
            node.root == "assign" and node.target == self.nodes[leaf].text and node.index in self.mine
            and not self._has_right_name(node.index)
            and form_of(values) == form_of(self.mine[node.index]) and _equal(values, self.mine[node.index])
            for node in self.nodes
        )  # fmt: skip

    def _up_from(self, index: int) -> Iterator[int]:
        """An expression, and all that it is part of."""
        while index >= 0:
            yield index
            index = self.nodes[index].parent

    def _has_right_name(self, index: int) -> bool:
        """Whether it gives a name the row that the solution gives a name so called."""
        if index not in self.mine:
            return False
        node, name = self.nodes[index], zlib.crc32(self.nodes[index].target.encode())
        return node.root == "assign" and bool(node.target) and any(
            name in one.names and _equal(self.mine[index], one.values) for one in self._fitting(self.mine[index])
        )  # fmt: skip

    def _is_only_scaled(self, index: int, row: Row) -> bool:
        """Whether it gives what the solution gives a name, and would only be scaled."""
        if self.nodes[index].leaf:
            return False  # that a name gets what another one holds is what is wrong, not what that holds
        if not any(one.names and _equal(self.mine[index], one.values) for one in self._fitting(self.mine[index])):
            return False
        return all(is_scaled(tuple(a), tuple(b)) for a, b in zip(self.mine[index], row.values))


def _is_count(value: Any) -> bool:
    return not np.ndim(value) and float(value).is_integer()


def _first_other(values: list[list[Any]], others: list[list[Any]]) -> int:
    """The first visit at which two rows differ at some point."""
    differ = (
        next((visit for visit, pair in enumerate(zip(one, other)) if not same(*pair)), MOST_VISITS)
        for one, other in zip(values, others)
    )
    return min(differ)


def _mark(value: Any) -> tuple[Any, ...]:
    """The same for values that are the same but for rounding."""
    value = np.asarray(value, float)
    size = float(np.abs(value).max(initial=0.0)) or 1.0
    return value.shape, f"{size:.7g}", (np.round(value / size, 7) + 0.0).tobytes()


def _candidate(rank: float, index: int, row: Row) -> Candidate:
    return Candidate(rank, (index, 0), "row", -1, tuple(row.values))


def _equal(values: list[list[Any]], others: list[list[Any]]) -> bool:
    return form_of(values) == form_of(others) and all(
        same(a, b) for one, other in zip(values, others) for a, b in zip(one, other)
    )
