"""What numpy says about shapes that do not fit, in words: what there is, and what would fit.

numpy's sentence about a matrix product names one size of each array and a "gufunc signature". The shapes themselves are
read where the error came from, as far as the operands are names and attributes: no code of the student's runs again.
"""

from __future__ import annotations

import ast
import linecache
import re
import traceback
from collections.abc import Mapping, Sequence
from traceback import FrameSummary
from typing import Any

import numpy as np

Shape = tuple[int, ...]

_SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@",
}  # fmt: skip
_INNER = re.compile(r"core dimension \d+, with gufunc signature .*\(size (\d+) is different from (\d+)\)")
_NUMBER = re.compile(r"matmul: Input operand ([01]) does not have enough dimensions \(has 0")
_NOT_ALIGNED = re.compile(r"shapes (\([\d,]*\)) and (\([\d,]*\)) not aligned: (\d+) \(dim \d+\) != (\d+)")
_TOGETHER = re.compile(r"operands could not be broadcast together with shapes ((?:\([\d,]*\) ?){2,})")
_OUTPUT = re.compile(
    r"non-broadcastable output operand with shape (\([\d,]*\)) doesn't match the broadcast shape (\([\d,]*\))"
)
_INTO = re.compile(r"could not broadcast input array from shape (\([\d,]*\)) into shape (\([\d,]*\))")


def in_words(text: str, frame: FrameSummary | None = None, error: BaseException | None = None) -> str:
    """An error about shapes in words, or the text as it is when it is another error.

    ``frame`` is that of the student's line in the traceback of ``error``.

    >>> in_words("shapes (3,4) and (2,6) not aligned: 4 (dim 1) != 2 (dim 0)")
    '(3, 4) @ (2, 6): the inner sizes 4 and 2 must agree'
    """
    sign, operands = _operation(frame, error)
    if found := _NOT_ALIGNED.search(text):
        return _inner(f"{_shape(found[1])} @ {_shape(found[2])}", found[3], found[4])
    if found := _INNER.search(text):
        known = sign == "@" and None not in operands
        return _inner(" @ ".join(map(str, operands)) if known else "A matrix product", found[2], found[1])
    if found := _NUMBER.search(text):
        side = "left" if found[1] == "0" else "right"
        return f"A matrix product needs two arrays: what stands on the {side} of @ is a single number"
    if found := _TOGETHER.search(text):
        shapes = [_shape(part) for part in re.findall(r"\([\d,]*\)", found[1])]
        if len(shapes) == 2 and sign not in ("", "@"):
            return f"{shapes[0]} {sign} {shapes[1]}: {_below(shapes)}"
        return f"Arrays of shapes {' and '.join(map(str, shapes))} do not fit entry by entry: {_below(shapes)}"
    if found := _OUTPUT.search(text):
        return f"The result has shape {_shape(found[2])} and cannot be kept in an array of shape {_shape(found[1])}"
    if found := _INTO.search(text):
        return f"An array of shape {_shape(found[1])} does not fit into the shape {_shape(found[2])}"
    return text


def _inner(product: str, left: str, right: str) -> str:
    return f"{product}: the inner sizes {left} and {right} must agree"


def _below(shapes: Sequence[Shape]) -> str:
    """Which sizes are in the way, from the last axis to the first."""
    pairs = [pair for pair in zip(*(shape[::-1] for shape in shapes)) if len(set(pair) - {1}) > 1]
    named = " and ".join(", ".join(map(str, pair)) for pair in pairs)
    return "sizes must be equal, or one of them 1" + (f"; {named} are not" if pairs else "")


def _shape(text: str) -> Shape:
    return tuple(int(part) for part in text.strip("()").split(",") if part)


def _operation(frame: FrameSummary | None, error: BaseException | None) -> tuple[str, list[Shape | None]]:
    """The sign of the operation that failed, and the shapes of its operands as far as they can be read."""
    if frame is None or error is None or frame.lineno != frame.end_lineno:
        return "", []
    line = linecache.getline(frame.filename, frame.lineno or 0).encode()
    try:
        failed = ast.parse(line[frame.colno : frame.end_colno].decode().strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return "", []
    called = [f for f, _ in traceback.walk_tb(error.__traceback__) if f.f_code.co_filename == frame.filename]
    scope = {**called[-1].f_globals, **called[-1].f_locals}
    if isinstance(failed, ast.BinOp):
        return _SIGNS.get(type(failed.op), ""), [_shape_of(failed.left, scope), _shape_of(failed.right, scope)]
    if isinstance(failed, ast.Call) and isinstance(failed.func, ast.Attribute) and failed.func.attr == "matmul":
        return "@", [_shape_of(argument, scope) for argument in failed.args]
    return "", []


def _shape_of(node: ast.expr, scope: Mapping[str, Any]) -> Shape | None:
    if isinstance(node, ast.UnaryOp):
        return _shape_of(node.operand, scope)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        shape = _shape_of(node.value, scope)
        return None if shape is None else shape[::-1]
    if isinstance(node, ast.BinOp):
        left, right = _shape_of(node.left, scope), _shape_of(node.right, scope)
        if left is None or right is None:
            return None
        try:
            if isinstance(node.op, ast.MatMult):
                return (left[0], right[1]) if len(left) == len(right) == 2 else None
            return np.broadcast_shapes(left, right)
        except ValueError:
            return None
    value = _value(node, scope)
    return np.shape(value) if isinstance(value, np.ndarray | np.generic | int | float) else None


def _value(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    """The value of a name, or of an attribute that an object holds itself: nothing is called."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Attribute):
        held = getattr(_value(node.value, scope), "__dict__", None)
        return held.get(node.attr) if type(held) is dict else None
    return None
