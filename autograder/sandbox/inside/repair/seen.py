"""What every expression of the code gives, and which of it is a quantity that is known to be right."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .hooks import MOST_OF_ARRAY, MOST_VISITS, Visit
from .instrument import Node, leaves
from .runs import PRECISION, same
from .tables import Table

MOST_SOUND = 12

GIVEN = 0.05
"""Quantities below this level are given, or a number of a formula; they may be a missing factor or term."""

GRADIENT = 2.0
"""A quantity from this level on is asked for, or a number that fits by chance."""

RESULT = 3.0
"""A quantity of this level is what comes out at the end; it is no operand."""

FOREIGN = 5.0
"""Quantities from this level on are never due; they say what an expression gives."""

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "*": lambda a, b: a * b,
    "@": lambda a, b: a @ b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


@dataclass(frozen=True)
class Candidate:
    """One value in the place of another: where, what kind of repair it is, the quantity, and its values by point."""

    rank: float
    key: Visit
    kind: str
    quantity: int
    values: tuple[Any, ...]
    group: tuple[int, int] | None = None  #: factors of a product, by their numbers
    also: tuple[Visit, ...] = ()  #: other visits at which it stands, too


class Seen:
    """The values of all expressions, beside the table of quantities."""

    def __init__(
        self, nodes: list[Node], table: list[list[np.ndarray]], levels: list[float], wholes: list[int],
        named: list[bool],
    ) -> None:  # fmt: skip
        """``table`` holds the values of every quantity at every point, ``levels`` how much each takes for granted.

        ``wholes`` is not 0 for those that the solution gives a name: nothing that gives one of these lacks a factor.
        It is a number of that name.
        """
        self.nodes, self.table, self.levels, self.wholes, self.named = nodes, table, levels, wholes, named
        self.quantities = Table(table)
        self.scalars = [
            n for n, values in enumerate(table) if levels[n] < GIVEN and not any(np.ndim(v) for v in values)
        ]
        self.plain = {
            n for n, values in enumerate(table) if all(np.all(one == 0) or np.all(one == 1) for one in values)
        }
        self.generators: set[int] = set()  #: the expressions that give a generator of random numbers
        self.results: set[int] = set()  #: the quantities that are answers as a whole
        self.uses: dict[str, list[Node]] = {}
        for node in nodes:
            if node.leaf:
                self.uses.setdefault(node.text, []).append(node)
        self.see({}, None)

    def see(self, seen: dict[Visit, tuple[Any, ...]], stopped: Visit | None) -> None:
        """What every expression gives at every point, and where the code stops with an error."""
        self.seen, self.stopped, self.few = seen, stopped, False
        self.equal: dict[Visit, list[int]] = {}  #: which quantities an expression gives, as far as it was asked
        self.idle: set[Visit] = set()  #: where no other value can mend anything
        self.idle_together: set[Visit] = set()  #: nor one at all visits at which it is the same
        self.known = {key: self._is_known(key) for key in seen}
        self.own_numbers: dict[Visit, bool] = {}  #: whether a number of one's own is in it, as far as it was asked
        self.steady: dict[int, int] = {}  #: at how many visits an expression gives the same
        self.other_counts: set[int] = set()  #: names of whole numbers that are not those of the solution
        self.last = set(list(seen)[-6:]) if stopped else set()

    def visits_alike(self, key: Visit, values: tuple[Any, ...]) -> tuple[Visit, ...]:
        """The later visits of an expression that give the same as its first one."""
        if key[1]:
            return ()
        later = [(key[0], visit) for visit in range(1, MOST_VISITS) if (key[0], visit) in self.seen]
        found = tuple(
            one for one in later if all(np.array_equal(a, b) for a, b in zip(values, self.seen[one], strict=True))
        )
        return found + tuple((key[0], visit) for visit in range(MOST_VISITS, self.steady.get(key[0], 0)))

    def is_whole(self, key: Visit) -> bool:
        """Whether an expression gives what the solution gives a name."""
        values = self.seen.get(key, (True,))
        if any(isinstance(one, bool) or (not one.ndim and float(one).is_integer()) for one in values):
            return False
        return any(self.wholes[n] and self.levels[n] < FOREIGN for n in self._given_by(key))

    def holding(self, candidate: Candidate) -> Iterator[Visit]:
        """The expressions that give what would have to stand there."""
        for key, values in self.seen.items():
            if not any(isinstance(one, bool) for one in values) and self._equal(values, candidate.values):
                yield key

    def is_given_a_name(self, index: int) -> bool:
        """Whether it works out what the solution gives a name, and gives it a name, too: then it is right."""
        node, key = self.nodes[index], (index, 0)
        if node.root != "assign" or not node.target or node.leaf or not self.is_whole(key):
            return False
        name = zlib.crc32(node.target.encode())
        return any(self.wholes[n] == name for n in self._given_by(key))

    def is_called(self, candidate: Candidate, node: Node) -> bool:
        """Whether an expression gives a name what it is, and the solution gives that name what would stand there."""
        whole = self.wholes[candidate.quantity] if candidate.quantity >= 0 else 0
        return node.root == "assign" and bool(node.target) and whole == zlib.crc32(node.target.encode())

    def is_input(self, key: Visit) -> bool:
        """Whether it is a name for what is given."""
        values = self.seen.get(key, (True,))
        if not self.nodes[key[0]].leaf or any(isinstance(one, bool) for one in values):
            return False
        return any(self.levels[n] == 0 for n in self._given_by(key))

    def _is_in_named(self, key: Visit, node: Node) -> bool:
        """Whether it is a number in an array to which the solution gives a name: where that was typed, it is right."""
        while node.parent >= 0 and self.nodes[key[0]].kind == "Constant":
            node = self.nodes[node.parent]
            values = self.seen.get((node.index, key[1]), (True,))
            if not isinstance(values[0], bool) and values[0].ndim and self.is_whole((node.index, key[1])):
                return True
        return False

    def is_given(self, candidate: Candidate) -> bool:
        """Whether what is due is an input."""
        return candidate.kind.startswith("value") and candidate.quantity >= 0 and self.levels[candidate.quantity] == 0

    def is_asked(self, candidate: Candidate) -> bool:
        """Whether what is due is an answer as a whole."""
        return candidate.kind == "value" and self.levels[candidate.quantity] >= GRADIENT

    def is_result(self, candidate: Candidate) -> bool:
        """Whether what would stand there is an answer as a whole, by whatever repair."""
        return not self.results.isdisjoint(self.quantities.equal(candidate.values))

    def is_named(self, candidate: Candidate) -> bool:
        """Whether what is due has a name for people."""
        return self.named[candidate.quantity]

    def _alike(self, values: tuple[Any, ...]) -> list[int]:
        return self.quantities.of_shape(values)

    def _given_by(self, key: Visit) -> list[int]:
        """The quantities that an expression gives."""
        if key not in self.equal:
            self.equal[key] = self.quantities.equal(self.seen[key])
        return self.equal[key]

    def _equal(self, values: Any, others: Any) -> bool:
        return all(same(a, b, PRECISION) for a, b in zip(values, others))

    def _part(self, index: int, key: Visit) -> tuple[Any, ...] | None:
        """The values of a part at the visit of its whole."""
        found = self.seen.get((index, key[1]))
        return None if found is None or any(isinstance(one, bool) for one in found) else found

    def _blame(self, key: Visit, node: Node) -> float:
        """What a whole costs more when a part of it is nothing that is known to be right, or not where it stands."""
        if node.leaf and not node.children:
            return 0.0
        parts_of_it = [(leaf, key[1]) for leaf in leaves(self.nodes, node)]
        return 2.0 if any(self._is_unknown(one) or self._is_named_otherwise(one) for one in parts_of_it) else 0.0

    def _is_unknown(self, key: Visit) -> bool:
        """Whether it gives nothing that is known to be right; a part of what is known came from nowhere else."""
        if self.known.get(key, True):
            return False
        node = self.nodes[key[0]]
        whole = (node.children[0], key[1]) if node.kind == "Subscript" and node.children else key
        return not self.known.get(whole, False) or self._is_named_otherwise(whole)

    def _is_named_otherwise(self, key: Visit) -> bool:
        """Whether a name holds another array than the solution's of that name, which has its shape."""
        values, node = self.seen.get(key, (True,)), self.nodes[key[0]]
        if node.kind != "Name" or any(isinstance(one, bool) or not one.ndim for one in values):
            return False
        name = zlib.crc32(node.text.encode())
        so_called = [n for n in self._alike(values) if self.wholes[n] == name]
        return bool(so_called) and not set(so_called).intersection(self._given_by(key))

    def _has_own_number(self, key: Visit, node: Node) -> bool:
        """Whether one of the operands is a number that is not given, does not count, and stands in no formula.

        Beside a draw that is not the solution's, it has to be called what the solution calls it, too: it may be right
        somewhere else.
        """
        if key not in self.own_numbers:
            self.own_numbers[key] = self._has_other_number(key, node)
        return self.own_numbers[key]

    def _has_other_number(self, key: Visit, node: Node) -> bool:
        drawn = bool(self.generators) and self._has_own_draw(key, node)
        for child in leaves(self.nodes, node):
            part, one = self._part(child, key), self.nodes[child]
            is_number = part is not None and not part[0].ndim and one.leaf and one.kind != "Constant"
            if not is_number or part is None or all(float(value).is_integer() for value in part):
                continue
            known, name = self._given_by((child, key[1])), zlib.crc32(one.text.encode())
            if drawn:
                known = [n for n in known if self.levels[n] < GRADIENT or self.wholes[n] == name]
            if not known:
                return True
        return False

    def _has_own_draw(self, key: Visit, node: Node) -> bool:
        """Whether it draws random numbers, or holds a draw, that the solution does not have."""
        if self.generators.intersection(node.children) and not self.known.get((node.index, key[1]), False):
            return True
        return any(self._has_own_draw(key, self.nodes[child]) for child in node.children)

    def _is_known(self, key: Visit) -> bool:
        values = self.seen[key]
        if any(isinstance(one, bool) for one in values) or all(one.ndim == 0 for one in values):
            return True
        if self._given_by(key):
            return True
        return all(one.ndim == 2 for one in values) and bool(self.quantities.equal(tuple(one.T for one in values)))

    # Factors of a product: a * b * (1 - b) is (a * b) * (1 - b), but people see a, and the slope b * (1 - b)

    def _factors(self, node: Node) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        while node.kind == "BinOp" and node.sign in ("*", "/") and len(node.children) == 2:
            found.append((node.children[1], node.sign))
            node = self.nodes[node.children[0]]
        return [(node.index, "*"), *reversed(found)]

    def _product(self, candidate: Candidate) -> tuple[Any, ...] | None:
        assert candidate.group is not None
        first, last = candidate.group
        made: Any = None
        for index, sign in self._factors(self.nodes[candidate.key[0]])[first : last + 1]:
            part = self._part(index, candidate.key)
            if part is None:
                return None
            made = part if made is None else each(OPERATORS[sign], made, part)
            if made is None:
                return None
        return made  # type: ignore[no-any-return]

    def ends(self, candidate: Candidate) -> tuple[Node, Node]:
        """The first and the last of the factors that a candidate stands for."""
        assert candidate.group is not None
        factors = self._factors(self.nodes[candidate.key[0]])
        return self.nodes[factors[candidate.group[0]][0]], self.nodes[factors[candidate.group[1]][0]]

    def given(self, candidate: Candidate) -> int:
        """The quantity that the expression gives now, if it is one."""
        values = self.seen.get(candidate.key, ())
        if candidate.group is not None:
            made = self._product(candidate)
            if made is None:
                return -1
            values = made
        if not values or isinstance(values[0], bool):
            return -1
        return next(iter(self.quantities.equal(values)), -1)

    def shown(self, candidate: Candidate, point: int) -> dict[str, Any]:
        """What the expression gives at a point, and what is due there."""
        values = self.seen.get(candidate.key) if candidate.group is None else self._product(candidate)
        if not candidate.kind.startswith("value") or not values or not 0 <= point < len(values):
            return {"got": None, "expected": None}
        due = candidate.values if candidate.group is None else self.table[candidate.quantity]
        return {"got": values[point], "expected": due[point]}

    def sound(self, candidate: Candidate) -> list[dict[str, int]]:
        """The largest other pieces of the same statement that give an exact quantity there."""
        node = self.nodes[candidate.key[0]]
        blamed = range(node.index, node.index + 1)
        if candidate.group is not None:
            first, last = self.ends(candidate)
            inside = [first.index, last.index]
            blamed = range(min(inside), max(inside) + 1)
        found: list[dict[str, int]] = []
        at = node if candidate.group is not None else self._whole(node)
        while at is not None:
            waiting = list(at.children)
            while waiting:
                one = self.nodes[waiting.pop(0)]
                if one.index in blamed:
                    continue
                number = self._exact(one, candidate.key[1])
                if number >= 0 and not any(self._is_within(self.nodes[index], one) for index in blamed):
                    found.append({
                        "line": one.line, "end_line": one.end_line, "col": one.col, "end_col": one.end_col,
                        "given": number,
                    })  # fmt: skip
                else:
                    waiting += one.children
            blamed = range(at.index, at.index + 1)
            at = self._whole(at)
        return found[:MOST_SOUND]

    def _whole(self, node: Node) -> Node | None:
        return self.nodes[node.parent] if node.parent >= 0 else None

    def _is_within(self, node: Node, whole: Node) -> bool:
        while node.parent >= 0:
            node = self.nodes[node.parent]
            if node.index == whole.index:
                return True
        return False

    def _exact(self, node: Node, visit: int) -> int:
        """The quantity that an array gives, where it is one that may be due; otherwise -1."""
        values = self.seen.get((node.index, visit))
        if not values or isinstance(values[0], bool) or not values[0].ndim:
            return -1
        return next((n for n in self._given_by((node.index, visit)) if self.levels[n] < RESULT), -1)


def changes_nothing(sign: str, left: str, right: str) -> bool:
    """Whether an operator with a 0 or a 1 beside it gives the other side as it is.

    >>> changes_nothing("*", "t", "1"), changes_nothing("+", "0", "t"), changes_nothing("-", "1", "t")
    (True, True, False)
    """
    neutral = "0" if sign in "+-" else "1" if sign in ("*", "/", "**") else None
    return neutral is not None and (right == neutral or (left == neutral and sign in "+*"))


def each(operate: Callable[[Any, Any], Any], a: Any, b: Any) -> tuple[Any, ...] | None:
    """An operation at every point; None where it cannot be done at one."""
    try:
        with np.errstate(all="ignore"):
            made = tuple(np.asarray(operate(x, y), float) for x, y in zip(a, b))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return made if all(one.size <= MOST_OF_ARRAY and np.all(np.isfinite(one)) for one in made) else None
