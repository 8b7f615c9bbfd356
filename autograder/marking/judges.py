"""Judges: pure functions from the replies of a probe to a verdict for every line.

The rule that all of them share: a value is right when it is the exact one, or when it is what follows from the
student's own earlier values. One slip costs one line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from autograder.diagnosis import fingerprint
from autograder.exercise import Judge, Line, Reply, Values, Verdict, sentence
from autograder.marking.compare import HAND, Comparison, as_numbers, compare, compare_all
from autograder.mistakes import NOT_DONE, known

Result = TypeVar("Result")

Truth = Callable[[Values], Mapping[str, np.ndarray]]
"""The exact values for the inputs of a challenge."""

Follow = Callable[[Values, Values], Sequence[Mapping[str, np.ndarray]]]
"""What follows from the student's own values; one mapping for each right way to read them."""

Explain = Callable[[Sequence[Reply]], Mapping[str, Verdict]]
"""What is known about wrong values: verdicts for the lines that can be explained."""

SMALLEST = 1e-6
"""Part of the exact size below which a value is not marked by what follows from the student's own ones."""

FLAT_SHARE = 0.5
"""Part of a line's points for the right numbers in a shape that only lacks an axis, such as (h,) for (h, 1)."""


def remembered(truth: Callable[[Values], Result]) -> Callable[[Values], Result]:
    """The same function with its results kept: a class is asked the same challenges."""

    @lru_cache(maxsize=256)
    def at(key: tuple[tuple[str, str, tuple[int, ...], bytes], ...]) -> Result:
        return truth({name: np.frombuffer(data, dtype=dtype).reshape(shape) for name, dtype, shape, data in key})

    def wrapped(given: Values) -> Result:
        arrays = {name: np.asarray(value) for name, value in sorted(given.items())}
        return at(tuple((name, a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()))

    return wrapped


def values(
    truth: Truth,
    *,
    follow: Follow | None = None,
    explain: Explain | None = None,
    by_hand: bool = False,
    of: str = "",
    by_content: bool = True,
    each: Collection[str] = (),
) -> Judge:
    """A judge that compares every line with the exact value of the same name.

    ``follow`` gives what follows from the student's own values. ``explain`` may name the mistake behind wrong ones.
    ``by_hand`` allows four significant figures carried through and accepts flat shapes at full points. ``of`` says
    where values are kept, such as ``self``, when they are no names of the notebook. Without ``by_content`` double
    precision is asked for wherever it is kept. A mistake is charged once, except for those in ``each``.
    """
    rtol = HAND if by_hand else None
    flat_share = 1.0 if by_hand else FLAT_SHARE

    def judge(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        exact = [truth(reply.given) for reply in replies]
        telling = _telling(replies, exact)
        verdicts, follows = {}, None
        for line in lines:
            asked: dict[str, Any] = {"rtol": rtol, "figures": line.figures, "by_content": by_content}
            answers, wanted = [r.values.get(line.name) for r in replies], [e[line.name] for e in exact]
            found = compare_all(answers, wanted, **asked)
            if all(comparison.equal for comparison in found):
                verdicts[line.name] = _right(found, flat_share)
                continue
            if follow is not None and matters(replies, answers, wanted):
                follows = follows if follows is not None else [_readings(follow, reply) for reply in telling]
                consistent = _following(line.name, replies, exact, follows, asked)
                if consistent:
                    verdicts[line.name] = _right(consistent, flat_share, own=True)
                    continue
            expected = [
                dict(readings[0]).get(line.name, e[line.name]) if follows and readings else e[line.name]
                for e, readings in zip(exact, follows or [()] * len(exact))
            ]
            verdicts[line.name] = wrong(line, replies, expected, found, of)
        if explain is not None and any(verdict.status == "wrong" for verdict in verdicts.values()):
            reasons = explain(telling)
            for line in lines:
                verdict, reason = verdicts[line.name], reasons.get(line.name)
                answers, wanted = [r.values.get(line.name) for r in replies], [e[line.name] for e in exact]
                if verdict.status == "wrong" and reason and (not reason.share or matters(replies, answers, wanted)):
                    verdicts[line.name] = merged(verdict, reason)
            return first_only(verdicts, but={*each, *(line.name for line in lines if _copied(line.name, replies))})
        return verdicts

    return judge


def _copied(name: str, replies: Sequence[Reply]) -> bool:
    """Whether a value only repeats another one, given or own, at every challenge: nothing was worked out for it."""

    def repeated(reply: Reply) -> bool:
        mine: Any = reply.values.get(name)
        return any(np.array_equal(mine, value) for key, value in {**reply.given, **reply.values}.items() if key != name)

    return all(repeated(reply) for reply in replies)


def at_every_challenge(check: Callable[[Reply], Mapping[str, Verdict]]) -> Judge:
    """The judge of a check of single replies: a line is as right as where it is least so, the first of equals."""

    def judge(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        found = [check(reply) for reply in replies]
        return {line.name: min((one[line.name] for one in found), key=lambda verdict: verdict.share) for line in lines}

    return judge


def line_by_line(check: Callable[[str, Reply], Verdict]) -> Judge:
    """The judge of a check of single lines, by name, of the one reply that there is."""

    def judge(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        (reply,) = replies
        return {line.name: check(line.name, reply) for line in lines}

    return judge


def nothing_new(*mistakes: str) -> Verdict:
    """The verdict on a line that only repeats mistakes which have been charged."""
    titles = "; ".join(mistake.title for mistake in known(*mistakes))
    return Verdict("correct", 1.0, own=True, message=sentence(f"nothing new here: {titles}"))


def first_only(verdicts: Mapping[str, Verdict], *, but: Collection[str] = ()) -> dict[str, Verdict]:
    """The same verdicts, but a mistake that several lines are told is charged in the first of them.

    Where a line is wrong for no known reason the others may only look like a mistake: each is charged then. So are
    steps that were not done, and the mistakes or lines that ``but`` names.
    """
    once, charged = dict(verdicts), set[str]()
    if any(verdict.share == 0 and not verdict.mistakes for verdict in verdicts.values()):
        return once
    for name, verdict in verdicts.items():
        made = {*verdict.mistakes}
        if verdict.share == 0 and made and charged >= made and name not in but:
            once[name] = nothing_new(*verdict.mistakes)
        charged |= made - {*but, *NOT_DONE}
    return once


def not_again(verdicts: Mapping[str, Verdict], charged: Set[str], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """The same verdicts, but mistakes that an earlier question has charged cost nothing; see :func:`first_only`."""
    if any(verdict.status == "wrong" and verdict.share == 0 and not verdict.mistakes for verdict in verdicts.values()):
        return {**verdicts}
    once = {**verdicts}
    for name, verdict in verdicts.items():
        if verdict.share < 1 and verdict.mistakes and charged >= {*verdict.mistakes} and not _copied(name, replies):
            once[name] = nothing_new(*verdict.mistakes)
    return once


def charged_once(judge: Judge, *, but: Collection[str] = ()) -> Judge:
    """The same judge, but a mistake costs the first line in which it shows; see :func:`first_only`."""

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        return first_only(judge(lines, replies), but=but)

    return judged


def charged_before(judge: Judge, shown_by: Mapping[str, str]) -> Judge:
    """The same judge, but a mistake that another value of the student's shows too was charged where that was asked.

    ``shown_by`` names that value for a line; the judge can mark it, too.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        others = [Line(shown_by[line.name], 0) for line in lines if line.name in shown_by]
        verdicts = judge((*others, *lines), replies)
        found = {line.name: verdicts[line.name] for line in lines}
        for name in found.keys() & shown_by.keys():
            one, other = verdicts[name], verdicts[shown_by[name]]
            if one.share == other.share == 0 and one.mistakes and one.mistakes == other.mistakes:
                found[name] = nothing_new(one.mistakes[0])
        return found

    return judged


def usable(values: Values) -> dict[str, np.ndarray]:
    """The values that are arrays of finite numbers: what follow-through can build on."""
    arrays = {name: as_numbers(value) for name, value in values.items() if value is not None}
    return {
        name: array.astype(float) if array.dtype == bool else array
        for name, array in arrays.items()
        if not isinstance(array, str) and array.size and np.all(np.isfinite(array))
    }


def matters(replies: Sequence[Reply], values: Sequence[object], exact: Sequence[np.ndarray]) -> bool:
    """Whether values are of a size that follow-through can judge: at least :data:`SMALLEST` of the exact one's.

    From activations that saturate, gradients follow that are zero or nearly so, whatever the formula. Nobody has shown
    anything then, so that follow-through gives nothing; where zero is the exact value it is right all the same. An
    array must be large enough at every hidden challenge, a single number, which may happen to cancel, at one.
    """
    hidden = _hidden(replies)
    large = [_size(values[k]) >= SMALLEST * _size(exact[k]) for k in hidden]
    return any(large) if all(np.size(exact[k]) == 1 for k in hidden) else all(large)


def _hidden(replies: Sequence[Reply]) -> list[int]:
    """The challenges that nobody has seen, or all of them where all are shown."""
    return [k for k, reply in enumerate(replies) if not reply.shown] or list(range(len(replies)))


def _size(value: object) -> float:
    array = as_numbers(value)
    return 0.0 if isinstance(array, str) else float(np.max(np.abs(array.astype(float)), initial=0.0))


def _readings(follow: Follow, reply: Reply) -> Sequence[Values]:
    own = usable(reply.values)
    return follow(reply.given, own) if own else ()


def _telling(replies: Sequence[Reply], exact: Sequence[Values]) -> Sequence[Reply]:
    """The replies without own values that tell nothing: nearly vanishing, or the same for every example."""
    hollow = {
        name
        for k in _hidden(replies)
        for name, value in usable(replies[k].values).items()
        if name in exact[k] and np.size(exact[k][name]) > 1 and _is_hollow(name, value, np.asarray(exact[k][name]))
    }
    if not hollow:
        return replies
    return [
        replace(reply, values={name: value for name, value in reply.values.items() if name not in hollow})
        for reply in replies
    ]


def _is_hollow(name: str, value: np.ndarray, exact: np.ndarray) -> bool:
    activation = name[0] in "ZA" and value.shape == exact.shape
    return _size(value) < SMALLEST * _size(exact) or (activation and not _varies(value) and _varies(exact))


def _varies(array: np.ndarray) -> bool:
    """Whether the last axis, that of the examples, makes a difference."""
    return bool(np.any(np.ptp(array.astype(float), axis=-1) > SMALLEST * _size(array)))


def _following(
    line: str,
    replies: Sequence[Reply],
    exact: Sequence[Values],
    follows: Sequence[Sequence[Values]],
    asked: Mapping[str, Any],
) -> list[Comparison]:
    """The comparisons with what follows, when the answer agrees with it at every challenge; else nothing."""
    answers, wanted = [reply.values.get(line) for reply in replies], [e[line] for e in exact]
    exactly = {"rtol": asked["rtol"], "figures": asked["figures"]}
    found: list[Comparison | None] = []
    equal_to = []
    for answer, readings in zip(answers, follows):
        values = [reading[line] for reading in readings if np.all(np.isfinite(reading[line]))]
        compared = [(compare(answer, value, **exactly), value) for value in values]
        comparison, value = next((pair for pair in compared if pair[0].equal), (None, np.nan))
        found.append(comparison)
        equal_to.append(value)
    if None not in found:
        return [one for one in found if one is not None] if matters(replies, equal_to, wanted) else []
    for readings in zip(*follows):  # kept in double precision, worked out in single
        values = [reading[line] for reading in readings]
        together = compare_all(answers, values, **asked)
        if all(one.equal for one in together) and matters(replies, values, wanted):
            return together
    return []


def _right(found: Sequence[Comparison], flat_share: float, own: bool = False) -> Verdict:
    message = "Right, given your earlier values." if own else ""
    if any(comparison.shape == "flat" for comparison in found) and flat_share < 1:
        return Verdict(
            "wrong",
            share=flat_share,
            own=own,
            mistakes=("wrong-shape",),
            message="The numbers are right but the shape lacks an axis: (n,) and (n, 1) broadcast differently.",
            hint="Keep the second axis, for example with keepdims=True.",
        )
    return Verdict("correct", share=1.0, own=own, message=message)


def wrong(
    line: Line, replies: Sequence[Reply], expected: Sequence[np.ndarray], found: Sequence[Comparison], of: str = ""
) -> Verdict:
    """A wrong or missing line, with what the comparison saw.

    An attribute without a value is not called missing: a method that runs through is written, and may have kept its
    result in a local variable.
    """
    first = next(index for index, comparison in enumerate(found) if not comparison.equal)
    shown = next((index for index, reply in enumerate(replies) if reply.shown and not found[index].equal), None)
    drawn = first if shown is None else shown
    got = replies[first].values.get(line.name)
    if got is None and line.name == "returned":
        return Verdict.named("return-missing")
    if of and got is None:
        told = f"`{of}.{line.name}` has no value when the method has run."
        return Verdict("wrong", message=told, hint=f"Is it kept as `{of}.{line.name}`, or only in a local variable?")
    return Verdict(
        "missing" if left_open(got) else "wrong",
        message=_what_is_measured(line, got, np.asarray(expected[first]), found[first], _only_zeros(line, replies)),
        expected=None if shown is None else expected[shown],
        got=None if shown is None else replies[shown].values.get(line.name),
        difference=compare(replies[drawn].values.get(line.name), expected[drawn]).difference,
        fingerprint=_fingerprint([reply.values.get(line.name) for reply in replies]),
    )


def _only_zeros(line: Line, replies: Sequence[Reply]) -> bool:
    arrays = [as_numbers(reply.values.get(line.name)) for reply in replies]
    return all(not isinstance(array, str) and not np.any(array) for array in arrays)


def _fingerprint(got: Sequence[object]) -> str:
    """A name for these wrong numbers, equal for equal numbers; empty when they are no numbers."""
    arrays = [array for value in got if not isinstance(array := as_numbers(value), str)]
    return fingerprint([{"value": array} for array in arrays]) if len(arrays) == len(got) else ""


def _what_is_measured(line: Line, got: object, expected: np.ndarray, found: Comparison, only_zeros: bool) -> str:
    name = line.name
    if found.problem:
        return f"`{name}` has no value: fill it in." if left_open(got) else _about(name, found.problem)
    array = np.asarray(as_numbers(got))
    if found.shape == "other":
        return f"`{name}` has shape {array.shape}; {expected.shape} is expected."
    if not np.all(np.isfinite(array)):
        count = np.count_nonzero(~np.isfinite(array))
        entries = f"{count} entries that are" if count > 1 else "an entry that is"
        return f"`{name}` holds {entries} not finite (NaN or infinity)."
    if only_zeros:  # zeros at one challenge alone may be chance
        return f"Every entry of `{name}` is zero." if array.size > 1 else f"`{name}` is always zero."
    return f"`{name}` does not have the expected values."


def left_open(value: object) -> bool:
    """Whether nothing is filled in: no value, or a list of none."""
    return value is None or (isinstance(value, list) and bool(value) and all(map(left_open, value)))


def _about(name: str, problem: str) -> str:
    """A problem as a sentence about a value.

    >>> _about("dW2", "it is a function"), _about("fits", "its entry [1] is a set")
    ('`dW2` is a function.', '`fits`: its entry [1] is a set.')
    """
    return f"`{name}` {problem[3:]}." if problem.startswith("it ") else f"`{name}`: {problem}."


def merged(verdict: Verdict, known: Verdict) -> Verdict:
    """What the comparison saw, with what the explanation adds."""
    return Verdict(
        status="correct" if known.share == 1.0 else verdict.status,
        share=max(verdict.share, known.share),
        own=known.own,
        mistakes=known.mistakes,
        message=known.message if known.message or known.mistakes else verdict.message,
        hint=known.hint,
        expected=verdict.expected,
        got=verdict.got,
        difference=verdict.difference,
        remarks=verdict.remarks + known.remarks,
        fingerprint="" if known.mistakes or known.share == 1.0 else verdict.fingerprint,
        evidence=known.evidence,
    )
