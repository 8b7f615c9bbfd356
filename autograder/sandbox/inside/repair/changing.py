"""Small changes of the code that mend something, one by one or at every expression that is built alike."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from .candidates import is_too_large
from .edits import Unit, variables_of
from .mutants import Mutants
from .proofs import Repair, Twins
from .putting import Mutant
from .runs import same
from .seen import OPERATORS, each
from .weighing import Weighing

MOST_TWINS = 8
"""So many expressions that are built alike are changed together."""

TWINS = frozenset(
    ("operator", "without", "number", "comparison", "function", "sign", "factor", "square", "argument", "name")
    + ("assigned", "transposed", "kept", "size", "letters", "brackets")
)

MOST_HALVES = 4
"""So many changes are tried with a second one each."""

COMPILED = 3
"""A change costs as much as so many function calls for each node of the tree that is compiled."""

_AT_HAND = frozenset({"around", "factor", "name", "number", "square", "term"})
"""Changes that take something which any expression could have been made with."""

_NAME = re.compile(r"[^\W\d]\w*|(?<=\()\d+(?=, )")

_GIVES_ITEMS = re.compile(r"\[\]$|(enumerate|zip|reversed)\(")

_STEM = re.compile(r"(?<=\D)(?=\d)")


class Changing(Weighing):
    """The search among small changes of the code."""

    def _mutated(self, right: set[str], most: float) -> list[tuple[Repair, set[str]]]:
        """The small changes of the code that mend something."""
        self.mutants = Mutants(self.instrument, self.runs.kept, whole=bool(self.runs.codes))
        lines = {(self.nodes[index].cell, self.nodes[index].line) for index in self.visited}
        bare = None if any(self.over) or self.runs.codes else self.mutants.strip()
        bounds = self.runs.bounds
        if bare is not None:
            self.runs.reprice()
        try:
            return self._mutants_that_mend(right, most, lines)
        finally:
            self.runs.price, self.runs.bounds = 1.0, bounds
            if bare is not None:
                bare()

    def _mutants_that_mend(
        self, right: set[str], most: float, lines: set[tuple[int, int]]
    ) -> list[tuple[Repair, set[str]]]:
        halves: list[Mutant] = []
        found: list[tuple[Repair, set[str]]] = []
        every = [
            *self.mutants.all(self._changeable(), lines, self.candidates.generators),
            *self.mutants.calling(self._not_called),
        ]
        every += self.mutants.handing(self._not_handed, self.visited)
        every += self.mutants.stepping(self._held)
        every += self.mutants.adding(self._held, self._shape_of)
        every += [*self.mutants.afresh(), *self.mutants.constants()]
        every = sorted((one for one in every if not self._is_trusted(one.unit)), key=lambda one: one.rank)
        scaled = self._scaled_as_it_is(right)
        for mutant in every:
            if self._is_spent(most):
                break
            is_tried = not (self._is_scaling(mutant) or self._is_long(mutant) or self._fails_alone(mutant, right))
            back = self._put(mutant) if is_tried else None
            self._compiled(mutant.unit.size)
            if back is not None:
                try:
                    gained = self._gained(right, [{} for _ in self.points])
                    begins = mutant.kind.startswith("name") and self._begins(right | gained, gained)
                    if gained and not begins and not self._fits_by_chance(mutant.kind, right, gained):
                        found.append((mutant, gained))
                    elif not gained and self._scaled(*self.missed) - scaled - right:
                        halves.append(mutant)
                finally:
                    back()
        return found or self._in_two(right, most, halves, every)

    def _in_two(
        self, right: set[str], most: float, halves: list[Mutant], every: list[Mutant]
    ) -> list[tuple[Repair, set[str]]]:
        """Two slips of which each hides the other: with one change an answer is a multiple of what is due, with the
        second one it is exact."""
        found: list[tuple[Repair, set[str]]] = []
        for half in halves[:MOST_HALVES]:
            back = self._put(half)
            for other in every if back is not None else ():
                if self._is_spent(most) or other is half:
                    continue
                undo = None if self._is_scaling(other) or self._is_long(other) else self._put(other)
                self._compiled(other.unit.size)
                if undo is not None:
                    if gained := self._gained(right, [{} for _ in self.points]):
                        found.append((Twins(half.rank + other.rank, (half, other)), gained))
                    undo()
            if back is not None:
                back()
            if found:
                break
        return found

    def _compiled(self, nodes: int) -> None:
        """Count that a tree of so many nodes was compiled."""
        self.runs.count += COMPILED * nodes / (self.runs.calls // 2 + 1)

    def _fails_alone(self, mutant: Mutant, right: set[str]) -> bool:
        """Whether the changed statement does not make right what it gives its value."""
        statement = self.alone.of([mutant.hook])
        if statement is None:
            return False
        code = self.alone.changed(statement, mutant)
        return code is not None and not self._may_mend(statement, right, [{} for _ in self.points], code)

    def _scaled_as_it_is(self, right: set[str]) -> set[str]:
        """The answers that are multiples of what is due before anything is changed."""
        point = self.searched[0]
        return self._scaled(point, self.runs.run(point, self.over[point], keeps=self._keeps(point, right, set())))

    def _behind(self) -> set[int]:
        """The expressions of the same function behind the one at which the code stops: these would run as well."""
        if self.stopped is None or self.stopped[0] < 0:
            return set()
        stopped = self.nodes[self.stopped[0]]
        function = self._function_of(stopped)
        return {
            one.index for one in self.nodes
            if one.cell == stopped.cell and one.line >= stopped.line and self._function_of(one) is function
        }  # fmt: skip

    def _ends(self, unit: Unit) -> Iterator[dict[str, Any]]:
        """What the names of a function hold each time at its end."""
        for (index, _), names in self.left_behind.items():
            node = self.nodes[index]
            if (node.cell, node.line) == (unit.cell, getattr(unit.tree, "lineno", 0)):
                yield names

    def _held(self, unit: Unit) -> dict[str, Any]:
        """What the names of a function hold the first time at its end."""
        return next(self._ends(unit), {})

    def _shape_of(self, hook: int) -> Any:
        """The shape of what an expression gives, at its first visit."""
        return np.shape(self.candidates.seen.get((hook, 0), (True,))[0])

    def _not_called(self, unit: Unit, called: set[str]) -> Iterator[str]:
        """The calls of the solution that a function could make with what it has at its end."""
        for names in self._ends(unit):
            yield from self.handed.missing(names, called)

    def _not_handed(self, unit: Unit, called: str) -> Iterator[tuple[str, str]]:
        """The named arguments that the solution hands to what is called so, with their values as code."""
        return self.handed.lacking(called, {**self.runs.kept, **self._held(unit)}, variables_of(unit.tree))

    def _twins(self, right: set[str]) -> list[tuple[Repair, set[str]]]:
        """The same small change at every expression that is built alike: a slip that was made in each of them."""
        groups: dict[Any, list[Mutant]] = {}
        ways = Counter[Any]()  # of one kind at one expression: the left side may be too much, or the right one
        lines = {(self.nodes[index].cell, self.nodes[index].line) for index in self.visited}
        for mutant in self.mutants.all(self._changeable() | self._behind(), lines, self.candidates.generators):
            if mutant.kind.split()[0] in TWINS and not self._is_scaling(mutant):
                kind = mutant.kind if mutant.kind.split()[0] != "name" else "name"
                way = ways[id(mutant.at), kind]
                ways[id(mutant.at), kind] += 1
                groups.setdefault((mutant.unit.cell, kind, way, *self._built(mutant)), []).append(mutant)
        found: list[tuple[Repair, set[str]]] = []
        for group in groups.values():
            if not 2 <= len(group) <= MOST_TWINS or self.runs.count > self.runs.most:
                continue
            twins = Twins(group[0].rank + 0.05, tuple(group))
            back = self._put(twins)
            self._compiled(sum(one.unit.size for one in group))
            if back is not None:
                try:
                    if gained := self._gained(right, [{} for _ in self.points]):
                        found.append((twins, gained))
                finally:
                    back()
        return found

    def _fits_by_chance(self, kind: str, right: set[str], gained: set[str]) -> bool:
        """Whether a number or a name, at hand for anything, mends nothing but one number that is always the same, and
        is whole or what another answer is, too."""
        if kind.split()[0] not in _AT_HAND:
            return False
        due = [[one[name] for one in self.exact] for name in gained]
        others = [self.exact[0][name] for name in right]
        return all(
            np.size(one[0]) == 1 and all(same(value, one[0]) for value in one)
            and (_is_count(one[0]) or any(same(one[0], other) for other in others))
            for one in due
        )  # fmt: skip

    def _begins(self, right: set[str], gained: set[str]) -> bool:
        """Whether of every row the first entry alone is mended: at a state of zeros many names hold the same."""
        return all(
            one.endswith("\n0") and f"{one[:-1]}1" in self.exact[0]
            and not any(other.startswith(one[:-1]) for other in right - {one})
            for one in gained
        )  # fmt: skip

    def _changeable(self) -> set[int]:
        """The expressions of which a small change may mend something."""
        found = self.visited - self.unused
        if self.focus is None:
            return found
        seen = {key[0] for key in self.candidates.seen}
        unseen = (one for one in self.nodes if one.index not in seen)  # what it gives is seen elsewhere
        return found & (
            self.focus | {one.index for one in unseen if one.root == "iter" or _GIVES_ITEMS.match(one.text)}
        )

    def _is_long(self, mutant: Mutant) -> bool:
        """Whether a change would make a count much larger: a training that no hook is in goes on as long."""
        what, _, name = mutant.kind.partition(" ")
        now = self.candidates.seen.get((mutant.hook, 0))
        if now is None or isinstance(now[0], bool) or now[0].ndim:
            return False
        values = [names[name] for names in self.left_behind.values() if name in names]
        made = [np.array(float(one)) for one in values if isinstance(one, int | np.integer)]
        if what == "square":
            made = [now[0] ** 2]
        elif what == "factor":
            made = [now[0] * one for one in made]
        elif what == "operator" and name in OPERATORS:
            sides = [self.candidates.seen.get((one, 0), (True,)) for one in self.nodes[mutant.hook].children]
            made = list(each(OPERATORS[name], *sides) or ()) if len(sides) == 2 else []
        elif what not in ("name", "argument"):
            return False
        return any(is_too_large(now[:1], (one,)) for one in made)

    def _built(self, mutant: Mutant) -> tuple[Any, ...]:
        """How an expression is built, and what it is part of."""
        if mutant.kind.startswith("name "):
            return mutant.at.lineno, *_renamed(ast.unparse(mutant.at), mutant.kind.split()[1])
        if mutant.hook < 0:
            return (_NAME.sub("", ast.unparse(mutant.at)),)
        node = self.nodes[mutant.hook]
        if mutant.kind == "kept axis":
            return (_NAME.sub("", node.text),)  # whatever it is part of
        if node.parent < 0:
            return node.root, _NAME.sub("", node.text)
        whole = self.nodes[node.parent]
        if mutant.kind.startswith("argument"):
            is_typed = node.kind == "Constant"  # the same number, wherever it was written down
            return node.text, "" if is_typed else whole.text.split("(")[0]  # whatever else that is handed
        return whole.children.index(node.index), _NAME.sub("", node.text), _NAME.sub("", whole.text)

    def _is_scaling(self, mutant: Mutant) -> bool:
        """Whether a change would only scale what the solution gives a name as it is."""
        if mutant.kind == "float":
            return False  # it has the right values, and no room for fractions
        if isinstance(mutant.at, ast.IfExp):
            return False  # what one side gives may be right, and not the other
        if mutant.hook >= 0 and self.candidates.is_given_a_name(mutant.hook):
            return True
        if mutant.kind.split()[0] not in ("sign", "factor") and mutant.kind != "without sign":
            return False
        if mutant.hook in self._helping():
            return True
        if mutant.kind not in ("sign", "factor 2", "factor 0.5"):
            return False  # the factor is an argument that nothing reads
        return self.candidates.is_input((mutant.hook, 0)) or self.candidates.is_whole((mutant.hook, 0))


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float | np.ndarray) and all(float(one).is_integer() for one in np.ravel(value))


def _renamed(old: str, new: str) -> tuple[str, str]:
    """In what two names differ: (train, test) for X_train and X_test, (1, 2) for W1 and W2."""
    for one, other in ((old.split("_"), new.split("_")), (_STEM.split(old), _STEM.split(new))):
        differ = [pair for pair in zip(one, other) if pair[0] != pair[1]]
        if len(one) == len(other) > 1 and len(differ) == 1:
            return differ[0]
    return old, new
