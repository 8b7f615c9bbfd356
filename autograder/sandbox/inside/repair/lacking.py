"""Changes that need to know what names hold: a call, an argument, a copy or a loop that is missing."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .edits import Edit, Undo, Unit, kept, moved_to, placed, setting
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
