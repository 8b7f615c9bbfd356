"""What is asked for comes from one expression alone, or from what a class leaves as the class above gives it."""

from __future__ import annotations

import ast
import sys
import types
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .instrument import MODULES
from .needed import changed

Place = tuple[int, int, int, int, int]
"""A cell, and the lines and columns in which a piece of it begins and ends."""


def sole(trees: Mapping[int, ast.Module], hook: str, read: Collection[str], trusted: Collection[str]) -> Place | None:
    """The one statement or expression that gives the one name of the code that is ``read``.

    It may need arguments, what was there before, and the ``trusted`` names, which are right; numbers that were typed
    are no expression.
    """
    every = Counter(name for tree in trees.values() for name in changed(tree))
    mine = [name for name in read if name in every]
    if len(mine) != 1 or every[mine[0]] != 1:
        return None
    for cell, tree in trees.items():
        for one in tree.body:
            at = _given_by(one, mine[0], hook)
            names = (
                {part.id for part in ast.walk(at) if isinstance(part, ast.Name) and part.id != hook} if at else set()
            )
            if at is not None and names and not (names - _arguments(one)) & (every.keys() - MODULES - set(trusted)):
                place: Any = one if isinstance(one, ast.Assign) else at
                return cell, place.lineno, place.end_lineno or 0, place.col_offset, place.end_col_offset or 0
    return None


def _given_by(statement: ast.stmt, name: str, hook: str) -> ast.expr | None:
    """What a statement gives the name, or what the function of that name returns and does nothing else."""
    value: Any = None
    if isinstance(statement, ast.Assign) and [ast.unparse(one) for one in statement.targets] == [name]:
        value = statement.value
    elif isinstance(statement, ast.FunctionDef) and statement.name == name and not statement.decorator_list:
        body = next((one.body for one in statement.body if isinstance(one, ast.Try)), [])
        value = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
    is_hook = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == hook
    return value.args[1] if is_hook else None


def _arguments(statement: ast.stmt) -> set[str]:
    return {one.arg for one in ast.walk(statement) if isinstance(one, ast.arg)}


def from_above(trees: Mapping[int, ast.Module], run: Callable[[], Any]) -> tuple[Any, list[tuple[Place, str, Any]]]:
    """What a run gives, and what it is given by methods that classes of the code have from a class elsewhere: the
    class, the name of the method, and what it has returned. Only what no other method has called counts."""
    classes = {
        top.name: (cell, top.lineno, top.lineno, top.col_offset, -1)
        for cell, tree in trees.items() for top in tree.body if isinstance(top, ast.ClassDef)
    }  # fmt: skip
    returned: list[tuple[Place, str, Any]] = []

    def watch(frame: types.FrameType, event: str, value: Any) -> None:
        own, caller, name = type(frame.f_locals.get("self")), frame.f_back, frame.f_code.co_name
        is_elsewhere = name not in vars(own) and not frame.f_code.co_filename.startswith("<cell ")
        is_asked = event == "return" and caller is not None and "self" not in caller.f_locals
        if is_asked and is_elsewhere and own.__name__ in classes:
            returned.append((classes[own.__name__], name, value))

    sys.setprofile(watch)
    try:
        return run(), returned
    finally:
        sys.setprofile(None)
