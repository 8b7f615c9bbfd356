"""The search: one repair after the other, until everything is exact or nothing helps."""

from __future__ import annotations

import ast
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..stopwatch import OutOfTime, disarm
from .candidates import is_scaled
from .edits import Unit
from .hooks import RECORD
from .instrument import Instrument
from .mutants import Mutants
from .needed import needed
from .proofs import CHEAP, FEW, Change, Joint, Repair, Twins, over_at, tells
from .putting import Mutant
from .recording import recorded
from .rows import KNOWN, OF_THAT_NAME
from .runs import Plain, Runs, same, same_draws, unsteady
from .seen import Candidate
from .telling import names_of, told_of
from .undone import Undone

MOST_STEPS = 6
"""So many mistakes are looked for, one after the other."""

STRONG = 0.3
"""With a repair below this price no small change of the code is tried."""

AT_LEAST = 12
"""Where a try that mends nothing ends early in a run, so many whole runs are left for the search."""

DEEPER = 4500
"""So often may functions call each other, where that is what is wrong: the stack of a process holds no more."""

SHARE = 0.6
"""So much of the runs that are left may the values of one step take; small changes of the code take the rest."""


class Search(Undone):
    """The search for one question; ``steps`` are the repairs that it has found so far."""

    def __init__(self, *arguments: Any) -> None:
        """Nothing is found yet."""
        super().__init__(*arguments)
        self.steps: list[Plain] = []
        self.is_right = False  #: whether all answers are right as they are
        self.is_other = False  #: whether another choice was made than the solution's

    def found(self) -> list[Plain]:
        """The repairs, in the order in which they were found, each proved at a point that the search has not used."""
        steps = self.steps
        first: list[Plain] = []
        for point in self.points:
            first.append(self.runs.run(point, {}))
            if self.runs.error is not None:
                self.stops.add(point)
        self.records = [self._recorded(point) for point in self.points]
        # as the memory, of which a record takes more: with this nothing is proved
        otherwise = unsteady(first, [one.answers for one in self.records])
        for exact in self.exact:
            for name in [one for one in exact if one.split("\n")[0] in otherwise]:
                del exact[name]
        right = set(self.exact[0]).intersection(*(self._right(*one) for one in enumerate(first)))
        self.is_right = right == set(self.exact[0])
        if any(name.split("\n")[0] in self.choices for name in set(self.exact[0]) - right):
            self.is_other = True
            return []  # the solution's answers are not those of this choice
        if self.runs.head(self._soon(right)) < CHEAP:
            self.runs.most = max(self.runs.most, int(self.runs.count) + len(self.points) + AT_LEAST)
        undo: list[Callable[[], None]] = []
        steps += self._too_deep(right) or self._changing_what_is_given(right)
        try:
            for _ in range(MOST_STEPS):
                if right == set(self.exact[0]) or self.runs.count > self.runs.most:
                    break
                before = right
                for best, _ in self._step(right):
                    told = [self._told(part) for part in (best.parts if isinstance(best, Twins | Joint) else [best])]
                    proved = self._proved(best, undo)
                    if proved > right:
                        beside = sorted({*names_of(right)} - {*names_of(set(self.exact[0]) - right)})
                        steps += [{**one, "mends": names_of(proved - right), "beside": beside} for one in told]
                        right = proved
                        if isinstance(best, Mutant) and best.kind.startswith("also") and right != set(self.exact[0]):
                            steps[-1]["kind"] = "also"  # something is due there, and this is not yet it
                            return steps
                    elif isinstance(best, Change) and undo:
                        undo.pop()()
                if right == before:
                    steps += self._left_out(right)
                    break
        finally:
            for one in reversed(undo):
                one()
        return steps

    def _step(self, right: set[str]) -> list[tuple[Repair, set[str]]]:
        """The repairs that mend most; those after the first mend something else than the ones before them."""
        self._look(right)
        successes: list[tuple[Repair, set[str]]] = []
        tried: set[Any] = set()
        wrong = set(self.exact[0]) - right
        head = self.runs.head(self._soon(right))
        tries = int(self.runs.most / head)
        few = tries < 100  # then what is asked comes first: it shows the statement at least
        end: float = self.runs.most
        copies: dict[Any, tuple[Repair, set[str]]] = {}
        ordered = sorted(
            self.candidates.all(tries, self.focus), key=lambda one: (few and one.rank < 2, one.rank, *self._likely(one))
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
        successes += self._in_rows(right, end, first=True)
        if not successes:
            successes += self._jointly(right, self._handed())
        if any(gained == wrong for _, gained in successes):
            ordered = []
        end = self.runs.count + (0.9 if few else SHARE) * (self.runs.most - self.runs.count)
        many = len(ordered) * head > end - self.runs.count
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
            gained = self._gained(right, [over_at(candidate, point) for point in self.points])
            by_chance = self._fits_by_chance(candidate.kind, right, gained)
            if gained and not by_chance and not self._is_alias(candidate, right, gained, copies):
                successes.append((candidate, gained))
        successes = list(_determined(successes, arrays=False))
        if not any(self._holds(one, right | gained) for one, gained in successes):
            successes = []
        if not successes:
            successes += self._in_rows(right, end, first=False)
        successes += [one for one in copies.values() if one[1]]
        is_told = tries < FEW and any(one.rank <= OF_THAT_NAME and mends == wrong for one, mends in successes)
        if not is_told and not any(self._is_strong(*one) for one in _determined(successes, arrays=True)):
            if not many:
                successes += self._mutated(right, self.runs.most)
            if not successes:
                successes += self._twins(right)
            if not successes:
                successes += self._jointly(right, self.rows.named() + self._handed())
        successes.sort(key=lambda one: self._price(one, successes))
        chosen: list[tuple[Repair, set[str]]] = []
        mended: set[str] = set()
        for best, gained in successes:
            if not gained & mended and self._holds(best, right | gained):
                chosen.append((self._as_it_began(best, right, gained), gained))
                mended |= gained
                if isinstance(best, Change):
                    break  # what has been recorded is no longer so
        return chosen

    def _is_strong(self, one: Repair, gained: set[str]) -> bool:
        """Whether no small change of the code is worth a try beside it. To what was given, as it is, a branch leads."""
        return self._priced(one) < STRONG and not self._is_index(one) and not gained <= self.unchanged

    def _in_rows(self, right: set[str], end: float, *, first: bool) -> list[tuple[Repair, set[str]]]:
        """The rows that mend something in the place of others: ``first`` where something is first unknown."""
        found: list[tuple[Repair, set[str]]] = []
        candidates = list(self.rows.all())
        if first:
            candidates += [*self.calls.all(self.in_calls, self.rows, self.verdicts), *self._handed()]
        for candidate in sorted(candidates, key=lambda one: (one.rank, self.nodes[one.key[0]].size)):
            node = self.nodes[candidate.key[0]]
            if self._is_spent(end):
                break
            if (candidate.rank < KNOWN) != first:
                continue
            if self._calls_itself(node) or node.index in self._helping() or node.index in self.unreached:
                continue
            gained = self._gained(right, [over_at(candidate, point) for point in self.points])
            others = self.rows.in_operands(node.index) if candidate.kind != "handed" else ()
            if gained and not any(self._mends([one], right) >= gained for one in others):
                found.append((candidate, gained))
        return found

    def _jointly(self, right: set[str], parts_of_it: list[Candidate]) -> list[tuple[Repair, set[str]]]:
        """As few of several repairs as mend as much as all of them: names with the rows that the solution gives them,
        and what it hands to calls."""
        if len(parts_of_it) < 2 or not self._mends(parts_of_it, right):
            return []
        for one in parts_of_it[::-1]:
            fewer = [other for other in parts_of_it if other is not one]
            if self._mends(fewer, right):
                parts_of_it = fewer
        if len(parts_of_it) < 2:
            return []  # one that mends as much alone was left out before, for a reason
        return [(Joint(0.5, tuple(parts_of_it)), self._mends(parts_of_it, right))]

    def _handed(self) -> list[Candidate]:
        """The arguments of the solution in the place of others."""
        return list(self.handed.all(self.given_rows, self.candidates.generators, {key[0] for key in self.over[0]}))

    def _likely(self, one: Candidate) -> tuple[bool, bool, bool]:
        """Of what costs the same, arrays first, for numbers fit by chance; then what the solution gives a name so
        called, and numbers that are written down."""
        node = self.nodes[one.key[0]]
        return not np.ndim(one.values[0]), not self.candidates.is_called(one, node), node.kind != "Constant"

    def _is_alias(self, candidate: Candidate, right: set[str], gained: set[str], copies: dict[Any, Any]) -> bool:
        """Whether a copy of what stands there mends as much: then it is changed in place, and no other value is due."""
        values = self.candidates.seen.get(candidate.key, ())
        if not values or isinstance(values[0], bool) or not values[0].ndim:
            return False
        name = candidate.key, candidate.also
        if name not in copies:
            copied = Candidate(1.5, candidate.key, "copy", -1, values, also=candidate.also)
            copies[name] = copied, self._gained(right, [over_at(copied, point) for point in self.points])
        return bool(copies[name][1] >= gained)

    def _changing_what_is_given(self, right: set[str]) -> list[Plain]:
        """Where all answers are right and an argument is changed: the statement that does not with a copy of it."""
        if right != set(self.exact[0]) or not self.runs.changes_given():
            return []
        self.mutants = Mutants(self.instrument, self.runs.kept, whole=bool(self.runs.codes))
        self.runs.run(0, self.over[0], RECORD)
        self.left_behind = self.runs.hook.left_behind
        self.objects = {key: value for key, (_, value, _) in self.runs.hook.seen.items()}
        every = list(self.mutants.copying(self._written_to))
        found = next(([one] for one in every if self._keeps_what_is_given([one], right)), [])
        if not found:  # several arguments are changed
            found = list({(id(one.unit.tree), one.kind): one for one in reversed(every)}.values())[::-1]
            found = found if self._keeps_what_is_given(found, right) else []
            for one in found[:]:
                fewer = [other for other in found if other is not one]
                found = fewer if self._keeps_what_is_given(fewer, right) else found
        return [{**self._told(found[0]), "mends": names_of(right)}] if found else []

    def _written_to(self, unit: Unit, own: Any) -> Iterator[str]:
        """The arguments of a function into which a statement writes, whatever its target is called."""
        for node in self.nodes:
            if node.kind == "AugAssign" and (node.cell, node.line, node.col) == (unit.cell, own.lineno, own.col_offset):
                target = self.objects.get((node.children[0], 0))
                for names in self._ends(unit):
                    given = {one.arg: names.get(one.arg) for one in ast.walk(unit.tree) if isinstance(one, ast.arg)}
                    yield from (name for name, value in given.items() if _holds_memory_of(value, target))

    def _keeps_what_is_given(self, mutants: list[Mutant], right: set[str]) -> bool:
        """Whether nothing that is given is changed with these changes of the code, and all is as right as it was."""
        back = self._put_all(tuple(mutants))
        if back is None:
            return False
        try:
            return not self.runs.changes_given() and self._rights(self.over, self.points) == right
        finally:
            back()

    def _too_deep(self, right: set[str]) -> list[Plain]:
        """Where a function calls itself, if more is right as soon as it may do so more often."""
        node = next((one for one in self.nodes if self._calls_itself(one)), None)
        if node is None or right == set(self.exact[0]) or sys.platform == "emscripten":
            return []
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(DEEPER)
        try:
            proved = self._rights(self.over, self.points)
        finally:
            sys.setrecursionlimit(usual)
        if not proved > right or not any(tells(one[name]) for name in proved - right for one in self.exact):
            return []
        place = node.cell, node.line, node.end_line, node.col, node.end_col
        return [told_of(place, "deep", proved - right)]


def _determined(successes: list[tuple[Repair, set[str]]], *, arrays: bool) -> Iterator[tuple[Repair, set[str]]]:
    """The repairs but those where another number, or array, in the same place mends as much: a branch may be taken that
    does not depend on it, and which one is due there is not known."""
    alike: dict[Any, list[tuple[Any, ...]]] = {}
    for one, gained in successes:
        if isinstance(one, Candidate) and isinstance(one.values[0], np.ndarray) and (arrays or not one.values[0].ndim):
            alike.setdefault((one.key, one.also, frozenset(gained)), []).append(one.values)
    for one, gained in successes:
        others = alike.get((one.key, one.also, frozenset(gained)), []) if isinstance(one, Candidate) else []
        if all(all(map(same, others[0], other)) for other in others):
            yield one, gained


def _holds_memory_of(value: Any, target: Any) -> bool:
    """Whether an array, or one in a list, is the one that is written to, or has a part in common with it."""
    arrays = value if isinstance(value, list | tuple) else [value]
    return isinstance(target, np.ndarray) and any(
        isinstance(one, np.ndarray) and np.may_share_memory(one, target) for one in arrays
    )


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
    nothing: Plain = {"answers": []} if task == "record" else {"found": [], "runs": 1, "most": 0}
    if runs.is_long():
        return nothing
    stopped = (runs.error or runs.caught) is not None
    if any(name in names and not callable(names[name]) for name in read):
        runs = Runs(instrument, names, ask, points, again=True)
        if runs.is_long(needed(instrument.trees, read)):
            return nothing
    asked_for = [one for one in instrument.nodes if one.kind == "Function" and one.target in read]
    runs.hook.asked = frozenset(one.index for one in asked_for)
    if task == "record":
        return recorded(runs, instrument)
    runs.leave_out(needed(instrument.trees, read))
    if stopped:
        runs.define(instrument.codes())
    runs.weigh()
    runs.ends = began + asked["seconds"]
    search = Search(runs, instrument, asked, read)
    failed = ""
    try:
        search.found()
    except OutOfTime:  # what was found until then has been proved
        disarm()
    except Exception as error:  # of the search itself: those of the code are kept by its runs
        failed = f"{type(error).__name__}: {error} (line {_last_line(error)})"
    made = {"found": search.steps, "runs": int(runs.count), "most": runs.most, "right": search.is_right}
    return {**made, "failed": failed, "other": search.is_other}


def _last_line(error: Exception) -> str:
    """The last line of the search through which an error came."""
    folder = __file__.rpartition("/")[0]
    every = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    file, line = [one for one in every if one[0].startswith(folder)][-1]
    return f"{line} of {file.rpartition('/')[2]}"
