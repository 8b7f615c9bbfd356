"""Reading and editing the tree of a function. An edit is made when it is called, and gives what undoes it."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

MOST_NAMES = 8
"""So many other names are tried in the place of one."""

Undo = Callable[[], None]
Edit = Callable[[], Undo]


@dataclass
class Unit:
    """A function, or a cell whose values are asked for: what is compiled at once."""

    cell: int
    tree: Any
    owner: str = ""
    attributes: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)  #: the attributes that its class reads
    unset: set[str] = field(default_factory=set)  #: those of them that no method gives a value

    @cached_property
    def size(self) -> int:
        """How many nodes its tree has."""
        return sum(1 for _ in ast.walk(self.tree))

    def holds(self, line: int) -> bool:
        """Whether a line of its cell lies in it."""
        return isinstance(self.tree, ast.Module) or self.tree.lineno <= line <= self.tree.end_lineno


def bare(node: Any, hook: str = "", but: frozenset[int] = frozenset()) -> Any:
    """A copy of a tree without the calls of a hook around its expressions, but some: far quicker than copy.deepcopy."""
    is_hook = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == hook
    if is_hook and node.args[0].value not in but:
        return bare(node.args[1], hook, but)
    if not isinstance(node, ast.AST) or not node._fields:
        return node
    made = type(node).__new__(type(node))
    for name, value in vars(node).items():
        parts = [bare(one, hook, but) for one in value] if isinstance(value, list) else bare(value, hook, but)
        setattr(made, name, parts)
    return made


def attributes(tree: ast.AST) -> set[str]:
    """The attributes of self that it speaks of."""
    return {
        one.attr for one in ast.walk(tree)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self"
    }  # fmt: skip


def read_of(tree: ast.ClassDef) -> tuple[set[str], set[str]]:
    """The attributes of self that a class reads, and those of them that no method gives a value, nor is one."""
    own = [one for one in ast.walk(tree) if isinstance(one, ast.Attribute)]
    own = [one for one in own if isinstance(one.value, ast.Name) and one.value.id == "self"]
    read = {one.attr for one in own if isinstance(one.ctx, ast.Load)}
    methods = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    return read, read - methods - {one.attr for one in own if isinstance(one.ctx, ast.Store)}


def variables_of(tree: ast.AST) -> list[str]:
    """The arguments of a function and the names that it gives values to."""
    found: dict[str, None] = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.arg):
            found[one.arg] = None
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            found[one.id] = None
    return [name for name in found if name not in ("self", "cls", "_")]


def is_first(tree: ast.AST, target: ast.expr) -> bool:
    """Whether nothing above gives this name a value: there is nothing to add to."""
    if not isinstance(target, ast.Name):
        return False
    above = [one for one in ast.walk(tree) if isinstance(one, ast.Name | ast.arg) and one.lineno < target.lineno]
    return target.id not in {
        one.arg if isinstance(one, ast.arg) else one.id for one in above
        if isinstance(one, ast.arg) or isinstance(one.ctx, ast.Store)
    }  # fmt: skip


def unread_in(tree: Any) -> list[str]:
    """The variables of a function that nothing in it reads."""
    read = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    return [name for name in variables_of(tree) if name not in read][:2] if isinstance(tree, ast.FunctionDef) else []


def inner(code: types.CodeType, name: str) -> types.CodeType | None:
    """The code of a function of this name, anywhere in a compiled cell."""
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            found = one if one.co_name == name else inner(one, name)
            if found is not None:
                return found
    return None


def is_near(one: str, other: str) -> bool:
    """Whether names differ in their number or their ending alone."""
    return one.rstrip("0123456789").split("_")[0] == other.rstrip("0123456789").split("_")[0]


def nearest(name: str, others: list[str]) -> list[str]:
    """The other names, those that are like it first."""
    return sorted((one for one in others if one != name), key=lambda one: not is_near(one, name))[:MOST_NAMES]


def setting(node: Any, name: str, value: Any) -> Edit:
    """Another value of a field of a node."""

    def change() -> Undo:
        before = getattr(node, name)
        setattr(node, name, value)
        return lambda: setattr(node, name, before)

    return change


def item(values: list[Any], number: int, value: Any) -> Edit:
    """Another entry of a list."""

    def change() -> Undo:
        before = values[number]
        values[number] = value

        def undo() -> None:
            values[number] = before

        return undo

    return change


def swapped(values: list[Any], first: int, second: int = -1) -> Edit:
    """Two entries exchanged, or two neighbours."""

    def change() -> Undo:
        undo, other = kept(values), first + 1 if second < 0 else second
        values[first], values[other] = values[other], values[first]
        return undo

    return change


def kept(*blocks: list[Any]) -> Undo:
    """What puts back the entries that blocks have now."""
    before = [list(block) for block in blocks]

    def undo() -> None:
        for block, one in zip(blocks, before):
            block[:] = one

    return undo


def left_out(block: list[Any], group: list[Any]) -> Edit:
    """A block without some of its statements."""

    def change() -> Undo:
        undo = kept(block)
        block[:] = [one for one in block if all(one is not other for other in group)]
        if not block and isinstance(group[0], ast.stmt):
            block.append(ast.copy_location(ast.Pass(), group[0]))
        return undo

    return change


def moved_to(block: list[Any], group: list[Any], other: list[Any], before: Any) -> Edit:
    """Move statements into the same block or another one, before one of its statements or to its end."""

    def change() -> Undo:
        undo = kept(block, other)
        block[:] = [one for one in block if all(one is not own for own in group)]
        place = next((n for n, one in enumerate(other) if one is before), len(other))
        other[place:place] = group
        if not block:
            block.append(ast.copy_location(ast.Pass(), group[0]))
        return undo

    return change


def worked_out_before(own: ast.Return, block: list[Any], before: Any) -> Edit:
    """What is returned is worked out before a statement of the same block."""

    def change() -> Undo:
        undo, value = kept(block), own.value
        assert value is not None
        name = "returned__"
        first = ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), own)
        block.insert(next(n for n, one in enumerate(block) if one is before), first)
        own.value = ast.copy_location(ast.Name(name, ast.Load()), own)

        def back() -> None:
            own.value = value
            undo()

        return back

    return change


def exchanged(block: list[Any], own: Any, made: Any) -> Edit:
    """A statement in the place of another one."""

    def change() -> Undo:
        undo = kept(block)
        block[:] = [made if one is own else one for one in block]
        return undo

    return change


def both(*edits: Edit) -> Edit:
    """Several edits as one."""

    def change() -> Undo:
        undone = [one() for one in edits]

        def undo() -> None:
            for one in reversed(undone):
                one()

        return undo

    return change


def placed(made: Any, at: Any) -> Any:
    """A tree that is nowhere in the code, at the place of a piece of it."""
    for one in ast.walk(made):
        ast.copy_location(one, at)
    return made
