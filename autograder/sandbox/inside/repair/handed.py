"""What is handed to a call: the solution hands the function or method of that name something else.

A network is trained on the examples of the test, an epoch gets all columns for one: nothing that was worked out is
wrong, and what the call gives back is often no array. So arguments are compared by the name of what is called and by
their place in the call, and those of the solution stand in the place of the student's, alone or together.
"""

from __future__ import annotations

import builtins
import inspect
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .hooks import LONGEST, MOST_OF_ARRAY, as_array
from .instrument import MODULES, Node, leaves, within
from .rows import OF_THAT_NAME
from .runs import Plain, same
from .seen import Candidate

MOST = 60
"""So many different arguments of a solution are kept."""

Values = list[list[Any]]
"""What an expression gives at every point, visit by visit."""


def arguments(rows: list[dict[int, list[Any]]], nodes: list[Node]) -> Iterator[Plain]:
    """Those of a solution as plain data, with the calls that get them and the names that hold them."""
    found: dict[bytes, Plain] = {}
    for node in nodes:
        values = _of(rows, node.index) if node.handed else None
        if values is None:
            continue
        name = b"".join(np.round(value, 12).tobytes() + str(value.shape).encode() for one in values for value in one)
        if name not in found and len(found) >= MOST:
            continue
        one = found.setdefault(name, {"values": values, "names": [], "read": []})
        for way, text in (("names", node.handed), ("read", node.text if node.kind in ("Name", "Attribute") else "")):
            if text and text not in one[way]:
                one[way].append(text)
    yield from found.values()


def _of(rows: list[dict[int, list[Any]]], index: int) -> Values | None:
    """What an expression gives, where all of it is known and it is not too much."""
    values = [one.get(index, []) for one in rows]
    if not all(0 < len(one) <= LONGEST for one in values) or any(value is None for one in values for value in one):
        return None
    return values if all(sum(value.size for value in one) <= MOST_OF_ARRAY for one in values) else None


@dataclass(frozen=True)
class Known:
    """What the solution hands on, with hashes of the calls that get it and of the names that hold it."""

    values: Values
    names: frozenset[int]
    read: frozenset[int]


class Handed:
    """What could be handed on in the place of what is."""

    def __init__(self, nodes: list[Node], known: list[Plain], read: set[str]) -> None:
        """``known`` are the arguments of the solution; ``read`` are the names that the question asks for."""
        self.nodes = nodes
        self.known = [Known(one["values"], frozenset(one["names"]), frozenset(one["read"])) for one in known]
        functions = [one for one in nodes if one.kind == "Function"]
        stored = {name for one in functions for name in one.stores}
        self.given = {name for one in functions if one.target in read for name in one.arguments} - stored

    def all(self, rows: list[dict[int, list[Any]]], generators: set[int], over: set[int]) -> Iterator[Candidate]:
        """Every argument that the solution hands to what is called so, where it is handed another one here."""
        self.rows, self.generators = rows, generators
        places: dict[str, list[tuple[Node, Values]]] = {}
        for node in self.nodes:
            values = _of(rows, node.index) if node.handed and node.index not in over else None
            if values is not None:
                places.setdefault(node.handed, []).append((node, values))
        for name, mine in places.items():
            hashed = zlib.crc32(name.encode())
            fitting = [one for one in self.known if hashed in one.names]
            left = [one for one in fitting if not any(_equal(values, one.values) for _, values in mine)]
            for number, (node, values) in enumerate(mine if left else ()):
                before = [other for _, other in mine[:number]]
                is_due = any(_equal(values, one.values) for one in fitting)
                if not self._is_right(node) or (is_due and not any(_equal(values, other) for other in before)):
                    continue
                for one in left:
                    if list(map(len, one.values)) == list(map(len, values)):
                        yield Candidate(OF_THAT_NAME, (node.index, 0), "handed", -1, tuple(one.values))

    def missing(self, names: dict[str, Any], called: set[str]) -> Iterator[str]:
        """The methods of objects, beside those that are called, to which the solution hands what other names hold."""
        arrays = {name: array for name, value in names.items() if (array := as_array(value)) is not None}
        for name, value in names.items():
            for method in dir(type(value)):
                found: list[str] = []
                while method not in called and (due := self._handed_to(f"{method}({len(found)}")):
                    fitting = (n for n, one in arrays.items() if n != name and any(same(one, other) for other in due))
                    found.append(next(fitting, ""))
                if found and all(found):
                    yield f"{name}.{method}({', '.join(found)})"

    def lacking(self, called: str, names: dict[str, Any], variables: list[str]) -> Iterator[tuple[str, str]]:
        """The named arguments that the solution hands to what is called so, with a variable that holds the value, or
        the number that it always is."""
        owner = next((one for one in names.values() if called and hasattr(type(one), called)), None)
        try:
            known = inspect.signature(names[called] if called in names else getattr(owner, called)).parameters
        except (KeyError, AttributeError, TypeError, ValueError):
            return
        for name in known:
            due = self._handed_to(f"{called}({name}")
            held = (one for one in variables if due and _is_number_of(names.get(one), due))
            value = next(held, "") or (repr(_plain(due[0])) if due and _always(due) else "")
            if value:
                yield name, value

    def _handed_to(self, place: str) -> list[Any]:
        """All that the solution hands to a place of a call, at the first point."""
        hashed = zlib.crc32(place.encode())
        return [value for one in self.known if hashed in one.names for value in one.values[0]]

    def _is_right(self, node: Node) -> bool:
        """Whether all names that it is made of hold what they were given, or what the solution reads by that name."""
        if any(self._is_other_call(one) for one in within(self.nodes, node)):
            return False  # of what an object holds nothing is known
        parts = [node.index] if node.leaf and not node.children else [*leaves(self.nodes, node)]
        return all(self._is_known(self.nodes[one]) for one in parts)

    def _is_other_call(self, node: Node) -> bool:
        """Whether something is called that is no function of a module, none of Python's, and draws no numbers."""
        called = node.text.split("(")[0]
        is_plain = called.split(".")[0] in MODULES or hasattr(builtins, called)
        return node.kind == "Call" and not is_plain and not self.generators.intersection(node.children)

    def _is_known(self, leaf: Node) -> bool:
        if leaf.kind == "Constant" or leaf.text in self.given or leaf.index in self.generators:
            return True
        if leaf.kind == "Subscript" and leaf.children:
            return all(self._is_right(self.nodes[child]) for child in leaf.children)
        values, name = _of(self.rows, leaf.index), zlib.crc32(leaf.text.encode())
        return values is not None and any(name in one.read and _equal(values, one.values) for one in self.known)


def _plain(value: Any) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _always(due: list[Any]) -> bool:
    """Whether it is one and the same number."""
    return all(not np.ndim(one) and same(one, due[0]) for one in due)


def _is_number_of(value: Any, due: list[Any]) -> bool:
    """Whether it is the number or the array that is due first."""
    made = as_array(value)
    return made is not None and same(made, due[0])


def _equal(values: Values, others: Values) -> bool:
    return list(map(len, values)) == list(map(len, others)) and all(
        same(a, b) for one, other in zip(values, others) for a, b in zip(one, other)
    )
