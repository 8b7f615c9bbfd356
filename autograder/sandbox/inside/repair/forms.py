"""Expressions in another form: brackets and steps elsewhere, another size, other letters, another draw."""

from __future__ import annotations

import ast
import copy
import itertools
import re
import types
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from .bindings import Bindings
from .edits import Edit, Unit, item, left_out, setting

Form = tuple[float, str, Edit]
"""What a change costs, its kind, and how it is made."""

_SAME = {
    (ast.Add, ast.Add), (ast.Add, ast.Sub), (ast.Mult, ast.Mult), (ast.Mult, ast.Div), (ast.MatMult, ast.MatMult),
}  # fmt: skip
"""With these it does not matter where the brackets are: ``(a + b) - c`` is ``a + (b - c)``."""

MOST_LETTERS = 16
"""So many other ways are tried to write what ``einsum`` sums."""

MOST_AROUND = 4
"""So many functions of the code are tried around something."""


class Forms(Bindings):
    """The changes of how an expression is put together."""

    def _forms(self, wrap: Any, node: Any, unit: Unit) -> Iterator[Form]:
        if isinstance(node, ast.BinOp):
            for made in (
                *self._into(node, "left", "right"), *self._into(node, "right", "left"), *self._out_of_brackets(node)
            ):  # fmt: skip
                yield 0.3, "brackets", item(wrap.args, 1, ast.copy_location(made, node))
        for made in self._nested(node):
            yield 0.35, "nested", item(wrap.args, 1, ast.copy_location(made, node))
        for text in self._other_sizes(node):
            yield 0.28, f"size {text}", item(wrap.args, 1, _read(text, node))
        yield from self._around_it(wrap, node, unit)
        if isinstance(node, ast.Call):
            yield from self._called_otherwise(wrap, node)
            yield from self._with_less(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value:
            turns = node.value / 180 if node.value % 90 == 0 else round(node.value / 3.14159, 3)
            if turns in (0.5, 1, 2):  # degrees, or figures of pi
                text = {0.5: "np.pi / 2", 1: "np.pi", 2: "2 * np.pi"}[turns]
                yield 0.3, f"number {text}", item(wrap.args, 1, _read(text, node))
            multiples = () if isinstance(node.value, bool) else _multiples(node.value)
            yield from ((0.52, f"number {one:g}", setting(node, "value", one)) for one in multiples)

    def _with_less(self, node: ast.Call) -> Iterator[Form]:
        """An option that is too much, by its name or a number that stands last."""
        for one in node.keywords:
            others = [other for other in node.keywords if other is not one]
            yield 0.46, f"option {one.arg}", setting(node, "keywords", others)
        if len(node.args) > 1 and isinstance(self._under_hook(node.args[-1]), ast.Constant):
            yield 0.46, f"option {self._text(node.args[-1])}", setting(node, "args", node.args[:-1])

    def _around_it(self, wrap: Any, node: Any, unit: Unit) -> Iterator[Form]:
        """A call that is missing around something: of a root, or of a function of the code that takes one thing.

        None of a function that would come back here, which has no end.
        """
        if not isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute):
            return
        root = self.instrument.nodes[wrap.args[0].value].root
        is_told = root in ("assign", "return")
        here = getattr(unit.tree, "name", "")
        ending = [name for name, calls in self._takes_one.items() if here not in calls][:MOST_AROUND]
        names = ["np.sqrt", *(("np.abs", "np.exp", "np.log", *ending) if is_told else ())]
        for name in names:
            made = ast.Call(_read(name, node), [node], [])
            rank = {"assign": 0.62, "return": 0.64}.get(root, 0.92)  # where it begins, not where it is used
            yield rank, f"around {name}", item(wrap.args, 1, ast.copy_location(made, node))

    @cached_property
    def _takes_one(self) -> dict[str, set[str]]:
        """The functions of the code that take one thing, each with all that are called while it runs, itself too."""
        codes = {name: one.__code__ for name, one in self.names.items() if isinstance(one, types.FunctionType)}
        found: dict[str, set[str]] = {}
        for name in (one for one, code in codes.items() if code.co_argcount == 1):
            calls, left = {name}, [codes[name]]
            for code in left:  # which grows
                left += [part for part in code.co_consts if isinstance(part, types.CodeType)]
                left += [codes[other] for other in code.co_names if other in codes and other not in calls]
                calls.update(code.co_names)
            found[name] = calls
        return found

    def _into(self, node: ast.BinOp, near: str, far: str) -> Iterator[ast.BinOp]:
        """``a + b * c`` for ``(a + b) * c``: one side goes into the nearest operand of the other, at every depth."""
        path: list[ast.BinOp] = []
        inner = self._under_hook(getattr(node, near))
        while isinstance(inner, ast.BinOp):
            path.append(inner)
            deep: Any = copy.copy(node)
            setattr(deep, near, getattr(inner, far))
            signs = (type(inner.op), type(node.op)) if near == "left" else (type(node.op), type(inner.op))
            if signs not in _SAME:
                for one in reversed(path):
                    whole = copy.copy(one)
                    setattr(whole, far, deep)
                    deep = whole
                yield deep
            inner = self._under_hook(getattr(inner, far))

    def _out_of_brackets(self, node: ast.BinOp) -> Iterator[ast.BinOp]:
        """``a / c + b`` for ``(a + b) / c``, and ``a + c * b`` for ``c * (a + b)``."""
        for near in ("left", "right") if isinstance(node.op, ast.Mult | ast.MatMult | ast.Div) else ():
            inner = self._under_hook(getattr(node, near))
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub):
                whole, part = copy.copy(inner), copy.copy(node)
                setattr(part, near, getattr(inner, near))
                setattr(whole, near, part)
                yield whole

    def _nested(self, node: Any) -> Iterator[Any]:
        """``mean(sqrt(x))`` for ``sqrt(mean(x))``: two steps in the other order."""
        outer = self._step_of(node)
        inner = self._step_of(self._under_hook(outer[0])) if outer is not None else None
        if outer is not None and inner is not None and _named(node) != _named(self._under_hook(outer[0])):
            yield inner[1](outer[1](inner[0]))

    def _step_of(self, node: Any) -> tuple[Any, Callable[[Any], Any]] | None:
        """What a call, a power or a minus is of, and how it is made of something else."""
        made: Any = copy.copy(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and self._is_hook(node.func.value):
            made.func = copy.copy(node.func)
            return node.func.value, lambda other: _with(made, made.func, "value", other)
        if isinstance(node, ast.Call) and node.args and self._is_hook(node.args[0]):
            return node.args[0], lambda other: _with(made, made, "args", [other, *node.args[1:]])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return node.left, lambda other: _with(made, made, "left", other)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return node.operand, lambda other: _with(made, made, "operand", other)
        return None

    def _other_sizes(self, node: Any) -> Iterator[str]:
        """How many there are along another axis, or in all."""
        of = self._counted(node)
        if of is not None:
            name, now = of
            yield from (f"{name}.{one}" for one in ("shape[0]", "shape[1]", "size") if one != now)

    def _counted(self, node: Any) -> tuple[str, str] | None:
        """Whose entries an expression counts, and along which axis: of ``len(x)``, ``x.shape[1]`` and ``x.size``."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            text, now = self._plain(node.args[0]) if len(node.args) == 1 else "", "shape[0]"
        elif isinstance(node, ast.Attribute) and node.attr == "size":
            text, now = self._plain(node.value), "size"
        elif isinstance(node, ast.Subscript):
            shape, index = self._under_hook(node.value), self._under_hook(node.slice)
            is_shape = isinstance(shape, ast.Attribute) and shape.attr == "shape" and isinstance(index, ast.Constant)
            text, now = (self._plain(shape.value), f"shape[{index.value}]") if is_shape else ("", "")
        else:
            return None
        return (text, now) if text else None

    def _plain(self, node: Any) -> str:
        """A name or an attribute as it is written; empty for anything else."""
        return self._text(node) if isinstance(self._under_hook(node), ast.Name | ast.Attribute) else ""

    def _other_items(self, parent: ast.Tuple | ast.List) -> Iterator[tuple[str, Edit]]:
        """Entries that are called alike and are too much, and one that is missing: of W1, W2 and b2 it is b1."""
        named: list[tuple[Any, str, str]] = [(part, *self._stem(self._under_hook(part))) for part in parent.elts]
        stems, numbers = dict.fromkeys(one[1] for one in named), dict.fromkeys(one[2] for one in named)
        if not all(stems):
            return
        for stem in stems:
            group = [part for part, mine, _ in named if mine == stem]
            if 1 < len(group) < len(named):
                texts = ", ".join(map(self._text, group))
                yield f"items {texts}", left_out(parent.elts, group)
        there = {one[1:] for one in named}
        missing = [stem + number for stem in stems for number in numbers if (stem, number) not in there]
        if len(missing) == 1 and len(there) == len(named):
            is_text = isinstance(self._under_hook(parent.elts[0]), ast.Constant)
            more = _read(repr(missing[0]) if is_text else missing[0], parent)
            yield f"lacking {missing[0]}", setting(parent, "elts", [*parent.elts, more])

    def _stem(self, node: Any) -> tuple[str, str]:
        """What a name or a word is called before its number, and the number; nothing where it has none."""
        is_word = isinstance(node, ast.Constant) and isinstance(node.value, str)
        text = str(node.value) if is_word else self._text(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        found = re.fullmatch(r"(.*?[^\W\d])(\d+)", text)
        return (found[1], found[2]) if found else ("", "")

    def _called_otherwise(self, wrap: Any, node: ast.Call) -> Iterator[Form]:
        """Other letters for ``einsum``, another draw, and a loop over all entries in the place of one over rows."""
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first: Any = node.args[0] if node.args else None
        names = {one.arg for one in node.keywords}
        if called == "einsum" and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield from ((0.3, f"letters {one}", setting(first, "value", one)) for one in other_letters(first.value))
        elif called in ("int", "floor") and len(node.args) == 1:
            up = _read("__import__('math').ceil", node)
            yield 0.3, "function ceil", setting(node, "func", up)
        elif called == "choice" and "replace" not in names and len(node.args) < 3:
            given = ast.keyword("replace", ast.copy_location(ast.Constant(False), node))
            yield 0.3, "keyword replace=False", setting(node, "keywords", [*node.keywords, given])
        elif called in ("integers", "randint") and "endpoint" not in names:
            given = ast.keyword("endpoint", ast.copy_location(ast.Constant(True), node))
            if called == "integers":
                yield 0.3, "keyword endpoint=True", setting(node, "keywords", [*node.keywords, given])
        elif called == "range" and len(node.args) == 1:
            text = self._text(first)
            for other in (f"range(1, {text} + 1)", f"range({text} + 1)", f"range({text} - 1)", f"range(1, {text})"):
                yield 0.4, f"size {other}", item(wrap.args, 1, _read(other, node))
            of = self._counted(self._under_hook(first))
            if of is not None and of[1] == "shape[0]":
                yield 0.4, f"rows {of[0]}", item(wrap.args, 1, _read(f"np.ndindex({of[0]}.shape)", node))
        elif called == "enumerate" and len(node.args) == 1:
            start = ast.keyword("start", ast.copy_location(ast.Constant(1), node))
            yield 0.4, "keyword start=1", setting(node, "keywords", [*node.keywords, start])
            text = self._plain(first)
            if not text:
                return
            yield 0.4, f"rows {text}", item(wrap.args, 1, _read(f"np.ndenumerate({text})", node))


def other_letters(text: str) -> list[str]:
    """Other letters for what comes out, and those of an operand turned.

    >>> other_letters("nm,nm->n")[:2]
    ['nm,nm->m', 'mn,nm->n']
    """
    before, arrow, after = text.replace(" ", "").partition("->")
    parts = before.split(",")
    letters = sorted(set(before) - {",", "."})
    if not arrow or not letters or "." in before:
        return []
    others = ["".join(one) for one in itertools.permutations(letters, len(after))]
    found = [f"{before}->{one}" for one in others if one != after]
    for number, part in enumerate(parts):
        if len(part) == 2 and part[0] != part[1]:
            turned = [*parts[:number], part[::-1], *parts[number + 1 :]]
            found.append(f"{','.join(turned)}->{after}")
    return found[:MOST_LETTERS]


def _multiples(number: float) -> Iterator[float]:
    """Twice and half of a number, and of one with a fraction ten times as much and a tenth."""
    if isinstance(number, float) and not number.is_integer():
        yield from (2 * number, number / 2, 10 * number, number / 10)
    else:
        yield from (2 * number, number / 2)


def _with(made: Any, part: Any, name: str, value: Any) -> Any:
    setattr(part, name, value)
    return made


def _named(node: Any) -> str:
    """What a step does: the name of what is called, the sign."""
    if isinstance(node, ast.Call):
        return str(getattr(node.func, "attr", getattr(node.func, "id", "")))
    return type(node).__name__


def _read(text: str, at: Any) -> Any:
    """An expression that is nowhere in the code, at the place of another one."""
    made = ast.parse(text, mode="eval").body
    for one in ast.walk(made):
        if isinstance(one, ast.expr):
            ast.copy_location(one, at)
    return made
