"""Changes that need to know what names hold: a call, an argument, a copy or a loop that is missing."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .edits import Edit, Undo, Unit, item, kept, moved_to, placed, setting, variables_of
from .instrument import called_in
from .putting import Mutant
from .statements import Statements

Names = Callable[[Unit], dict[str, Any]]
"""What the names of a function hold at its end."""


class Lacking(Statements):
    """What a function lacks, made of what it holds."""

    def calling(self, missing: Callable[[Unit, set[str]], Iterable[str]]) -> Iterator[Mutant]:
        """A call that ``missing`` gives for a function and what is called in it, at every place of it."""
        for unit in self.units if not self.whole else ():
            every = [one for one in ast.walk(unit.tree) if isinstance(one, ast.Call)]
            called = {one.func.attr for one in every if isinstance(one.func, ast.Attribute)}
            blocks: list[Any] = [getattr(one, "body", None) for one in ast.walk(unit.tree)]
            for call in dict.fromkeys(missing(unit, called)):
                for block in blocks:
                    for group in [*self._groups(block), [None]] if isinstance(block, list) else ():
                        made = placed(ast.parse(call).body[0], unit.tree)
                        yield Mutant(0.5, f"calls {call}", unit, unit.tree, moved_to([], [made], block, group[0]))

    def handing(self, lacking: Callable[[Unit, str], Iterable[tuple[str, str]]], visited: set[int]) -> Iterator[Mutant]:
        """A named argument that ``lacking`` gives for a function and what is called in it, with its value as code."""
        for unit in self.units:
            for wrap in ast.walk(unit.tree):
                if not self._is_hook(wrap) or not isinstance(wrap.args[1], ast.Call):  # type: ignore[attr-defined]
                    continue
                hook, call = wrap.args[0].value, wrap.args[1]  # type: ignore[attr-defined]
                for name, value in lacking(unit, called_in(call.func)) if hook in visited else ():
                    if name not in {one.arg for one in call.keywords}:
                        given = ast.keyword(name, placed(ast.parse(value, mode="eval").body, call))
                        more = setting(call, "keywords", [*call.keywords, given])
                        yield Mutant(0.3, f"keyword {name}", unit, call, more, hook)

    def stepping(self, names: Names) -> Iterator[Mutant]:
        """All that a function does once for each of the whole numbers that an argument holds: these columns alone."""
        for unit in self.units if not self.whole else ():
            held = names(unit)
            given = [one.arg for one in ast.walk(unit.tree.args) if isinstance(one, ast.arg)]
            for name in given:
                numbers = _whole_numbers(held.get(name))
                columns = [one for one in given if getattr(held.get(one), "ndim", 0) == 2]
                columns = [one for one in columns if held[one].shape[1] > max(numbers, default=1 << 30)]
                body = next((one.body for one in unit.tree.body if isinstance(one, ast.Try)), unit.tree.body)
                read = [one for one in ast.walk(unit.tree) if isinstance(one, ast.Name) and one.id == name]
                leaves_early = any(isinstance(one, ast.Return) for one in ast.walk(unit.tree))
                loops = any(isinstance(one, ast.For | ast.While | ast.comprehension) for one in ast.walk(unit.tree))
                if not numbers or not columns or leaves_early or loops:
                    continue
                wanted = {name} if read else set(columns)
                at = next((one for one in body if _reads(one, wanted)), None)
                if at is not None:
                    change = _for_each(body, name, () if read else columns)
                    yield Mutant(0.5, f"each {name}", unit, at, change)

    def afresh(self) -> Iterator[Mutant]:
        """A list or a dict is an argument's default: it is made once, and keeps what one call leaves in it."""
        for unit in self.units if not self.whole else ():
            given = [*unit.tree.args.posonlyargs, *unit.tree.args.args][::-1]
            for number, (one, value) in enumerate(zip(given, unit.tree.args.defaults[::-1]), start=1):
                if isinstance(value, ast.Dict | ast.List) and not ast.unparse(value)[1:-1]:
                    function = f"{unit.owner}.{unit.tree.name}" if unit.owner else unit.tree.name
                    default = f"{function}.__defaults__[-{number}]"
                    anew = f"{one.arg} = type({one.arg})() if {one.arg} is {default} else {one.arg}"
                    made = placed(ast.parse(anew).body[0], unit.tree)
                    body = next((own.body for own in unit.tree.body if isinstance(own, ast.Try)), unit.tree.body)
                    yield Mutant(0.3, "default", unit, value, moved_to([], [made], body, body[0]))

    def adding(self, names: Names, shape_of: Callable[[int], Any]) -> Iterator[Mutant]:
        """A variable of the same shape is added to the whole of what is given a name, or returned."""
        for unit in self.units if not self.whole else ():
            held = {name: value.shape for name, value in names(unit).items() if isinstance(value, np.ndarray)}
            for own in ast.walk(unit.tree):
                wrap = own.value if isinstance(own, ast.Assign | ast.Return) else None
                value = self._under_hook(wrap)
                if not self._is_hook(wrap) or not isinstance(value, ast.BinOp | ast.Call):
                    continue
                hook = wrap.args[0].value  # type: ignore[union-attr]
                read = {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
                for name, shape in held.items():
                    if shape and shape == shape_of(hook) and name not in read:
                        more = ast.copy_location(ast.Name(name, ast.Load()), value)
                        made = ast.copy_location(ast.BinOp(value, ast.Add(), more), value)
                        change = item(wrap.args, 1, made)  # type: ignore[union-attr]
                        yield Mutant(0.29, f"term {name}", unit, value, change, hook)

    def constants(self) -> Iterator[Mutant]:
        """Another number for a name of the cell that a function reads."""
        for unit in self.units if not self.whole else ():
            live = self.function(unit)
            read = {one.id for one in ast.walk(unit.tree) if isinstance(one, ast.Name)} - set(variables_of(unit.tree))
            for own in self.instrument.trees[unit.cell].body if live is not None else ():
                target = own.targets[0] if isinstance(own, ast.Assign) else None
                at = self._under_hook(getattr(own, "value", None))
                now: Any = getattr(at, "value", None)
                if live is None or not isinstance(target, ast.Name) or target.id not in read:
                    continue
                if isinstance(at, ast.Constant) and type(now) in (int, float):
                    more = (now - 1, now + 1) if type(now) is int else (10 * now, now / 10)
                    for number in dict.fromkeys((*more, -now, 2 * now, now / 2)):
                        change = _both_ways(self.names, live.__globals__, target.id, number)
                        yield Mutant(0.5, f"number {number:g}", unit, at, change)

    def copying(self, aliases: Callable[[Unit, Any], Iterable[str]]) -> Iterator[Mutant]:
        """An argument is copied before a statement that changes it in place.

        Where that writes into an argument under another name, which ``aliases`` says, it is copied at the beginning.
        """
        for unit in self.units:
            given = {one.arg for one in ast.walk(unit.tree) if isinstance(one, ast.arg)}
            every = [getattr(one, "body", None) for one in ast.walk(unit.tree)]
            for block in every:
                if not isinstance(block, list):
                    continue
                for group in self._groups(block):
                    own = self._own(group)
                    for name in dict.fromkeys(self._changed_by(own)):
                        if name in given:
                            copied = placed(ast.parse(f"{name} = {name}.copy()").body[0], own)
                            yield Mutant(0.1, f"changed {name}", unit, own, moved_to([], [copied], block, group[0]))
                    for name in aliases(unit, own) if isinstance(own, ast.AugAssign) else ():
                        copied = placed(ast.parse(f"{name} = __import__('copy').deepcopy({name})").body[0], own)
                        body = next((one.body for one in unit.tree.body if isinstance(one, ast.Try)), unit.tree.body)
                        yield Mutant(0.1, f"changed {name}", unit, own, moved_to([], [copied], body, body[0]))

    def _changed_by(self, own: Any) -> Iterator[str]:
        """The names whose arrays a statement writes into: its targets, and what a function is given as ``out``."""
        at = next(iter(getattr(own, "targets", ())), getattr(own, "target", None))
        targets = at.elts if isinstance(at, ast.Tuple | ast.List) else [at]
        outs = [] if hasattr(own, "body") else [
            one.value for one in ast.walk(own) if isinstance(one, ast.keyword) and one.arg == "out"
        ]  # fmt: skip
        for one in (*targets, *outs):
            found = self._under_hook(one)
            while isinstance(found, ast.Subscript):
                found = self._under_hook(found.value)
            if isinstance(found, ast.Name):
                yield found.id


def _both_ways(kept: dict[str, Any], now: dict[str, Any], name: str, value: Any) -> Edit:
    """Another value for a name, where it is kept and where code runs now."""

    def change() -> Undo:
        before = kept[name]
        kept[name] = now[name] = value

        def undo() -> None:
            kept[name] = now[name] = before

        return undo

    return change


def _whole_numbers(value: Any) -> list[int]:
    """The whole numbers that a list, a tuple or an array holds; none where it holds anything else."""
    try:
        found = [int(one) for one in value]
        return found if all(one == other for one, other in zip(found, value)) else []
    except (TypeError, ValueError):
        return []


def _reads(statement: Any, names: set[str]) -> bool:
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(statement))


class _Alone(ast.NodeTransformer):
    """One number in the place of all, and its column in the place of a matrix."""

    def __init__(self, name: str, each: str, columns: Iterable[str]) -> None:
        self.name, self.each, self.columns = name, each, set(columns)

    def visit_Name(self, node: ast.Name) -> Any:
        """The name as it is needed at one pass."""
        if isinstance(node.ctx, ast.Store) or node.id not in {self.name, *self.columns}:
            return node
        made = f"[{self.each}]" if node.id == self.name else f"{node.id}[:, [{self.each}]]"
        return placed(ast.parse(made, mode="eval").body, node)


def _for_each(body: list[Any], name: str, columns: Iterable[str]) -> Edit:
    """A block in a loop over what an argument holds."""

    def change() -> Undo:
        undo, each = kept(body), f"{name}__"
        inside = [_Alone(name, each, columns).visit(copy.deepcopy(one)) for one in body]
        loop = placed(ast.For(ast.Name(each, ast.Store()), ast.Name(name, ast.Load()), inside, []), body[0])
        body[:] = [loop]
        return undo

    return change
