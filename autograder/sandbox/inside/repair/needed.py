"""Which cells have to run again for the names that a question reads: a try costs as much as these."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def needed(trees: dict[int, ast.Module], read: Iterable[str]) -> set[int]:
    """The cells that may give these names their values, or change what they hold, and those that these need."""
    names, found, before = set(read), set[int](), -1
    while len(found) > before:
        before = len(found)
        for number in trees.keys() - found:
            if names.intersection(changed(trees[number])):
                found.add(number)
                names.update(one.id for one in ast.walk(trees[number]) if isinstance(one, ast.Name))
    return found


def changed(tree: ast.Module) -> Iterator[str]:
    """The names that a cell gives values to, or that stand in a statement by themselves, as a call that changes one."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            yield one.id
        elif isinstance(one, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield one.name
        elif isinstance(one, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in one.names)
        elif isinstance(one, ast.Expr | ast.Attribute | ast.Subscript) and not isinstance(
            getattr(one, "ctx", None), ast.Load
        ):
            yield from (part.id for part in ast.walk(one) if isinstance(part, ast.Name))
