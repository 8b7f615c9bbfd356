"""What statements bind: names in another order, one array under two names, a new one where one is changed."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator
from typing import Any

from .edits import Unit, bare, both, exchanged, item, kept, moved_to, nearest, placed, setting, swapped, unread_in
from .lacking import Lacking
from .putting import Mutant

_SIGNS = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}


class Bindings(Lacking):
    """The changes of what statements give their values to."""

    def _bindings(self, unit: Unit, lines: set[int]) -> Iterator[Mutant]:
        yield from self._unkept(unit)
        yield from self._kept_elsewhere(unit)
        for owner in ast.walk(unit.tree):
            for name in ("body", "orelse"):
                block = getattr(owner, name, None)
                if not isinstance(block, list) or isinstance(owner, ast.ClassDef):
                    continue
                for group in self._groups(block):
                    own = self._own(group)
                    if any(own.lineno <= line <= own.end_lineno for line in lines):
                        yield from self._bound(unit, block, own)
                        yield from self._out_before(unit, block, own, group)
                        if isinstance(owner, ast.For | ast.While) and isinstance(own, ast.AugAssign):
                            yield from self._put_back(unit, block, own, group)
                        yield from self._factors_too_early(unit, own)

    def _bound(self, unit: Unit, block: list[Any], own: Any) -> Iterator[Mutant]:
        """Targets exchanged, an array for each of them, and a new array where one is changed or the other way round."""
        if isinstance(own, ast.Assign):
            target, value = own.targets[0], self._under_hook(own.value)
            if len(own.targets) > 1:
                made = [ast.copy_location(ast.Assign([one], copy.deepcopy(own.value)), own) for one in own.targets]
                yield Mutant(0.3, "shared", unit, own, _in_place_of(block, own, made))
                for one in own.targets:
                    others = [other for other in own.targets if other is not one]
                    yield Mutant(0.4, f"target {ast.unparse(one)}", unit, own, setting(own, "targets", others))
            elif isinstance(target, ast.Tuple | ast.List):
                yield from self._carried(unit, own)
                is_row = isinstance(value, ast.Tuple | ast.List)  # then these are exchanged
                for first in range(0 if is_row else len(target.elts) - 1):
                    yield Mutant(0.27, "in order", unit, own, swapped(target.elts, first))
                if len(target.elts) == 4 and not is_row:  # two pairs
                    yield Mutant(
                        0.27, "in order", unit, own, both(swapped(target.elts, 0, 2), swapped(target.elts, 1, 3))
                    )
            elif isinstance(target, ast.Name):
                for operator, other in self._around(target.id, value):
                    changed = ast.copy_location(ast.AugAssign(target, operator, other), own)
                    yield Mutant(0.5, f"assigned {_SIGNS[type(operator)]}", unit, own, exchanged(block, own, changed))
            if isinstance(value, ast.Name | ast.Attribute | ast.Subscript) and self._is_hook(own.value):
                copied = ast.Call(ast.Attribute(value, "copy", ast.Load()), [], [])
                hook: Any = own.value
                yield Mutant(0.45, "copy", unit, value, item(hook.args, 1, ast.copy_location(copied, value)))
        elif isinstance(own, ast.AugAssign) and isinstance(own.target, ast.Name | ast.Attribute):
            read = copy.copy(own.target)
            read.ctx = ast.Load()
            anew = ast.copy_location(ast.Assign([own.target], ast.BinOp(read, own.op, own.value)), own)
            yield Mutant(0.5, "anew", unit, own, exchanged(block, own, anew))

    def _put_back(self, unit: Unit, block: list[Any], own: ast.AugAssign, group: list[Any]) -> Iterator[Mutant]:
        """An entry that is moved in a loop has its own value again at the end of each pass."""
        if isinstance(own.target, ast.Subscript):
            text = self._text(own.target)
            before, after = ast.parse(f"kept__ = __import__('copy').deepcopy({text})\n{text} = kept__").body
            edits = [
                moved_to([], [placed(before, own)], block, group[0]),
                moved_to([], [placed(after, own)], block, None),
            ]
            yield Mutant(0.4, f"restored {text}", unit, own, both(*edits))

    def _factors_too_early(self, unit: Unit, own: Any) -> Iterator[Mutant]:
        """A factor in what a name is given belongs where the name is used, not where it is returned: a rate in the
        velocity, not in the step."""
        target = own.targets[0] if isinstance(own, ast.Assign) and len(own.targets) == 1 else None
        if not isinstance(target, ast.Name | ast.Attribute) or not self._is_hook(own.value):
            return
        uses = self._used_further_on(unit, own, self._text(target))
        for wrap in ast.walk(own.value) if uses else ():
            product: Any = self._under_hook(wrap) if self._is_hook(wrap) else None
            if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult | ast.Div):
                continue
            ways = [(product.left, product.right), (product.right, product.left)]
            for kept_side, factor in ways[: 1 + isinstance(product.op, ast.Mult)]:
                plain = bare(factor, self.instrument.name)
                later = [item(one.args, 1, ast.BinOp(one.args[1], product.op, copy.deepcopy(plain))) for one in uses]
                edit = both(item(wrap.args, 1, kept_side), *later)  # type: ignore[attr-defined]
                yield Mutant(0.47, f"moved {ast.unparse(plain)}", unit, product, edit)

    def _used_further_on(self, unit: Unit, own: Any, name: str) -> list[Any]:
        """The hooks around a name below a statement, but those of what is returned or kept as it is."""
        whole = {
            id(one) for statement in ast.walk(unit.tree) if isinstance(statement, ast.Return | ast.Assign)
            for value in [self._under_hook(statement.value)]
            for one in [statement.value, *(value.elts if isinstance(value, ast.Tuple | ast.List) else ()),
                        *(value.values if isinstance(value, ast.Dict) else ())]
        }  # fmt: skip
        return [
            one for one in ast.walk(unit.tree)
            if self._is_hook(one) and one.lineno > own.end_lineno and id(one) not in whole  # type: ignore[attr-defined]
            if isinstance(one.args[1], ast.Name | ast.Attribute) and self._text(one) == name  # type: ignore[attr-defined]
        ]  # fmt: skip

    def _carried(self, unit: Unit, own: Any) -> Iterator[Mutant]:
        """What a call gives is kept under names that nothing reads, and not under those that it is handed.

        In a loop, where it is handed them once more: elsewhere what reads them is at fault.
        """
        loops = [one for one in ast.walk(unit.tree) if isinstance(one, ast.For | ast.While)]
        if not any(one is own for loop in loops for one in ast.walk(loop)):
            return
        target, value = own.targets[0], self._under_hook(own.value)
        if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Call):
            return
        read = {one.id for one in ast.walk(unit.tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
        names = [one.id if isinstance(one, ast.Name) else "" for one in target.elts]
        idle = [n for n, name in enumerate(names) if name and name not in read]
        handed = [self._text(one) for one in value.args if isinstance(self._under_hook(one), ast.Name)]
        left = [one for one in dict.fromkeys(handed) if one not in names]
        for others in itertools.combinations(left, len(idle)) if idle else ():
            edits = [item(target.elts, n, ast.copy_location(ast.Name(name, ast.Store()), target))
                     for n, name in zip(idle, others)]  # fmt: skip
            yield Mutant(0.4, f"carried {', '.join(others)}", unit, own, both(*edits))

    def _around(self, name: str, value: Any) -> Iterator[tuple[Any, Any]]:
        """What is done to a name, and with what, where a value begins with it: ``+`` and ``b`` of ``a + b``."""
        if isinstance(value, ast.BinOp) and type(value.op) in _SIGNS:
            first = self._under_hook(value.left)
            if isinstance(first, ast.Name) and first.id == name:
                yield value.op, value.right

    def _out_before(self, unit: Unit, block: list[Any], loop: Any, group: list[Any]) -> Iterator[Mutant]:
        """A statement of a loop stands before the loop, the first one or one that gives the same at every pass."""
        inside = self._groups(loop.body) if isinstance(loop, ast.For | ast.While) else []
        stored = {one.id for one in ast.walk(loop) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        for one in inside if len(inside) > 1 else ():
            own = self._own(one)
            read = {part.id for part in ast.walk(getattr(own, "value", None) or own) if isinstance(part, ast.Name)}
            if isinstance(own, ast.Assign) and (one is inside[0] or not read & stored):
                yield Mutant(0.5, "out before", unit, own, moved_to(loop.body, one, block, group[0]))

    def _kept_elsewhere(self, unit: Unit) -> Iterator[Mutant]:
        """An attribute that gets a value and is read nowhere: it belongs to one that is read, and gets none here."""
        own = [one for one in ast.walk(unit.tree) if isinstance(one, ast.Attribute) and _is_of_self(one)]
        stored = [one for one in own if isinstance(one.ctx, ast.Store)]
        for one in stored if unit.owner else ():
            if one.attr not in unit.read:
                for name in nearest(one.attr, sorted(unit.unset)):
                    yield Mutant(0.5, f"name self.{name}", unit, one, setting(one, "attr", name))

    def _unkept(self, unit: Unit) -> Iterator[Mutant]:
        """An argument that nothing reads is kept as the attribute that is called so."""
        for name in unread_in(unit.tree) if unit.owner else ():
            if name in unit.attributes:
                body = next((one.body for one in unit.tree.body if isinstance(one, ast.Try)), unit.tree.body)
                made = ast.copy_location(ast.parse(f"self.{name} = {name}").body[0], unit.tree)
                yield Mutant(0.5, f"unkept {name}", unit, unit.tree, moved_to([], [made], body, body[0]))


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _in_place_of(block: list[Any], own: Any, made: list[Any]) -> Any:
    """Statements in the place of one."""

    def change() -> Any:
        undo = kept(block)
        block[:] = [other for one in block for other in (made if one is own else [one])]
        return undo

    return change
