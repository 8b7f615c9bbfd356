"""Instrumented code with one small change: an operator, a number, a name, or a statement that stands elsewhere.

A change is made in the tree of a function, compiled, and put in the place of the code of the function that is there;
whoever holds the function runs it. What was changed is known by where it stands, and is changed back afterwards.
"""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .edits import (
    Edit,
    Undo,
    Unit,
    attributes,
    bare,
    exchanged,
    inner,
    is_near,
    item,
    left_out,
    moved_to,
    nearest,
    setting,
    swapped,
    unread_in,
    variables_of,
)  # fmt: skip
from .instrument import Instrument

MOST_STATEMENTS = 12
"""In a longer block no statement is tried at every other place."""

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
_FUNCTIONS = {"sum": "mean", "mean": "sum", "sin": "cos", "cos": "sin", "argmax": "argmin", "argmin": "argmax"}
_MAKES = {"array", "asarray", "zeros_like", "ones_like", "full_like", "empty_like"}

_FACTORS = (ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Slice, ast.Compare)
"""What stands in one of these is no factor."""

_DEFINES = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@dataclass
class Mutant:
    """One change: what is done to the tree, and where it is."""

    rank: float
    kind: str
    unit: Unit
    at: Any
    change: Edit
    hook: int = -1  #: of the expression that it changes

    @property
    def end(self) -> tuple[int, int]:
        """The last line and column; of a statement with a block its first line alone."""
        if hasattr(self.at, "body") and not isinstance(self.at, ast.Lambda | ast.IfExp):
            return self.at.lineno, -1
        return self.at.end_lineno, self.at.end_col_offset


class Mutants:
    """The changes that can be made to the code as it is now."""

    def __init__(self, instrument: Instrument, names: dict[str, Any], *, whole: bool) -> None:
        """``whole`` changes cells, for values that they work out; otherwise functions."""
        self.instrument, self.names, self.whole = instrument, names, whole
        self.units = list(self._units())
        self.is_bare = False

    def _units(self) -> Iterator[Unit]:
        for cell, tree in self.instrument.trees.items():
            if self.whole:
                yield Unit(cell, tree, attributes=attributes(tree))
                continue
            for top in tree.body:
                if isinstance(top, ast.FunctionDef):
                    yield Unit(cell, top)
                elif isinstance(top, ast.ClassDef):
                    known = attributes(top)
                    for one in top.body:
                        if isinstance(one, ast.FunctionDef):
                            yield Unit(cell, one, top.name, known)

    def strip(self) -> Undo:
        """Take the hooks away from all functions: changed code runs without them, in a part of the time."""
        self.is_bare = True
        before = []
        for unit in self.units:
            live = self._function(unit)
            code = self._code(unit) if live is not None else None
            if live is not None and code is not None and code.co_freevars == live.__code__.co_freevars:
                before.append((live, live.__code__))
                live.__code__ = code

        def back() -> None:
            self.is_bare = False
            for live, code in before:
                live.__code__ = code

        return back

    def put(self, mutant: Mutant) -> Undo | None:
        """Make a change, where it can be made; the result takes it back."""
        undo = mutant.change()
        live = self._function(mutant.unit)
        code = self._code(mutant.unit)
        if live is None or code is None or code.co_freevars != live.__code__.co_freevars:
            undo()
            return None
        before = live.__code__
        live.__code__ = code

        def back() -> None:
            undo()
            live.__code__ = before

        return back

    def source(self, mutant: Mutant) -> tuple[Undo, types.CodeType] | None:
        """Make a change in a whole cell: how it is taken back, and the cell."""
        undo = mutant.change()
        try:
            return undo, compile(ast.fix_missing_locations(mutant.unit.tree), f"<cell {mutant.unit.cell}>", "exec")
        except (SyntaxError, ValueError, RecursionError):
            undo()
            return None

    def _function(self, unit: Unit) -> types.FunctionType | None:
        found: Any = self.names.get(unit.owner or unit.tree.name)
        if unit.owner:
            found = getattr(found, "__dict__", {}).get(unit.tree.name)
        for name in ("fget", "__func__", "func", "__wrapped__"):
            if not isinstance(found, types.FunctionType):
                found = getattr(found, name, found)
        is_it = isinstance(found, types.FunctionType) and found.__code__.co_name == unit.tree.name
        return found if is_it else None

    def _code(self, unit: Unit) -> types.CodeType | None:
        try:
            return self._compiled(unit)
        except (SyntaxError, ValueError, RecursionError):
            return None

    def _compiled(self, unit: Unit) -> types.CodeType | None:
        made: list[ast.stmt] = [bare(unit.tree, self.instrument.name) if self.is_bare else unit.tree]
        if unit.owner:
            made = [ast.ClassDef(unit.owner, [], [], made, [])]
        whole = compile(
            ast.fix_missing_locations(ast.Module(made, [])), f"<cell {unit.cell}>", "exec", dont_inherit=True
        )
        return inner(whole, unit.tree.name)

    # What can be changed

    def all(self, visited: set[int], lines: set[tuple[int, int]]) -> Iterator[Mutant]:
        """Every change to the code that has run: expressions by their hooks, functions by their cells and lines."""
        for unit in self.units:
            if any(cell == unit.cell and unit.holds(line) for cell, line in lines):
                yield from self._statements(unit, {line for cell, line in lines if cell == unit.cell})
                yield from self._expressions(unit, visited)

    def _is_hook(self, node: Any) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == self.instrument.name

    def _is_ours(self, node: Any) -> bool:
        """Whether a statement is none of the student's."""
        value = getattr(node, "value", None)
        call = value if isinstance(node, ast.Expr) else getattr(node, "test", None)
        return (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id.startswith(self.instrument.name)
            and call.func.id != self.instrument.name
        )

    def _statements(self, unit: Unit, lines: set[int]) -> Iterator[Mutant]:
        for owner in ast.walk(unit.tree):
            if isinstance(owner, ast.ClassDef):
                continue
            if isinstance(owner, ast.FunctionDef) and owner.name != "__init__":
                yield from self._returning(unit, owner)
            for name in ("body", "orelse"):
                block = getattr(owner, name, None)
                if not isinstance(block, list):
                    continue
                yield from self._moved(unit, owner, block, lines)
                yield from self._looped(unit, block)
                for group in self._groups(block):
                    yield from self._assigned(unit, block, group)

    def _returning(self, unit: Unit, function: ast.FunctionDef) -> Iterator[Mutant]:
        """A function that returns nothing, with what it has given a value to last."""
        if any(isinstance(one, ast.Return) and one.value is not None for one in ast.walk(function)):
            return
        body = next((one.body for one in function.body if isinstance(one, ast.Try)), function.body)
        targets = [
            one for part in body[-4:] for one in ast.walk(part)
            if isinstance(one, ast.Name | ast.Attribute) and isinstance(one.ctx, ast.Store)
        ]  # fmt: skip
        for target in targets[::-1][:4]:
            read = copy.copy(target)
            read.ctx = ast.Load()
            made = ast.copy_location(ast.Return(read), body[-1])
            yield Mutant(0.5, f"returns {ast.unparse(read)}", unit, function, moved_to([], [made], body, None))

    def copying(self) -> Iterator[Mutant]:
        """An argument is copied before a statement that changes it in place."""
        for unit in self.units:
            given = {one.arg for one in ast.walk(unit.tree) if isinstance(one, ast.arg)}
            blocks = [one.body for one in ast.walk(unit.tree) if isinstance(getattr(one, "body", None), list)]
            for block in blocks:
                for group in self._groups(block):
                    own = self._own(group)
                    at = next(iter(getattr(own, "targets", ())), getattr(own, "target", None))
                    while isinstance(at, ast.Subscript):
                        at = at.value.args[1] if self._is_hook(at.value) else at.value  # type: ignore[attr-defined]
                    if isinstance(at, ast.Name) and at.id in given:
                        copied = ast.parse(f"{at.id} = {at.id}.copy()").body[0]
                        for one in ast.walk(copied):
                            ast.copy_location(one, own)
                        yield Mutant(0.1, f"changed {at.id}", unit, own, moved_to([], [copied], block, group[0]))

    def _groups(self, block: list[Any]) -> list[list[Any]]:
        """The statements of a block; what stands around one of them for its hooks goes with it."""
        made: list[list[Any]] = []
        for one in block:
            if isinstance(one, ast.Expr) and self._is_ours(one):
                continue  # the tick of a loop
            if isinstance(one, ast.Try) and one.finalbody and self._is_ours(one.finalbody[0]):
                continue
            place = one.lineno, one.col_offset
            if made and (made[-1][0].lineno, made[-1][0].col_offset) == place:
                made[-1].append(one)
            else:
                made.append([one])
        return made

    def _own(self, group: list[Any]) -> Any:
        return next((one for one in group if isinstance(one, ast.AugAssign)), group[0])

    def _moved(self, unit: Unit, owner: Any, block: list[Any], lines: set[int]) -> Iterator[Mutant]:
        """Statements left out, or before or after others of their block; what has never run is not at fault itself."""
        groups = self._groups(block)
        for number, group in enumerate(groups):
            own = self._own(group)
            has_run = any(own.lineno <= line <= own.end_lineno for line in lines) or isinstance(
                own, ast.Return | ast.Break | ast.Continue
            )
            if isinstance(own, _DEFINES) or not has_run:
                continue
            if len(groups) > 1 or isinstance(owner, ast.For | ast.While):
                yield Mutant(0.45, "deleted", unit, own, left_out(block, group))
            if isinstance(own, ast.Return) or len(groups) > MOST_STATEMENTS:
                continue
            for place in range(len(groups) + 1):
                if place in (number - 1, number, number + 1):
                    continue  # one step up is the step down of the one before it
                goal = groups[place][0] if place < len(groups) else None
                kind = "early" if place > number else "late"
                yield Mutant(0.48, kind, unit, own, moved_to(block, group, block, goal))

    def _looped(self, unit: Unit, block: list[Any]) -> Iterator[Mutant]:
        """Statements into the loop that stands before or after them, and the last one of a block out of it."""
        groups = self._groups(block)
        for number, group in enumerate(groups):
            own = self._own(group)
            near = [self._own(one) for one in (groups[number - 1 :][:1] if number else []) + groups[number + 1 :][:1]]
            for loop in near if not isinstance(own, (*_DEFINES, ast.Return)) else ():
                first = self._groups(loop.body) if isinstance(loop, ast.For | ast.While) else []
                if first:
                    goal = first[0][0] if loop.lineno > own.lineno else None
                    yield Mutant(0.55, "into", unit, own, moved_to(block, group, loop.body, goal))
            if isinstance(own, ast.For | ast.While | ast.If) and len(inside := self._groups(own.body)) > 1:
                goal = groups[number + 1][0] if number + 1 < len(groups) else None
                yield Mutant(0.5, "out of", unit, self._own(inside[-1]), moved_to(own.body, inside[-1], block, goal))

    def _assigned(self, unit: Unit, block: list[Any], group: list[Any]) -> Iterator[Mutant]:
        own = self._own(group)
        target = own.targets[0] if isinstance(own, ast.Assign) and len(own.targets) == 1 else None
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            for operator, sign in ((ast.Add, "+="), (ast.Sub, "-=")):
                made = ast.copy_location(ast.AugAssign(target, operator(), own.value), own)
                yield Mutant(0.5, f"assigned {sign}", unit, own, exchanged(block, own, made))
        elif isinstance(own, ast.AugAssign):
            plain = ast.copy_location(ast.Assign([own.target], own.value), own)
            yield Mutant(0.5, "assigned =", unit, own, exchanged(block, own, plain))
            for operator, sign in ((ast.Add, "+="), (ast.Sub, "-=")):
                if not isinstance(own.op, operator):
                    yield Mutant(0.2, f"assigned {sign}", unit, own, setting(own, "op", operator()))

    def _expressions(self, unit: Unit, visited: set[int]) -> Iterator[Mutant]:
        variables = variables_of(unit.tree)
        returned = {id(part) for one in ast.walk(unit.tree) if isinstance(one, ast.Return) for part in ast.walk(one)}
        unread = unread_in(unit.tree)
        for parent in ast.walk(unit.tree):
            if isinstance(parent, ast.Tuple | ast.List) and isinstance(parent.ctx, ast.Load) and len(parent.elts) > 1:
                for item in parent.elts:
                    at = item.args[1] if isinstance(item, ast.Call) and self._is_hook(item) else item
                    yield Mutant(0.6, "item", unit, at, left_out(parent.elts, [item]))
                for first in range(len(parent.elts) - 1):
                    rank = 0.28 if id(parent) in returned else 0.3  # what comes out is nearest
                    yield Mutant(rank, "in order", unit, parent, swapped(parent.elts, first))
            if isinstance(parent, ast.Return) and self._is_hook(parent.value):
                yield from self._more_items(unit, parent, variables)
            for _, value in ast.iter_fields(parent):
                for node in list(value) if isinstance(value, list) else [value]:
                    if not self._is_hook(node):
                        continue
                    hook = node.args[0].value
                    if hook not in visited:
                        continue
                    for kind, change in self._with_argument(node, node.args[1], unread):
                        yield Mutant(0.25, kind, unit, node.args[1], change, hook)
                    for rank, kind, change in self._of(node, node.args[1], unit, variables):
                        yield Mutant(rank, kind, unit, node.args[1], change, hook)
                    if not isinstance(parent, _FACTORS) and not self._is_product(parent):
                        for rank, kind, change in self._as_factor(node, node.args[1], unread):
                            yield Mutant(rank, kind, unit, node.args[1], change, hook)

    def _with_argument(self, wrap: Any, node: Any, unread: list[str]) -> Iterator[tuple[str, Any]]:
        """An argument that nothing reads, in the place of something, or handed on by its name."""
        for name in unread:
            other = ast.copy_location(ast.Name(name, ast.Load()), node)
            if isinstance(node, ast.Constant | ast.Name):
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

    def _is_product(self, node: Any) -> bool:
        return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Div | ast.Pow)

    def _as_factor(self, wrap: Any, node: Any, unread: list[str]) -> Iterator[tuple[float, str, Any]]:
        """A minus, or an argument that nothing reads as a factor."""
        if isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute):
            more = 0.3 * isinstance(node, ast.Name | ast.Attribute)
            minus = ast.copy_location(ast.UnaryOp(ast.USub(), node), node)
            yield 0.25 + more, "sign", item(wrap.args, 1, minus)
            for name in unread:
                product = ast.BinOp(node, ast.Mult(), ast.Name(name, ast.Load()))
                yield 0.3 + more, f"factor {name}", item(wrap.args, 1, ast.copy_location(product, node))

    def _of(self, wrap: Any, node: Any, unit: Unit, variables: list[str]) -> Iterator[tuple[float, str, Any]]:
        if isinstance(node, ast.BinOp):
            for operator, sign in _OPERATORS.get(type(node.op), ()):
                yield 0.05 if sign != "+" else 0.3, f"operator {sign}", setting(node, "op", operator())
            if not isinstance(node.op, ast.MatMult):
                yield 0.4, "without", item(wrap.args, 1, node.left)
                if isinstance(node.op, ast.Mult | ast.Add):
                    yield 0.4, "without", item(wrap.args, 1, node.right)
                first: Any = node.left
                while self._is_hook(first) and isinstance(first.args[1], ast.BinOp):
                    first = first.args[1].left
                    yield 0.42, "without", item(wrap.args, 1, first)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            for operator, sign in _COMPARED.get(type(node.ops[0]), ()):
                yield 0.2, f"comparison {sign}", item(node.ops, 0, operator())
        elif isinstance(node, ast.BoolOp):
            other: Any = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
            yield 0.3, "operator and" if isinstance(node.op, ast.Or) else "operator or", setting(node, "op", other)
            for one in node.values:
                yield 0.35, "without", item(wrap.args, 1, one)
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
            if isinstance(node.func, ast.Attribute) and self._is_hook(node.func.value):
                yield 0.42, "without", item(wrap.args, 1, node.func.value)
            elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
                yield 0.42, "without", item(wrap.args, 1, node.args[0])
        elif isinstance(node, ast.Subscript) and self._is_hook(node.slice):
            for operator, sign in ((ast.Add, "+"), (ast.Sub, "-")):
                moved = ast.BinOp(copy.copy(node.slice), operator(), ast.Constant(1))
                yield 0.45, f"index {sign} 1", setting(node, "slice", ast.copy_location(moved, node.slice))
        if isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute):
            squared = ast.copy_location(ast.BinOp(node, ast.Pow(), ast.Constant(2)), node)
            yield 0.9, "square", item(wrap.args, 1, squared)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            yield 0.4, "without", item(wrap.args, 1, node.left)
        if isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr == "T"):
            yield 0.42, "without", item(wrap.args, 1, node.value)
