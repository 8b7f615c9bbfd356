"""Statements that stand elsewhere, or not at all, or give another name its value."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator
from typing import Any

from .edits import (
    MOST_NAMES,
    Unit,
    both,
    exchanged,
    is_first,
    left_out,
    moved_to,
    placed,
    setting,
    variables_of,
    worked_out_before,
)  # fmt: skip
from .instrument import MODULES
from .putting import Mutant, Putting

MOST_STATEMENTS = 12
"""In a longer block no statement is tried at every other place."""

MOST_RENAMED = 8
"""In a function that gives values to more attributes no two of them change their names."""

_DEFINES = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class Statements(Putting):
    """The changes of whole statements."""

    def _statements(self, unit: Unit, lines: set[int]) -> Iterator[Mutant]:
        yield from self._renamed(unit)
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
                yield from self._returned(unit, block)
                for group in self._groups(block):
                    yield from self._assigned(unit, block, group)
                    yield from self._backwards(unit, block, group)

    def _returning(self, unit: Unit, function: ast.FunctionDef) -> Iterator[Mutant]:
        """A function that returns nothing, with what it has given a value to last."""
        if any(isinstance(one, ast.Return) and not _is_nothing(one.value) for one in ast.walk(function)):
            return
        body = next((one.body for one in function.body if isinstance(one, ast.Try)), function.body)
        targets = [
            one for part in body[-4:] for one in ast.walk(part)
            if isinstance(one, ast.Name | ast.Attribute) and isinstance(one.ctx, ast.Store)
        ]  # fmt: skip
        end = body[-1] if isinstance(body[-1], ast.Return) else None
        found = {ast.unparse(one): one for one in targets[::-1][:4]}
        names = [one for one in variables_of(function) if one not in found][::-1][:MOST_NAMES]
        for target in [*found.values(), *(ast.copy_location(ast.Name(one), function) for one in names)]:
            read = copy.copy(target)
            read.ctx = ast.Load()
            made = ast.copy_location(ast.Return(read), body[-1])
            yield Mutant(0.5, f"returns {ast.unparse(read)}", unit, function, moved_to([], [made], body, end))

    def _renamed(self, unit: Unit) -> Iterator[Mutant]:
        """Two attributes that a function gives values to, each under the name of the other, wherever they stand."""
        every = [one for one in ast.walk(unit.tree) if isinstance(one, ast.Attribute)]
        own = [one for one in every if isinstance(one.value, ast.Name) and one.value.id == "self"]
        stored = {one.attr: one for one in own if isinstance(one.ctx, ast.Store)}
        for pair in itertools.combinations(stored if len(stored) <= MOST_RENAMED else (), 2):
            wherever = [one for one in own if one.attr in pair]
            edits = [setting(one, "attr", pair[one.attr == pair[0]]) for one in wherever]
            first = min((one for one in wherever if isinstance(one.ctx, ast.Store)), key=lambda one: one.lineno)
            yield Mutant(0.5, f"renamed {' '.join(pair)}", unit, first, both(*edits))

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
            if isinstance(own, ast.Assign):
                near += [self._own(one) for one in groups[number + 2 : number + 4]]
            for loop in near if not isinstance(own, (*_DEFINES, ast.Return)) else ():
                first = self._groups(loop.body) if isinstance(loop, ast.For | ast.While) else []
                if first:
                    goal = first[0][0] if loop.lineno > own.lineno else None
                    yield Mutant(0.5, "into", unit, own, moved_to(block, group, loop.body, goal))
            if isinstance(own, ast.For | ast.While | ast.If) and len(inside := self._groups(own.body)) > 1:
                goal = groups[number + 1][0] if number + 1 < len(groups) else None
                yield Mutant(0.5, "out of", unit, self._own(inside[-1]), moved_to(own.body, inside[-1], block, goal))

    def _backwards(self, unit: Unit, block: list[Any], group: list[Any]) -> Iterator[Mutant]:
        """What gets an end and belongs to the other one, a list that stands the other way round, and an assignment."""
        own = self._own(group)
        value = self._under_hook(getattr(own, "value", None))
        target = own.targets[0] if isinstance(own, ast.Assign) and len(own.targets) == 1 else None
        if isinstance(own, ast.Expr) and isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            attribute, given = value.func.attr, value.args
            if attribute == "append" and len(given) == 1:
                first = ast.copy_location(ast.Constant(0), value)
                yield Mutant(0.28, "at the beginning", unit, own, both(
                    setting(value.func, "attr", "insert"), setting(value, "args", [first, *given])
                ))  # fmt: skip
            elif attribute == "insert" and len(given) == 2:
                yield Mutant(0.28, "at the end", unit, own, both(
                    setting(value.func, "attr", "append"), setting(value, "args", given[1:])
                ))  # fmt: skip
        elif self._is_hook(getattr(own, "value", None)) and (
            isinstance(own, ast.Return) or (target is not None and isinstance(value, ast.List | ast.ListComp))
        ):
            turned = placed(ast.parse("_[::-1]", mode="eval").body, own)
            turned.value = own.value
            yield Mutant(0.3, "backwards", unit, value, setting(own, "value", turned))
        elif isinstance(own, ast.For) and self._is_hook(own.iter):
            turned = placed(ast.parse("list(_)[::-1]", mode="eval").body, own)
            turned.value.args = [own.iter]
            yield Mutant(0.3, "backwards", unit, self._under_hook(own.iter), setting(own, "iter", turned))
        elif isinstance(target, ast.Name | ast.Attribute) and isinstance(value, ast.Name | ast.Attribute):
            there, here = copy.deepcopy(value), copy.copy(target)
            if isinstance(there, ast.Attribute):
                there.value = self._under_hook(there.value)
            there.ctx, here.ctx = ast.Store(), ast.Load()
            made = ast.copy_location(ast.Assign([there], here), own)
            yield Mutant(0.45, "turned", unit, own, exchanged(block, own, made))

    def _returned(self, unit: Unit, block: list[Any]) -> Iterator[Mutant]:
        """What is returned is worked out before what stands above it; a return in a loop belongs behind the loop."""
        groups = self._groups(block)
        last = groups[-1][0] if groups else None
        if isinstance(last, ast.Return) and self._is_hook(last.value) and len(groups) <= MOST_STATEMENTS:
            at = last.value.args[1]  # type: ignore[union-attr]
            for group in groups[-2::-1] if self._reads_an_object(at) else ():
                yield Mutant(0.3, "late", unit, at, worked_out_before(last, block, group[0]))
        for number, group in enumerate(groups):
            loop = self._own(group)
            goal = groups[number + 1][0] if number + 1 < len(groups) else None
            for inside in _branches(loop) if isinstance(loop, ast.For | ast.While) else ():
                own = inside[-1]
                if isinstance(own, ast.Return):
                    yield Mutant(0.46, "out of", unit, own, moved_to(inside, [own], block, goal))

    def _reads_an_object(self, node: Any) -> bool:
        """Whether it calls a method of something that has a name: statements above it may have changed that."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        owner = self._under_hook(node.func.value)
        return isinstance(owner, ast.Name) and owner.id not in MODULES - {"self"}

    def _under_hook(self, node: Any) -> Any:
        return node.args[1] if self._is_hook(node) else node

    def _assigned(self, unit: Unit, block: list[Any], group: list[Any]) -> Iterator[Mutant]:
        own = self._own(group)
        target = own.targets[0] if isinstance(own, ast.Assign) and len(own.targets) == 1 else None
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript) and not is_first(unit.tree, target):
            for operator, sign in ((ast.Add, "+="), (ast.Sub, "-=")):
                made = ast.copy_location(ast.AugAssign(target, operator(), own.value), own)
                yield Mutant(0.5, f"assigned {sign}", unit, own, exchanged(block, own, made))
        elif isinstance(own, ast.AugAssign):
            yield from self._one_by_one(unit, block, own)
            plain = ast.copy_location(ast.Assign([own.target], own.value), own)
            yield Mutant(0.5, "assigned =", unit, own, exchanged(block, own, plain))
            for operator, sign in ((ast.Add, "+="), (ast.Sub, "-=")):
                if not isinstance(own.op, operator):
                    yield Mutant(0.2, f"assigned {sign}", unit, own, setting(own, "op", operator()))

    def _one_by_one(self, unit: Unit, block: list[Any], own: ast.AugAssign) -> Iterator[Mutant]:
        """What is added at indices, of which numpy counts one once, however often it comes."""
        way = {ast.Add: "add", ast.Sub: "subtract"}.get(type(own.op), "")
        if way and isinstance(own.target, ast.Subscript):
            target: Any = own.target
            base = copy.deepcopy(target.value)
            made = placed(ast.parse(f"__import__('numpy').{way}.at(0, 0, 0)").body[0], own)
            made.value.args = [base, target.slice, own.value]
            yield Mutant(0.25, f"one by one np.{way}.at", unit, own, exchanged(block, own, made))


def _branches(loop: Any) -> Iterator[list[Any]]:
    """The blocks of the branches that stand in a loop."""
    for one in loop.body:
        if isinstance(one, ast.If):
            yield from (block for block in (one.body, one.orelse) if block)


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)
