"""A change of the code is made in the tree of a function, compiled, and put in the place of the code that is there;
whoever holds the function runs it. What was changed is known by where it stands, and is changed back afterwards.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .edits import Edit, Undo, Unit, attributes, bare, inner, read_of
from .instrument import Instrument


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


def compiled(tree: ast.Module, cell: int) -> types.CodeType:
    """A changed cell. To give new pieces a place in it takes as long as all the rest, and is seldom needed."""
    try:
        return _compiled(tree, cell)
    except TypeError:
        return _compiled(ast.fix_missing_locations(tree), cell)


def _compiled(tree: ast.Module, cell: int) -> types.CodeType:
    made: types.CodeType = compile(tree, f"<cell {cell}>", "exec", dont_inherit=True)
    return made


class Putting:
    """The code as it is now, and how it is changed."""

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
                    known, (read, unset) = attributes(top), read_of(top)
                    for one in top.body:
                        if isinstance(one, ast.FunctionDef):
                            yield Unit(cell, one, top.name, known, read, unset)

    def strip(self) -> Undo:
        """Take the hooks away from all functions: changed code runs without them, in a part of the time."""
        self.is_bare = True
        before = []
        for unit in self.units:
            live = self.function(unit)
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
        live = self.function(mutant.unit)
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
            return undo, compiled(mutant.unit.tree, mutant.unit.cell)
        except (SyntaxError, ValueError, RecursionError):
            undo()
            return None

    def function(self, unit: Unit) -> types.FunctionType | None:
        """What runs now of a function; None where something else stands under its name."""
        found: Any = self.names.get(unit.owner or unit.tree.name)
        if unit.owner:
            found = getattr(found, "__dict__", {}).get(unit.tree.name)
        for name in ("fget", "__func__", "func", "__wrapped__"):
            if not isinstance(found, types.FunctionType):
                found = getattr(found, name, found)
        is_it = isinstance(found, types.FunctionType) and found.__code__.co_name == unit.tree.name
        return found if is_it else None

    def _code(self, unit: Unit) -> types.CodeType | None:
        return self.code(unit, frozenset() if self.is_bare else None)

    def code(self, unit: Unit, but: frozenset[int] | None) -> types.CodeType | None:
        """A function as it is now, with all hooks or with a few alone; None where it cannot be compiled."""
        try:
            return self._compiled(unit, but)
        except (SyntaxError, ValueError, RecursionError):
            return None

    def hooked(self, unit: Unit) -> Iterator[int]:
        """The expressions of a function that have a hook."""
        for one in ast.walk(unit.tree):
            if self._is_hook(one):
                yield one.args[0].value  # type: ignore[attr-defined]

    def _compiled(self, unit: Unit, but: frozenset[int] | None) -> types.CodeType | None:
        made: list[ast.stmt] = [unit.tree if but is None else bare(unit.tree, self.instrument.name, but)]
        if unit.owner:
            made = [ast.copy_location(ast.ClassDef(unit.owner, [], [], made, []), unit.tree)]
        return inner(compiled(ast.Module(made, []), unit.cell), unit.tree.name)

    def _is_hook(self, node: Any) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == self.instrument.name

    def _text(self, node: Any) -> str:
        """An expression as it is written, without hooks."""
        return ast.unparse(bare(node, self.instrument.name))

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
