"""What proves a repair: more of the asked values exact at every point of the search, and none wrong."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .alone import Alone, Statement
from .candidates import Candidates, is_scaled
from .edits import Unit
from .formulas import again
from .handed import Handed
from .hooks import Visit
from .in_calls import Calls
from .instrument import Instrument
from .mutants import Mutants
from .putting import Mutant
from .rows import Rows
from .runs import Plain, Runs, as_rows, entries, parts, same
from .seen import Candidate

FEW = 200
"""So few runs take long: what mends a name is not looked for in its parts, too, and what is asked first is mended
first."""

CHEAP = 0.25
"""This part of a run is worth it to look there first."""


@dataclass(frozen=True)
class Twins:
    """The same change of the code at several expressions."""

    rank: float
    parts: tuple[Mutant, ...]


@dataclass(frozen=True)
class Joint:
    """Rows at several names: each of these slips hides what the others would mend."""

    rank: float
    parts: tuple[Candidate, ...]


Repair = Candidate | Mutant | Twins | Joint

Change = Mutant | Twins


class Proofs:
    """The runs of a question with a repair in place, and what is right in them."""

    mutants: Mutants

    def __init__(self, runs: Runs, instrument: Instrument, asked: Plain, read: set[str]) -> None:
        """``asked`` holds the exact answers and the table of quantities, at every point of the runs; ``read`` are the
        names of the code that the question reads."""
        self.read = read
        self.runs, self.nodes, self.instrument = runs, instrument.nodes, instrument
        self.entries = [{name: entries(value) for name, value in one.items()} for one in asked["exact"]]
        exact = [parts(one) for one in asked["exact"]]
        common = [name for name in exact[0] if all(name in one for one in exact)]
        self.exact: list[Plain] = [{name: one[name] for name in common} for one in exact]
        self.whole: list[Plain] = asked["exact"]
        made = [again(text) if text else None for text in asked["formulas"]]
        table = [one if formula is None else [formula] * len(one) for one, formula in zip(asked["table"], made)]
        self.candidates = Candidates(self.nodes, table, asked["levels"], asked["wholes"], asked["named"])
        answers = [[one[name] for one in self.exact] for name in common if not isinstance(exact[0][name], str | bool)]
        self.candidates.results = {
            number for number, values in enumerate(table)
            if any(all(map(same, values, answer)) for answer in answers)
        }  # fmt: skip
        given = [values for values, level in zip(table, asked["levels"]) if level == 0]
        self.unchanged = {
            name for name in common if any(all(map(same, one, [exact[name] for exact in self.exact])) for one in given)
        }  #: the answers that are what was given, as it is
        self.rows = Rows(self.nodes, asked["rows"], asked["table"], asked["levels"], read)
        self.handed = Handed(self.nodes, asked["handed"], read)
        self.trusted = frozenset(asked.get("trusted", ()))
        self.choices = frozenset(asked.get("choices", ()))
        self.calls = Calls(self.nodes, asked["in_calls"], self.trusted)
        self.alone = Alone(runs, instrument.trees, instrument.name)
        self.helpers: set[int] | None = None
        self.rtol = float(asked["rtol"])
        self.points = list(range(len(runs.points)))
        self.searched = self.points[:2] if len(self.points) > 2 else self.points[:-1] or self.points
        self.shown = int(asked["shown"])
        self.over: list[dict[Visit, Any]] = [{} for _ in self.points]
        self.stops = set[int]()
        self.missed: tuple[int, Plain] = (0, {})  #: what the last try that mends nothing has answered, and where
        self.beside = frozenset(self._beside())

    def _beside(self) -> Iterator[int]:
        """The expressions of what answers a question of its own, all of it right: nothing in it is at fault."""
        for cell, tree in self.instrument.trees.items() if self.trusted else ():
            for top in tree.body:
                if isinstance(top, ast.FunctionDef | ast.ClassDef) and top.name in self.trusted:
                    lines = range(top.lineno, (top.end_lineno or 0) + 1)
                    yield from (one.index for one in self.nodes if one.cell == cell and one.line in lines)

    def _is_trusted(self, unit: Unit) -> bool:
        """Whether a function, or the class that it belongs to, answers a question of its own right."""
        return (unit.owner or getattr(unit.tree, "name", "")) in self.trusted

    def _right(self, point: int, values: Plain) -> set[str]:
        due = self.entries[point]  # in a list that is too short or too long, entries stand in the places of others
        values = as_rows(values, due)
        fitting = [
            name for name, value in values.items() if entries(value) in (-1, due.get(name)) or due.get(name) == -1
        ]
        own = parts({name: values[name] for name in fitting})
        return {name for name, exact in self.exact[point].items() if name in own and same(own[name], exact, self.rtol)}

    def _rights(self, over: list[dict[Visit, Any]], points: list[int]) -> set[str]:
        found = set(self.exact[0])
        for point in points:
            found &= self._right(point, self.runs.run(point, over[point]))
            if self._is_broken(point):
                return set()
        return found

    def _is_broken(self, point: int) -> bool:
        """Whether the last run has stopped where the code as it is does not: what it left undone is not mended."""
        return self.runs.error is not None and point not in self.stops

    def _proved(self, best: Repair, undo: list[Callable[[], None]]) -> set[str]:
        """What is right with a repair at every point; a mutant stays until it is undone, a value if it mends more."""
        if isinstance(best, Change):
            back = self._put(best)
            if back is None:
                return set()
            undo.append(back)
            return self._rights(self.over, self.points)
        over = [{**self.over[point], **over_at(best, point)} for point in self.points]
        proved = self._rights(over, self.points)
        if proved > self._rights(self.over, self.points):
            self.over = over
        return proved

    def _put(self, mutant: Change) -> Callable[[], None] | None:
        """Change the code that runs, in the way in which it runs."""
        if isinstance(mutant, Twins):
            return self._put_all(mutant.parts)
        if not self.runs.codes:
            return self.mutants.put(mutant)
        made = self.mutants.source(mutant)
        if made is None:
            return None
        undo, code = made
        before = self.runs.codes
        self.runs.codes = [code if one.co_filename == code.co_filename else one for one in before]

        def back() -> None:
            undo()
            self.runs.codes = before

        return back

    def _put_all(self, mutants: tuple[Mutant, ...]) -> Callable[[], None] | None:
        done: list[Callable[[], None]] = []

        def back() -> None:
            for one in reversed(done):
                one()

        for mutant in mutants:
            undo = self._put(mutant)
            if undo is None:
                back()
                return None
            done.append(undo)
        return back

    def _holds(self, best: Repair, right: set[str]) -> bool:
        """Whether so much is right at the points that the search has not used, too."""
        back = self._put(best) if isinstance(best, Change) else None
        try:
            for point in self.points:
                over = {} if isinstance(best, Change) else over_at(best, point)
                if point not in self.searched:
                    found = self._right(point, self.runs.run(point, {**self.over[point], **over}))
                    if not found >= right or self._is_broken(point):
                        return False
        finally:
            if back is not None:
                back()
        return True

    def _gained(self, right: set[str], over: list[dict[Visit, Any]]) -> set[str]:
        """What becomes right with other values at the points of the search; nothing where something becomes wrong."""
        if self.beside and any(key[0] in self.beside for one in over for key in one):
            return set()
        statement = self.alone.of({key[0] for key in over[0]})
        if statement is not None and not self._may_mend(statement, right, over):
            return set()
        after = self._right_after(right, over)
        gained = after - right
        # to yes or no, and to zeros, many changes lead
        return gained if any(tells(one[name]) for name in gained for one in self.exact) else set()

    def _right_after(self, right: set[str], over: list[dict[Visit, Any]]) -> set[str]:
        after: set[str] | None = None
        for point in self.searched:
            now: set[str] = set()
            over_all = {**self.over[point], **over[point]}
            values = self.runs.run(point, over_all, keeps=self._keeps(point, right, now))
            if not (now >= right and now - right) or self._is_broken(point):
                asked = {name for name in right if name.split("\n")[0] in values}
                is_whole = now >= asked and point == self.searched[0] and self.runs.error is None
                self.missed = (point, values) if is_whole else (point, {})
                return set()
            after = now if after is None else after & now
        return after or set()

    def _may_mend(
        self, statement: Statement, right: set[str], over: list[dict[Visit, Any]], code: types.CodeType | None = None
    ) -> bool:
        """Whether a statement, which is run alone, makes more of its names right than they are, and none wrong."""
        for number, point in enumerate(self.searched):
            given = self.alone.gives(statement, number, {**self.over[point], **over[point]}, code)
            mine = {name for name in self.exact[point] if name.split("\n")[0] in statement.names}
            now = self._right(point, given)
            if not (now >= mine & right and now - right):
                self.runs.count += 1.0  # as the run that it spares
                return False
        return True

    def _scaled(self, point: int, values: Plain) -> set[str]:
        """The answers that are a multiple of what is due."""
        own = parts(as_rows(values, self.entries[point]))
        both = {name: (own[name], exact) for name, exact in self.exact[point].items() if name in own}
        return {
            name for name, (value, exact) in both.items()
            if isinstance(value, np.ndarray) and isinstance(exact, np.ndarray) and value.size > 1
            if np.all(np.isfinite(value)) and np.all(np.isfinite(exact))
            if is_scaled((value,), (exact,)) and not same(value, exact, self.rtol)
        }  # fmt: skip

    def _mends(self, candidates: list[Candidate], right: set[str]) -> set[str]:
        joint = Joint(0.0, tuple(candidates))
        return self._gained(right, [over_at(joint, point) for point in self.points])

    def _soon(self, right: set[str]) -> set[str]:
        """The wrong answers that are looked at first: where whole runs take long, those at the begin of a run."""
        wrong = set(self.exact[0]) - right
        soon = {name for name in wrong if self.runs.head({name}) < CHEAP} if self.runs.most < FEW else set()
        return soon or wrong

    def _keeps(self, point: int, right: set[str], now: set[str]) -> Callable[[Plain], bool]:
        """What says of each part of an answer whether the rest need be asked for: what is right has to stay so, and
        something has to be mended, or may still be. ``now`` gets what is right."""
        waiting = self._soon(right)

        def keeps(part: Plain) -> bool:
            mine = {name for name in self.exact[point] if name.split("\n")[0] in part}
            now.difference_update(mine)
            now.update(self._right(point, part))
            waiting.difference_update(mine)
            return mine & right <= now and (bool(now - right) or bool(waiting))

        return keeps

    def _is_spent(self, end: float) -> bool:
        """Whether so many runs were made, or all that are allowed by now."""
        return self.runs.count > min(end, self.runs.most)


def tells(value: Any) -> bool:
    """Whether an answer is more than yes or no, a word, or the same small number everywhere."""
    if isinstance(value, bool | str) or value is None:
        return False
    try:
        found = np.unique(np.asarray(value, float))
    except (TypeError, ValueError):
        return True
    if np.size(value) == 1 and not float(found[0]).is_integer():
        return True
    return not (found.size <= 1 and (np.ndim(value) or not found.size or found[0] == 0) and np.all(np.abs(found) <= 1))


def over_at(candidate: Candidate | Joint, point: int) -> dict[Visit, Any]:
    """What stands in the place of expressions with a repair, at a point."""
    if isinstance(candidate, Joint):
        return {key: value for one in candidate.parts for key, value in over_at(one, point).items()}
    in_row = candidate.kind in ("row", "handed")
    if in_row and isinstance(candidate.values[point], dict):
        return {(candidate.key[0], visit): value for visit, value in candidate.values[point].items()}
    if in_row:
        return {(candidate.key[0], visit): value for visit, value in enumerate(candidate.values[point])}
    return dict.fromkeys((candidate.key, *candidate.also), candidate.values[point])
