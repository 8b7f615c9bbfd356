"""What statements bind: names in another order, one array under two names, a new one where one is changed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from .edits import Unit, exchanged, item, kept, moved_to, swapped, unread_in
from .lacking import Lacking
from .putting import Mutant

_SIGNS = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}


class Bindings(Lacking):
    """The changes of what statements give their values to."""

    def _bindings(self, unit: Unit, lines: set[int]) -> Iterator[Mutant]:
        yield from self._unkept(unit)
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

    def _bound(self, unit: Unit, block: list[Any], own: Any) -> Iterator[Mutant]:
        """Targets exchanged, an array for each of them, and a new array where one is changed or the other way round."""
        if isinstance(own, ast.Assign):
            target, value = own.targets[0], self._under_hook(own.value)
            if len(own.targets) > 1:
                made = [ast.copy_location(ast.Assign([one], copy.deepcopy(own.value)), own) for one in own.targets]
                yield Mutant(0.3, "shared", unit, own, _in_place_of(block, own, made))
            elif isinstance(target, ast.Tuple | ast.List):
                is_row = isinstance(value, ast.Tuple | ast.List)  # then these are exchanged
                for first in range(0 if is_row else len(target.elts) - 1):
                    yield Mutant(0.27, "in order", unit, own, swapped(target.elts, first))
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

    def _around(self, name: str, value: Any) -> Iterator[tuple[Any, Any]]:
        """What is done to a name, and with what, where a value begins with it: ``+`` and ``b`` of ``a + b``."""
        if isinstance(value, ast.BinOp) and type(value.op) in _SIGNS:
            first = self._under_hook(value.left)
            if isinstance(first, ast.Name) and first.id == name:
                yield value.op, value.right

    def _out_before(self, unit: Unit, block: list[Any], loop: Any, group: list[Any]) -> Iterator[Mutant]:
        """The first statement of a loop stands before the loop: what it gives is there at every pass."""
        inside = self._groups(loop.body) if isinstance(loop, ast.For | ast.While) else []
        if len(inside) > 1 and isinstance(self._own(inside[0]), ast.Assign):
            yield Mutant(0.5, "out before", unit, self._own(inside[0]), moved_to(loop.body, inside[0], block, group[0]))

    def _unkept(self, unit: Unit) -> Iterator[Mutant]:
        """An argument that nothing reads is kept as the attribute that is called so."""
        for name in unread_in(unit.tree) if unit.owner else ():
            if name in unit.attributes:
                body = next((one.body for one in unit.tree.body if isinstance(one, ast.Try)), unit.tree.body)
                made = ast.copy_location(ast.parse(f"self.{name} = {name}").body[0], unit.tree)
                yield Mutant(0.5, f"unkept {name}", unit, unit.tree, moved_to([], [made], body, body[0]))


def _in_place_of(block: list[Any], own: Any, made: list[Any]) -> Any:
    """Statements in the place of one."""

    def change() -> Any:
        undo = kept(block)
        block[:] = [other for one in block for other in (made if one is own else [one])]
        return undo

    return change
