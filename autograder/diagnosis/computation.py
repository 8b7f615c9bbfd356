"""What is right and wrong with the answers of a computation, and which slips give exactly the wrong numbers.

A set of slips is named when it gives every answer at every point, and no other one with as few mistakes does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from autograder.diagnosis.explanation import EXACT, SPARE, same
from autograder.diagnosis.spec import Array, Point
from autograder.diagnosis.tape import Choice, Computation, Values
from autograder.diagnosis.verdicts import CONVENTION, RIGHT, WRONG, Finding, Report
from autograder.mistakes import MISTAKES
from autograder.tolerance import DOUBLE, agree, tolerance

ROUNDING = 1e-13  # of the largest answer: what is smaller is 0
MAX_PAIRS = 4_000  # pairs of slips tried at the first point
Found = tuple[Choice, ...]


@dataclass
class Asked:
    """The answers at every point, and what is due there."""

    computation: Computation
    inputs: Sequence[Values]
    given: Mapping[str, Sequence[Array]]
    due: Sequence[Values]
    _made: dict[tuple[int, tuple[str, ...]], Values | None] = field(default_factory=dict)

    def run(self, at: int, found: Found) -> Values | None:
        """The answers with these slips at a point, each made once; None where they do not fit."""
        key = at, tuple(one.key for one in found)
        if key not in self._made:
            try:
                made: Values | None = self.computation.run(self.inputs[at], {one.line: one for one in found})
            except ValueError:
                made = None
            self._made[key] = made
        return self._made[key]

    def met(self, at: int, name: str, made: Values) -> bool:
        """Whether an answer is what was made, to all its digits."""
        value = self.given[name][at]
        proof = tolerance(value).proof
        return name in made and proof is not None and self.near(at, made[name], value, proof)

    def near(self, at: int, one: Array, other: Array, rtol: float = EXACT) -> bool:
        """Whether two answers are the same; what should be 0 and is rounding, as a bias before batch norm, is 0."""
        if one.shape != other.shape:
            return False
        size = max(float(np.abs(value).max(initial=0.0)) for value in self.due[at].values())
        return same(one, other, rtol) or bool(np.abs(one - other).max(initial=0.0) <= ROUNDING * size)

    def moved(self, found: Found, name: str, at: int = 0) -> bool:
        """Whether an answer is another one than the one that is due."""
        made = self.run(at, found)
        return made is not None and name in made and not self.near(at, made[name], self.due[at][name])

    def meets(self, at: int, found: Found, names: Sequence[str]) -> set[str]:
        """Which answers come out at a point."""
        made = self.run(at, found)
        return set() if made is None else {name for name in names if self.met(at, name, made)}

    def gives(self, found: Found, names: Sequence[str]) -> bool:
        """Whether these answers come out at every point."""
        for at in range(len(self.inputs)):
            made = self.run(at, found)
            if made is None or not all(self.met(at, name, made) for name in names):
                return False
        return True


def explain_computation(computation: Computation, points: Sequence[Point], *, conventions: bool = False) -> Report:
    """Say of each answer whether it is right, and if not, which slips give exactly the numbers.

    First one or two slips are sought that give all answers at once; where there are none, those of each answer alone,
    which must leave the right ones right. Raises ValueError for points that do not fit the computation.
    """
    if not points:
        raise ValueError("no points were given; at least one was expected")
    with np.errstate(all="ignore"):
        return _explain(computation, points, conventions)


def _explain(computation: Computation, points: Sequence[Point], conventions: bool) -> Report:
    inputs = [dict(point.inputs) for point in points]
    due = [computation.run(one, {}) for one in inputs]
    names = [n for n in computation.answers if n in due[0] and all(n in point.answers for point in points)]
    given = {name: [np.asarray(point.answers[name]) for point in points] for name in names}
    asked = Asked(computation, inputs, given, due)
    right = {n for n in names if all(_right(asked, at, n) for at in range(len(points)))}
    findings = {n: Finding(RIGHT) for n in right}
    wrong = [n for n in names if n not in right]
    able = [n for n in wrong if _numbers(given[n]) >= SPARE]
    if wrong:
        explained = _search(asked, names, wrong, able)
        named: set[str] = set()
        for name in wrong:
            findings[name] = _finding(asked, name, explained.get(name), named, points, conventions)
            named |= set(findings[name].mistakes)
    return Report({name: findings[name] for name in names})


def _right(asked: Asked, at: int, name: str) -> bool:
    value, due = asked.given[name][at], asked.due[at][name]
    if value.dtype.kind not in "fiub":
        return False
    right = tolerance(value).right
    if agree(np.asarray(value, float), due, right):
        return True
    rounding = ROUNDING if right == DOUBLE.right else right  # of what is 0 but for rounding
    size = max(float(np.abs(one).max(initial=0.0)) for one in asked.due[at].values())
    return value.shape == due.shape and bool(max(np.abs(value).max(), np.abs(due).max()) <= rounding * size)


def _numbers(values: Sequence[Array]) -> int:
    """How many different numbers there are to prove something with; none where not all are finite, or all are 0."""
    if any(v.dtype.kind not in "fiu" or not np.isfinite(v).all() for v in values):
        return 0
    size = max(float(np.abs(v).max(initial=0.0)) for v in values)
    return np.unique(np.round(np.concatenate([v.ravel() for v in values]) / size, 9)).size if size else 0


def _search(asked: Asked, names: Sequence[str], wrong: Sequence[str], able: Sequence[str]) -> dict[str, list[Found]]:
    """By answer, the sets of slips with the fewest mistakes that give it."""
    choices = _at_work(asked)
    if able == list(wrong) and (found := _together(asked, names, wrong, choices)):
        return dict.fromkeys(wrong, found)
    kept = [n for n in names if n not in wrong]
    alone = {}
    for name in able:
        if found := _together(asked, [*kept, name], [name], choices):
            alone[name] = found
    return alone


def _at_work(asked: Asked) -> list[Choice]:
    """The slips that change an answer at the first point."""
    return [
        one
        for one in asked.computation.choices(asked.inputs[0])
        if any(asked.moved((one,), name) for name in asked.given)
    ]


def _together(asked: Asked, names: Sequence[str], wrong: Sequence[str], choices: Sequence[Choice]) -> list[Found]:
    single: list[Found] = [(one,) for one in choices if asked.gives((one,), names)]
    if single:
        return _fewest(single)
    moved = {one.key: {name for name in names if asked.moved((one,), name)} for one in choices}
    met = {one.key: asked.meets(0, (one,), names) for one in choices}
    pairs: list[Found] = []
    tried = 0
    if any(_numbers(asked.given[name]) < 2 * SPARE for name in wrong):
        return []
    for one, two in combinations(choices, 2):
        first, second = moved[one.key], moved[two.key]
        if one.line == two.line or not set(wrong) <= first | second:
            continue
        if not first - second <= met[one.key] or not second - first <= met[two.key]:
            continue  # what only one of them moves, it must move to where it is
        tried += 1
        if tried > MAX_PAIRS:
            return []  # rivals might be among those not tried
        if asked.gives((one, two), names):
            pairs.append((one, two))
    return _fewest(pairs)


def _fewest(found: list[Found]) -> list[Found]:
    least = min((len(_ids(one)) for one in found), default=0)
    return [one for one in found if len(_ids(one)) == least]


def _ids(found: Found) -> frozenset[str]:
    return frozenset(mistake for one in found for mistake in one.slip.mistakes)


def _finding(
    asked: Asked, name: str, found: list[Found] | None, named: set[str], points: Sequence[Point], conventions: bool
) -> Finding:
    facts = tuple(_measured(name, asked.given[name], [one[name] for one in asked.due], points))
    if not found:
        return Finding(WRONG, facts=facts)
    here = {tuple(dict.fromkeys(_here(asked, name, one))) for one in found}
    if len({frozenset(one) for one in here}) > 1:
        return Finding(
            WRONG, facts=(*facts, "More than one mistake would give exactly these numbers, so none is named.")
        )
    ids = min(here)
    if conventions and all(MISTAKES[id].convention for id in ids):
        words = tuple(f"Exact under another convention: {MISTAKES[id].convention}." for id in ids)
        return Finding(CONVENTION, convention=ids, facts=words)
    mistakes, follows = tuple(i for i in ids if i not in named), tuple(i for i in ids if i in named)
    hint = " ".join(MISTAKES[id].hint for id in mistakes)
    if not mistakes:
        titles = ", ".join(MISTAKES[id].title for id in follows)
        hint = f"No new mistake here: these numbers follow from one above ({titles})."
    places = dict.fromkeys(one.line for one in found[0] if set(one.slip.mistakes) & set(mistakes) and one.end is None)
    where = tuple(f"It is made in the line for {place}." for place in places) if len(found) == 1 else ()
    return Finding(WRONG, mistakes, bool(follows), follows, (), (*facts, *where), None, None, hint)


def _here(asked: Asked, name: str, found: Found) -> Iterator[str]:
    """The mistakes without which this answer would be another one."""
    for one in found:
        without = tuple(other for other in found if other is not one)
        pairs = [(at, asked.run(at, found), asked.run(at, without)) for at in range(len(asked.inputs))]
        if any(a is None or b is None or name not in b or not asked.near(at, a[name], b[name]) for at, a, b in pairs):
            yield from one.slip.mistakes


def _measured(name: str, given: Sequence[Array], due: Sequence[Array], points: Sequence[Point]) -> Iterator[str]:
    """What can be said of a wrong answer, in the shapes that were given."""
    for value, want, point in zip(given, due, points):
        if value.dtype.kind not in "fiub":
            yield f"{name} does not hold real numbers (dtype {value.dtype})."
            return
        if value.shape != want.shape:
            like = next((n for n in (name[1:], name.removesuffix("_new")) if n in point.inputs), None)
            shown = point.shapes.get(name, value.shape), point.shapes.get(like or "", want.shape)
            yield f"{name} has shape {shown[0]}; {f'{like} has {shown[1]}' if like else 'another one is due'}."
            return
        if not np.isfinite(value).all():
            yield f"{name} holds NaN or infinite values."
            return
    if not any(np.any(v) for v in given):
        yield f"Every entry of {name} is zero."
        return
    squares = [float(np.sum(w * w)) for w in due]
    if all(squares):
        factors = [float(np.sum(v * w)) / s for v, w, s in zip(given, due, squares)]
        if np.ptp(factors) <= EXACT * abs(factors[0]) and all(
            same(v, f * w, EXACT) for v, f, w in zip(given, factors, due)
        ):
            yield f"{name} is {factors[0]:.6g} times the right one, in every entry."
            return
    off = [~np.isclose(v, w, rtol=DOUBLE.right, atol=1e-12) for v, w in zip(given, due)]
    count, size = sum(int(o.sum()) for o in off), sum(o.size for o in off)
    if count < size:
        yield f"{count} of the {size} entries of {name} are wrong, the others are right."
