"""What the pages ask of Python. This file runs in the browser, beside the toolkit and the engine, on plain values."""

from __future__ import annotations

import argparse
import ast
import copy
import json
import operator
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from autograder.commands import explain, explain_code, explain_points
from autograder.diagnosis import CONVENTION, RIGHT
from autograder.diagnosis.files import BadInput, arrays_of
from autograder.sandbox.here import run
from autograder.views.gradients import lines


def call(name: str, values: str) -> str:
    """Call one of the functions below; values and result are JSON."""
    return json.dumps(DOORS[name](*json.loads(values)), allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


# --- Practice: the tasks of the toolkit -------------------------------------------------------------------------------

KINDS = ("worked_calculation", "small_network", "vanishing_gradients")


MADE: dict[tuple[str, int | None], Any] = {}
"""The tasks that were shown, by kind and seed."""


def _practice() -> Any:
    return import_module("practice")  # of the toolkit, which lies beside this package


def _fresh(kind: str, seed: int | None) -> Any:
    if kind not in KINDS:
        raise ValueError(f"there is no task {kind}")
    if (kind, seed) not in MADE:
        one = getattr(_practice(), kind)(seed)
        seed = one.seed
        MADE[kind, seed] = one
    return MADE[kind, seed]


def task(kind: str, seed: int | None) -> dict[str, Any]:
    """A task with its numbers, and the names of what it asks; without a seed a new one."""
    one = _fresh(kind, seed)
    wanted = [[step.name, one.form(step.name)] for step in one.steps]
    return {"kind": kind, "seed": one.seed, "title": one.title, "intro": _said(one.intro),
            "given": [list(row) for row in one.rows()], "wanted": wanted}  # fmt: skip


ABOUT_CELLS = re.compile(r" with reveal\(\)|The numbers are in\s+`task\.given`.*?and so on\. ", re.DOTALL)
"""What a task says about the notebook's cells, for which the page has buttons and a table."""


def _said(text: str) -> str:
    return ABOUT_CELLS.sub("", text)


def check(kind: str, seed: int, typed: Mapping[str, str]) -> dict[str, Any]:
    """What is right in values as they were typed, each with a sentence; what is not finished is passed over."""
    one = copy.deepcopy(_fresh(kind, seed))
    found, lines = {}, []
    for step in one.steps:
        if typed.get(step.name, "").strip():
            try:
                found[step.name] = number_of(typed[step.name])
            except ValueError as problem:
                lines.append([step.name, "unclear", str(problem)])
    if found:
        lines += [[line.name, line.status, _said(line.says)] for line in one.check(**found).lines]
    return {"lines": lines, "right": one.right, "of": len(one.steps)}


def reveal(kind: str, seed: int, right: list[str], shown: list[str]) -> list[list[str]]:
    """The next step that is neither right nor shown: its name, why, its formula, and the numbers put in."""
    one = copy.deepcopy(_fresh(kind, seed))
    one.go_on(right, shown)
    return [list(step[:4]) for step in one.reveal().steps]


def shown(kind: str, seed: int, names: list[str]) -> list[list[str]]:
    """Steps that were shown before, in their order."""
    return [list(step[:4]) for step in copy.deepcopy(_fresh(kind, seed)).reveal_all().steps if step[0] in names]


SIGNS: dict[type, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.UAdd: operator.pos, ast.USub: operator.neg,
}  # fmt: skip


def number_of(text: str) -> Any:
    """A number, a fraction, or lists of them, as they are typed. Nothing is evaluated but + - * / and powers.

    >>> number_of("[1/4, -2e-3]")
    [0.25, -0.002]

    Raises ValueError with a sentence.
    """
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("Not a number yet. A list is written [0.5, -0.2], rows [[1, 2], [3, 4]].") from None
    except (ZeroDivisionError, OverflowError):
        raise ValueError("This is not a finite number.") from None


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(one) for one in node.elts]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
        return SIGNS[type(node.op)](_single(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        found = SIGNS[type(node.op)](_single(node.left), _single(node.right))
        if isinstance(found, float):  # and no root of a negative number
            return found
    raise ValueError


def _single(node: ast.expr) -> float:
    found = _value(node)
    if not isinstance(found, float):
        raise ValueError
    return found


# --- Reading a gradient: the engine of `autograder explain` -----------------------------------------------------------

LOADED, CODE = Path("/tmp/loaded.npz"), Path("/tmp/yours.py")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="explain", exit_on_error=False, add_help=False)
    explain.add_arguments(parser)
    return parser


def read_gradient(options: Mapping[str, str], points: list[Any]) -> dict[str, Any]:
    """What is right and wrong with gradients. A point is an object of arrays, or a list of bytes: a file .npz."""
    held = {f"point {number}": _arrays(one) for number, one in enumerate(points, start=1)}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value != ""]
    args = _parser().parse_args([*held, *words])
    return _told(explain_points.read(args, held))


def _told(asked: explain_points.Asked) -> dict[str, Any]:
    report = asked.report(conventions=True)
    found = []
    for parameter, finding in report.parameters.items():
        said = [str(line) for line in lines(finding, asked.names)]
        found.append({"name": asked.names.get(parameter, parameter), "verdict": finding.verdict, "said": said,
                      "mistakes": list(finding.mistakes)})  # fmt: skip
    missing = [asked.names.get(p, p) for p in asked.parameters if p not in report.parameters]
    return {"points": len(asked.points), "parameters": found, "missing": missing}


def read_code(options: Mapping[str, str], source: str, name: str) -> dict[str, Any]:
    """What is right and wrong with a function, run here at points of ours, and the line where it goes wrong.

    Without a name it is the last one of the text.
    """
    try:
        named = [one.name for one in ast.parse(source).body if isinstance(one, ast.FunctionDef)]
    except SyntaxError as problem:
        raise BadInput(f"line {problem.lineno}: {problem.msg}") from None
    if not named:
        raise BadInput("there is no function in this code")
    CODE.write_text(source, encoding="utf-8")
    words = [f"--{option.replace('_', '-')}={value}" for option, value in options.items() if value != ""]
    args = _parser().parse_args([f"--code={CODE}", f"--function={name or named[-1]}", *words])
    asked, places = explain_code.answered(args, *explain_code.of_code(args), run)
    found = _told(asked)
    for one in found["parameters"]:
        place = places.get(one["name"])
        if place is not None and one["verdict"] not in (RIGHT, CONVENTION):
            one["place"] = {part: getattr(place, part) for part in ("line", "end_line", "code", "text")}
    return found


def _arrays(point: Any) -> dict[str, np.ndarray]:
    if isinstance(point, list):
        LOADED.write_bytes(bytes(point))
        return arrays_of(str(LOADED))
    if not isinstance(point, dict) or not point:
        raise ValueError('an object of arrays was expected: {"X": [[...]], "Y": ..., "W1": ..., "dW1": ...}')
    found = {}
    for name, value in point.items():
        try:
            found[name] = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is no array of numbers with rows of equal length") from None
    return found


DOORS: dict[str, Callable[..., Any]] = {
    "task": task,
    "check": check,
    "reveal": reveal,
    "shown": shown,
    "read_gradient": read_gradient,
    "read_code": read_code,
}
