"""Code with a hook around every expression, and where each of these stands."""

from __future__ import annotations

import ast
import builtins
import copy
import secrets
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .edits import bare
from .hooks import Hook

MODULES = {"np", "numpy", "math", "plt", "sp", "sympy", "self", "cls"}
FILLING = {"copyto", "put", "place", "putmask", "fill_diagonal"}
_SIGNS: dict[type, str] = {
    ast.Mult: "*", ast.MatMult: "@", ast.Add: "+", ast.Sub: "-", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip


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
    root: str = ""  #: how its statement uses it: assign, augmented, return, expr, test, iter; what a lambda gives
    target: str = ""  #: the name or attribute that it is assigned to
    sign: str = ""
    children: list[int] = field(default_factory=list)
    text: str = ""
    called: str = ""  #: the name of the function that it calls, if it is a call of a name
    handed: str = ""  #: of an argument: what is called with it, and as which
    stores: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)  #: of a function
    arguments: tuple[str, ...] = ()  #: of a function
    blind: tuple[int, int, int, int] | None = None  #: of a function that reads nothing it is given: what it returns
    gives: bool = False  #: of a function: whether it returns anything, or changes what it is given
    statement: tuple[int, int] | None = None  #: where the statement begins of which it is the right side


class Instrument(ast.NodeTransformer):
    """Puts a hook around every expression of the cells that it is told about, and knows them afterwards."""

    def __init__(self, cells: set[int]) -> None:
        """Instrument these cells, and leave others as they are."""
        self.hook = Hook()
        self.cells, self.cell = cells, -1
        self.nodes: list[Node] = []
        self.trees: dict[int, ast.Module] = {}
        self._compiled: dict[int, types.CodeType] = {}
        self.name = f"_{secrets.token_hex(8)}"
        self._parent, self._root, self._target = -1, "", ""
        setattr(builtins, self.name, self.hook.value)
        setattr(builtins, f"{self.name}t", self.hook.tick)
        setattr(builtins, f"{self.name}s", self.hook.stores)
        setattr(builtins, f"{self.name}v", self.hook.stored)
        setattr(builtins, f"{self.name}l", self.hook.lazily)
        setattr(builtins, f"{self.name}x", self.hook.leaves)
        setattr(builtins, f"{self.name}n", locals)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Instrument the cell that is being run now, if it is one of those."""
        if self.cell not in self.cells:
            return node
        try:
            made: ast.Module = bare(node)
            made.body = self._block(made.body)
            self._compiled[self.cell] = compile(ast.fix_missing_locations(made), f"<cell {self.cell}>", "exec")
        except (SyntaxError, RecursionError, ValueError):
            return node
        self.trees[self.cell] = made
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
            stores, gives, blind = _stored_names(node), any(map(_gives, ast.walk(node))), _blind(node)
            body = self._block(node.body[len(docstring) :])
            if kind is not ast.ClassDef and body:
                about = self._function(node, stores)
                about.gives, about.blind = gives, blind
                names = ast.Call(ast.Name(f"{self.name}n", ast.Load()), [], [])
                call = ast.Call(ast.Name(f"{self.name}x", ast.Load()), [ast.Constant(about.index), names], [])
                body = [_placed(ast.Try(body, [], [], [ast.Expr(call)]), node)]
            node.body = [*docstring, *body]
        elif kind in (ast.Assign, ast.AnnAssign):
            target = node.targets[0] if kind is ast.Assign else node.target
            for one in node.targets if kind is ast.Assign else [node.target]:
                self._inside_target(one)
            first = len(self.nodes)
            node.value = node.value and self._rooted(node.value, "assign", _named(target))
            if node.value and len(self.nodes) > first and self.nodes[first].root == "assign":
                self.nodes[first].statement = node.lineno, node.col_offset
        elif kind is ast.AugAssign:
            return self._augmented(node)
        elif kind is ast.Return:
            first = len(self.nodes)
            node.value = node.value and self._rooted(node.value, "return")
            if len(self.nodes) > first and self.nodes[first].root == "return":
                self.nodes[first].statement = node.lineno, node.col_offset
        elif kind is ast.Expr:
            node.value = node.value if _is_text(node) else self._rooted(node.value, "expr")
        elif kind in (ast.If, ast.While):
            node.test = self._rooted(node.test, "test")
            node.body, node.orelse = self._block(node.body), self._block(node.orelse)
            if kind is ast.While:
                node.body = [self._tick(node), *node.body]
        elif kind in (ast.For, ast.AsyncFor):
            node.iter = self._rooted(node.iter, "iter", _named(node.target))
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
        call = ast.Call(ast.Name(f"{self.name}t", ast.Load()), [], [])
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
        test = ast.Call(ast.Name(f"{self.name}s", ast.Load()), [ast.Constant(about.index), read], [])
        value = ast.Call(ast.Name(f"{self.name}v", ast.Load()), [], [])
        return _placed(ast.If(test, [ast.Assign([copy.deepcopy(target)], value)], []), target)

    def _function(self, node: Any, stores: dict[str, ast.stmt]) -> Node:
        """A function, where its head stands, and which names and attributes it gives values to."""
        about = Node(
            len(self.nodes), self.cell, node.lineno, node.lineno, node.col_offset, -1, 0, "Function", False, -1,
            target=node.name, text=f"def {node.name}",
        )  # fmt: skip
        about.stores = {name: (one.lineno, one.end_lineno or 0, one.col_offset, one.end_col_offset or 0)
                        for name, one in stores.items()}  # fmt: skip
        about.arguments = tuple(one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
        self.nodes.append(about)
        return about

    def lazy(self, index: int) -> list[types.CodeType]:
        """The cells once more, with one expression worked out only if nothing is to stand in its place."""
        trees = copy.deepcopy(self.trees)
        for tree in trees.values():
            for one in ast.walk(tree):
                is_hook = isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == self.name
                if is_hook and one.args[0].value == index:  # type: ignore[attr-defined]
                    nothing = ast.arguments([], [], None, [], [], None, [])
                    one.func.id += "l"  # type: ignore[attr-defined]
                    one.args[1] = ast.copy_location(ast.Lambda(nothing, one.args[1]), one.args[1])  # type: ignore[attr-defined]
        return [compile(ast.fix_missing_locations(tree), f"<cell {n}>", "exec") for n, tree in sorted(trees.items())]

    def codes(self) -> list[types.CodeType]:
        """The cells once more."""
        return [code for _, code in sorted(self._compiled.items())]

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
        if kind is ast.Name and node.id in MODULES:
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
        if kind is ast.Call and isinstance(node.func, ast.Name):
            about.called = node.func.id
        kept = self._parent, self._root, self._target
        self._parent, self._root, self._target = about.index, "", ""
        original = copy.copy(node)
        inner = self._inner(node)
        self._parent, self._root, self._target = kept
        call = ast.Call(ast.Name(self.name, ast.Load()), [ast.Constant(about.index), inner], [])
        for one in (call, call.func, call.args[0]):  # what is within has its place
            ast.copy_location(one, original)
        return call

    def _argument(self, node: Any, called: str, which: str) -> Any:
        first, kind = len(self.nodes), type(node)
        made = self._expression(node)
        if called and which and len(self.nodes) > first and kind.__name__ == self.nodes[first].kind:
            self.nodes[first].handed = f"{called}({which}"
        return made

    def _inner(self, node: Any) -> Any:
        """The expression with hooks around its parts."""
        kind = type(node)
        if kind is ast.Call:
            if isinstance(node.func, ast.Attribute):
                node.func.value = self._expression(node.func.value)
            elif not isinstance(node.func, ast.Name):
                node.func = self._expression(node.func)
            called = called_in(node.func)
            node.args = [self._argument(one, called, str(number)) for number, one in enumerate(node.args)]
            for keyword in node.keywords:
                keyword.value = self._argument(keyword.value, called, keyword.arg or "")
        elif kind is ast.Attribute:
            node.value = self._expression(node.value)
        elif kind is ast.Subscript:
            node.value, node.slice = self._expression(node.value), self._expression(node.slice)
        elif kind is ast.Lambda:  # it is worked out when the function is called, whatever it stands in
            kept = self._parent, self._root, self._target
            node.body = self._rooted(node.body, "lambda")
            self._parent, self._root, self._target = kept
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


def leaves(nodes: list[Node], node: Node) -> Iterator[int]:
    """The leaves that an expression is made of, not what these are made of themselves."""
    for child in node.children:
        if nodes[child].leaf:
            yield child
        else:
            yield from leaves(nodes, nodes[child])


def within(nodes: list[Node], node: Node) -> Iterator[Node]:
    """An expression, and all that it is made of."""
    yield node
    for child in node.children:
        yield from within(nodes, nodes[child])


def called_in(function: Any) -> str:
    """What is called: a function or a method, which is none of a module."""
    if isinstance(function, ast.Call):  # a hook around it
        function = function.args[1]
    if isinstance(function, ast.Name):
        return function.id
    is_method = isinstance(function, ast.Attribute)
    of_module = is_method and any(isinstance(one, ast.Name) and one.id in MODULES for one in ast.walk(function))
    return function.attr if is_method and not of_module else ""


def _placed(made: Any, at: Any) -> Any:
    for one in ast.walk(made):
        if not hasattr(one, "lineno") and isinstance(one, ast.expr | ast.stmt):
            ast.copy_location(one, at)
    return made


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _blind(node: Any) -> tuple[int, int, int, int] | None:
    """The last value that a function returns, where it reads none of its arguments."""
    given = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)} if hasattr(node, "args") else set()
    read = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    last = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None][-1:]
    if not given or not last or read & (given | {"locals", "vars", "eval", "exec"}):
        return None
    return last[0].lineno, last[0].end_lineno or 0, last[0].col_offset, last[0].end_col_offset or 0


def _gives(node: ast.AST) -> bool:
    """Whether a piece of a function returns something, or may change something outside."""
    if isinstance(node, ast.Return):
        return node.value is not None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = ast.unparse(node.value.func).split(".")
        return not (len(called) == 2 and called[0] in MODULES - {"self", "cls"} and called[1] not in FILLING)
    is_stored = isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load)
    return is_stored or isinstance(node, ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal)


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
