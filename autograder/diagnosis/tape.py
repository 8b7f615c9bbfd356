"""Any computation as a list of steps with exact vector-Jacobian products, and the ways in which people err in each.

A step takes named values and gives one. The backward pass goes through the steps in reverse order and adds up what
reaches each value; a slip is a step done otherwise, forwards or backwards. What the slips give is compared with the
answers: a set of slips is named when it gives every answer at every point, and no other one with as few mistakes does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

import numpy as np

from autograder.diagnosis.explanation import EXACT, SPARE, same
from autograder.diagnosis.spec import Array, Point
from autograder.diagnosis.verdicts import CONVENTION, RIGHT, WRONG, Finding, Report
from autograder.mistakes import MISTAKES, known
from autograder.tolerance import DOUBLE, agree, tolerance

Values = dict[str, Array]
Backward = Callable[[Values, Array], Sequence[Array | None]]
"""The values of the forward pass, and the gradient of what the step gives; one gradient for each that it takes."""


@dataclass(frozen=True)
class Slip:
    """A way to do a step wrongly, by the ids of its mistakes. What is None is done rightly."""

    mistakes: tuple[str, ...]
    name: str
    backward: Backward | None = None
    forward: Callable[[Values], Array] | None = None

    def __post_init__(self) -> None:
        """Raise UnknownMistake when a mistake is not in the catalogue."""
        known(*self.mistakes)


@dataclass(frozen=True)
class Step:
    """One step, which belongs to lines of the code: a slip in a line is in all of its steps, by its name."""

    gives: str
    takes: tuple[str, ...]
    forward: Callable[[Values], Array]
    backward: Backward
    slips: tuple[Slip, ...] = ()
    line: str = ""
    wider: str = ""  # a line that holds this one and others, as that of all layers

    def slip(self, chosen: Chosen) -> Slip | None:
        """The slip that is made here, if any."""
        for line in (self.line, self.wider):
            if line in chosen:
                return next((one for one in self.slips if one.name == chosen[line].slip.name), None)
        return None


@dataclass(frozen=True)
class Choice:
    """A slip at one place: a line of the code, or what is done with an answer in the end, given the inputs."""

    line: str
    slip: Slip
    end: Callable[[Values, Array], Array] | None = None

    @property
    def key(self) -> str:
        """What it is, as ``line=option``."""
        return f"{self.line}={self.slip.name}"


Chosen = Mapping[str, Choice]
"""By line."""


class Computation(Protocol):
    """What is asked for: the names of the answers in backward order, how they are made, and how people err."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The names of the answers."""
        ...

    def choices(self, inputs: Values) -> Sequence[Choice]:
        """Every slip."""
        ...

    def run(self, inputs: Values, chosen: Chosen) -> Values:
        """The answers, with some lines done otherwise. Raises ValueError where that does not fit these shapes."""
        ...


def gradients(steps: Sequence[Step], inputs: Values, upstream: Values, chosen: Chosen) -> tuple[Values, Values]:
    """The values of the forward pass, and the gradient that reaches each of them."""
    values = dict(inputs)
    for step in steps:
        slip = step.slip(chosen)
        values[step.gives] = (slip.forward if slip and slip.forward else step.forward)(values)
    reached = dict(upstream)
    for step in reversed(steps):
        if step.gives not in reached:
            continue
        slip = step.slip(chosen)
        parts = (slip.backward if slip and slip.backward else step.backward)(values, reached[step.gives])
        for name, part in zip(step.takes, parts):
            if part is not None:
                reached[name] = reached[name] + part if name in reached else part
    return values, reached


@dataclass(frozen=True)
class Tape:
    """A layer: steps, the gradient ``g`` of what it gives, and gradients as answers."""

    made: Callable[[Values], Sequence[Step]]
    of: tuple[str, ...]
    out: str = "out"
    upstream: str = "g"
    examples: str = ""  # the input whose first axis counts the examples

    @property
    def answers(self) -> tuple[str, ...]:
        """The gradients, such as ``dx``."""
        return tuple(f"d{name}" for name in self.of)

    def forward(self, inputs: Values) -> Array:
        """What the layer gives."""
        values = dict(inputs)
        for step in self.made(inputs):
            values[step.gives] = step.forward(values)
        return values[self.out]

    def choices(self, inputs: Values) -> list[Choice]:
        """The slips of every line, and what may become of an answer in the end."""
        return [*slips_of(self.made(inputs)), *endings(self.answers, self.examples)]

    def run(self, inputs: Values, chosen: Chosen) -> Values:
        """The gradients."""
        try:
            _, reached = gradients(self.made(inputs), inputs, {self.out: inputs[self.upstream]}, chosen)
        except (IndexError, TypeError) as error:
            raise ValueError(str(error)) from None
        found = {f"d{n}": reached.get(n, np.zeros_like(inputs[n], float)) for n in self.of if n in inputs}
        return ended(inputs, found, chosen)


def slips_of(steps: Sequence[Step]) -> list[Choice]:
    """Every slip in every line, each once."""
    found: dict[str, Choice] = {}
    lines = {step.wider: {one.line for one in steps if one.wider == step.wider} for step in steps if step.wider}
    for step in steps:
        for line in (step.line, step.wider) if len(lines.get(step.wider, ())) > 1 else (step.line,):
            for slip in step.slips:
                one = Choice(line, slip)
                found.setdefault(one.key, one)
    return list(found.values())


def endings(answers: Sequence[str], examples: str = "") -> Iterator[Choice]:
    """What becomes of answers in the end, of each alone or of all of them: a sign, a transpose, a wrong average."""
    ends: list[tuple[str, str, Callable[[Values, Array], Array]]] = [("sign-flipped", "sign", lambda i, v: -v)]
    if examples:
        ends.append(("averaged-instead-of-summed", "mean", lambda i, v: v / len(i[examples])))
    for mistake, name, end in ends:
        for line in ("all answers", *answers):
            yield Choice(f"{name} of {line}", Slip((mistake,), name), end)
    for line in answers:
        yield Choice(f"shape of {line}", Slip(("result-transposed",), "turned"), _turned)
        yield Choice(f"shape of {line}", Slip(("wrong-shape",), "flat"), _flattened)


def _turned(inputs: Values, value: Array) -> Array:
    if value.ndim < 2:
        raise ValueError("a flat vector has no transpose")
    return value.T


def _flattened(inputs: Values, value: Array) -> Array:
    return value.ravel() if value.ndim > 1 else value[None]


def ended(inputs: Values, answers: Values, chosen: Chosen) -> Values:
    """The answers, after what is done with them in the end."""
    for line, choice in chosen.items():
        if choice.end is not None:
            of = line.partition(" of ")[2]
            for name in answers if of == "all answers" else (of,):
                answers[name] = choice.end(inputs, answers[name])
    return answers


# Explaining ----------------------------------------------------------------------------------------------------------

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
