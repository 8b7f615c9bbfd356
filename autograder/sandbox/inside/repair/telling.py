"""What a repair costs beside others, and what is told of it."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import numpy as np

from .changing import Changing
from .hooks import Visit, as_array
from .instrument import Node, leaves
from .proofs import Change, Joint, Repair, Twins, over_at
from .putting import Mutant
from .runs import Plain, same
from .seen import Candidate

NAMED = 0.35
"""What a name costs more than what it was given."""


class Telling(Changing):
    """Prices and words of repairs."""

    def __init__(self, *arguments: Any) -> None:
        """Nothing is told yet."""
        super().__init__(*arguments)
        self.here: set[Visit] = set()  #: names that hold what they should, and not what is due where they are used

    def _price(self, one: tuple[Repair, set[str]], others: list[tuple[Repair, set[str]]]) -> Any:
        candidate, mended = one
        if isinstance(candidate, Change):
            at = candidate.parts[0].at if isinstance(candidate, Twins) else candidate.at
            parts_of_it = sum(isinstance(part, ast.expr) for part in ast.walk(at))
            return (False, -len(mended), candidate.rank, False, parts_of_it, 1 << 30)
        if isinstance(candidate, Joint):
            return (False, -len(mended), candidate.rank, False, 0, 1 << 30)
        node = self.nodes[candidate.key[0]]
        later = any(
            isinstance(other, Candidate)
            and candidate.key in self.objects
            and self.objects[candidate.key] is self.objects.get(other.key)
            and self.order[other.key] < self.order[candidate.key]
            and other.quantity == candidate.quantity
            and gained >= mended
            for other, gained in others
        )
        size: float = node.size if candidate.group is None else node.size - 0.5
        rank = self._priced(candidate)
        return (rank >= 10, -len(mended), rank, later, size, self.order.get(candidate.key, 1 << 30))

    def _priced(self, one: Repair) -> float:
        """The rank of a repair; a name costs more, for where it got its value may be at fault."""
        if not isinstance(one, Candidate) or one.kind in ("row", "handed"):
            return one.rank
        node = self.nodes[one.key[0]]
        rank = one.rank
        undone = one.kind == "transpose" and node.text.endswith(".T")  # an operation too much, and no name
        if node.leaf and node.kind in ("Name", "Attribute") and not undone:
            if self._is_own(one):
                is_due = one.kind != "value" or self.candidates.is_named(one) or self.candidates.is_called(one, node)
                rank += NAMED if is_due else 2.0
            elif one.kind.startswith("value") and not self.candidates.is_named(one):
                rank += NAMED if self._kind(one, node) != one.kind else 2.0  # what gave it its value is at fault
        return rank if rank < 2 else 10 + rank

    def _as_it_began(self, best: Repair, right: set[str], gained: set[str]) -> Repair:
        """The repair where a name, or what a call has returned, got its value, if that is nothing known and as much is
        mended there. Of what is known another value is due ``here``, if it was changed since it got its value, or with
        another one there nothing would be mended, or something right be lost."""
        if not isinstance(best, Candidate) or best.kind != "value" or best.also:
            return best
        value, seen = self.objects.get(best.key), self.candidates.seen
        given = [
            key for key, other in self.objects.items()
            if other is value and isinstance(value, np.ndarray) and self.order[key] < self.order[best.key]
            if self.nodes[key[0]].root in ("assign", "return")
        ]  # fmt: skip
        before = [key for key in given if all(map(same, seen[key], seen[best.key]))]
        if self.candidates.known.get(best.key, True):
            whole = node = self.nodes[best.key[0]]
            while whole.parent >= 0 and self.nodes[whole.parent].kind in ("Tuple", "List"):
                whole = self.nodes[whole.parent]
            is_filled = not before and whole.root == "return"  # what has filled it may be at fault
            is_name = node.kind == "Name" and bool(given) and not is_filled
            elsewhere = [[over_at(replace(best, key=key), point) for point in self.points] for key in before]
            if is_name and not any(self._gained(right, over) for over in elsewhere):
                self.here.add(best.key)
            return best
        for key in sorted(before, key=self.order.__getitem__):
            one, parts_of_it = replace(best, key=key), leaves(self.nodes, self.nodes[key[0]])
            if not all(self.candidates.known.get((leaf, key[1]), True) for leaf in parts_of_it):
                continue  # what is unknown there has begun elsewhere
            if self._gained(right, [over_at(one, point) for point in self.points]) >= gained and self._holds(
                one, right | gained
            ):
                return one
        return best

    def _is_index(self, one: Repair) -> bool:
        """Whether it says no more than which entry is taken: what is wrong may be the order of them."""
        if not isinstance(one, Candidate):
            return False
        node = self.nodes[one.key[0]]
        while node.parent >= 0:
            whole = self.nodes[node.parent]
            if whole.kind == "Subscript" and node.index != whole.children[0]:
                return True
            node = whole
        return False

    def _is_own(self, one: Candidate) -> bool:
        """Whether a name stands for what the solution knows, or would only be given another form."""
        return not one.kind.startswith("value") or self.candidates.known.get(one.key, False)

    def _told(self, best: Candidate | Mutant) -> Plain:
        if isinstance(best, Mutant):
            end_line, end_col = best.end
            return {
                "cell": best.unit.cell, "line": best.at.lineno, "end_line": end_line, "col": best.at.col_offset,
                "end_col": end_col, "visit": -1, "kind": best.kind, "due": -1, "given": -1,
                "got": None, "expected": None, "sound": [],
            }  # fmt: skip
        node = self.nodes[best.key[0]]
        if best.kind in ("row", "handed"):
            kind = "value"
            if best.kind == "handed" and (node.leaf or node.kind in ("Tuple", "List")) and node.kind != "Constant":
                kind, node = "handed", self.nodes[node.parent]
            line, col = node.statement if node.leaf and node.statement else (node.line, node.col)
            return {
                "cell": node.cell, "line": line, "end_line": node.end_line, "col": col, "end_col": node.end_col,
                "visit": -1, "kind": kind, "due": -1, "given": -1, "got": None, "expected": None, "sound": [],
            }  # fmt: skip
        chosen = self._chosen_for_all(best)
        if chosen is not None:
            return {
                **{name: getattr(chosen, name) for name in ("cell", "line", "end_line", "col", "end_col")},
                "visit": -1, "kind": "entries", "due": -1, "given": -1, "got": None, "expected": None, "sound": [],
            }  # fmt: skip
        many = sum(1 for key in self.candidates.seen if key[0] == node.index) > 1
        first, last = node, node
        if best.group is not None:
            first, last = self.candidates.ends(best)
        kind = self._kind(best, node)
        if kind.startswith("unchanged") and node.root != "lambda":
            first = last = self._function_of(node) or node
        line, col, given = first.line, first.col, self.candidates.given(best)
        if self._is_copied(best, node):
            (line, col), given = node.statement or (line, col), -1
        return {
            "cell": node.cell, "line": line, "end_line": last.end_line, "col": col, "end_col": last.end_col,
            "visit": best.key[1] if many and not best.also else -1, "kind": kind, "due": best.quantity,
            "given": given,
            **self.candidates.shown(best, self.shown),
            "sound": [] if any(self.over) else self.candidates.sound(best), "here": best.key in self.here,
        }  # fmt: skip

    def _chosen_for_all(self, best: Candidate) -> Node | None:
        """The condition that chooses one of two answers for all entries, where some are due from each of them."""
        if not self.candidates.is_asked(best):
            return None
        function = self._function_of(self.nodes[best.key[0]])
        for key, values in self.candidates.seen.items():
            node = self.nodes[key[0]]
            is_test = node.root == "test" and not key[1] and all(isinstance(one, bool) for one in values)
            if is_test and self._function_of(node) is function and self._is_mixed(best, key, values):
                return node
        return None

    def _is_mixed(self, best: Candidate, test: Visit, values: tuple[Any, ...]) -> bool:
        """Whether each entry of what a repair mends is given by one of two branches, and by neither of them all."""
        for point in self.points:
            now, other, mended = (
                self.runs.run(point, {**self.over[point], **over})
                for over in ({}, {test: not values[point]}, over_at(best, point))
            )
            for name in self._right(point, mended) - self._right(point, now):
                due = self.exact[point][name]
                given = [one.get(name) for one in (now, other)]
                arrays = [one for one in given if isinstance(one, np.ndarray)]
                if not isinstance(due, np.ndarray) or [one.shape for one in arrays] != [due.shape] * 2:
                    return False
                fits = [np.isclose(one, due, rtol=self.rtol) for one in arrays]
                if not np.all(fits[0] | fits[1]) or np.all(fits[1]):
                    return False
        return True

    def _is_copied(self, best: Candidate, node: Node) -> bool:
        """Whether a name gets what another one rightly holds, and the solution gives it what is due: it is not what
        that name holds that is wrong."""
        is_name = node.leaf and node.kind in ("Name", "Attribute") and node.statement is not None
        return is_name and self.candidates.known.get(best.key, False) and self.candidates.is_called(best, node)

    def _kind(self, best: Candidate, node: Node) -> str:
        """What kind of repair it is: of a name, another name where one holds what is due."""
        if best.kind != "value" or not node.leaf or node.kind not in ("Name", "Attribute"):
            return best.kind
        function = self._function_of(node)
        is_returned = node.root in ("return", "lambda") or (
            node.parent >= 0 and self.nodes[node.parent].root == "return"
        )
        if node.kind == "Name" and function is not None and is_returned and node.text not in function.stores:
            return f"unchanged {node.text}"
        owner, _, attribute = node.text.rpartition(".")
        for (index, _), names in self.left_behind.items() if attribute else ():
            is_here = function is not None and index == function.index
            held = getattr(names.get(owner), "__dict__", {}) if is_here else {}
            for name, value in held.items():
                made = as_array(value)
                if name != attribute and made is not None and same(made, best.values[0]):
                    return f"name {owner}.{name}"
        for key in self.candidates.holding(best):
            other = self.nodes[key[0]]
            is_other = other.cell == node.cell and other.leaf and other.text != node.text
            if is_other and other.kind == node.kind and not self.candidates.is_named(best):
                return f"name {other.text}"
        return best.kind


def told_of(place: tuple[int, int, int, int, int], kind: str, mended: set[str]) -> Plain:
    """What is told of a place, where nothing has a value there."""
    where = dict(zip(("cell", "line", "end_line", "col", "end_col"), place))
    told = {"visit": -1, "kind": kind, "due": -1, "given": -1, "got": None, "expected": None, "sound": []}
    return {**where, **told, "mends": names_of(mended)}


def names_of(found: set[str]) -> list[str]:
    """What is asked, whichever of its parts was mended."""
    return sorted({name.split("\n")[0] for name in found})


def owner_of(attribute: str, function: Node, names: dict[str, Any]) -> str:
    """What a function could give an attribute: its own object, or one of whose others it gives values to."""
    if hasattr(names.get("self"), "__dict__"):
        return "self"
    for name, value in names.items():
        held = getattr(value, "__dict__", {})
        if attribute in held and any(f".{one}" in function.stores for one in held):
            return name
    return ""
