"""What could stand in the place of an expression: a quantity that fits there, or what it gives in another form."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .formulas import Formula
from .hooks import Visit
from .instrument import Node, leaves, within
from .runs import same
from .seen import FOREIGN, GIVEN, GRADIENT, OPERATORS, Candidate, Seen, changes_nothing, each

LARGEST = 64
"""A count is not tried with a number that is larger than this and than four times what it is."""

_USUAL = {"*": "@/+**", "@": "*", "+": "-*", "-": "+", "/": "*", "**": "*"}
"""What people write for what; another operator may fit by its numbers and is not what is meant."""

_EXTREMES: dict[str, Any] = {"max": np.max, "amax": np.max, "min": np.min, "amin": np.min}


_TYPED = {"Constant", "UnaryOp", "List", "Tuple"}

_KEPT = {"Name", "Attribute", "Subscript", "Constant", "Slice", "Tuple"}
_CALLED = re.compile(r"(\w+\.)*(get|pop|copy|array|asarray|float|id|int)\(")
"""What takes something out of where it was kept, as it is, and works nothing out."""

_EMPTY = re.compile(r"(np|numpy)\.(zeros|empty|ones|full)(_like)?\(")
"""What makes an array to be filled."""


class Candidates(Seen):
    """All that can be tried, given what every expression gives now."""

    def all(self, most: int, focus: set[int] | None) -> Iterator[Candidate]:
        """Every candidate, in no order, at the expressions of the ``focus``; of numbers that fit by chance none, where
        only ``most`` can be tried."""
        numbers = sum(not isinstance(one[0], bool) and not one[0].ndim for one in self.seen.values())
        self.few = (
            numbers * len(self._alike((np.array(0.0),) * len(self.table[0]))) > 10 * most if self.table else False
        )
        if self.stopped and self.stopped[0] >= 0:
            yield from self._instead(self.stopped, self.nodes[self.stopped[0]])
        for key, values in self.seen.items():
            if focus is not None and key[0] not in focus:
                continue
            node = self.nodes[key[0]]
            alike = self.visits_alike(key, values)
            alone, together = key not in self.idle, bool(alike) and key not in self.idle_together
            if not (alone or together) or self.is_given_a_name(key[0]) or self._is_in_named(key, node):
                continue
            if isinstance(values[0], bool):
                if all(isinstance(one, bool) for one in values):
                    yield Candidate(0.3, key, "condition", -1, tuple(not one for one in values))
                continue
            if any(isinstance(one, bool) for one in values):
                continue
            whole = self.is_whole(key)
            for candidate in self._at(key, node, values):
                is_due = node.leaf and self.is_called(candidate, node)
                if (whole and not is_due and is_scaled(values, candidate.values)) or (
                    is_too_large(values, candidate.values) and not self.is_result(candidate)
                ):
                    continue
                if not values[0].ndim and (self._says_more(key, node, candidate) or self._is_asked_of(node, candidate)):
                    continue
                if self._cancels(key, node, candidate) or (
                    node.kind in _TYPED and is_rounded(node.text, values, candidate.values)
                ):
                    continue
                if alone:
                    yield candidate
                is_due = self.is_called(candidate, node) and not self._has_own_draw(key, node)
                if together and (candidate.rank < 2 or node.kind == "Constant" or is_due):
                    yield replace(candidate, also=alike)

    def _at(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        yield from self._replaced(key, node, values)
        if isinstance(values[0], Formula):
            return
        yield from self._structural(key, node, values)
        if node.kind == "BinOp" and node.sign in "*/":
            yield from self._grouped(key, node)

    def _is_asked_of(self, node: Node, candidate: Candidate) -> bool:
        """Whether a number that was typed, and others are worked out with, would be an answer itself."""
        whole = self.nodes[node.parent].kind if node.parent >= 0 else ""
        return self.is_asked(candidate) and node.kind == "Constant" and whole in ("BinOp", "Call")

    def _says_more(self, key: Visit, node: Node, candidate: Candidate) -> bool:
        """Whether it would be told of the code, of a number, more than it shows: another operator at one of several
        visits, or beside what changes nothing, and no count where one is compared."""
        if candidate.kind.startswith("operator"):
            sides = [self.nodes[child].text for child in node.children]
            return (node.index, 1) in self.seen or changes_nothing(candidate.kind.split()[1], *sides)
        compared = node.parent >= 0 and self.nodes[node.parent].kind == "Compare"
        values = (self.seen[key], candidate.values)
        is_count = _are_counts(values[0]) and node.kind not in ("Constant", "Name", "Attribute")
        return compared and (is_count or (_are_counts(values[0]) and not _are_counts(values[1])))

    def _cancels(self, key: Visit, node: Node, candidate: Candidate) -> bool:
        """Whether it would only make a quotient one, or a difference zero, there or where the name that it gets is
        used: then the whole of these is at fault."""
        for use in (node, *self.uses.get(node.target, ())):
            whole = self.nodes[use.parent]
            if use.parent >= 0 and whole.kind == "BinOp" and whole.sign in ("/", "-"):
                others = (self.seen.get((child, key[1]), (True,)) for child in whole.children if child != use.index)
                if any(not isinstance(one[0], bool) and self._equal(one, candidate.values) for one in others):
                    return True
        return False

    def _instead(self, key: Visit, node: Node) -> Iterator[Candidate]:
        """What could stand where the code stops with an error."""
        blame = self._blame(key, node)
        if node.kind == "BinOp" and node.sign and len(node.children) == 2:
            parts = [self._part(child, key) for child in node.children]
            if None not in parts:
                (a, b), turned = parts, [tuple(one.T for one in part) for part in parts if part]
                for x, y in ((a, turned[1]), (turned[0], b), (b, a), (b, turned[0]), (turned[1], a)):
                    made = each(OPERATORS[node.sign], x, y)
                    if made is not None:
                        yield Candidate(0.02, key, "exchanged" if y is a and x is b else "transposed part", -1, made)
                for sign, operate in OPERATORS.items():
                    made = each(operate, a, b)
                    if made is not None:
                        yield Candidate(0.0, key, f"operator {sign}", -1, made)
        for number, table in enumerate(self.table):
            if self.levels[number] < FOREIGN:
                one = Candidate(self.levels[number] + 0.1 + blame, key, "value", number, tuple(table))
                yield replace(one, rank=0.03) if self.is_called(one, node) else one

    def _replaced(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        # what is worked out from something unknown is not to blame: that is
        if self._blame(key, node) or node.kind == "Tuple" or self._only_gathers(node):
            return
        if self.other_counts and not node.leaf and self.other_counts.intersection(leaves(self.nodes, node)):
            return
        equal = set(self._given_by(key))
        for number in self._alike(values):
            table = self.table[number]
            level = self.levels[number]
            if self.few and level >= 2 and not table[0].ndim:
                continue
            if number in self.results and node.root == "assign" and _EMPTY.match(node.text):
                continue  # an array that is filled afterwards: with the answer in it nothing need be filled
            if level >= 2 and self._has_own_number(key, node):
                continue  # nor is what is worked out from a number of one's own
            if level >= 2 and not self.known[key] and node.leaf and not node.children:
                continue  # a name that holds something unknown is not to blame: what gave it its value is
            if level < FOREIGN and number not in equal:
                # 0 and 1 in the place of what is right only take a part away
                away = number in self.plain and self.known[key] and node.kind != "Constant"
                made = Candidate(level + away, key, "value", number, tuple(table))
                is_due = self.known[key] and node.leaf and node.kind in ("Name", "Attribute")
                yield replace(made, rank=min(made.rank, 0.3)) if is_due and self.is_called(made, node) else made
        if node.root == "return" or (node.root == "assign" and not self.known[key]):
            for number, table in enumerate(self.table):
                asked = GRADIENT <= self.levels[number] < FOREIGN and table[0].ndim and not self.known[key]
                asked = asked or (node.root == "return" and number in self.results)
                if asked and any(a.shape != b.shape for a, b in zip(values, table)):
                    yield Candidate(self.levels[number] + 0.3, key, "value", number, tuple(table))
        if all(one.ndim == 2 for one in values):
            shapes = tuple(one.shape[::-1] for one in values)
            equal = set(self.quantities.equal(tuple(one.T for one in values)))
            for number in self.quantities.by_shape.get(shapes, []):
                turned = tuple(one.T for one in self.table[number])
                if self.levels[number] < 2 and number not in equal:
                    yield Candidate(self.levels[number] + 0.1, key, "value-transposed", number, turned)
        changed = node.parent >= 0 and self.nodes[node.parent].kind == "AugAssign" and not node.root
        free = (node.leaf and values[0].ndim > 0 and not changed) or key in self.last
        if free:
            for number, table in enumerate(self.table):
                if self.levels[number] < 1 and table[0].ndim == values[0].ndim == 2:
                    if any(a.shape != b.shape for a, b in zip(values, table)):
                        yield Candidate(self.levels[number] + 0.2, key, "value", number, tuple(table))
                    yield Candidate(
                        self.levels[number] + 0.2, key, "value-transposed", number, tuple(one.T for one in table)
                    )

    def _only_gathers(self, node: Node) -> bool:
        """Whether it makes a list of what others hold, one by one."""
        if node.kind not in ("ListComp", "GeneratorExp") or not node.children:
            return False
        one = self.nodes[node.children[-1]]
        return one.kind != "Constant" and all(
            part.kind in _KEPT or (part.kind == "Call" and _CALLED.match(part.text) is not None)
            for part in within(self.nodes, one)
        )

    def _structural(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        dims = values[0].ndim if len({one.ndim for one in values}) == 1 else -1
        if dims == 2:
            yield Candidate(0.05, key, "transpose", -1, tuple(one.T for one in values))
        if dims == 1 and node.root != "iter":  # a loop goes over what is in it, in whatever form
            yield Candidate(0.1, key, "keepdims", -1, tuple(one[:, None] for one in values))
            yield Candidate(0.15, key, "keepdims", -1, tuple(one[None, :] for one in values))
        if node.kind in ("BinOp", "AugAssign") and node.sign and len(node.children) == 2:
            parts = [self._part(child, key) for child in node.children]
            if None not in parts:
                a, b = parts[0], parts[1]
                for sign, operate in OPERATORS.items():
                    if sign != node.sign:
                        made = each(operate, a, b)
                        if made is not None:
                            usual = sign in _USUAL.get(node.sign, "")
                            yield Candidate(0.0 if usual else 3.0, key, f"operator {sign}", -1, made)
                for kind, x, y in (("exchanged", b, a),):
                    made = each(OPERATORS[node.sign], x, y)
                    if made is not None:
                        yield Candidate(0.05, key, kind, -1, made)
        if node.kind == "Call" and node.children:
            yield from self._summed(key, node, values)
        if dims == 2:
            yield from self._not_summed(key, node, values)
            yield from self._summed_otherwise(key, node, values)
        if not node.leaf and node.kind in ("BinOp", "Call") and not self._blame(key, node):
            yield from self._lacking(key, values)

    def _lacking(self, key: Visit, values: tuple[Any, ...]) -> Iterator[Candidate]:
        """A factor or a term that is missing: something elementary."""
        numbers = [n for n in self._alike(values) if self.levels[n] < GIVEN]
        for number in dict.fromkeys([*self.scalars, *numbers] if values[0].ndim else self.scalars):
            if number in self.plain:
                continue
            for kind, operate in (("factor", OPERATORS["*"]), ("term", OPERATORS["+"]), ("term -", OPERATORS["-"])):
                if kind == "factor" or (number in numbers and any(map(np.any, values))):
                    made = each(operate, values, tuple(self.table[number]))
                    if made is not None and any(np.any(one) for one in made):  # to take something away is no term
                        yield Candidate(0.75, key, kind, number, made)

    def _summed(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        """A sum, a mean or the largest entry along another axis, or with its axis kept."""
        source = self._part(node.children[0], key)
        if source is not None and source[0].ndim == 2 and (extreme := _EXTREMES.get(_attribute(node.text))):
            for way in (0, 1):
                made = each(lambda a, b: extreme(a, axis=way, keepdims=True), source, source)  # noqa: B023
                if made is not None:
                    yield Candidate(0.05, key, "axis", -1, made)
            return
        if source is None or source[0].ndim != 2 or not any(name in node.text for name in ("sum", "mean")):
            return
        function = np.mean if "mean" in node.text.split("(")[0] else np.sum
        other = np.sum if function is np.mean else np.mean
        for axis, keep in itertools.product((0, 1, None), (True, False)):
            made = each(lambda a, b: function(a, axis=axis, keepdims=keep), source, source)  # noqa: B023
            if made is not None:
                yield Candidate(0.05, key, "axis", -1, made)
        same_axis = each(lambda a, b: other(a, axis=1, keepdims=True), source, source)
        if same_axis is not None:
            yield Candidate(0.1, key, f"function {other.__name__}", -1, same_axis)

    def _not_summed(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        """A matrix that stands where its sum or its mean is due."""
        for function, how in ((np.sum, "summed"), (np.mean, "averaged")):
            for axis in (1, 0, None):
                made = each(lambda a, b: function(a, axis=axis, keepdims=axis is not None), values, values)  # noqa: B023
                if made is not None:
                    yield Candidate(0.35 if node.root else 0.5, key, how, -1, made)

    def _summed_otherwise(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        """What lies along one axis, as a sum that is kept, where the solution has one along the other."""
        if self.known[key] or node.leaf or self._blame(key, node) or any(1 not in one.shape for one in values):
            return
        mine = [one.shape.index(1) for one in values]
        for shapes, numbers in self.quantities.by_shape.items():
            if all(len(one) == 2 and 1 in one and one.index(1) != at for one, at in zip(shapes, mine)):
                for number in (one for one in numbers if self.levels[one] < GRADIENT):
                    yield Candidate(self.levels[number] + 0.1, key, "axis", -1, tuple(self.table[number]))

    def _grouped(self, key: Visit, node: Node) -> Iterator[Candidate]:
        factors = self._factors(node)
        if len(factors) < 3:
            return
        count = len(factors)
        for first in range(1, count - 1):
            for last in range(first + 1, count):
                if factors[first][1] != "*" or (last != count - 1):
                    continue
                others = [self._part(index, key) for n, (index, _) in enumerate(factors) if not first <= n <= last]
                signs = [sign for n, (_, sign) in enumerate(factors) if not first <= n <= last]
                shape = self._product(Candidate(0, key, "", -1, (), (first, last)))
                if None in others or shape is None:
                    continue
                for number in self._alike(shape):
                    if self.levels[number] >= 1 or self._equal(shape, self.table[number]):
                        continue
                    made: Any = others[0]
                    for sign, other in zip(signs[1:], others[1:]):
                        made = made and each(OPERATORS[sign], made, other)
                    made = made and each(OPERATORS["*"], made, tuple(self.table[number]))
                    if made is not None:
                        yield Candidate(self.levels[number], key, "value", number, made, (first, last))


@functools.cache
def _attribute(text: str) -> str:
    """The last name of what is called: ``max`` of ``np.abs(Z).max(axis=0)``."""
    called = getattr(ast.parse(text, mode="eval").body, "func", None)
    return called.attr if isinstance(called, ast.Attribute) else ""


def _are_counts(values: tuple[Any, ...]) -> bool:
    return all(float(one).is_integer() for one in values)


def is_rounded(typed: str, values: tuple[Any, ...], due: tuple[Any, ...]) -> bool:
    """Whether numbers are what is due, as exactly as they are written, with three figures or more.

    >>> is_rounded("1.522", (np.array(1.522),), (np.array(1.52195),))
    True
    """
    figures = [len(one) for one in re.findall(r"\.(\d+)", typed)]
    unit = 10.0 ** -min(figures, default=0)
    is_typed = bool(figures) and not re.search(r"[^\W\d]", typed)
    return is_typed and all(
        one.shape == other.shape and np.all(np.abs(one - other) <= 0.501 * unit) and np.all(np.abs(other) >= 100 * unit)
        for one, other in zip(values, due)
    )


def is_scaled(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether it is the same times a number, at every point."""
    for one, other in zip(values, others):
        if isinstance(one, bool) or isinstance(other, bool) or one.shape != other.shape or not one.ndim:
            return False
        at = np.abs(one).argmax()
        if not one.flat[at] or not same(one * (other.flat[at] / one.flat[at]), other):
            return False
    return True


def is_too_large(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether a count would become so large that a loop or an array does."""
    return any(
        not isinstance(one, bool) and not isinstance(other, bool) and one.ndim == other.ndim == 0
        and float(one).is_integer() and abs(other) > max(LARGEST, 4 * abs(one))
        for one, other in zip(values, others)
    )  # fmt: skip
