"""Counterfactual repair: which expression of the code, had it had another value, would have given the asked values.

The cells are compiled with a hook around every expression (``instrument.py``). A run *records* what each of them gave
at each visit; another run *replaces* one of these by a value of a table that comes with the question. What makes more
of the asked values exact at every point, and none wrong, is a proof. The work is bounded by a number of runs.

Nothing here knows an exercise: the table and the exact values are data of the question. They are drawn for this
purpose, and used for nothing else.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .candidates import Candidate, Candidates, is_scaled, is_too_large
from .hooks import MOST_VISITS, RECORD, Visit
from .in_calls import Calls
from .instrument import Instrument, Node
from .mutants import Mutant, Mutants
from .recording import recorded
from .rows import KNOWN, OF_THAT_NAME, Rows
from .runs import Plain, Runs, alike, as_rows, entries, parts, same, same_draws

MOST_STEPS = 6
"""So many mistakes are looked for, one after the other."""

MOST_TWINS = 8
"""So many expressions that are built alike are changed together."""

TWINS = frozenset(
    ("operator", "without", "number", "comparison", "function", "sign", "factor", "square", "argument", "name")
    + ("assigned",)
)

COMPILED = 3
"""A change costs as much as so many function calls for each node of the tree that is compiled."""

STRONG = 0.3
"""With a repair below this price no small change of the code is tried."""

FEW = 200
"""With so few runs what mends a name is not looked for in its parts, too."""

NAMED = 0.35
"""What a name costs more than what it was given."""

SHARE = 0.6
"""So much of the runs that are left may the values of one step take; small changes of the code take the rest."""


_NAME = re.compile(r"[^\W\d]\w*|(?<=\()\d+(?=, )")


_STEM = re.compile(r"(?<=\D)(?=\d)")


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


class Search:
    """The search for one question."""

    def __init__(self, runs: Runs, instrument: Instrument, asked: Plain, read: set[str]) -> None:
        """``asked`` holds the exact answers and the table of quantities, at every point of the runs; ``read`` are the
        names of the code that the question reads."""
        self.read = read
        self.runs, self.nodes, self.instrument = runs, instrument.nodes, instrument
        self.entries = [{name: entries(value) for name, value in one.items()} for one in asked["exact"]]
        exact = [parts(one) for one in asked["exact"]]
        common = [name for name in exact[0] if all(name in one for one in exact)]
        self.exact: list[Plain] = [{name: one[name] for name in common} for one in exact]
        self.candidates = Candidates(self.nodes, asked["table"], asked["levels"], asked["wholes"], asked["named"])
        self.rows = Rows(self.nodes, asked["rows"], asked["table"], asked["levels"], read)
        self.calls = Calls(self.nodes, asked["in_calls"])
        self.helpers: set[int] | None = None
        self.rtol = float(asked["rtol"])
        self.points = list(range(len(runs.points)))
        self.searched = self.points[:2] if len(self.points) > 2 else self.points[:-1] or self.points
        self.shown = int(asked["shown"])

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

    def found(self) -> list[Plain]:
        """The repairs, in the order in which they were found, each proved at a point that the search has not used."""
        self.over: list[dict[Visit, Any]] = [{} for _ in self.points]
        self.stops = set[int]()
        steps: list[Plain] = []
        twice: list[list[Plain]] = [[], []]
        for answers in twice:
            for point in self.points:
                answers.append(self.runs.run(point, {}))
                if self.runs.error is not None:
                    self.stops.add(point)
        if not alike(*twice):
            return []  # the code answers otherwise at the second time
        right = self._rights(self.over, self.points)
        undo: list[Callable[[], None]] = []
        try:
            for _ in range(MOST_STEPS):
                if right == set(self.exact[0]) or self.runs.count > self.runs.most:
                    break
                before = right
                for best, _ in self._step(right):
                    told = [self._told(part) for part in (best.parts if isinstance(best, Twins | Joint) else [best])]
                    proved = self._proved(best, undo)
                    if proved > right:
                        steps += [{**one, "mends": _names(proved - right)} for one in told]
                        right = proved
                    elif isinstance(best, Change) and undo:
                        undo.pop()()
                if right == before:
                    steps += self._left_out(right)
                    break
        finally:
            for one in reversed(undo):
                one()
        return steps

    def _proved(self, best: Repair, undo: list[Callable[[], None]]) -> set[str]:
        """What is right with a repair at every point; a mutant stays until it is undone, a value if it mends more."""
        if isinstance(best, Change):
            back = self._put(best)
            if back is None:
                return set()
            undo.append(back)
            return self._rights(self.over, self.points)
        over = [{**self.over[point], **_over(best, point)} for point in self.points]
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

    def _look(self, right: set[str]) -> None:
        """Run once more, and remember what every expression gives."""
        seen: list[dict[Visit, tuple[Any, Any, int]]] = []
        rows: list[dict[int, list[Any]]] = []
        self.in_calls: list[dict[int, list[tuple[int, Any]]]] = []
        self.stopped: Visit | None = None
        for point in self.points:
            self.runs.run(point, self.over[point], RECORD)
            seen.append(self.runs.hook.seen)
            rows.append(self.runs.hook.rows)
            self.in_calls.append(self.runs.hook.in_calls)
            if point == 0:
                self.left_behind = self.runs.hook.left_behind
                if self.runs.error is not None:
                    self.stopped = self._where_it_stopped(self.runs.error)
        self.visited = set(self.runs.hook.visits)
        common = [key for key in seen[0] if all(key in one for one in seen) and key not in self.over[0]]
        self.objects = {key: seen[0][key][1] for key in common}
        self.order = {key: seen[0][key][2] for key in common}
        self.candidates.see({key: tuple(one[key][0] for one in seen) for key in common}, self.stopped)
        self.rows.see(rows, self.candidates, {key[0] for key in self.over[0]})
        self.candidates.steady = self.rows.steady()
        self._weigh(right)

    def _weigh(self, right: set[str]) -> None:
        """Find the expressions with which nothing can be mended: another value there changes nothing that is wrong,
        or something that is right. The values are chosen at random, at each visit and at all visits together."""
        seen = self.candidates.seen
        self.unused: set[int] = set()
        self.unreached: set[int] = set()
        self.focus: set[int] | None = None
        if self.runs.most < 8 * len(seen):
            return
        stream = np.random.default_rng(0)
        base = parts(as_rows(self.runs.run(0, self.over[0]), self.entries[0]))
        if not self.exact[0].keys() <= base.keys():
            return  # an error that the question has caught
        used: set[int] = set()
        busy: set[int] = set()
        reaches: dict[str, set[int]] = {name: set() for name in self.exact[0]}

        def is_idle(over: dict[Visit, Any]) -> bool:
            """Whether these values mend nothing; what they reach is kept."""
            index = next(iter(over))[0]
            found = parts(as_rows(self.runs.run(0, {**self.over[0], **over}), self.entries[0]))
            changed = {name for name in self.exact[0] if name in base and not _is_same(found.get(name), base[name])}
            if self.runs.error is not None:
                changed = set(self.exact[0])
            for name in changed:
                reaches[name].add(index)
            is_number = not any(np.ndim(one) for one in over.values())
            if changed - right or is_number:
                used.add(index)
            if self.runs.error is not None:
                return False
            # a number may be a bound, which another one moves a little
            return bool(changed & right) or (not changed and not is_number)

        for key, values in seen.items():
            if self.runs.count > self.runs.most:
                self.candidates.idle.clear()
                self.candidates.idle_together.clear()
                return
            if isinstance(values[0], bool):
                used.add(key[0])
                busy.add(key[0])
                for found_in in reaches.values():
                    found_in.add(key[0])
                continue
            other = stream.standard_normal(values[0].shape) * (1.0 + np.abs(values[0]).max(initial=0.0))
            alike = self.candidates.visits_alike(key, values)
            row = self.rows.mine.get(key[0]) if key[1] == 0 else None
            if is_idle({key: other}):
                self.candidates.idle.add(key)
            else:
                busy.add(key[0])
            if alike and is_idle(dict.fromkeys((key, *alike), other)):
                self.candidates.idle_together.add(key)
            elif alike:
                busy.add(key[0])
            if (
                row is not None
                and len(alike) + 1 < len(row[0])
                and not is_idle(
                    {(key[0], visit): one + stream.standard_normal(np.shape(one)) for visit, one in enumerate(row[0])}
                )
            ):
                busy.add(key[0])
            if row is not None and len(row[0]) > MOST_VISITS:
                busy.add(key[0])  # a visit that was not looked at by itself
        # a mistake that makes this wrong is in one of the fewest expressions; what else it makes wrong does not matter
        self.focus = min((reaches[name] for name in self.exact[0] if name not in right), key=len, default=None) or None
        every = {key[0] for key in seen}
        self.unreached = every - used
        self.unused = self.unreached | (every - busy)

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
                    self.runs.run(0, self.over[0], RECORD)
                return self.runs.hook.reached
        return None

    def _step(self, right: set[str]) -> list[tuple[Repair, set[str]]]:
        """The repairs that mend most; those after the first mend something else than the ones before them."""
        self._look(right)
        successes: list[tuple[Repair, set[str]]] = []
        tried: set[Any] = set()
        few = self.runs.most < 100  # then what is asked comes first: it shows the statement at least
        end = self.runs.count + int(SHARE * (self.runs.most - self.runs.count))
        copies: dict[Any, tuple[Repair, set[str]]] = {}
        ordered = sorted(
            self.candidates.all(self.runs.most), key=lambda one: (few and one.rank < 2, one.rank, *self._likely(one))
        )
        helping = self._helping()
        ordered = [
            one for one in ordered
            if not self._calls_itself(self.nodes[one.key[0]])
            if one.key[0] not in helping or not (
                self._is_due_outside(one) or self.candidates.is_given(one)
                or is_scaled(self.candidates.seen.get(one.key, (True,)), one.values)
            )
        ]  # fmt: skip
        if self.focus is not None:
            ordered = [one for one in ordered if one.key[0] in self.focus]
        wrong = set(self.exact[0]) - right
        successes += self._in_rows(right, end, first=True)
        if any(gained == wrong for _, gained in successes):
            ordered = []
        many = len(ordered) > end - self.runs.count
        if many:  # then the small changes come first
            successes += self._mutated(right, end)
            if successes:
                ordered = []
            end = self.runs.most
        for candidate in ordered:
            if few and candidate.kind != "value":
                continue
            if self._is_spent(end):
                break
            name = (candidate.key, candidate.also, *(np.asarray(value).tobytes() for value in candidate.values))
            if name in tried:
                continue
            tried.add(name)
            gained = self._gained(right, [_over(candidate, point) for point in self.points])
            if gained and not self._is_alias(candidate, right, gained, copies):
                successes.append((candidate, gained))
        if not successes:
            successes += self._in_rows(right, end, first=False)
        successes += [one for one in copies.values() if one[1]]
        is_told = self.runs.most < FEW and any(one.rank <= OF_THAT_NAME and mends == wrong for one, mends in successes)
        if not is_told and not any(self._priced(one) < STRONG for one, _ in successes):
            if not many:
                successes += self._mutated(right, self.runs.most)
            if not successes:
                successes += self._twins(right)
            if not successes:
                successes += self._jointly(right)
        successes.sort(key=lambda one: self._price(one, successes))
        chosen: list[tuple[Repair, set[str]]] = []
        mended: set[str] = set()
        for best, gained in successes:
            if not gained & mended and self._holds(best, right | gained):
                chosen.append((best, gained))
                mended |= gained
                if isinstance(best, Change):
                    break  # what has been recorded is no longer so
        return chosen

    def _in_rows(self, right: set[str], end: float, *, first: bool) -> list[tuple[Repair, set[str]]]:
        """The rows that mend something in the place of others: ``first`` where something is first unknown."""
        found: list[tuple[Repair, set[str]]] = []
        candidates = [*self.rows.all(), *(self.calls.all(self.in_calls, self.rows) if first else ())]
        for candidate in sorted(candidates, key=lambda one: (one.rank, self.nodes[one.key[0]].size)):
            node = self.nodes[candidate.key[0]]
            if self._is_spent(end):
                break
            if (candidate.rank < KNOWN) != first:
                continue
            if self._calls_itself(node) or node.index in self._helping() or node.index in self.unreached:
                continue
            gained = self._gained(right, [_over(candidate, point) for point in self.points])
            if gained and not any(self._mends([one], right) >= gained for one in self.rows.in_operands(node.index)):
                found.append((candidate, gained))
        return found

    def _jointly(self, right: set[str]) -> list[tuple[Repair, set[str]]]:
        """Every name that the solution gives another row, with its own, and as few of them as mend as much."""
        parts_of_it = self.rows.named()
        if len(parts_of_it) < 2 or not self._mends(parts_of_it, right):
            return []
        for one in parts_of_it[::-1]:
            fewer = [other for other in parts_of_it if other is not one]
            if self._mends(fewer, right):
                parts_of_it = fewer
        if len(parts_of_it) < 2:
            return []  # one that mends as much alone was left out before, for a reason
        return [(Joint(0.5, tuple(parts_of_it)), self._mends(parts_of_it, right))]

    def _mends(self, candidates: list[Candidate], right: set[str]) -> set[str]:
        joint = Joint(0.0, tuple(candidates))
        return self._gained(right, [_over(joint, point) for point in self.points])

    def _is_spent(self, end: float) -> bool:
        """Whether so many runs were made, or all that are allowed by now."""
        return self.runs.count > min(end, self.runs.most)

    def _likely(self, one: Candidate) -> tuple[bool, bool]:
        """Of what costs the same, arrays first, for numbers fit by chance, and numbers that are written down."""
        return not np.ndim(one.values[0]), self.nodes[one.key[0]].kind != "Constant"

    def _is_alias(self, candidate: Candidate, right: set[str], gained: set[str], copies: dict[Any, Any]) -> bool:
        """Whether a copy of what stands there mends as much: then it is changed in place, and no other value is due."""
        values = self.candidates.seen.get(candidate.key, ())
        if not values or isinstance(values[0], bool) or not values[0].ndim:
            return False
        name = candidate.key, candidate.also
        if name not in copies:
            copied = Candidate(1.5, candidate.key, "copy", -1, values, also=candidate.also)
            copies[name] = copied, self._gained(right, [_over(copied, point) for point in self.points])
        return bool(copies[name][1] >= gained)

    def _holds(self, best: Repair, right: set[str]) -> bool:
        """Whether so much is right at the points that the search has not used, too."""
        back = self._put(best) if isinstance(best, Change) else None
        try:
            for point in self.points:
                over = {} if isinstance(best, Change) else _over(best, point)
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
        after: set[str] | None = None
        for point in self.searched:
            values = self.runs.run(point, {**self.over[point], **over[point]}, keeps=partial(self._keeps, point, right))
            now = self._right(point, values)
            if not (now >= right and now - right) or self._is_broken(point):
                return set()
            after = now if after is None else after & now
        gained = after - right if after is not None else set()
        # to yes or no, and to zeros, many changes lead
        return gained if any(_tells(one[name]) for name in gained for one in self.exact) else set()

    def _keeps(self, point: int, right: set[str], part: Plain) -> bool:
        """Whether what is right stays so in a part of the answer; otherwise the rest need not be asked for."""
        return {name for name in right if name.split("\n")[0] in part} <= self._right(point, part)

    def _mutated(self, right: set[str], most: float) -> list[tuple[Repair, set[str]]]:
        """The small changes of the code that mend something."""
        self.mutants = Mutants(self.instrument, self.runs.kept, whole=bool(self.runs.codes))
        lines = {(self.nodes[index].cell, self.nodes[index].line) for index in self.visited}
        bare = None if any(self.over) or self.runs.codes else self.mutants.strip()
        if bare is not None:
            self.runs.reprice()
        try:
            return self._mutants_that_mend(right, most, lines)
        finally:
            self.runs.price = 1.0
            if bare is not None:
                bare()

    def _mutants_that_mend(
        self, right: set[str], most: float, lines: set[tuple[int, int]]
    ) -> list[tuple[Repair, set[str]]]:
        found: list[tuple[Repair, set[str]]] = []
        for mutant in sorted(self.mutants.all(self._changeable(), lines), key=lambda one: one.rank):
            if self._is_spent(most):
                break
            back = None if self._is_scaling(mutant) or self._is_long(mutant) else self._put(mutant)
            self.runs.count += COMPILED * mutant.unit.size / (self.runs.calls // 2 + 1)
            if back is not None:
                try:
                    if gained := self._gained(right, [{} for _ in self.points]):
                        found.append((mutant, gained))
                finally:
                    back()
        return found

    def _twins(self, right: set[str]) -> list[tuple[Repair, set[str]]]:
        """The same small change at every expression that is built alike: a slip that was made in each of them."""
        groups: dict[Any, list[Mutant]] = {}
        lines = {(self.nodes[index].cell, self.nodes[index].line) for index in self.visited}
        for mutant in self.mutants.all(self._changeable(), lines):
            if mutant.kind.split()[0] in TWINS and not self._is_scaling(mutant):
                kind = mutant.kind if mutant.kind.split()[0] != "name" else "name"
                groups.setdefault((mutant.unit.cell, kind, *self._built(mutant)), []).append(mutant)
        found: list[tuple[Repair, set[str]]] = []
        for group in groups.values():
            if not 2 <= len(group) <= MOST_TWINS or self.runs.count > self.runs.most:
                continue
            twins = Twins(group[0].rank + 0.05, tuple(group))
            back = self._put(twins)
            self.runs.count += sum(COMPILED * one.unit.size for one in group) / (self.runs.calls // 2 + 1)
            if back is not None:
                try:
                    if gained := self._gained(right, [{} for _ in self.points]):
                        found.append((twins, gained))
                finally:
                    back()
        return found

    def _changeable(self) -> set[int]:
        """The expressions of which a small change may mend something."""
        found = self.visited - self.unused
        return found if self.focus is None else found & self.focus

    def _is_long(self, mutant: Mutant) -> bool:
        """Whether another name would make a count much larger."""
        what, _, name = mutant.kind.partition(" ")
        now = self.candidates.seen.get((mutant.hook, 0))
        if what not in ("name", "argument") or now is None:
            return False
        values = [names[name] for names in self.left_behind.values() if name in names]
        values = [np.array(float(one)) for one in values if isinstance(one, int | np.integer)]
        return any(is_too_large(now[:1], (one,)) for one in values)

    def _built(self, mutant: Mutant) -> tuple[Any, ...]:
        """How an expression is built, and what it is part of."""
        if mutant.kind.startswith("name "):
            return mutant.at.lineno, *_renamed(ast.unparse(mutant.at), mutant.kind.split()[1])
        if mutant.hook < 0:
            return (_NAME.sub("", ast.unparse(mutant.at)),)
        node = self.nodes[mutant.hook]
        if node.parent < 0:
            return node.root, _NAME.sub("", node.text)
        whole = self.nodes[node.parent]
        return whole.children.index(node.index), _NAME.sub("", node.text), _NAME.sub("", whole.text)

    def _is_scaling(self, mutant: Mutant) -> bool:
        """Whether a change would only scale what the solution gives a name as it is."""
        if mutant.hook >= 0 and self.candidates.is_given_a_name(mutant.hook):
            return True
        if mutant.kind.split()[0] not in ("sign", "factor"):
            return False
        is_input = mutant.kind == "sign" and self.candidates.is_input((mutant.hook, 0))
        return is_input or mutant.hook in self._helping() or self.candidates.is_whole((mutant.hook, 0))

    def _calls_itself(self, node: Node) -> bool:
        """Whether a function calls itself here: what is wrong with what comes back is wrong in it."""
        function = self._function_of(node) if node.kind == "Call" else None
        return function is not None and node.text.startswith(f"{function.target}(")

    def _is_due_outside(self, one: Candidate) -> bool:
        """Whether an answer as a whole would have to come out of a function that only helps to work it out."""
        if not self.candidates.is_asked(one):
            return False
        function = self._function_of(self.nodes[one.key[0]])
        visits = sum(1 for key in self.candidates.seen if key[0] == one.key[0])
        is_direct = function is not None and function.target in self.read and visits == 1 + len(one.also)
        return not is_direct

    def _helping(self) -> set[int]:
        """What is returned by functions that other functions of the code call: the sign or a factor may as well be
        missing there as where they are called, and what is asked is due where they are called."""
        if self.helpers is None:
            names = {one.target for one in self.nodes if one.kind == "Function"}
            called = {name for name in names for one in self.nodes if one.kind == "Call" and f"{name}(" in one.text}
            self.helpers = set()
            for node in self.nodes:
                at = node
                while at.parent >= 0:
                    at = self.nodes[at.parent]
                function = self._function_of(node) if at.root == "return" else None
                if function is not None and function.target in called:
                    self.helpers.add(node.index)
        return self.helpers

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
                        "mends": _names(proved - right), "got": None, "expected": None, "sound": [],
                    })  # fmt: skip
                    self.over, right = over, proved
                    break
        return steps

    def _price(self, one: tuple[Repair, set[str]], others: list[tuple[Repair, set[str]]]) -> Any:
        candidate, mended = one
        if isinstance(candidate, Change):
            at = candidate.parts[0].at if isinstance(candidate, Twins) else candidate.at
            parts_of_it = sum(isinstance(part, ast.expr) for part in ast.walk(at))
            return (False, -len(mended), candidate.rank, False, parts_of_it, 1 << 30)
        if isinstance(candidate, Joint):
            return (False, -len(mended), candidate.rank, False, 0, 1 << 30)
        node = self.nodes[candidate.key[0]]
        later = any(
            isinstance(other, Candidate)
            and candidate.key in self.objects
            and self.objects[candidate.key] is self.objects.get(other.key)
            and self.order[other.key] < self.order[candidate.key]
            and other.quantity == candidate.quantity
            and gained >= mended
            for other, gained in others
        )
        size: float = node.size if candidate.group is None else node.size - 0.5
        rank = self._priced(candidate)
        return (rank >= 10, -len(mended), rank, later, size, self.order.get(candidate.key, 1 << 30))

    def _priced(self, one: Repair) -> float:
        """The rank of a repair; a name costs more, for where it got its value may be at fault."""
        if not isinstance(one, Candidate) or one.kind == "row":
            return one.rank
        node = self.nodes[one.key[0]]
        rank = one.rank
        if node.leaf and node.kind in ("Name", "Attribute"):
            if self._is_own(one):
                rank += NAMED if one.kind != "value" or self.candidates.is_named(one) else 2.0
            elif one.kind == "value" and not self.candidates.is_named(one):
                rank += NAMED  # what gave it its value is at fault
        return rank if rank < 2 else 10 + rank

    def _is_own(self, one: Candidate) -> bool:
        """Whether a name stands for what the solution knows, or would only be given another form."""
        return not one.kind.startswith("value") or self.candidates.known.get(one.key, False)

    def _told(self, best: Candidate | Mutant) -> Plain:
        if isinstance(best, Mutant):
            end_line, end_col = best.end
            return {
                "cell": best.unit.cell, "line": best.at.lineno, "end_line": end_line, "col": best.at.col_offset,
                "end_col": end_col, "visit": -1, "kind": best.kind, "due": -1, "given": -1,
                "got": None, "expected": None, "sound": [],
            }  # fmt: skip
        node = self.nodes[best.key[0]]
        if best.kind == "row":
            line, col = node.statement if node.leaf and node.statement else (node.line, node.col)
            return {
                "cell": node.cell, "line": line, "end_line": node.end_line, "col": col, "end_col": node.end_col,
                "visit": -1, "kind": "value", "due": -1, "given": -1, "got": None, "expected": None, "sound": [],
            }  # fmt: skip
        many = sum(1 for key in self.candidates.seen if key[0] == node.index) > 1
        first, last = node, node
        if best.group is not None:
            first, last = self.candidates.ends(best)
        kind = self._kind(best, node)
        if kind.startswith("unchanged"):
            first = last = self._function_of(node) or node
        return {
            "cell": node.cell, "line": first.line, "end_line": last.end_line, "col": first.col, "end_col": last.end_col,
            "visit": best.key[1] if many and not best.also else -1, "kind": kind, "due": best.quantity,
            "given": self.candidates.given(best),
            **self.candidates.shown(best, self.shown),
            "sound": [] if any(self.over) else self.candidates.sound(best),
        }  # fmt: skip

    def _kind(self, best: Candidate, node: Node) -> str:
        """What kind of repair it is: of a name, another name where one holds what is due."""
        if best.kind != "value" or not node.leaf or node.kind not in ("Name", "Attribute"):
            return best.kind
        function = self._function_of(node)
        is_returned = node.root == "return" or (node.parent >= 0 and self.nodes[node.parent].root == "return")
        if node.kind == "Name" and function is not None and is_returned and node.text not in function.stores:
            return f"unchanged {node.text}"
        for key in self.candidates.holding(best):
            other = self.nodes[key[0]]
            is_other = other.cell == node.cell and other.leaf and other.text != node.text
            if is_other and other.kind == node.kind and not self.candidates.is_named(best):
                return f"name {other.text}"
        return best.kind

    def _function_of(self, node: Node) -> Node | None:
        """The function in which an expression stands."""
        before = [
            one for one in self.nodes if one.kind == "Function" and one.cell == node.cell and one.line <= node.line
        ]
        return max(before, key=lambda one: one.line, default=None)


def _tells(value: Any) -> bool:
    """Whether an answer is more than yes or no, a word, or the same small number everywhere."""
    if isinstance(value, bool | str) or value is None:
        return False
    try:
        found = np.unique(np.asarray(value, float))
    except (TypeError, ValueError):
        return True
    return not (found.size <= 1 and (np.ndim(value) or not found.size or found[0] == 0) and np.all(np.abs(found) <= 1))


def _renamed(old: str, new: str) -> tuple[str, str]:
    """In what two names differ: (train, test) for X_train and X_test, (1, 2) for W1 and W2."""
    for one, other in ((old.split("_"), new.split("_")), (_STEM.split(old), _STEM.split(new))):
        differ = [pair for pair in zip(one, other) if pair[0] != pair[1]]
        if len(one) == len(other) > 1 and len(differ) == 1:
            return differ[0]
    return old, new


def _over(candidate: Candidate | Joint, point: int) -> dict[Visit, Any]:
    if isinstance(candidate, Joint):
        return {key: value for one in candidate.parts for key, value in _over(one, point).items()}
    if candidate.kind == "row" and isinstance(candidate.values[point], dict):
        return {(candidate.key[0], visit): value for visit, value in candidate.values[point].items()}
    if candidate.kind == "row":
        return {(candidate.key[0], visit): value for visit, value in enumerate(candidate.values[point])}
    return dict.fromkeys((candidate.key, *candidate.also), candidate.values[point])


def _names(found: set[str]) -> list[str]:
    """What is asked, whichever of its parts was mended."""
    return sorted({name.split("\n")[0] for name in found})


def _is_same(one: Any, other: Any) -> bool:
    return isinstance(one, type(other)) and same(one, other)


def done(
    task: str, instrument: Instrument, names: dict[str, Any], student: Callable[..., Any], probe: Callable[..., Any],
    asked: Plain,
) -> Plain:  # fmt: skip
    """Do the task of a question beside the instrumented code: ``record`` what it does, or look for a ``repair``."""
    with same_draws():
        return _done(task, instrument, names, student, probe, asked)


def _done(
    task: str, instrument: Instrument, names: dict[str, Any], student: Callable[..., Any], probe: Callable[..., Any],
    asked: Plain,
) -> Plain:  # fmt: skip
    read: set[str] = set()

    def ask(now: dict[str, Any], given: Plain) -> Any:
        return probe(student(now, read), given)

    points, began = asked["points"], time.process_time()
    runs = Runs(instrument, names, ask, points, again=False)
    runs.run(0, {})
    stopped = runs.error is not None
    if any(name in names and not callable(names[name]) for name in read):
        runs = Runs(instrument, names, ask, points, again=True)
    asked_for = [one for one in instrument.nodes if one.kind == "Function" and one.target in read]
    runs.hook.asked = frozenset(one.index for one in asked_for)
    if task == "record":
        return recorded(runs, instrument)
    if stopped:
        runs.define(instrument.codes())
    runs.weigh()
    runs.ends = began + asked["seconds"]
    search = Search(runs, instrument, asked, read)
    return {"found": search.found(), "runs": int(runs.count), "most": runs.most}
