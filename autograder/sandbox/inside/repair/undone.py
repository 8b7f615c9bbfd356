"""What a function leaves undone: it has no effect, or an attribute gets no value though it was there to do it."""

from __future__ import annotations

import ast
import itertools
import re
import traceback
from collections.abc import Iterator
from typing import Any

from .instrument import Node
from .needed import changed
from .proofs import tells
from .runs import Plain, readable, same
from .sole import Place, from_above, sole
from .telling import Telling, owner_of, told_of


class Undone(Telling):
    """The slips at which no expression stands."""

    def _without_effect(self, right: set[str]) -> Iterator[Plain]:
        """The one function that is asked for, if it returns nothing, nor gives anything else a value, or if it reads
        nothing of what it is given, though another answer is due each time; or all that gives what is asked for."""
        wrong = set(self.exact[0]) - right
        every = [one for one in self.nodes if one.index in self.runs.hook.asked]
        own = {name for tree in self.instrument.trees.values() for name in changed(tree)}
        for node in every if len(every) == 1 == len(self.read & own) else ():
            differs = any(not same(one[name], self.exact[0][name]) for name in wrong for one in self.exact)
            nothing, blind = not node.gives and not right, node.blind if differs else None
            if nothing or blind is not None:
                place = blind or (node.line, node.line, node.col, -1)
                yield told_of((node.cell, *place), "returns" if nothing else "blind", wrong)
                return
        only = None if right else sole(self.instrument.trees, self.instrument.name, self.read, self.trusted)
        if only is not None and any(tells(one[name]) for name in wrong for one in self.exact):
            yield told_of(only, "value", wrong)

    def _raising(self, right: set[str]) -> Iterator[Plain]:
        """Where what is asked raises an error of its own, though an answer is due."""
        names = {one.target for one in self.nodes if one.kind == "Function"} & self.read
        for point in self.points:
            answers = self.runs.run(point, self.over[point])
            error = self.runs.error or self.runs.caught
            at = self._raised_at(error, names) if error is not None else None
            lacking = {one for one in set(self.exact[0]) - right if not _is_answer(answers.get(one.split("\n")[0]))}
            if at is not None and lacking:
                yield told_of(at, "raised", lacking)
                return

    def _raised_at(self, error: BaseException, names: set[str]) -> Place | None:
        """The statement of one of these functions that has raised an error."""
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        cell = re.fullmatch(r"<cell (\d+)>", frame.f_code.co_filename)
        if cell is None or frame.f_code.co_name not in names:
            return None
        every = ast.walk(self.instrument.trees[int(cell[1])])
        found = next(
            (one for one in every if isinstance(one, ast.Raise) and one.lineno <= line <= (one.end_lineno or 0)), None
        )
        at = (found.lineno, found.end_lineno or 0, found.col_offset, found.end_col_offset or 0) if found else None
        return (int(cell[1]), *at) if at else None

    def _not_replaced(self, right: set[str]) -> Iterator[Plain]:
        """The class that has a method from above, where all is right but what this gives when it is asked."""
        wrong = set(self.exact[0]) - right
        name = next(iter(wrong)) if len(wrong) == 1 and right else ""
        if not name or self.runs.error is not None or not tells(self.exact[0][name]):
            return
        answer, found = from_above(self.instrument.trees, lambda: self.runs.run(0, self.over[0]))
        fits = ((place, method) for place, method, value in found if same(readable(value), answer.get(name)))
        yield from (told_of(place, f"replaced {method}", wrong) for place, method in itertools.islice(fits, 1))

    def _left_out(self, right: set[str]) -> list[Plain]:
        """Attributes that no statement gives a value, though the function was there to do it."""
        steps: list[Plain] = [*self._without_effect(right)]
        for name in sorted(set(self.exact[0]) - right):
            attribute = name.removesuffix("_new")
            for key, names in sorted(self.left_behind.items(), key=lambda one: self._is_far(one[0][0], attribute)):
                node = self.nodes[key[0]]
                if key[0] in self.beside:
                    continue
                owner = owner_of(attribute, node, names)
                if f".{attribute}" in node.stores or "." in node.stores or not owner:
                    continue
                over = [{**self.over[point], key: {**self.over[point].get(key, {}), (owner, attribute): one[name]}}
                        for point, one in zip(self.points, self.exact)]  # fmt: skip
                if self._is_spent(self.runs.most):
                    return steps
                proved = self._rights(over, self.points)
                if proved > right:
                    local, above = node.stores.get(attribute), self._of_the_parent(node)
                    place = local or above or (node.line, node.line, node.col, -1)
                    kind = "local" if local else "inherited" if above else "omitted"
                    what = attribute if owner == "self" else f"{owner}.{attribute}"
                    steps.append(told_of((node.cell, *place), f"{kind} {what}", proved - right))
                    self.over, right = over, proved
                    break
        return steps or [*self._not_replaced(right), *self._raising(right)]

    def _is_far(self, function: int, attribute: str) -> tuple[bool, bool]:
        """Whether a function gives no local name so called its value, and none to an attribute that is called alike."""
        stores = self.nodes[function].stores
        stem = attribute.rstrip("0123456789")
        alike = any(one[:1] == "." and one[1:].rstrip("0123456789") == stem for one in stores)
        return attribute not in stores, not alike

    def _of_the_parent(self, function: Node) -> tuple[int, int, int, int] | None:
        """Where a method calls the method of the class above that is called so: what that gives, it leaves as it is."""
        for node in self.nodes:
            is_it = node.kind == "Call" and node.text.startswith(f"super().{function.target}(")
            if is_it and self._function_of(node) is function:
                return node.line, node.end_line, node.col, node.end_col
        return None


def _is_answer(value: Any) -> bool:
    """Whether it is neither missing nor an error that the question has caught."""
    return value is not None and not isinstance(value, Exception)
