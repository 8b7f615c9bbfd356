"""The expression at fault where no repair is found: all that it reads is right, and what it gives is a wrong answer.

Nothing has to be known of what is due within it, nor has any change to lead there. It is claimed only of an expression
whose value is the answer as it stands, where no condition decides whether it is worked out.
"""

from __future__ import annotations

import ast
import builtins
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .instrument import Node
from .proofs import tells
from .runs import Plain, as_rows, parts, same
from .telling import told_of
from .undone import Undone

_CONDITIONS = (ast.If, ast.While, ast.Match, ast.Try, ast.With)
_ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue, ast.While)


class Deduced(Undone):
    """What follows from values alone."""

    first: list[Plain]  #: the answers of the code as it is

    def _deduced(self, right: set[str]) -> Iterator[Plain]:
        """Where a wrong answer first stands, if all that gives it there is right."""
        if self.stops:
            return
        answers = [parts(as_rows(one, due)) for one, due in zip(self.first, self.entries)]
        self.stored = {name.removeprefix(".") for one in self.nodes for name in (*one.stores, one.target)}
        told: dict[int, set[str]] = {}
        for name in sorted(set(self.exact[0]) - right):
            if any(tells(one[name]) for one in self.exact) and all(name in one for one in answers):
                index = self._first_with(name, [one[name] for one in answers])
                if index is not None:
                    told.setdefault(index, set()).add(name)
        for index, names in told.items():
            node = self.nodes[index]
            yield told_of((node.cell, node.line, node.end_line, node.col, node.end_col), "made", names)

    def _first_with(self, name: str, values: list[Any]) -> int | None:
        """The first expression that gives an answer, if it gives it to that name or to the question."""
        if not all(isinstance(one, np.ndarray | float | int) and not isinstance(one, bool) for one in values):
            return None
        due = [np.asarray(one, float) for one in values]
        first = (key[0] for key in sorted(self.candidates.seen, key=self.order.__getitem__) if not key[1])
        for index in first:
            if not self.candidates.is_given_a_name(index) and self._gives(index, due):
                node = self.nodes[index]
                bound = None if node.leaf else self._loops_around(node, name.split("\n")[0].removesuffix("_new"))
                return index if bound is not None and self._reads_what_is_right(node, bound) else None
        return None

    def _gives(self, index: int, due: list[np.ndarray]) -> bool:
        """Whether an expression gives these values, all at once or entry by entry."""
        row = self.rows.mine.get(index)
        if row is not None:
            together = [np.concatenate([np.ravel(part) for part in one]) for one in row]
            return all(same(one, np.ravel(value)) for one, value in zip(together, due))
        seen = self.candidates.seen[index, 0]
        return (index, 1) not in self.candidates.seen and not isinstance(seen[0], bool) and all(map(same, seen, due))

    def _loops_around(self, node: Node, name: str) -> set[str] | None:
        """The names that loops around an expression bind; None where something else than the answer may be due there,
        or a condition decides whether it is worked out."""
        whole = node
        while whole.parent >= 0 and self.nodes[whole.parent].kind in ("Tuple", "List"):
            whole = self.nodes[whole.parent]
        way = _way_to(self.instrument.trees[node.cell].body, node, [])
        function = next((one for one in way or () if isinstance(one, ast.FunctionDef)), None)
        is_asked = function is not None and function.name in self.read
        is_given = whole.root == "assign" and (whole.target == name or is_asked)
        if way is None or not (is_given or (whole.root == "return" and is_asked)):
            return None
        if function is not None and self._leaves_unused(function):
            return None
        loops = [one for one in way if isinstance(one, ast.For)]
        return {part.id for one in loops for part in ast.walk(one.target) if isinstance(part, ast.Name)}

    def _leaves_unused(self, function: ast.FunctionDef) -> bool:
        """Whether something in a function comes to nothing: a value that is not read may be what is missing."""
        names = [one for one in ast.walk(function) if isinstance(one, ast.Name)]
        read = {one.id for one in names if isinstance(one.ctx, ast.Load)}
        alone = (one.value for one in ast.walk(function) if isinstance(one, ast.Expr))
        hooked = [
            one for one in alone if isinstance(one, ast.Call) and getattr(one.func, "id", "") == self.instrument.name
        ]
        printed = [one for one in hooked if ast.unparse(one.args[1]).startswith("print(")]
        return len(hooked) > len(printed) or any(
            one.id not in read and one.id != "_" for one in names if isinstance(one.ctx, ast.Store)
        )

    def _reads_what_is_right(self, node: Node, bound: set[str]) -> bool:
        """Whether an expression reads something, and nothing but what is right or ``bound`` by a loop."""
        tree = ast.parse(node.text, mode="eval")
        inner = [one for one in ast.walk(tree) if isinstance(one, ast.comprehension)]
        bound = bound | {one.id for part in inner for one in ast.walk(part.target) if isinstance(one, ast.Name)}
        called = {one.func.id for one in ast.walk(tree) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)}
        if called & self.rows.own - self.trusted - self.rows.handed or any(
            isinstance(one, ast.Lambda) for one in ast.walk(tree)
        ):
            return False
        reads, waiting = False, list(node.children)
        while waiting:
            one = self.nodes[waiting.pop()]
            if one.index in self.candidates.generators:
                return False
            if one.kind == "Name" or (one.kind == "Attribute" and not one.children):
                if one.text not in bound and not self._is_right_there(one):
                    return False
                reads = True
            waiting += one.children
        return reads

    def _is_right_there(self, node: Node) -> bool:
        """Whether a name is what is given, or right by another question, or holds what the solution means by it."""
        name, key = node.text.rpartition(".")[2], (node.index, 0)
        if node.kind == "Name" and (
            name in self.trusted
            or (name not in self.rows.own and hasattr(builtins, name))
            or (name in self.rows.given and len(self.read) == 1)
        ):
            return True
        seen = self.candidates.seen.get(key, (True,))
        if any(isinstance(one, bool) for one in seen):
            return False
        if node.index in self.rows.mine:
            return self.rows.is_right(node.index)
        given = self.candidates.quantities.equal(seen)
        if any(self.candidates.wholes[one] == zlib.crc32(name.encode()) for one in given):
            return True
        if name in self.stored and any(self.candidates.levels[one] == 0 for one in given):
            return False  # that it is what was given, and nothing more, may be what is wrong
        is_array = all(one.ndim and one.size > 1 for one in seen)
        return is_array and bool(given) and not self.candidates.is_named_otherwise(key)


def _way_to(statements: list[ast.stmt], node: Node, way: list[ast.stmt]) -> list[ast.stmt] | None:
    """The definitions and loops around an expression; None where a condition decides whether it is worked out."""
    for one in statements:
        is_here = one.lineno <= node.line <= (one.end_lineno or 0)
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            if is_here:
                body = next((part.body for part in one.body if isinstance(part, ast.Try)), one.body)
                return _way_to(body if isinstance(one, ast.FunctionDef) else one.body, node, [*way, one])
        elif isinstance(one, (ast.For, ast.AsyncFor, *_CONDITIONS)):
            if any(isinstance(part, _ENDS) for part in ast.walk(one)):
                return None
            if is_here:
                return _way_to(one.body, node, [*way, one]) if isinstance(one, ast.For) else None
        elif is_here and not isinstance(one, ast.Expr):  # those that count the turns of a loop have its lines
            return way
    return None
