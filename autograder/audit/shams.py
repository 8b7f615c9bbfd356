"""Notebooks without understanding, made from the reference: hollow functions, and functions that ignore an argument.

A *hollow* notebook has the right names and shapes and no right numbers: the reference runs inside, and everything that
it returns, stores or assigns is replaced, by zeros, by constants, by numbers so small that they could be zero, by its
input, by activations that make every derivative vanish, by the shown example. A function that is given something to
call, such as a network to train, calls nothing. What such a notebook earns is earned by no work.
A *deaf* notebook is right but for one argument of one function, which keeps the value of the first challenge.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.audit.variants import Variant

FILLS = {
    "zeros": "np.zeros(a.shape)",
    "ones": "np.ones(a.shape)",
    "halves": "np.full(a.shape, 0.5)",
    "tiny": "np.full(a.shape, 1e-12)",
    "tiny-noise": "1e-12 * np.random.default_rng(0).normal(size=a.shape)",
    "noise": "np.random.default_rng(0).normal(size=a.shape)",
    "input": "_input(a, name, args)",
    "saturated": "_saturated(a, name, 1000.0, 1.0)",
    "dead": "_saturated(a, name, -1000.0, 0.0)",
    "matched": "_matched(a, name, args)",
    "frames": "_found(a)",
}
"""How a hollow notebook makes its numbers: an expression in the right array ``a``, its ``name`` and the arguments."""

IN_PART = ("ones", "tiny", "saturated", "dead", "matched")
"""The fills that are tried where only a part of the notebook is hollow: from the others nothing follows."""

_HELPERS = '''
import copy as _copy
import functools as _functools
import inspect as _inspect
import sys as _sys
import numpy as np

def _input(a, name, args):
    """What came in, in the shape that is asked for."""
    arrays = [np.asarray(v, dtype=float) for v in args if isinstance(v, (int, float, list, np.ndarray))]
    same = [v for v in arrays if v.shape == a.shape]
    return (same or [np.resize(v, a.shape) for v in arrays] or [np.ones(a.shape)])[0]

def _saturated(a, name, z, activation):
    """Units so far out that no derivative is left: then gradients of nearly nothing follow, and no step moves."""
    before = globals().get(name[:-4]) if name.endswith("_new") else None
    if before is not None:
        return np.resize(np.asarray(before, dtype=float), a.shape)
    return np.full(a.shape, {"z": z, "a": activation}.get(name[:1].lower(), 1e-12))

def _matched(a, name, args):
    """Outputs that equal the targets: no error is left, and gradients of nearly nothing follow."""
    arrays = [np.asarray(v, dtype=float) for v in args if isinstance(v, np.ndarray) and v.shape == a.shape]
    return arrays[-1] if arrays and name[:1].lower() == "a" else _saturated(a, name, 1000.0, 1.0)

def _found(a):
    """The same numbers, if they lie around anywhere in the callers' frames; zeros if not."""
    frame = _sys._getframe()
    while frame is not None:
        given = frame.f_locals.get("given")
        for value in given.values() if isinstance(given, dict) else ():
            if np.shape(value) == a.shape and np.asarray(value).dtype.kind in "if" and np.allclose(value, a):
                return np.asarray(value, dtype=float)
        frame = frame.f_back
    return np.zeros(a.shape)

def _hollowed(value, name, args, fill, inside=False):
    """The same structure with other numbers and without words."""
    again = lambda one, called: _hollowed(one, called, args, fill, True)
    if isinstance(value, dict):
        return {key: again(one, str(key)) for key, one in value.items()}
    if isinstance(value, (list, tuple)) and not all(isinstance(one, (int, float)) for one in value):
        return type(value)(again(one, name) for one in value)
    if isinstance(value, str):
        return ""
    if value is None or isinstance(value, (bool, type)) or callable(value):
        return value
    if hasattr(value, "free_symbols"):
        return type(value)(0) + float(np.resize(fill(np.zeros(()), name, args), ()))
    if hasattr(value, "__dict__") and not isinstance(value, np.ndarray):
        other = _copy.copy(value)
        other.__dict__.update({k: again(v, k) for k, v in vars(value).items() if isinstance(v, np.ndarray)})
        return other
    try:
        right = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return value
    new = np.asarray(fill(right, name, args), dtype=float)
    if isinstance(value, (list, tuple)):
        return type(value)(new.tolist())
    return type(value)(new) if isinstance(value, (int, float)) and np.all(np.isfinite(new)) else new

def _hollow(function, fill):
    """The function with what it returns, and what it stores in its first argument, made hollow."""
    @_functools.wraps(function)
    def call(*args, **options):
        owner = vars(args[0]) if args and hasattr(args[0], "W1") else {}
        before = {key: _copy.copy(value) for key, value in owner.items()}
        given = [*args, *options.values()]
        returned = function(*args, **options)
        for key, value in list(owner.items()):
            if isinstance(value, (int, float, np.ndarray)):
                touched = key not in before or not np.array_equal(before[key], value)
                if fill.keeps and key in before:
                    owner[key] = before[key]
                elif touched or (fill.whole and key[:1] in "ZA"):
                    owner[key] = _hollowed(value, key, given, fill)
        return _hollowed(returned, function.__name__, given, fill)
    return call

def _silent(function, returned, fill):
    """Another function in its place, which calls nothing and returns the structure of what it once returned."""
    return _functools.wraps(function)(lambda *args, **options: _hollowed(returned, function.__name__, [], fill))

def _copied(returned, stored):
    """A function that stores and returns the same whatever it is given."""
    def call(*args, **options):
        if stored:
            vars(args[0]).update(stored)
        return returned
    return call

def _train_nothing():
    """Networks that are given learn nothing here: the numbers are replaced anyway, and the shapes are the same."""
    for given in [one for one in globals().values() if isinstance(one, type) and hasattr(one, "train")]:
        given.train = lambda self, X, Y, epochs, *rest, **options: [0.777] * int(epochs)

def _deaf(function, name, value):
    """The function with one argument that never changes."""
    signature = _inspect.signature(function)
    @_functools.wraps(function)
    def call(*args, **options):
        bound = signature.bind(*args, **options)
        bound.apply_defaults()
        now = bound.arguments[name]
        bound.arguments[name] = np.resize(value, np.shape(now)) if isinstance(now, np.ndarray) else value
        return function(*bound.args, **bound.kwargs)
    return call
'''


@dataclass(frozen=True)
class Sham:
    """A notebook that understands nothing, or nothing of one thing, and the same one with these functions left open.

    It may earn what ``left_open`` earns: that is the work of the other functions. ``deaf`` ones must lose something.
    """

    variant: Variant
    left_open: Variant | None = None
    deaf: bool = False


@dataclass(frozen=True)
class Function:
    """A function or method that the student writes: its cell, its name and the arguments that its body reads."""

    cell: str
    name: str
    arguments: tuple[str, ...]


def functions(stub: Mapping[str, str], solved: Mapping[str, str]) -> list[Function]:
    """What the student is to write, cell by cell, as ``f`` or ``Class.method``: what the stub leaves open."""
    return [
        Function(cell, name, _read(_definitions(solved[cell])[name]))
        for cell, source in stub.items()
        for name, node in _definitions(source).items()
        if any(isinstance(one, ast.Raise) for one in ast.walk(node))
    ]


def _definitions(source: str) -> dict[str, ast.FunctionDef]:
    """The functions and methods that a cell defines."""
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.parse(source).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        found |= {f"{owner}{one.name}": one for one in inside if isinstance(one, ast.FunctionDef)}
    return found


def _read(node: ast.FunctionDef) -> tuple[str, ...]:
    loaded = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    arguments = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return tuple(name for name in arguments if name in loaded and name != "self")


def _assigned(source: str) -> list[str]:
    """The names that a cell assigns outside of functions."""
    targets = [
        target
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for whole in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for target in ast.walk(whole)
        if isinstance(target, ast.Name)
    ]
    return list(dict.fromkeys(target.id for target in targets))


@dataclass(frozen=True)
class Call:
    """The first call of a function, as Python text: its arguments, and what it returned and stored.

    ``calls`` says whether it was given something to call; ``shown`` whether this was the shown example.
    """

    arguments: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    calls: bool = False
    shown: bool = False


class _Notebook:
    """The solved cells, and the ways to take something away from them."""

    def __init__(self, solved: Mapping[str, str], calls: Mapping[str, Call]) -> None:
        self.solved, self.calls = solved, calls

    def hollow(self, name: str, which: Sequence[Function], fill: str, *, whole: bool = False) -> Variant:
        """These functions hollow; with ``whole`` all assigned values too, and nothing given is trained."""
        start = [
            f"_fill = lambda a, name, args: {FILLS[fill]}",
            f"_fill.keeps, _fill.whole = {fill == 'input'}, {fill in ('saturated', 'dead', 'matched')}",
        ]
        start += ["_train_nothing()"] * whole
        return Variant(name, name, self._cells(start, {one: self._hollow(one) for one in which}, whole))

    def copying(self, name: str, which: Sequence[Function]) -> Variant:
        """The values of the shown example, whatever is asked; what has none is made hollow."""
        lines = {}
        for one in which:
            values = dict(self.calls[one.name].values) if one.name in self.calls and self.calls[one.name].shown else {}
            returned = values.pop(one.name.split(".")[-1], "None")
            stored = ", ".join(f"{key!r}: {text}" for key, text in values.items())
            lines[one] = f"{one.name} = _copied({returned}, {{{stored}}})"
        start = [f"_fill = lambda a, name, args: {FILLS['zeros']}"]
        return Variant(name, name, self._cells(start, lines, True))

    def open(self, name: str, which: Sequence[Function]) -> Variant:
        """These functions as the stub has them."""
        start = ["def _open(*args, **options):", "    raise NotImplementedError()"]
        return Variant(name, name, self._cells(start, {one: f"{one.name} = _open" for one in which}, False))

    def deaf(self, one: Function, argument: str) -> Variant:
        """This function without this argument."""
        line = f"{one.name} = _deaf({one.name}, {argument!r}, {self.calls[one.name].arguments[argument]})"
        return Variant(f"{one.name} ignores {argument}", "", self._cells([], {one: line}, False))

    def _hollow(self, one: Function) -> str:
        call = self.calls.get(one.name)
        returned = call.values.get(one.name.split(".")[-1]) if call and call.calls else None
        made = f"_silent({one.name}, {returned}, _fill)" if returned else f"_hollow({one.name}, _fill)"
        return f"{one.name} = {made}"

    def _cells(self, start: Sequence[str], lines: Mapping[Function, str], values: bool) -> dict[str, str]:
        """The cells with these functions and the lines that replace them behind; the first has the helpers."""
        cells = dict[str, str]()
        for cell, source in self.solved.items():
            mine = [line for one, line in lines.items() if one.cell == cell]
            mine += [f"{name} = _hollowed({name}, {name!r}, [], _fill)" for name in _assigned(source) if values]
            if mine:
                helpers = [] if cells else [f"exec({_HELPERS!r})"]  # as one word, which IPython reads sooner
                cells[cell] = "\n".join([source, *helpers, *start, *mine])
        return cells


def shams(every: Sequence[Function], solved: Mapping[str, str], calls: Mapping[str, Call]) -> Iterator[Sham]:
    """The standing set: every function and value hollow, only the classes, only the backward passes; and the deaf."""
    notebook = _Notebook(solved, calls)
    for fill in FILLS:
        yield Sham(notebook.hollow(f"hollow, {fill}", every, fill, whole=True))
    if any(call.shown for call in calls.values()):
        yield Sham(notebook.copying("copies the shown example", every))
    classes = [one for one in every if "." in one.name]
    backward = [one for one in classes if one.name.endswith(".backward_pass")]
    for name, which in (("class", classes), ("backward pass", backward)):
        if which and len(which) < len(every):
            left_open = notebook.open(f"open {name}", which)
            for fill in IN_PART:
                yield Sham(notebook.hollow(f"hollow {name}, {fill}", which, fill), left_open)
    for one in every:
        for argument in one.arguments:
            if one.name in calls and argument in calls[one.name].arguments:
                yield Sham(notebook.deaf(one, argument), deaf=True)
