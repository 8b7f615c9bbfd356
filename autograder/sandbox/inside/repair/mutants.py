"""Instrumented code with one small change: an operator, a number, a name, or a statement that stands elsewhere."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator
from typing import Any, TypeGuard

from .edits import (
    MOST_NAMES,
    Unit,
    both,
    is_near,
    item,
    left_out,
    nearest,
    setting,
    swapped,
    unread_in,
    variables_of,
)  # fmt: skip
from .forms import Forms
from .putting import Mutant
from .seen import changes_nothing

_OPERATORS: dict[type, tuple[tuple[type, str], ...]] = {
    ast.Mult: ((ast.MatMult, "@"), (ast.Div, "/"), (ast.Add, "+")),
    ast.MatMult: ((ast.Mult, "*"),),
    ast.Add: ((ast.Sub, "-"), (ast.Mult, "*")),
    ast.Sub: ((ast.Add, "+"),),
    ast.Div: ((ast.Mult, "*"),),
}
_COMPARED: dict[type, tuple[tuple[type, str], ...]] = {
    ast.Gt: ((ast.GtE, ">="), (ast.Lt, "<")), ast.GtE: ((ast.Gt, ">"), (ast.LtE, "<=")),
    ast.Lt: ((ast.LtE, "<="), (ast.Gt, ">")), ast.LtE: ((ast.Lt, "<"), (ast.GtE, ">=")),
    ast.Eq: ((ast.NotEq, "!="),), ast.NotEq: ((ast.Eq, "=="),),
}  # fmt: skip
_TURNED = {ast.Gt: ">", ast.GtE: ">", ast.Lt: "<", ast.LtE: "<"}
"""A comparison that is turned round costs more than one that takes in, or leaves out, what is equal."""

_FUNCTIONS = {"sum": "mean", "mean": "sum", "sin": "cos", "cos": "sin", "argmax": "argmin", "argmin": "argmax"}
_MAKES = {"array", "asarray", "zeros_like", "ones_like", "full_like", "empty_like"}

_FORMS = {
    "array", "asarray", "concatenate", "copy", "flatten", "hstack", "list", "ravel", "reshape", "squeeze", "stack",
    "transpose", "tuple", "vstack",
}  # fmt: skip
"""These give what they get another form, and work nothing out."""

_FACTORS = (ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Slice, ast.Compare)
"""What stands in one of these is no factor."""


MOST_ITEMS = 6
"""In a longer list only neighbours are exchanged."""

MOST_ARGUMENTS = 4
"""Of a call with more arguments no two are exchanged."""


class Mutants(Forms):
    """The changes that can be made to the code as it is now."""

    def all(self, visited: set[int], lines: set[tuple[int, int]], generators: set[int]) -> Iterator[Mutant]:
        """Every change to the code that has run: expressions by their hooks, functions by their cells and lines.

        ``generators`` are the expressions that give a generator of random numbers.
        """
        for unit in self.units:
            if any(cell == unit.cell and unit.holds(line) for cell, line in lines):
                mine = {line for cell, line in lines if cell == unit.cell}
                yield from self._statements(unit, mine)
                yield from self._bindings(unit, mine)
                yield from self._expressions(unit, visited, generators)

    def _expressions(self, unit: Unit, visited: set[int], generators: set[int]) -> Iterator[Mutant]:
        variables = variables_of(unit.tree)
        returned = {id(part) for one in ast.walk(unit.tree) if isinstance(one, ast.Return) for part in ast.walk(one)}
        unread = unread_in(unit.tree)
        rows = self._rows(unit.tree)
        for parent in ast.walk(unit.tree):
            pairs = [self._under_hook(part) for part in parent.elts] if self._is_list(parent) else []
            if pairs and all(self._is_list(one) and len(one.elts) == 2 for one in pairs):
                yield Mutant(0.3, "in order", unit, parent, both(*(swapped(one.elts, 0) for one in pairs)))
            if self._is_list(parent) and id(parent) not in rows:
                for part in parent.elts:
                    at = self._under_hook(part)
                    yield Mutant(0.6, "item", unit, at, left_out(parent.elts, [part]))
                for kind, change in self._other_items(parent):
                    yield Mutant(0.6, kind, unit, parent, change)
                bare = all(isinstance(self._under_hook(part), ast.Name) for part in parent.elts)
                rank = 0.28 if id(parent) in returned else 0.3  # what comes out is nearest
                for pair in itertools.combinations(range(len(parent.elts)), 2):
                    cost = rank + 0.01 * bare + 0.03 * (pair[1] - pair[0] > 1)
                    if pair[1] == pair[0] + 1 or len(parent.elts) <= MOST_ITEMS:
                        yield Mutant(cost, "in order", unit, parent, swapped(parent.elts, *pair))
            if isinstance(parent, ast.For | ast.comprehension) and isinstance(parent.target, ast.Tuple):
                function = getattr(self._under_hook(parent.iter), "func", None)
                if getattr(function, "id", "") == "enumerate" or getattr(function, "attr", "") == "items":
                    yield Mutant(0.3, "in order", unit, parent.target, swapped(parent.target.elts, 0))
            if isinstance(parent, ast.Return) and self._is_hook(parent.value):
                yield from self._more_items(unit, parent, variables)
            for _, value in ast.iter_fields(parent):
                for node in list(value) if isinstance(value, list) else [value]:
                    if not self._is_hook(node):
                        continue
                    hook = node.args[0].value
                    if hook not in visited and hook not in generators:
                        continue
                    for kind, change in self._with_argument(node, node.args[1], unread, hook in generators):
                        yield Mutant(0.25, kind, unit, node.args[1], change, hook)
                    if hook not in visited:
                        continue
                    if id(node) in returned and isinstance(node.args[1], ast.Name | ast.Attribute):
                        for entry in (-1, 0):
                            one = ast.copy_location(ast.Subscript(node.args[1], ast.Constant(entry), ast.Load()), node)
                            kind = f"entry {ast.unparse(one)}"
                            yield Mutant(0.55, kind, unit, node.args[1], item(node.args, 1, one), hook)
                    for rank, kind, change in itertools.chain(
                        self._of(node, node.args[1], unit, variables), self._forms(node, node.args[1], unit)
                    ):
                        yield Mutant(rank, kind, unit, node.args[1], change, hook)
                    if not isinstance(parent, _FACTORS) and not self._is_product(parent):
                        for rank, kind, change in self._as_factor(node, node.args[1], unread):
                            yield Mutant(rank, kind, unit, node.args[1], change, hook)

    def _with_argument(self, wrap: Any, node: Any, unread: list[str], draws: bool) -> Iterator[tuple[str, Any]]:
        """An argument that nothing reads, in the place of something, as of what ``draws``, or handed on by its name."""
        for name in unread:
            other = ast.copy_location(ast.Name(name, ast.Load()), node)
            if draws or isinstance(node, ast.Constant | ast.Name):
                yield f"argument {name}", item(wrap.args, 1, other)
            elif isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name):
                    yield f"argument {name}", setting(node, "func", other)
                yield f"keyword {name}", setting(node, "keywords", [*node.keywords, ast.keyword(name, other)])

    def _more_items(self, unit: Unit, parent: ast.Return, variables: list[str]) -> Iterator[Mutant]:
        """One more variable is returned."""
        value: Any = parent.value
        items = value.args[1].elts if isinstance(value.args[1], ast.Tuple) else [value]
        for name in variables:
            one = ast.Name(name, ast.Load())
            for every in ([*items, one], [one, *items])[: 1 + (items == [value])]:
                more = ast.copy_location(ast.Tuple(every, ast.Load()), parent)
                yield Mutant(0.6, f"also {name}", unit, parent, setting(parent, "value", more))

    def _is_list(self, node: Any) -> TypeGuard[ast.Tuple | ast.List]:
        return isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1

    def _rows(self, tree: ast.AST) -> set[int]:
        """The tuples that are taken apart in one way, as in a list of pairs."""
        found: set[int] = set()
        for one in ast.walk(tree):
            if self._is_list(one):
                items = [self._under_hook(part) for part in one.elts]
                if all(isinstance(part, ast.Tuple | ast.List) for part in items):
                    found.update(map(id, items))
        return found

    def _number(self, node: Any) -> str:
        """A number as it is written; empty for anything else."""
        at = self._under_hook(node)
        return str(at.value) if isinstance(at, ast.Constant) else ""

    def _is_product(self, node: Any) -> bool:
        return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Div | ast.Pow)

    def _as_factor(self, wrap: Any, node: Any, unread: list[str]) -> Iterator[tuple[float, str, Any]]:
        """A minus, or an argument that nothing reads as a factor."""
        if isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute) and not self._is_form(node):
            more = 0.3 * isinstance(node, ast.Name | ast.Attribute)
            minus = ast.copy_location(ast.UnaryOp(ast.USub(), node), node)
            yield 0.25 + more, "sign", item(wrap.args, 1, minus)
            if not more:
                for number in (2, 0.5):
                    scaled = ast.BinOp(ast.Constant(number), ast.Mult(), node)
                    yield 0.53, f"factor {number}", item(wrap.args, 1, ast.copy_location(scaled, node))
            for name in unread:
                product = ast.BinOp(node, ast.Mult(), ast.Name(name, ast.Load()))
                yield 0.3 + more, f"factor {name}", item(wrap.args, 1, ast.copy_location(product, node))

    def _shares(self, one: Any, other: Any) -> Iterator[tuple[float, str, Any]]:
        """``b * x + a * y`` for ``a * x + b * y``: each has the share of the other one."""
        if all(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult) for part in (one, other)):
            for side in ("left", "right"):
                change = both(setting(one, "left", getattr(other, side)), setting(other, side, one.left))
                yield 0.3, "exchanged factors", change

    def _is_form(self, node: Any) -> bool:
        """Whether it gives what a name holds another form: a factor is missing where that was worked out."""
        called = getattr(node, "func", None)
        if getattr(called, "attr", getattr(called, "id", "")) not in _FORMS:
            return False
        is_method = isinstance(called, ast.Attribute) and self._is_hook(called.value)
        of = called.value if is_method else next(iter(node.args), None)  # type: ignore[union-attr]
        return isinstance(self._under_hook(of), ast.Name | ast.Attribute)

    def _of(self, wrap: Any, node: Any, unit: Unit, variables: list[str]) -> Iterator[tuple[float, str, Any]]:
        if isinstance(node, ast.BinOp):
            sides = [self._number(one) for one in (node.left, node.right)]
            for operator, sign in _OPERATORS.get(type(node.op), ()):
                if not changes_nothing(sign, *sides):  # then the side is too much
                    yield 0.05 if sign != "+" else 0.3, f"operator {sign}", setting(node, "op", operator())
            if isinstance(node.op, ast.Add):
                yield from self._shares(self._under_hook(node.left), self._under_hook(node.right))
            if isinstance(node.op, ast.MatMult):
                for side in ("left", "right"):
                    transposed = ast.copy_location(ast.Attribute(getattr(node, side), "T", ast.Load()), node)
                    yield 0.1, "transposed part", setting(node, side, transposed)
            else:
                yield 0.4, "without", item(wrap.args, 1, node.left)
                if isinstance(node.op, ast.Mult | ast.Add) or self._number(node.left):
                    yield 0.4, "without", item(wrap.args, 1, node.right)
                first: Any = node.left
                while self._is_hook(first) and isinstance(first.args[1], ast.BinOp):
                    first = first.args[1].left
                    yield 0.42, "without", item(wrap.args, 1, first)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            for operator, sign in _COMPARED.get(type(node.ops[0]), ()):
                turned = 0.02 * (type(node.ops[0]) in _TURNED and sign[0] != _TURNED[type(node.ops[0])])
                yield 0.2 + turned, f"comparison {sign}", item(node.ops, 0, operator())
        elif isinstance(node, ast.BoolOp):
            other: Any = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
            yield 0.3, "operator and" if isinstance(node.op, ast.Or) else "operator or", setting(node, "op", other)
            for one in node.values:
                yield 0.35, "without", item(wrap.args, 1, one)
        elif isinstance(node, ast.IfExp):
            for one in (node.body, node.orelse):  # at every visit, whatever the condition says
                yield 0.4, "without", item(wrap.args, 1, one)
            added = ast.copy_location(ast.BinOp(node.body, ast.Add(), node.orelse), node)
            for side in ("body", "orelse"):
                yield 0.45, "beside", setting(node, side, added)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
            yield 0.2, "without sign", item(wrap.args, 1, node.operand)
        elif isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) <= 4:
            for number in (node.value - 1, node.value + 1, -node.value):
                if number != node.value:
                    yield 0.5, f"number {number}", setting(node, "value", number)
        elif isinstance(node, ast.Name):
            for name in nearest(node.id, variables):
                yield 0.6 - 0.1 * is_near(name, node.id), f"name {name}", setting(node, "id", name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            for name in nearest(node.attr, sorted(unit.attributes)):
                yield 0.6 - 0.1 * is_near(name, node.attr), f"name self.{name}", setting(node, "attr", name)
        elif isinstance(node, ast.Call):
            attribute = getattr(node.func, "attr", "")
            if attribute in _MAKES and not node.keywords:
                given = [ast.keyword("dtype", ast.copy_location(ast.Name("float", ast.Load()), node))]
                yield 0.35, "float", setting(node, "keywords", given)
            if attribute in _FUNCTIONS:
                yield 0.3, f"function {_FUNCTIONS[attribute]}", setting(node.func, "attr", _FUNCTIONS[attribute])
            if attribute == "copy":
                made: Any = ast.Call(ast.Attribute(node, "astype", ast.Load()), [ast.Name("float", ast.Load())], [])
                yield 0.35, "float", item(wrap.args, 1, ast.copy_location(made, node))
            is_own = not self._is_hook(node)  # after a change a hook may stand in another one
            for first_one in range(len(node.args) - 1 if is_own and len(node.args) <= MOST_ARGUMENTS else 0):
                yield 0.32, "in order", swapped(node.args, first_one)
            above = self._under_hook(node.func.value) if isinstance(node.func, ast.Attribute) else None
            if isinstance(above, ast.Call) and getattr(above.func, "id", "") == "super":
                own_class = ast.parse("__class__ and self", mode="eval").body  # as super() it needs the class
                for part in ast.walk(own_class):
                    ast.copy_location(part, node)
                yield 0.4, "name self", setting(node.func, "value", own_class)
            if isinstance(node.func, ast.Attribute) and self._is_hook(node.func.value):
                yield 0.42, "without", item(wrap.args, 1, node.func.value)
            elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
                yield 0.42, "without", item(wrap.args, 1, node.args[0])
        elif isinstance(node, ast.List) and not node.elts:
            for name in variables[:MOST_NAMES]:
                first = ast.copy_location(ast.Name(name, ast.Load()), node)
                yield 0.45, f"begins {name}", setting(node, "elts", [first])
        elif isinstance(node, ast.Subscript) and self._is_hook(node.slice):
            for operator, sign in ((ast.Add, "+"), (ast.Sub, "-")):
                moved = ast.BinOp(copy.copy(node.slice), operator(), ast.Constant(1))
                yield 0.45, f"index {sign} 1", setting(node, "slice", ast.copy_location(moved, node.slice))
            ways = self._under_hook(node.slice)
            for number, one in enumerate(ways.elts if isinstance(ways, ast.Tuple) else ()):
                if isinstance(self._under_hook(one), ast.Name):  # not an axis that is made with None
                    kept = ast.copy_location(ast.List([one], ast.Load()), one)
                    yield 0.45, "kept axis", item(ways.elts, number, kept)
        if isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute):
            squared = ast.copy_location(ast.BinOp(node, ast.Pow(), ast.Constant(2)), node)
            yield 0.9, "square", item(wrap.args, 1, squared)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            yield 0.4, "without", item(wrap.args, 1, node.left)
        if isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr == "T"):
            yield 0.42, "without", item(wrap.args, 1, node.value)
