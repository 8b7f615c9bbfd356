"""Statements of cells by themselves: what one of them gives an asked name says whether a whole run is worth it.

Where cells run again at every try, most tries are numbers that fit by chance in a calculation of numbers. While a name
that is asked for is wrong, a change in the one statement that works it out, and does nothing else, mends something only
if the name is right then. What was there before the statement is kept, so that the statement can be run alone.
"""

from __future__ import annotations

import ast
import types
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .hooks import Visit
from .instrument import FILLING, MODULES
from .putting import Mutant, compiled
from .runs import Plain, Runs, is_the_same, readable, same

_WORKS_OUT = frozenset(
    ("abs", "bool", "enumerate", "float", "int", "len", "list", "max", "min", "pow", "range", "reversed", "round")
    + ("sorted", "sum", "tuple", "zip")
)
_METHODS = frozenset(
    ("astype", "copy", "dot", "flatten", "item", "max", "mean", "min", "ravel", "reshape", "std", "sum", "tolist")
    + ("transpose", "var")
)
"""What these are called on stays as it is."""

_DOES_MORE = (
    ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr, ast.Delete, ast.Import,
    ast.ImportFrom, ast.ClassDef, ast.With, ast.AsyncWith, ast.AsyncFor,
)  # fmt: skip


@dataclass
class Statement:
    """A statement that gives names their values."""

    cell: int
    tree: ast.stmt
    names: list[str]
    code: types.CodeType
    before: list[dict[str, Any]] = field(default_factory=list)  #: what was there before it, at every point
    after: list[Plain] = field(default_factory=list)  #: what it gives its names


class Alone:
    """The statements of cells that can be run alone, by the expressions that stand in them."""

    def __init__(self, runs: Runs, trees: dict[int, ast.Module], hook: str) -> None:
        """``hook`` is how the names begin of what was put into the code."""
        self.runs, self.trees, self.hook = runs, trees, hook
        self.by_expression: dict[int, Statement] = {}

    def look(self, points: Sequence[int], over: list[dict[Visit, Any]], answers: list[Plain]) -> None:
        """Find them in the code as it is now, with these answers."""
        self.by_expression = {}
        if not self.runs.codes:
            return
        pieces = list(self._pieces(answers[0].keys()))
        for point in points:
            if any(one.names for one in pieces) and not self._kept(pieces, point, over[point]):
                return
        for one in pieces:
            if one.names and all(self._can(one, number, over[p], answers[p]) for number, p in enumerate(points)):
                self.by_expression.update(dict.fromkeys(self._hooks(one.tree), one))

    def of(self, expressions: Iterable[int]) -> Statement | None:
        """The one statement in which all of these expressions stand, if it can be run alone."""
        found = [self.by_expression.get(one) for one in expressions]
        return found[0] if found and all(one is found[0] for one in found) else None

    def gives(
        self, statement: Statement, number: int, over: dict[Visit, Any], code: types.CodeType | None = None
    ) -> Plain:
        """What it gives its names at the point of this number; nothing where it stops with an error."""
        found: Plain = {}
        with self.runs.running(over):
            self.runs.names.clear()
            self.runs.names.update(statement.before[number])
            exec(code or statement.code, self.runs.names)
            found = {name: readable(self.runs.names[name]) for name in statement.names}
        return found

    def moves(self, statement: Statement, over: dict[Visit, Any]) -> tuple[Any, ...] | None:
        """Which entries of what it gives change at the first point, name by name; None where that is not known."""
        given, before = self.gives(statement, 0, over), statement.after[0]
        found: list[Any] = [id(statement)]
        for name in statement.names:
            one, other = given.get(name), before[name]
            if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray) or one.shape != other.shape:
                return None
            found.append(() if same(one, other) else tuple(np.flatnonzero(one != other).tolist()))
        return tuple(found)

    def changed(self, statement: Statement, mutant: Mutant) -> types.CodeType | None:
        """Its code with a change in it; None where that cannot be compiled."""
        undo = mutant.change()
        try:
            return compiled(ast.Module([statement.tree], []), statement.cell)
        except (SyntaxError, ValueError, RecursionError):
            return None
        finally:
            undo()

    def _pieces(self, asked: Iterable[str]) -> Iterator[Statement]:
        """All statements of the cells that run again; with names where they do nothing but give these their values."""
        cells = [int(code.co_filename[6:-1]) for code in self.runs.codes]
        every = [one for cell in cells for one in ast.walk(self.trees[cell])]
        bound = Counter(one for cell in cells for one in _bound(self.trees[cell]))
        elsewhere = {name for one in every if isinstance(one, ast.Global) for name in one.names}
        self.functions = {
            one.name: one for cell in cells for one in self.trees[cell].body
            if isinstance(one, ast.FunctionDef) and not one.decorator_list and bound[one.name] == 1
        }  # fmt: skip
        self.pure: dict[str, bool] = {}
        for cell in cells:
            for tree in self.trees[cell].body:
                names = _names(tree)
                fits = names and all(bound[one] == 1 and one not in elsewhere and one in asked for one in names)
                names = names if fits and self._only_works_out(tree) else []
                yield Statement(cell, tree, names, compiled(ast.Module([tree], []), cell))

    def _kept(self, pieces: list[Statement], point: int, over: dict[Visit, Any]) -> bool:
        """Run all of them, and keep what was there before and after each; whether no error stops them."""
        names = self.runs.names
        with self.runs.running(over, point):
            for one in pieces:
                if one.names:
                    one.before.append(dict(names))
                exec(one.code, names)
                if one.names:
                    one.after.append({name: readable(names[name]) for name in one.names})
        return self.runs.error is None

    def _can(self, one: Statement, number: int, over: dict[Visit, Any], answers: Plain) -> bool:
        """Whether what it gives alone is what it gives in a run, time and again, and what is answered in the end."""
        after = one.after[number]
        return is_the_same({name: answers.get(name) for name in one.names}, after) and all(
            is_the_same(self.gives(one, number, over), after) for _ in range(2)
        )

    def _only_works_out(self, tree: ast.AST) -> bool:
        """Whether a statement or a function changes nothing but names of its own."""
        return all(map(self._is_harmless, ast.walk(tree)))

    def _is_harmless(self, one: ast.AST) -> bool:
        if isinstance(one, ast.Attribute | ast.Subscript) and not isinstance(one.ctx, ast.Load):
            return False
        if not isinstance(one, ast.Call):
            return not isinstance(one, _DOES_MORE)
        called: Any = one.func
        if isinstance(called, ast.Name):
            if called.id in self.functions:
                return self._is_pure(called.id)
            return called.id.startswith(self.hook) or called.id in _WORKS_OUT
        if not isinstance(called, ast.Attribute):
            return False
        parts = [part for part in ast.walk(called) if isinstance(part, ast.Attribute | ast.Name)]
        words = {part.attr if isinstance(part, ast.Attribute) else part.id for part in parts}
        of_module = any(isinstance(part, ast.Name) and part.id in MODULES - {"self", "cls"} for part in parts)
        return called.attr in _METHODS or (of_module and not words & (FILLING | {"random"}))

    def _is_pure(self, name: str) -> bool:
        if name not in self.pure:
            self.pure[name] = True  # while it is looked at, for a function that calls itself
            self.pure[name] = self._only_works_out(self.functions[name])
        return self.pure[name]

    def _hooks(self, tree: ast.AST) -> Iterator[int]:
        for one in ast.walk(tree):
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == self.hook:
                yield one.args[0].value  # type: ignore[attr-defined]


def _names(tree: ast.stmt) -> list[str]:
    """The names that a statement gives their values, where it is nothing else."""
    if not isinstance(tree, ast.Assign) or len(tree.targets) != 1:
        return []
    target = tree.targets[0]
    every = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    names = [one.id for one in every if isinstance(one, ast.Name)]
    return names if len(names) == len(every) else []


def _bound(tree: ast.AST) -> Iterator[str]:
    """What a cell gives a value to, once for each time; not what functions do within."""
    for one in ast.iter_child_nodes(tree):
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            yield one.id
        elif isinstance(one, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield one.name
        elif isinstance(one, ast.alias):
            yield (one.asname or one.name).split(".")[0]
        if not isinstance(one, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _bound(one)
