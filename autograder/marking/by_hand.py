"""The judge of calculations by hand: a chain of steps, each a formula in the values before it.

Every value is compared with the exact one, and with what follows from the student's own earlier values. Four rules
tell a slip, which costs its own line, from a number that somebody chose:

1. A wrong value is carried on when a known mistake explains it, or when it is of the right size: within a factor of
   :data:`CARRIED` of what should stand there. In the place of any other value the right one is carried on.
2. What follows from an unexplained value counts only if half or twice that value would give something else, and if
   there is something left of it: a flat sigmoid, or a step too small to be seen in four figures, shows nothing.
3. A slip that is made again is not charged again; a value that is only copied from elsewhere is, each time, and so is
   one of which rounding to a whole number has left nothing.
4. A number that stands in :data:`REPEATED` places where it is wrong was written, not worked out: nothing
   follows from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograder.exercise import RIGHT, Judge, Line, Reply, Values, Verdict
from autograder.marking.compare import HAND, as_numbers, compare
from autograder.marking.judges import Truth, merged, nothing_new, wrong
from autograder.marking.slips import At, worked_out
from autograder.mistakes import known

CARRIED = 100.0
"""How far an unexplained value may be from the right one in size: two places of the decimal point. For 400 students'
numbers all known mistakes but three stay within a factor of 20; those three are explained, and carried at any size."""

REPEATED = 2
"""In how many places one wrong number shows that it was chosen; what follows from a slip is right, and not counted."""

ROUNDED = ("too-few-figures", "decimals-for-figures", "cut-off-not-rounded")
"""What two values may be that are rounded to one: these are no chosen numbers."""

LEFT = 1e-6
"""How small what follows may be beside the exact value: differences may cancel, but not more than this."""

FIGURES = 4
"""The significant figures that a calculation by hand is asked for."""


class Slip(NamedTuple):
    """A known wrong formula: the id of the mistake, the formula, and where they are not empty hint and title.

    ``figures`` are significant figures that it takes to prove it.
    """

    id: str
    formula: str
    hint: str = ""
    title: str = ""
    figures: int | None = None

    @property
    def copied(self) -> bool:
        """Whether the formula only repeats another value."""
        return self.formula.isidentifier()


@dataclass(frozen=True)
class Step:
    """One value that is asked: its name and points, how it follows from what comes before, why, and known slips.

    ``also`` are other right formulas, which differ when own values do not fit together. ``figures`` asks for so many
    significant figures in the place of :data:`~autograder.marking.compare.HAND`.
    """

    name: str
    points: float
    formula: str
    why: str = ""
    slips: tuple[Slip, ...] = ()
    also: tuple[str, ...] = ()
    figures: int | None = None
    label: str = ""

    @property
    def line(self) -> Line:
        """The line that is marked."""
        return Line(self.name, self.points, self.label or self.name)

    def agrees(self, got: Any, expected: np.ndarray, figures: int | None = None) -> bool:
        """Whether an answer is this value, worked out by hand."""
        return compare(got, expected, rtol=HAND, figures=figures or self.figures).equal


def work_out(formula: str, values: Values) -> np.ndarray | None:
    """The value of a formula, or None where a value that it needs does not fit."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(worked_out(formula, At(values, {})), dtype=float)
    except (NameError, KeyError, ValueError, ZeroDivisionError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def names_in(formula: str) -> frozenset[str]:
    """The names that stand in a formula."""
    return frozenset(compile(formula, "<formula>", "eval").co_names)


def work_out_all(steps: Iterable[Step], start: Values) -> dict[str, Any]:
    """Every value by its formula, beside those that they start from."""
    known = dict(start)
    for step in steps:
        known[step.name] = work_out(step.formula, known)
    return known


def chain(parts: Mapping[str, Sequence[Step]], truth: Truth, start: Callable[[Values], Values]) -> Judge:
    """A judge of the steps of all questions, by the questions' ids.

    ``truth`` gives the exact values for what is given, ``start`` the numbers that the first formulas use.
    Raises UnknownMistake when a slip is not in the catalogue.
    """
    known(*(slip.id for steps in parts.values() for step in steps for slip in step.slips))
    last: list[tuple[Reply, dict[str, Verdict]]] = []  # each question asks for its lines of the same walk

    def judge(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        (reply,) = replies
        walked = next((one for one in last if one[0].values is reply.values and one[0].given is reply.given), None)
        if walked is None:
            walked = reply, verdicts_of(reply)
            last[:] = [walked]  # only to save time: what is returned is this reply's, whatever other threads leave here
        return {line.name: walked[1][line.name] for line in lines}

    def verdicts_of(reply: Reply) -> dict[str, Verdict]:
        exact = {name: np.asarray(value, dtype=float) for name, value in truth(reply.given).items()}

        def walked(chosen: frozenset[float]) -> dict[str, Verdict]:
            walk = _Walk(dict(start(reply.given)), chosen)
            return {step.name: walk.line(part, step, exact[step.name], reply) for part in parts for step in parts[part]}

        verdicts = walked(frozenset())
        if chosen := _repeated(verdicts, reply, exact):
            verdicts = walked(chosen)
        return verdicts

    return judge


def _repeated(verdicts: Mapping[str, Verdict], reply: Reply, exact: Values) -> frozenset[float]:
    """The numbers that stand alone in several places where they are wrong."""
    off = [name for name, told in verdicts.items() if not told.share and not {*told.mistakes} & {*ROUNDED}]
    own = {name: _numbers(reply.values.get(name), exact[name].shape) for name in off}
    alone = Counter(float(value.flat[0]) for value in own.values() if value is not None and not np.ptp(value))
    return frozenset(number for number, times in alone.items() if times >= REPEATED)


class _Walk:
    """One way through the chain.

    ``known`` is what the next formula is worked out from. ``moved`` holds two other values of everything unexplained,
    and of what follows from it. ``charged`` are the mistakes named so far, formulas by the part of the sheet, and
    ``decimals`` where the first rounded value was rounded. From ``chosen`` numbers nothing follows.
    """

    def __init__(self, known: dict[str, Any], chosen: frozenset[float]) -> None:
        self.known = known
        self.chosen = chosen
        self.moved: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        self.charged: set[tuple[str, str]] = set()
        self.decimals: int | None = None

    def line(self, part: str, step: Step, exact: np.ndarray, reply: Reply) -> Verdict:
        """The verdict on one step, after which what the next ones are worked out from is known."""
        got, commas = _read(reply.values.get(step.name), exact.size)
        found = compare(got, exact, rtol=HAND, figures=step.figures)
        own = _numbers(got, exact.shape)
        ways = {
            formula: value.reshape(exact.shape)
            for formula in (step.formula, *step.also)
            if (value := work_out(formula, self.known)) is not None and _fits(value, exact.size)
        }
        due = next(iter(ways.values()), exact)
        right, unseen = (RIGHT, "") if found.equal else self._follows(step, got, own, ways, exact)
        if right is not None:
            self.known[step.name] = own
            return self._charge(Verdict.named("decimal-comma", title=COMMA)) if commas else right
        told = wrong(step.line, [Reply(reply.given, {step.name: got}, reply.shown)], [due], [found])
        if own is not None and not np.ptp(own) and float(own.flat[0]) in self.chosen:
            self.known[step.name] = due
            says = f"{own.flat[0]:g} stands in several places where it is wrong: nothing follows from it."
            return merged(told, Verdict("wrong", message=says))
        explained = None if own is None or unseen else self._explain(part, step, got, own, (*ways.values(), exact))
        sized = own is not None and np.any(own) and (explained is not None or _of_size(own, due))
        carried = own if sized else None
        self.known[step.name] = due if carried is None else carried
        if explained is not None:
            return explained if explained.share else merged(told, explained)
        if carried is not None:
            for moved, factor in zip(self.moved, (0.5, 2)):
                moved[step.name] = factor * carried
        elif own is not None and np.any(own):
            unseen = f"`{step.name}` is far from the right size: what comes after is compared with the right value."
        return merged(told, Verdict("wrong", message=unseen)) if unseen else told

    def _follows(
        self, step: Step, got: Any, own: np.ndarray | None, ways: Mapping[str, np.ndarray], exact: np.ndarray
    ) -> tuple[Verdict | None, str]:
        """The verdict on what follows from own values, if it does, and what is to be said where that shows nothing."""
        unseen = ""
        for formula, value in ways.items():
            if own is None or not np.any(own) or not step.agrees(got, value):
                continue
            if np.max(np.abs(value)) < LEFT * np.max(np.abs(exact)):
                unseen = "This follows from your earlier values, but it is almost nothing: it shows nothing."
                continue
            if chosen := sorted(names_in(formula) & self.moved[0].keys()):
                others = [work_out(formula, self.known | moved) for moved in self.moved]
                if all(o is None or step.agrees(got, o.reshape(own.shape)) for o in others):
                    names = " and ".join(chosen)
                    unseen = f"This follows from your {names}, but would be the same for another one: it shows nothing."
                    continue
                for moved, other in zip(self.moved, others):
                    moved[step.name] = own if other is None else other.reshape(own.shape)
            return Verdict("correct", 1.0, own=True, message="Right, given your earlier values."), ""
        return None, unseen

    def _explain(self, part: str, step: Step, got: Any, own: np.ndarray, right: Sequence[np.ndarray]) -> Verdict | None:
        """The verdict on a wrong value that a known mistake explains."""
        found = [slip for slip in step.slips if self._gives(step, slip, got, own)]
        if len({slip.id for slip in found}) == 1:
            slip = found[0]
            return self._charge(Verdict.named(slip.id, title=slip.title, hint=slip.hint), part, again=not slip.copied)
        for expected in right:
            if places := _places(own, expected):
                said = f"This is {10 ** abs(places):,} times too {'large' if places > 0 else 'small'}"
                said += ": the figures are right, the decimal point is not"
                return self._charge(Verdict.named("wrong-power-of-ten", title=said))
            if rounded := rounding(own, expected):
                told = Verdict.named(rounded.mistake, title=rounded.says)
                same = rounded.decimals > 0 and self.decimals in (None, rounded.decimals)
                again = bool(np.any(own)) and (rounded.figures > 1 or same)
                self.decimals = rounded.decimals if self.decimals is None else self.decimals
                return self._charge(told, key="rounding", again=again)
        return None

    def _gives(self, step: Step, slip: Slip, got: Any, own: np.ndarray) -> bool:
        value = work_out(slip.formula, self.known)
        return value is not None and _fits(value, own.size) and step.agrees(got, value.reshape(own.shape), slip.figures)

    def _charge(self, told: Verdict, part: str = "", *, key: str = "", again: bool = True) -> Verdict:
        """A named mistake; or nothing new, where it has been named before and may be made ``again``."""
        (mistake,) = told.mistakes
        if again and (part, key or mistake) in self.charged:
            return nothing_new(mistake)
        self.charged.add((part, key or mistake))
        return told


def _fits(value: np.ndarray, size: int) -> bool:
    return value.size == size and bool(np.isfinite(value).all())


def _of_size(own: np.ndarray, due: np.ndarray) -> bool:
    """Whether a value could be a slip, by its size."""
    largest, right = np.max(np.abs(own)), np.max(np.abs(due))
    return bool(right / CARRIED <= largest <= right * CARRIED)


# How numbers are written --------------------------------------------------------------------------------------------

COMMA = "A decimal comma makes two numbers of one: write 1.5 and not 1,5."


def _numbers(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """The student's value in the right shape, if it has as many finite numbers."""
    array = as_numbers(value)
    if isinstance(array, str) or not _fits(array, prod(shape)):
        return None
    return array.astype(float).reshape(shape)


def _read(value: Any, size: int) -> tuple[Any, bool]:
    """The value, and whether it was read with decimal commas: as the text "1,5", or the two whole numbers 1, 5.

    >>> _read((1, 5), 1)
    (array([1.5]), True)
    """
    texts: list[str] = []
    try:
        entries = np.asarray(value, dtype=object).ravel() if isinstance(value, str | list | tuple | np.ndarray) else ()
    except ValueError:  # arrays of several shapes in a list
        return value, False
    if len(entries) == size and all(isinstance(entry, str) and "," in entry for entry in entries):
        texts = [entry.strip().replace(",", ".") for entry in entries]
    elif len(entries) == 2 * size and all(type(n) is int or isinstance(n, np.integer) for n in entries):
        texts = [f"{whole}.{part}" for whole, part in zip(entries[::2], entries[1::2])]
    try:
        return (np.array([float(text) for text in texts]), True) if texts else (value, False)
    except ValueError:
        return value, False


def _places(own: np.ndarray, expected: np.ndarray) -> int:
    """By how many places the decimal point is too far to the right everywhere; 0 where that is not what is wrong.

    Where the figures are a single one, as of 10, they prove nothing.
    """
    if all(f"{abs(e):.3e}"[1:5] == ".000" for e in expected.flat):
        return 0
    with np.errstate(all="ignore"):
        places = np.round(np.log10(np.abs(own / expected)))
    if not np.all(np.isfinite(places)) or np.ptp(places) or not 1 <= abs(places.flat[0]) <= 6:
        return 0
    shifted = expected * 10.0**places
    return int(places.flat[0]) if np.all(np.abs(own - shifted) <= HAND * np.abs(shifted)) else 0


class Rounding(NamedTuple):
    """What a value says that is right but for its rounding.

    ``decimals`` is where it was rounded, ``figures`` how many its shortest entry has.
    """

    mistake: str
    says: str
    decimals: int
    figures: int


def rounding(own: np.ndarray, expected: np.ndarray) -> Rounding | None:
    """How a wrong value differs from the right one, if it is the right one with too few figures or the last cut off.

    >>> rounding(np.array([0.00043]), np.array([0.00043307])).says
    '0.00043 has two significant figures; four are asked.'
    """
    if not np.all(expected) or np.all(expected == np.round(expected)):
        return None
    pairs = [(float(x), float(e)) for x, e in zip(own.flat, expected.flat)]
    written = [Decimal(repr(x)).normalize().as_tuple() for x, _ in pairs]
    decimals = max(0, *(-int(w.exponent) for w in written))
    most = max(len(w.digits) for w in written)
    if all(_is_cut(x, e, 10.0**-decimals) for x, e in pairs):
        figures = [max(0, _magnitude(x or e) + decimals) for x, e in pairs]
    elif all(_is_cut(x, e, 10.0 ** (_magnitude(e) - most)) for x, e in pairs):
        figures = [most] * len(pairs)
    else:
        return None
    place = int(np.argmin(figures))
    count, x = figures[place], pairs[place][0]
    if count >= FIGURES:
        return Rounding("cut-off-not-rounded", "The last figure is cut off, not rounded.", decimals, count)
    if not x and abs(pairs[place][1]) >= 0.005:
        return None
    if not x:
        said = f"Rounded to {decimals} decimal{'s' * (decimals != 1)} nothing is left: give four significant figures."
        return Rounding("decimals-for-figures", said, decimals, 0)
    counted = f"{('one', 'two', 'three')[count - 1]} significant figure{'s' * (count > 1)}"
    said = f"{x:.{decimals}f} has {counted}; four are asked."
    mistake = "decimals-for-figures" if abs(x) < 0.1 and decimals >= FIGURES - 1 else "too-few-figures"
    return Rounding(mistake, said, decimals, count)


def _magnitude(x: float) -> int:
    """How many figures a number has before the decimal point: 1 for 2.5, 0 for 0.8, -3 for 0.0004."""
    return int(np.floor(np.log10(abs(x)))) + 1


def _is_cut(x: float, exact: float, unit: float) -> bool:
    """Whether a number is another one, rounded to a unit or cut off there."""
    whole = abs(x / unit - np.round(x / unit)) < 1e-6
    return whole and x * exact >= 0 and -0.505 * unit <= abs(exact) - abs(x) < unit
