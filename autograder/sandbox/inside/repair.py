"""Counterfactual repair: which expression of the code, had it had another value, would have given the asked values.

The cells are compiled with a hook around every expression (:class:`Instrument`). A run *records* what each of them gave
at each visit; another run *replaces* one of these by a value of a table that comes with the question. What makes more
of the asked values exact at every point, and none wrong, is a proof. The work is bounded by a number of runs.

Nothing here knows an exercise: the table and the exact values are data of the question. They are drawn for this
purpose, and used for nothing else.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import itertools
import random
import secrets
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import codec
from .stopwatch import OutOfTime

MOST_RUNS = 2500
"""Of the code, in the search for one question."""

MOST_CALLS = 300_000
"""So many function calls may all runs of a search make, as far as one run tells: a training is run less often."""

MOST_STEPS = 6
"""So many mistakes are looked for, one after the other."""

MOST_HOOKS = 400_000
"""So many expressions may one run pass: what loops without end is not searched."""

MOST_VISITS = 8
"""So many visits of one expression are looked at."""

MOST_ENTRIES = 4096
MOST_QUANTITIES = 500
PRECISION = 1e-8

FOREIGN = 5.0
"""Quantities from this level on are never due; they say what an expression gives."""

_MODULES = {"np", "numpy", "math", "plt", "sp", "sympy", "self", "cls"}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "*": lambda a, b: a * b,
    "@": lambda a, b: a @ b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}
_SIGNS: dict[type, str] = {
    ast.Mult: "*", ast.MatMult: "@", ast.Add: "+", ast.Sub: "-", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip

Visit = tuple[int, int]
Plain = dict[str, Any]


class TooMuch(BaseException):
    """A run that passes more expressions than is allowed."""


@dataclass
class Node:
    """One expression of a cell, where it stands, and how it is built."""

    index: int
    cell: int
    line: int
    end_line: int
    col: int
    end_col: int
    size: int
    kind: str
    leaf: bool
    parent: int
    root: str = ""  #: how its statement uses it: assign, augmented, return, expr, test, iter
    target: str = ""  #: the name or attribute that it is assigned to
    sign: str = ""
    children: list[int] = field(default_factory=list)
    text: str = ""
    stores: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)  #: of a function


class Instrument(ast.NodeTransformer):
    """Puts a hook around every expression of the cells that it is told about, and knows them afterwards."""

    def __init__(self, cells: set[int]) -> None:
        """Instrument these cells, and leave others as they are."""
        self.hook = Hook()
        self.cells, self.cell = cells, -1
        self.nodes: list[Node] = []
        self.trees: dict[int, ast.Module] = {}
        self._name = f"_{secrets.token_hex(8)}"
        self._parent, self._root, self._target = -1, "", ""
        setattr(builtins, self._name, self.hook.value)
        setattr(builtins, f"{self._name}t", self.hook.tick)
        setattr(builtins, f"{self._name}s", self.hook.stores)
        setattr(builtins, f"{self._name}v", self.hook.stored)
        setattr(builtins, f"{self._name}l", self.hook.lazily)
        setattr(builtins, f"{self._name}x", self.hook.leaves)
        setattr(builtins, f"{self._name}n", locals)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Instrument the cell that is being run now, if it is one of those."""
        if self.cell not in self.cells:
            return node
        try:
            made = copy.deepcopy(node)
            made.body = self._block(made.body)
            ast.fix_missing_locations(made)
            compile(made, "<instrumented>", "exec")
        except (SyntaxError, RecursionError, ValueError):
            return node
        self.trees[self.cell] = copy.deepcopy(made)
        return made

    # Statements

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in statements:
            found = self._statement(statement)
            made += found if isinstance(found, list) else [found]
        return made

    def _statement(self, node: Any) -> Any:
        kind = type(node)
        if kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            docstring = node.body[:1] if _is_text(node.body[0]) else []
            stores = _stored_names(node)
            body = self._block(node.body[len(docstring) :])
            if kind is not ast.ClassDef and body:
                about = self._function(node, stores)
                names = ast.Call(ast.Name(f"{self._name}n", ast.Load()), [], [])
                call = ast.Call(ast.Name(f"{self._name}x", ast.Load()), [ast.Constant(about.index), names], [])
                body = [_placed(ast.Try(body, [], [], [ast.Expr(call)]), node)]
            node.body = [*docstring, *body]
        elif kind in (ast.Assign, ast.AnnAssign):
            target = node.targets[0] if kind is ast.Assign else node.target
            for one in node.targets if kind is ast.Assign else [node.target]:
                self._inside_target(one)
            node.value = node.value and self._rooted(node.value, "assign", _named(target))
        elif kind is ast.AugAssign:
            return self._augmented(node)
        elif kind is ast.Return:
            node.value = node.value and self._rooted(node.value, "return")
        elif kind is ast.Expr:
            node.value = node.value if _is_text(node) else self._rooted(node.value, "expr")
        elif kind in (ast.If, ast.While):
            node.test = self._rooted(node.test, "test")
            node.body, node.orelse = self._block(node.body), self._block(node.orelse)
            if kind is ast.While:
                node.body = [self._tick(node), *node.body]
        elif kind in (ast.For, ast.AsyncFor):
            node.iter = self._rooted(node.iter, "iter")
            node.body = [self._tick(node), *self._block(node.body)]
            node.orelse = self._block(node.orelse)
        elif kind in (ast.With, ast.AsyncWith):
            for item in node.items:
                item.context_expr = self._rooted(item.context_expr, "expr")
            node.body = self._block(node.body)
        elif kind.__name__ in ("Try", "TryStar"):
            node.body, node.orelse = self._block(node.body), self._block(node.orelse)
            node.finalbody = self._block(node.finalbody)
            for handler in node.handlers:
                handler.body = self._block(handler.body)
        elif kind is ast.Match:
            node.subject = self._rooted(node.subject, "expr")
            for case in node.cases:
                case.body = self._block(case.body)
        return node

    def _rooted(self, node: ast.expr, root: str, target: str = "") -> Any:
        self._root, self._target, self._parent = root, target, -1
        return self._expression(node)

    def _inside_target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Tuple | ast.Slice):
            node.slice = self._rooted(node.slice, "index")

    def _tick(self, node: ast.stmt) -> Any:
        call = ast.Call(ast.Name(f"{self._name}t", ast.Load()), [], [])
        return _placed(ast.Expr(call), node)

    def _augmented(self, node: ast.AugAssign) -> Any:
        """Read the target before and afterwards, where reading it twice does nothing else."""
        target, sign = node.target, _SIGNS.get(type(node.op), "")
        if not _is_simple(target):
            node.value = self._rooted(node.value, "augmented", _named(target))
            return node
        whole = self._new(node, "AugAssign", root="statement", target=_named(target), sign=sign)
        before = self._new(target, type(target).__name__, parent=whole.index, leaf=True)
        self._root, self._target, self._parent = "augmented", _named(target), whole.index
        node.value = self._expression(node.value)
        return [self._stored(before, target), node, self._stored(whole, target)]

    def _stored(self, about: Node, target: Any) -> Any:
        """``if hook.stores(index, target): target = hook.stored()``."""
        read = copy.deepcopy(target)
        for one in ast.walk(read):
            if isinstance(getattr(one, "ctx", None), ast.Store):
                one.ctx = ast.Load()  # type: ignore[attr-defined]
        test = ast.Call(ast.Name(f"{self._name}s", ast.Load()), [ast.Constant(about.index), read], [])
        value = ast.Call(ast.Name(f"{self._name}v", ast.Load()), [], [])
        return _placed(ast.If(test, [ast.Assign([copy.deepcopy(target)], value)], []), target)

    def _function(self, node: Any, stores: dict[str, ast.stmt]) -> Node:
        """A function, where its head stands, and which names and attributes it gives values to."""
        about = Node(
            len(self.nodes), self.cell, node.lineno, node.lineno, node.col_offset, -1, 0, "Function", False, -1,
            target=node.name, text=f"def {node.name}",
        )  # fmt: skip
        about.stores = {name: (one.lineno, one.end_lineno or 0, one.col_offset, one.end_col_offset or 0)
                        for name, one in stores.items()}  # fmt: skip
        self.nodes.append(about)
        return about

    def lazy(self, index: int) -> list[types.CodeType]:
        """The cells once more, with one expression worked out only if nothing is to stand in its place."""
        trees = copy.deepcopy(self.trees)
        for tree in trees.values():
            for one in ast.walk(tree):
                is_hook = isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == self._name
                if is_hook and one.args[0].value == index:  # type: ignore[attr-defined]
                    nothing = ast.arguments([], [], None, [], [], None, [])
                    one.func.id += "l"  # type: ignore[attr-defined]
                    one.args[1] = ast.copy_location(ast.Lambda(nothing, one.args[1]), one.args[1])  # type: ignore[attr-defined]
        return [compile(ast.fix_missing_locations(tree), f"<cell {n}>", "exec") for n, tree in sorted(trees.items())]

    def codes(self) -> list[types.CodeType]:
        """The cells once more."""
        return [compile(tree, f"<cell {n}>", "exec") for n, tree in sorted(self.trees.items())]

    # Expressions

    def _new(
        self, node: Any, kind: str, *, parent: int = -1, leaf: bool = False, root: str = "", target: str = "",
        sign: str = "",
    ) -> Node:  # fmt: skip
        size = sum(isinstance(one, ast.expr) for one in ast.walk(node))
        made = Node(
            len(self.nodes), self.cell, node.lineno, node.end_lineno, node.col_offset, node.end_col_offset, size, kind,
            leaf, parent, root, target, sign, text=ast.unparse(node),
        )  # fmt: skip
        self.nodes.append(made)
        if parent >= 0:
            self.nodes[parent].children.append(made.index)
        return made

    def _expression(self, node: Any) -> Any:
        kind = type(node)
        if kind in (ast.JoinedStr, ast.FormattedValue, ast.Await, ast.Yield, ast.YieldFrom):
            return node
        if kind is ast.Constant and (isinstance(node.value, bool) or not isinstance(node.value, int | float)):
            return node
        if kind is ast.Name and node.id in _MODULES:
            return node
        if kind in (ast.Starred, ast.Slice, ast.NamedExpr, ast.Lambda, ast.Dict, ast.Set):
            return self._inner(node)
        leaf = kind in (ast.Constant, ast.Name) or (
            kind in (ast.Attribute, ast.Subscript) and isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript)
        )
        about = self._new(
            node, kind.__name__, parent=self._parent, leaf=leaf, root=self._root, target=self._target,
            sign=_SIGNS.get(type(getattr(node, "op", None)), ""),
        )  # fmt: skip
        kept = self._parent, self._root, self._target
        self._parent, self._root, self._target = about.index, "", ""
        original = copy.copy(node)
        inner = self._inner(node)
        self._parent, self._root, self._target = kept
        call = ast.Call(ast.Name(self._name, ast.Load()), [ast.Constant(about.index), inner], [])
        return _placed(call, original)

    def _inner(self, node: Any) -> Any:
        """The expression with hooks around its parts."""
        kind = type(node)
        if kind is ast.Call:
            if isinstance(node.func, ast.Attribute):
                node.func.value = self._expression(node.func.value)
            elif not isinstance(node.func, ast.Name):
                node.func = self._expression(node.func)
            node.args = [self._expression(one) for one in node.args]
            for keyword in node.keywords:
                keyword.value = self._expression(keyword.value)
        elif kind is ast.Attribute:
            node.value = self._expression(node.value)
        elif kind is ast.Subscript:
            node.value, node.slice = self._expression(node.value), self._expression(node.slice)
        elif kind is ast.Lambda:
            node.body = self._expression(node.body)
        elif kind is ast.NamedExpr:
            node.value = self._expression(node.value)
        elif kind in (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp):
            for part in node.generators:
                part.iter = self._expression(part.iter)
                part.ifs = [self._expression(one) for one in part.ifs]
            for name in ("elt", "key", "value"):
                if hasattr(node, name):
                    setattr(node, name, self._expression(getattr(node, name)))
        elif kind is not ast.Name and kind is not ast.Constant:
            for name, value in ast.iter_fields(node):
                if isinstance(value, ast.expr):
                    setattr(node, name, self._expression(value))
                elif isinstance(value, list):
                    value[:] = [self._expression(one) if isinstance(one, ast.expr) else one for one in value]
        return node


def _placed(made: Any, at: Any) -> Any:
    for one in ast.walk(made):
        if not hasattr(one, "lineno") and isinstance(one, ast.expr | ast.stmt):
            ast.copy_location(one, at)
    return made


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _stored_names(node: ast.AST) -> dict[str, Any]:
    """What the statements of a function give values to: names, and attributes with a dot before them."""
    found: dict[str, Any] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in one.targets if isinstance(one, ast.Assign) else [one.target]:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        found[part.id] = one
                    elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                        found[f".{part.attr}"] = one
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "setattr":
            found["."] = one
    return found


def _named(target: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


def _is_simple(node: ast.expr) -> bool:
    """Whether reading it again does nothing but read."""
    allowed = ast.Name | ast.Attribute | ast.Subscript | ast.Constant | ast.BinOp | ast.JoinedStr | ast.FormattedValue
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in ("str", "int"):
            continue
        if isinstance(one, ast.expr) and not isinstance(one, allowed):
            return False
    return True


# What the code calls ------------------------------------------------------------------------------------------------

_IDLE, _RECORD, _REPLACE = 0, 1, 2


class Hook:
    """What every expression passes through: it records or replaces values, or does nothing."""

    def __init__(self) -> None:
        """Do nothing."""
        self.mode, self.left = _IDLE, MOST_HOOKS
        self.visits: dict[int, int] = {}
        self.seen: dict[Visit, tuple[Any, Any, int]] = {}
        self.over: dict[int, dict[int, Any]] = {}
        self.left_behind: dict[Visit, dict[str, Any]] = {}
        self.reached: Visit = (-1, -1)
        self._stored: Any = None

    def begin(self, mode: int, over: dict[Visit, Any] | None = None) -> None:
        """Start a run."""
        self.mode, self.left, self.visits, self.seen, self.over = mode, MOST_HOOKS, {}, {}, {}
        self.left_behind, self.reached = {}, (-1, -1)
        for (index, visit), value in (over or {}).items():
            self.over.setdefault(index, {})[visit] = value

    def tick(self) -> None:
        """One turn of a loop. Raises TooMuch."""
        self.left -= 1
        if self.left < 0:
            raise TooMuch

    def value(self, index: int, value: Any) -> Any:
        """The value of an expression, or what is to stand in its place. Raises TooMuch."""
        if not self.mode:
            return value
        self.left -= 1
        if self.left < 0:
            raise TooMuch
        if self.mode == _RECORD:
            visit = self.visits[index] = self.visits.get(index, -1) + 1
            if visit < MOST_VISITS:
                self._keep((index, visit), value)
            wanted = self.over.get(index)
        else:
            wanted = self.over.get(index)
            if wanted is None:
                return value
            visit = self.visits[index] = self.visits.get(index, -1) + 1
        if wanted is None or visit not in wanted:
            return value
        return _in_place_of(value, wanted[visit])

    def lazily(self, index: int, work_out: Callable[[], Any]) -> Any:
        """What is to stand in the place of an expression, or its value."""
        visit = self.visits.get(index, -1) + 1
        if visit in self.over.get(index, {}):
            self.visits[index] = visit
            return _in_place_of(None, self.over[index][visit])
        self.reached = (index, visit)
        return self.value(index, work_out())

    def leaves(self, index: int, names: dict[str, Any]) -> None:
        """The end of a function: what it should have left behind can be put there."""
        if not self.mode:
            return
        visit = self.visits[index] = self.visits.get(index, -1) + 1
        if self.mode == _RECORD and visit < 3:
            self.left_behind[index, visit] = names
        for attribute, value in self.over.get(index, {}).get(visit, {}).items():
            setattr(names["self"], attribute, value)

    def stores(self, index: int, value: Any) -> bool:
        """Whether a variable is to get another value, which :meth:`stored` gives; an array gets it in place."""
        made = self.value(index, value)
        if made is value:
            return False
        if isinstance(value, np.ndarray) and isinstance(made, np.ndarray) and value.shape == made.shape:
            try:
                value[...] = made
                return False
            except (TypeError, ValueError):
                pass
        self._stored = made
        return True

    def stored(self) -> Any:
        """The value for a variable."""
        return self._stored

    def _keep(self, key: Visit, value: Any) -> None:
        found = as_array(value)
        if found is not None:
            self.seen[key] = (found, value, len(self.seen))
        elif type(value) in (bool, np.bool_):
            self.seen[key] = (bool(value), value, len(self.seen))


def as_array(value: Any) -> np.ndarray | None:
    """A copy of what is an array of numbers, or a number; None for anything else, and for what is large."""
    kind = type(value)
    try:
        if kind is np.ndarray:
            if value.dtype.kind in "biuf" and value.size <= MOST_ENTRIES:
                return np.array(value, float)
        elif kind in (int, float) or (kind is not np.bool_ and issubclass(kind, np.number)):
            return np.array(float(value))
        elif kind in (list, tuple) and 0 < len(value) <= 200:
            made = np.array(value)
            if made.dtype.kind in "iuf" and made.size <= MOST_ENTRIES:
                return made.astype(float)
    except (TypeError, ValueError, OverflowError):
        pass
    return None


def _in_place_of(value: Any, wanted: Any) -> Any:
    if isinstance(wanted, bool):
        return wanted
    if isinstance(value, list | tuple):
        return type(value)(wanted.tolist()) if wanted.ndim else wanted.item()
    if wanted.ndim == 0 and not isinstance(value, np.ndarray):
        return int(wanted) if isinstance(value, int) and float(wanted).is_integer() else float(wanted)
    return wanted.copy()


# Runs ---------------------------------------------------------------------------------------------------------------


def same(a: Any, b: Any, rtol: float = PRECISION) -> bool:
    """Whether two values are the same: arrays of one shape in every entry, and anything else as it is."""
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b) and bool(a == b)
    try:
        a, b = np.asarray(a, float), np.asarray(b, float)
    except (TypeError, ValueError):
        return False
    if a.shape != b.shape:
        return False
    size = np.abs(b)
    largest = size.max(initial=0.0)
    return bool(np.all(np.abs(a - b) <= rtol * np.maximum(size, 0.01 * (largest or 1.0))))


class Runs:
    """Runs of a probe beside the instrumented code, counted."""

    def __init__(
        self, instrument: Instrument, names: dict[str, Any], probe: Callable[[dict[str, Any], Plain], Any],
        points: list[Plain], *, again: bool,
    ) -> None:  # fmt: skip
        """Ask at these points; ``again`` runs the cells once more each time, for values that they work out."""
        self.hook, self.names, self.probe, self.points = instrument.hook, names, probe, points
        self.kept, self.count = dict(names), 0
        self.codes = instrument.codes() if again else []
        self.error: BaseException | None = None
        self.most = MOST_RUNS
        self.lazy = -1

    def define(self, codes: list[types.CodeType]) -> None:
        """Run the cells in another form; every run has what they define."""
        if self.codes:
            self.codes = codes
            return
        with contextlib.suppress(Exception):
            for code in codes:
                exec(code, self.names)
        self.kept = dict(self.names)

    def weigh(self) -> None:
        """Count the function calls of one run, and allow so many runs."""
        calls = 0

        def count(*_: Any) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            self.run(0, {})
        finally:
            sys.setprofile(None)
        self.most = max(16, min(MOST_RUNS, MOST_CALLS // (calls // 2 + 1)))

    def run(self, point: int, over: dict[Visit, Any], mode: int = _REPLACE) -> Plain:
        """What the probe answers at a point; what was there before an error counts, and the error is kept."""
        self.count += 1
        values: Plain = {}
        self.error = None
        given = _fresh(self.points[point])
        random.seed(0)
        np.random.seed(0)
        self.hook.begin(mode, over)
        try:
            with np.errstate(all="ignore"):
                for code in self.codes:
                    exec(code, self.names)
                _gather(self.probe(self.names, given), values)
        except (OutOfTime, MemoryError):
            raise
        except BaseException as error:
            self.error = error
        finally:
            self.hook.mode = _IDLE
            self.names.clear()
            self.names.update(self.kept)
        return values


def _fresh(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _fresh(one) for key, one in value.items()}
    return [_fresh(one) for one in value] if isinstance(value, list) else value


def _gather(found: Any, values: Plain) -> None:
    for part in found if isinstance(found, types.GeneratorType) else [found]:
        for name, value in part.items():
            array = as_array(value)
            values[name] = value if isinstance(value, bool | str) else array
            if values[name] is None and value is not None:
                try:
                    values[name] = codec.plain(value)
                except codec.BadValue:
                    values[name] = None


# What is recorded of a solution -------------------------------------------------------------------------------------


def recorded(runs: Runs, instrument: Instrument) -> Plain:
    """What a solution answers at every point, and the different values that its expressions had."""
    answers, seen = [], []
    for point in range(len(runs.points)):
        answers.append(runs.run(point, {}, _RECORD))
        seen.append(runs.hook.seen)
    found: list[Plain] = []
    known: set[bytes] = set()
    for key in seen[0]:
        values = [one[key][0] for one in seen if key in one]
        if len(values) < len(seen) or any(isinstance(one, bool) for one in values):
            continue
        name = b"".join(np.round(one, 12).tobytes() + str(one.shape).encode() for one in values)
        if name in known or len(found) >= MOST_QUANTITIES:
            continue
        known.add(name)
        node = instrument.nodes[key[0]]
        found.append({"text": node.text[:80], "size": node.size, "values": values})
    return {"answers": answers, "quantities": found}


# The search ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """One value in the place of another: where, what kind of repair it is, the quantity, and its values by point."""

    rank: float
    key: Visit
    kind: str
    quantity: int
    values: tuple[Any, ...]
    group: tuple[int, int] | None = None  #: factors of a product, by their numbers


class Search:
    """The search for one question."""

    def __init__(self, runs: Runs, instrument: Instrument, asked: Plain) -> None:
        """``asked`` holds the exact answers and the table of quantities, at every point of the runs."""
        self.runs, self.nodes, self.instrument = runs, instrument.nodes, instrument
        self.exact: list[Plain] = asked["exact"]
        self.table: list[list[np.ndarray]] = asked["table"]
        self.levels: list[float] = asked["levels"]
        self.rtol = float(asked["rtol"])
        self.points = list(range(len(runs.points)))
        self.searched = self.points[:-1] if len(self.points) > 1 else self.points
        self.by_shape: dict[Any, list[int]] = {}
        for number, values in enumerate(self.table):
            self.by_shape.setdefault(tuple(one.shape for one in values), []).append(number)
        self.scalars = [n for n, values in enumerate(self.table) if all(one.ndim == 0 for one in values)]

    def _right(self, point: int, values: Plain) -> set[str]:
        return {
            name for name, exact in self.exact[point].items() if name in values and same(values[name], exact, self.rtol)
        }

    def _rights(self, over: list[dict[Visit, Any]], points: list[int]) -> set[str]:
        found = set(self.exact[0])
        for point in points:
            found &= self._right(point, self.runs.run(point, over[point]))
        return found

    def found(self) -> list[Plain]:
        """The repairs, in the order in which they were found, each proved at a point that the search has not used."""
        self.over: list[dict[Visit, Any]] = [{} for _ in self.points]
        steps: list[Plain] = []
        first, second = ([self.runs.run(point, {}) for point in self.points] for _ in range(2))
        if not _alike(first, second):
            return []  # the code answers otherwise at the second time
        right = self._rights(self.over, self.points)
        for _ in range(MOST_STEPS):
            if right == set(self.exact[0]) or self.runs.count > self.runs.most:
                break
            before = right
            for best, _ in self._step(right):
                over = [{**self.over[point], best.key: best.values[point]} for point in self.points]
                proved = self._rights(over, self.points)
                if proved > right:
                    steps.append(self._told(best, sorted(proved - right)))
                    self.over, right = over, proved
            if right == before:
                steps += self._left_out(right)
                break
        return steps

    def _look(self, right: set[str]) -> None:
        """Run once more, and remember what every expression gives."""
        seen: list[dict[Visit, tuple[Any, Any, int]]] = []
        self.stopped: Visit | None = None
        for point in self.points:
            self.runs.run(point, self.over[point], _RECORD)
            seen.append(self.runs.hook.seen)
            if point == 0:
                self.left_behind = self.runs.hook.left_behind
                if self.runs.error is not None:
                    self.stopped = self._where_it_stopped(self.runs.error)
        common = [key for key in seen[0] if all(key in one for one in seen) and key not in self.over[0]]
        self.seen = {key: tuple(one[key][0] for one in seen) for key in common}
        self.objects = {key: seen[0][key][1] for key in common}
        self.order = {key: seen[0][key][2] for key in common}
        self.known = {key: self._is_known(key) for key in common}
        self.last = set(common[-6:]) if self.stopped else set()

    def _where_it_stopped(self, error: BaseException) -> Visit | None:
        """The smallest expression of the code out of which an error came, at the visit at which it did."""
        place = None
        step = error.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            if code.co_filename.startswith("<cell "):
                place = (int(code.co_filename[6:-1]), *list(code.co_positions())[step.tb_lasti // 2])
            step = step.tb_next
        if place is None:
            return None
        for node in self.nodes:
            if (node.cell, node.line, node.end_line, node.col, node.end_col) == place and node.kind != "AugAssign":
                if self.runs.lazy != node.index:
                    self.runs.define(self.instrument.lazy(node.index))
                    self.runs.lazy = node.index
                    self.runs.run(0, self.over[0], _RECORD)
                return self.runs.hook.reached
        return None

    def _step(self, right: set[str]) -> list[tuple[Candidate, set[str]]]:
        """The repairs that mend most; those after the first mend something else than the ones before them."""
        self._look(right)
        successes: list[tuple[Candidate, set[str]]] = []
        tried: set[Any] = set()
        few = self.runs.most < 100  # then what is asked comes first: it shows the statement at least
        for candidate in sorted(self._candidates(), key=lambda one: (few and one.rank < 2, one.rank)):
            if few and candidate.kind != "value":
                continue
            if self.runs.count > self.runs.most:
                break
            name = (candidate.key, *(np.asarray(value).tobytes() for value in candidate.values))
            if name in tried:
                continue
            tried.add(name)
            after: set[str] | None = None
            for point in self.searched:
                values = self.runs.run(point, {**self.over[point], candidate.key: candidate.values[point]})
                now = self._right(point, values)
                if not (now >= right and now - right):
                    after = None
                    break
                after = now if after is None else after & now
            if after is not None and after > right:
                successes.append((candidate, after - right))
        successes.sort(key=lambda one: self._price(one, successes))
        chosen: list[tuple[Candidate, set[str]]] = []
        mended: set[str] = set()
        for candidate, gained in successes:
            if not gained & mended:
                chosen.append((candidate, gained))
                mended |= gained
        return chosen

    def _left_out(self, right: set[str]) -> list[Plain]:
        """Attributes that no statement gives a value, though the function was there to do it."""
        steps: list[Plain] = []
        for name in sorted(set(self.exact[0]) - right):
            attribute = name.removesuffix("_new")
            for key, names in self.left_behind.items():
                node = self.nodes[key[0]]
                if f".{attribute}" in node.stores or "." in node.stores or not hasattr(names.get("self"), "__dict__"):
                    continue
                over = [{**self.over[point], key: {**self.over[point].get(key, {}), attribute: self.exact[point][name]}}
                        for point in self.points]  # fmt: skip
                proved = self._rights(over, self.points)
                if proved > right:
                    local = node.stores.get(attribute)
                    line, end_line, col, end_col = local or (node.line, node.line, node.col, -1)
                    steps.append({
                        "cell": node.cell, "line": line, "end_line": end_line, "col": col, "end_col": end_col,
                        "visit": -1, "kind": f"{'local' if local else 'omitted'} {attribute}", "due": -1, "given": -1,
                        "mends": sorted(proved - right),
                    })  # fmt: skip
                    self.over, right = over, proved
                    break
        return steps

    def _price(self, one: tuple[Candidate, set[str]], others: list[tuple[Candidate, set[str]]]) -> Any:
        candidate, mended = one
        node = self.nodes[candidate.key[0]]
        later = any(
            candidate.key in self.objects
            and self.objects[candidate.key] is self.objects.get(other.key)
            and self.order[other.key] < self.order[candidate.key]
            and other.quantity == candidate.quantity
            and gained >= mended
            for other, gained in others
        )
        size = node.size if candidate.group is None else node.size - 0.5
        rank = candidate.rank if candidate.rank < 2 else 10 + candidate.rank
        return (rank >= 10, -len(mended), rank, later, size, self.order.get(candidate.key, 1 << 30))

    def _told(self, best: Candidate, mended: list[str]) -> Plain:
        node = self.nodes[best.key[0]]
        many = sum(1 for key in self.seen if key[0] == node.index) > 1
        first, last = node, node
        if best.group is not None:
            factors = self._factors(node)
            first, last = self.nodes[factors[best.group[0]][0]], self.nodes[factors[best.group[1]][0]]
        return {
            "cell": node.cell, "line": first.line, "end_line": last.end_line, "col": first.col, "end_col": last.end_col,
            "visit": best.key[1] if many else -1, "kind": best.kind, "due": best.quantity,
            "given": self._given(best), "mends": mended,
        }  # fmt: skip

    def _given(self, best: Candidate) -> int:
        """The quantity that the expression gives now, if it is one."""
        values = self.seen.get(best.key, ())
        if best.group is not None:
            made = self._product(best)
            if made is None:
                return -1
            values = made
        if not values or isinstance(values[0], bool):
            return -1
        return next((n for n in self._alike(values) if self._equal(values, self.table[n])), -1)

    # Candidates

    def _candidates(self) -> Iterator[Candidate]:
        if self.stopped and self.stopped[0] >= 0:
            yield from self._instead(self.stopped, self.nodes[self.stopped[0]])
        for key, values in self.seen.items():
            node = self.nodes[key[0]]
            if isinstance(values[0], bool):
                if all(isinstance(one, bool) for one in values):
                    yield Candidate(0.3, key, "condition", -1, tuple(not one for one in values))
                continue
            if any(isinstance(one, bool) for one in values):
                continue
            yield from self._structural(key, node, values)
            yield from self._replaced(key, node, values)
            if node.kind == "BinOp" and node.sign in "*/":
                yield from self._grouped(key, node)

    def _instead(self, key: Visit, node: Node) -> Iterator[Candidate]:
        """What could stand where the code stops with an error."""
        blame = self._blame(key, node)
        if node.kind == "BinOp" and node.sign and len(node.children) == 2:
            parts = [self._part(child, key) for child in node.children]
            if None not in parts:
                (a, b), turned = parts, [tuple(one.T for one in part) for part in parts if part]
                for x, y in ((a, turned[1]), (turned[0], b), (b, a), (b, turned[0]), (turned[1], a)):
                    made = _each(_OPERATORS[node.sign], x, y)
                    if made is not None:
                        yield Candidate(0.02, key, "exchanged" if y is a and x is b else "transposed part", -1, made)
                for sign, operate in _OPERATORS.items():
                    made = _each(operate, a, b)
                    if made is not None:
                        yield Candidate(0.0, key, f"operator {sign}", -1, made)
        for number, table in enumerate(self.table):
            if self.levels[number] < FOREIGN:
                yield Candidate(self.levels[number] + 0.1 + blame, key, "value", number, tuple(table))

    def _alike(self, values: tuple[Any, ...]) -> list[int]:
        return self.by_shape.get(tuple(one.shape for one in values), [])

    def _equal(self, values: Any, others: Any) -> bool:
        return all(same(a, b, PRECISION) for a, b in zip(values, others))

    def _replaced(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        # what is worked out from something unknown is not to blame: that is
        if self._blame(key, node):
            return
        for number in self._alike(values):
            table = self.table[number]
            level = self.levels[number]
            if level >= 2 and not self.known[key] and node.leaf and not node.children:
                continue  # a name that holds something unknown is not to blame: what gave it its value is
            if level < FOREIGN and not self._equal(values, table):
                yield Candidate(level, key, "value", number, tuple(table))
        if all(one.ndim == 2 for one in values):
            shapes = tuple(one.shape[::-1] for one in values)
            for number in self.by_shape.get(shapes, []):
                turned = tuple(one.T for one in self.table[number])
                if self.levels[number] < 2 and not self._equal(values, turned):
                    yield Candidate(self.levels[number] + 0.1, key, "value-transposed", number, turned)
        free = (node.leaf and values[0].ndim > 0) or key in self.last
        if free:
            for number, table in enumerate(self.table):
                if self.levels[number] < 1 and table[0].ndim == values[0].ndim == 2:
                    if any(a.shape != b.shape for a, b in zip(values, table)):
                        yield Candidate(self.levels[number] + 0.2, key, "value", number, tuple(table))
                    yield Candidate(
                        self.levels[number] + 0.2, key, "value-transposed", number, tuple(one.T for one in table)
                    )

    def _structural(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        dims = values[0].ndim
        if dims == 2:
            yield Candidate(0.05, key, "transpose", -1, tuple(one.T for one in values))
        if dims == 1:
            yield Candidate(0.1, key, "keepdims", -1, tuple(one[:, None] for one in values))
            yield Candidate(0.15, key, "keepdims", -1, tuple(one[None, :] for one in values))
        if node.kind in ("BinOp", "AugAssign") and node.sign and len(node.children) == 2:
            parts = [self._part(child, key) for child in node.children]
            if None not in parts:
                a, b = parts[0], parts[1]
                for sign, operate in _OPERATORS.items():
                    if sign != node.sign:
                        made = _each(operate, a, b)
                        if made is not None:
                            yield Candidate(0.0, key, f"operator {sign}", -1, made)
                for kind, x, y in (("exchanged", b, a),):
                    made = _each(_OPERATORS[node.sign], x, y)
                    if made is not None:
                        yield Candidate(0.05, key, kind, -1, made)
        if node.kind == "Call" and node.children:
            yield from self._summed(key, node, values)

    def _summed(self, key: Visit, node: Node, values: tuple[Any, ...]) -> Iterator[Candidate]:
        """A sum or a mean along another axis, or with its axis kept."""
        source = self._part(node.children[0], key)
        if source is None or source[0].ndim != 2 or not any(name in node.text for name in ("sum", "mean")):
            return
        function = np.mean if "mean" in node.text.split("(")[0] else np.sum
        other = np.sum if function is np.mean else np.mean
        for axis, keep in itertools.product((0, 1, None), (True, False)):
            made = _each(lambda a, b: function(a, axis=axis, keepdims=keep), source, source)  # noqa: B023
            if made is not None:
                yield Candidate(0.05, key, "axis", -1, made)
        same_axis = _each(lambda a, b: other(a, axis=1, keepdims=True), source, source)
        if same_axis is not None:
            yield Candidate(0.1, key, f"function {other.__name__}", -1, same_axis)

    def _part(self, index: int, key: Visit) -> tuple[Any, ...] | None:
        """The values of a part at the visit of its whole."""
        found = self.seen.get((index, key[1]))
        return None if found is None or any(isinstance(one, bool) for one in found) else found

    def _blame(self, key: Visit, node: Node) -> float:
        """What a whole costs more when a part of it is nothing that is known to be right."""
        if node.leaf and not node.children:
            return 0.0
        unknown = any(not self.known.get((leaf, key[1]), True) for leaf in self._leaves(node))
        return 2.0 if unknown else 0.0

    def _leaves(self, node: Node) -> Iterator[int]:
        for child in node.children:
            if self.nodes[child].leaf:
                yield child
            else:
                yield from self._leaves(self.nodes[child])

    def _is_known(self, key: Visit) -> bool:
        values = self.seen[key]
        if any(isinstance(one, bool) for one in values) or all(one.ndim == 0 for one in values):
            return True
        if any(self._equal(values, self.table[n]) for n in self._alike(values)):
            return True
        if all(one.ndim == 2 for one in values):
            turned = tuple(one.T for one in values)
            return any(self._equal(turned, self.table[n]) for n in self._alike(turned))
        return False

    # Factors of a product: a * b * (1 - b) is (a * b) * (1 - b), but people see a, and the slope b * (1 - b)

    def _factors(self, node: Node) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        while node.kind == "BinOp" and node.sign in ("*", "/") and len(node.children) == 2:
            found.append((node.children[1], node.sign))
            node = self.nodes[node.children[0]]
        return [(node.index, "*"), *reversed(found)]

    def _grouped(self, key: Visit, node: Node) -> Iterator[Candidate]:
        factors = self._factors(node)
        if len(factors) < 3:
            return
        count = len(factors)
        for first in range(1, count - 1):
            for last in range(first + 1, count):
                if factors[first][1] != "*" or (last != count - 1):
                    continue
                others = [self._part(index, key) for n, (index, _) in enumerate(factors) if not first <= n <= last]
                signs = [sign for n, (_, sign) in enumerate(factors) if not first <= n <= last]
                shape = self._product(Candidate(0, key, "", -1, (), (first, last)))
                if None in others or shape is None:
                    continue
                for number in self._alike(shape):
                    if self.levels[number] >= 1 or self._equal(shape, self.table[number]):
                        continue
                    made: Any = others[0]
                    for sign, other in zip(signs[1:], others[1:]):
                        made = made and _each(_OPERATORS[sign], made, other)
                    made = made and _each(_OPERATORS["*"], made, tuple(self.table[number]))
                    if made is not None:
                        yield Candidate(self.levels[number], key, "value", number, made, (first, last))

    def _product(self, candidate: Candidate) -> tuple[Any, ...] | None:
        assert candidate.group is not None
        first, last = candidate.group
        made: Any = None
        for index, sign in self._factors(self.nodes[candidate.key[0]])[first : last + 1]:
            part = self._part(index, candidate.key)
            if part is None:
                return None
            made = part if made is None else _each(_OPERATORS[sign], made, part)
            if made is None:
                return None
        return made  # type: ignore[no-any-return]


def _alike(first: list[Plain], second: list[Plain]) -> bool:
    """Whether two runs have given the same."""
    for one, other in zip(first, second):
        if one.keys() != other.keys():
            return False
        for value, again in zip(one.values(), other.values()):
            if isinstance(value, np.ndarray) and not np.array_equal(value, again, equal_nan=True):
                return False
    return True


def _each(operate: Callable[[Any, Any], Any], a: Any, b: Any) -> tuple[Any, ...] | None:
    try:
        with np.errstate(all="ignore"):
            made = tuple(np.asarray(operate(x, y), float) for x, y in zip(a, b))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return made if all(one.size <= MOST_ENTRIES and np.all(np.isfinite(one)) for one in made) else None


# What a question with a task is answered ----------------------------------------------------------------------------


def done(
    task: str, instrument: Instrument, names: dict[str, Any], student: Callable[..., Any], probe: Callable[..., Any],
    asked: Plain,
) -> Plain:  # fmt: skip
    """Do the task of a question beside the instrumented code: ``record`` what it does, or look for a ``repair``."""
    read: set[str] = set()

    def ask(now: dict[str, Any], given: Plain) -> Any:
        return probe(student(now, read), given)

    points = asked["points"]
    runs = Runs(instrument, names, ask, points, again=False)
    runs.run(0, {})
    stopped = runs.error is not None
    if any(name in names and not callable(names[name]) for name in read):
        runs = Runs(instrument, names, ask, points, again=True)
    if task == "record":
        return recorded(runs, instrument)
    if stopped:
        runs.define(instrument.codes())
    runs.weigh()
    search = Search(runs, instrument, asked)
    return {"found": search.found(), "runs": runs.count, "most": runs.most}
