"""What every expression gives in a run, and with which of them something can be mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .formulas import Formula
from .hooks import MOST_VISITS, RECORD, Visit
from .in_calls import verdicts
from .instrument import MODULES, Node
from .proofs import Proofs
from .runs import Plain, as_rows, parts, same
from .seen import Candidate

_SUPER = re.compile(r"super\(\)\.\w+\(")
"""A call of a function that is none of these, though one of them has its name."""

_CALLED = re.compile(r"(?:(\w+)\.)?(?<!\w)([^\W\d]\w*)\(")


@dataclass(frozen=True)
class Record:
    """What a run answers and its error, what every expression gives in it, and at the ends of functions every name."""

    answers: Plain
    error: BaseException | None
    seen: dict[Visit, tuple[Any, Any, int]]
    rows: dict[int, list[Any]]
    in_calls: dict[int, list[tuple[int, Any]]]
    left_behind: dict[Visit, dict[str, Any]]
    visits: dict[int, int]
    call: int


class Weighing(Proofs):
    """A look at the code that runs."""

    records: list[Record]  #: of the code as it is, until it was looked at

    def _recorded(self, point: int) -> Record:
        answers, hook = self.runs.run(point, self.over[point], RECORD), self.runs.hook
        error = self.runs.error or self.runs.caught
        return Record(
            answers, error, hook.seen, hook.rows, hook.in_calls, hook.left_behind, hook.visits, hook.call
        )  # fmt: skip

    def _look(self, right: set[str]) -> None:
        """Run once more, and remember what every expression gives."""
        records = self.records or [self._recorded(point) for point in self.points]
        self.records = []
        seen, rows = [one.seen for one in records], [one.rows for one in records]
        self.in_calls = [one.in_calls for one in records]
        self.left_behind = records[0].left_behind
        self.stopped = self._where_it_stopped(records[0].error) if records[0].error is not None else None
        self.given_rows = rows
        self.verdicts = verdicts(self.whole, records[-1].call)
        self.visited, self.helpers = set(records[-1].visits), None
        if self.stopped is not None and self.stopped[0] >= 0:
            self.visited.add(self.stopped[0])
        common = [key for key in seen[0] if all(key in one for one in seen) and key not in self.over[0]]
        self.objects = {key: seen[0][key][1] for key in common}
        self.order = {key: seen[0][key][2] for key in common}
        self.candidates.generators = self.runs.hook.generators
        self.candidates.see({key: tuple(one[key][0] for one in seen) for key in common}, self.stopped)
        self.rows.see(rows, self.candidates, {key[0] for key in self.over[0]})
        self.candidates.steady, self.candidates.other_counts = self.rows.steady(), self.rows.other_counts()
        self.alone.look(self.searched, self.over, [one.answers for one in records])
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
        right_at = [self._right(point, self.runs.run(point, self.over[point])) for point in self.searched]
        at = next((point for point, one in zip(self.searched, right_at) if one != set(self.exact[0])), 0)
        at = 0 if self.runs.codes else at  # a statement that is run alone is looked at there
        base = parts(as_rows(self.runs.run(at, self.over[at]), self.entries[at]))
        if not self.exact[0].keys() <= base.keys():
            return  # an error that the question has caught
        used: set[int] = set()
        busy: set[int] = set()
        reaches: dict[str, set[int]] = {name: set() for name in self.exact[0]}
        moved: dict[Any, set[str]] = {}

        def is_idle(over: dict[Visit, Any]) -> bool:
            """Whether these values mend nothing; what they reach is kept."""
            index = next(iter(over))[0]
            changed = self._changed_by(over, base, moved, at)
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
            if isinstance(values[0], bool | Formula):
                used.add(key[0])
                busy.add(key[0])
                for found_in in reaches.values():
                    found_in.add(key[0])
                continue
            size = np.max(np.abs(values[at]), where=np.isfinite(values[at]), initial=0.0)
            other = stream.standard_normal(values[at].shape) * (1.0 + size)
            if getattr(getattr(self.objects[key], "dtype", None), "kind", "") == "b":  # of numbers each would be true
                other = stream.integers(0, 2, values[at].shape).astype(float)
                flipped = values[at].copy()
                flipped.flat[:1] = 1 - flipped.flat[:1]  # as many of them may be true as before
                if is_idle({key: other}):
                    other = flipped
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
                    {(key[0], visit): one + stream.standard_normal(np.shape(one)) for visit, one in enumerate(row[at])}
                )
            ):
                busy.add(key[0])
            if row is not None and len(row[0]) > MOST_VISITS:
                busy.add(key[0])  # a visit that was not looked at by itself
        # a mistake that makes this wrong is in one of the fewest expressions; what else it makes wrong does not matter
        self.focus = min((reaches[name] for name in self.exact[0] if name not in right), key=len, default=None) or None
        if self.focus is not None:  # another number beside them may lead to the same answer by chance
            compared = [self.nodes[index] for index in self.focus if self.nodes[index].kind == "Compare"]
            self.focus |= {child for one in compared for child in one.children}
            if self.stopped is not None:
                self.focus.add(self.stopped[0])  # it gives nothing that could be changed
        every = {key[0] for key in seen}
        self.unreached = every - used
        self.unused = self.unreached | (every - busy)

    def _changed_by(self, over: dict[Visit, Any], base: Plain, moved: dict[Any, set[str]], at: int) -> set[str]:
        """The answers that these values change at a point. Of a statement that is run alone it is those that follow
        from what it gives: ``moved`` knows which they are, by the entries that have changed."""
        statement, way = self.alone.of({key[0] for key in over}), None
        if statement is not None:
            way = self.alone.moves(statement, {**self.over[0], **over})
            if way is not None and (way in moved or not any(way[1:])):
                self.runs.count += 1.0  # as the run that it spares
                return moved.get(way, set())
        found = parts(as_rows(self.runs.run(at, {**self.over[at], **over}), self.entries[at]))
        if self.runs.error is not None:
            return set(self.exact[0])
        changed = {name for name in self.exact[0] if name in base and not _is_same(found.get(name), base[name])}
        if way is not None:
            moved[way] = changed
        return changed

    def _where_it_stopped(self, error: BaseException) -> Visit | None:
        """The smallest expression of the code out of which an error came, at the visit at which it did: the whole call,
        where what is called is not there."""
        place: Any = None
        step = error.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            if code.co_filename.startswith("<cell "):
                place = (int(code.co_filename[6:-1]), *list(code.co_positions())[step.tb_lasti // 2])
            step = step.tb_next
        if place is None:
            return None
        around = [one for one in self.nodes if one.kind not in ("AugAssign", "Function") and _holds(one, *place)]
        if not around:
            return None
        node = min(around, key=lambda one: one.size)
        if self.runs.lazy != node.index:
            self.runs.define(self.instrument.lazy(node.index))
            self.runs.lazy = node.index
            self.runs.run(0, self.over[0], RECORD)
        return self.runs.hook.reached

    def _function_of(self, node: Node) -> Node | None:
        """The function in which an expression stands."""
        before = [
            one for one in self.nodes if one.kind == "Function" and one.cell == node.cell and one.line <= node.line
        ]
        return max(before, key=lambda one: one.line, default=None)

    def _calls_itself(self, node: Node) -> bool:
        """Whether a function calls itself here: what is wrong with what comes back is wrong in it."""
        function = self._function_of(node) if node.kind == "Call" else None
        return function is not None and node.text.startswith(f"{function.target}(")

    def _hands_on(self, node: Node) -> bool:
        """Whether a function calls itself here, and returns what comes back, or an entry of it, as it is."""
        if not self._calls_itself(node):
            return False
        while not node.root and node.parent >= 0 and self.nodes[node.parent].kind == "Subscript":
            node = self.nodes[node.parent]
        return node.root == "return"

    def _is_due_outside(self, one: Candidate) -> bool:
        """Whether an answer as a whole would have to come out of a function that only helps to work it out."""
        if not self.candidates.is_asked(one):
            return False
        function = self._function_of(self.nodes[one.key[0]])
        visits = sum(1 for key in self.candidates.seen if key[0] == one.key[0])
        is_direct = function is not None and function.target in self.read and visits == 1 + len(one.also)
        return not is_direct

    def _helping(self) -> set[int]:
        """What is returned by functions that other functions of the code call in this question, which does not ask for
        them: a factor may as well be missing there as where they are called, and what is asked is due where they are
        called."""
        if self.helpers is None:
            names = {one.target for one in self.nodes if one.kind == "Function"}
            within = [
                one for one in self.nodes
                if one.kind == "Call" and not self._hands_on(one)
                and not (one.children and self.visited.isdisjoint((one.index, *one.children)))
            ]  # fmt: skip
            calls = {call for one in within for call in _CALLED.findall(_SUPER.sub("(", one.text))}
            called = names & {name for owner, name in calls if owner not in MODULES - {"self", "cls"}} - self.read
            self.helpers = set()
            for node in self.nodes:
                at = node
                while at.parent >= 0:
                    at = self.nodes[at.parent]
                function = self._function_of(node) if at.root == "return" else None
                if function is not None and function.target in called:
                    self.helpers.add(node.index)
        return self.helpers


def _holds(node: Node, cell: int, line: int, end_line: int, col: int, end_col: int) -> bool:
    """Whether a place lies in an expression, and is all of it or what it calls."""
    begins = (node.cell, node.line, node.col) == (cell, line, col)
    ends = (node.end_line, node.end_col) == (end_line, end_col)
    return begins and (ends or (node.kind == "Call" and (end_line, end_col) < (node.end_line, node.end_col)))


def _is_same(one: Any, other: Any) -> bool:
    return isinstance(one, type(other)) and same(one, other)
