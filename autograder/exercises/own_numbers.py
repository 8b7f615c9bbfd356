"""Numbers of one's own for a calculation by hand: drawn, compared with those of others, and asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.exercise import Judge, Line, Reply, Values, Verdict
from autograder.marking.by_hand import Step, work_out, work_out_all
from autograder.marking.compare import HAND, as_numbers, compare

Others = Callable[[], Iterable[Values]]
"""The numbers of the sheet and of the other students."""


class Draw:
    """Choices from a source of numbers from 0 to 1, 1 excluded: the same ones for the same source, for ever."""

    def __init__(self, random: Callable[[], float]) -> None:
        """Keep the source."""
        self.random = random

    def one(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        return options[int(self.random() * len(options))]

    def apart(self, count: int, options: Iterable[Any]) -> list[Any]:
        """So many of the options, no two of them the same."""
        left = list(options)
        return [left.pop(int(self.random() * len(left))) for _ in range(count)]


def coincidences(steps: Sequence[Step], start: Values) -> Iterator[tuple[str, frozenset[str]]]:
    """Where a known mistake gives what another one gives, or the right value: the step, and both ids ("" is right)."""
    known = work_out_all(steps, start)
    for step in steps:
        wrong = [(slip.id, work_out(slip.formula, known)) for slip in step.slips]
        for one, expected in [*wrong, ("", known[step.name])]:
            for other, got in wrong:
                if one != other and expected is not None and step.agrees(got, expected):
                    yield step.name, frozenset((one, other))


TOLD = "This is right for other numbers than yours."


@dataclass(frozen=True)
class Part:
    """Steps that follow from numbers of their own; the values ``telling`` say whose numbers were used."""

    telling: tuple[str, ...]
    steps: Sequence[Step]


def other_numbers(
    judge: Judge, parts: Sequence[Part], start: Callable[[Values], Values], in_words: Callable[[Values], str],
    others: Others,
) -> Judge:  # fmt: skip
    """A judge that also sees when values are right ones for other numbers: those earn nothing."""

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        if all(verdict.status == "correct" and not verdict.own for verdict in verdicts.values()):
            return verdicts
        for part in parts:
            names = {step.name for step in part.steps}
            theirs = _whose(judge, part, start, replies[0], others())
            if theirs is None:
                continue
            hint = f"Your own numbers are {in_words(replies[0].given)}."
            for name, verdict in judge(lines, [Reply(theirs, replies[0].values)]).items():
                right_for_others = name in names and verdict.status == "correct"
                if right_for_others and (verdicts[name].status != "correct" or verdicts[name].own):
                    verdicts[name] = Verdict.named("numbers-of-another", title=TOLD, hint=hint)
        return verdicts

    return judged


def _whose(
    judge: Judge, part: Part, start: Callable[[Values], Values], reply: Reply, others: Iterable[Values]
) -> Values | None:
    """The numbers that were used in place of the student's own, when all values that tell it say so."""
    asked = [Line(name, 0) for name in part.telling if reply.values.get(name) is not None]
    first = part.telling[0]
    before = part.steps[: 1 + [step.name for step in part.steps].index(first)]
    if len(asked) < 2 or asked[0].name != first:
        return None
    got = as_numbers(reply.values[first])
    if isinstance(got, str) or all(one.status == "correct" and not one.own for one in judge(asked, [reply]).values()):
        return None
    got = got.ravel()
    for given in others:
        expected = work_out_all(before, start(given))[first]  # cheap, and most differ there
        if expected is not None and compare(got, expected.ravel(), rtol=HAND).equal:
            verdicts = judge(asked, [Reply(given, reply.values)])
            if all(verdict.status == "correct" for verdict in verdicts.values()):
                return given
    return None


def listed(numbers: Iterable[float | str]) -> str:
    """Numbers as a row of a formula in the notebook.

    >>> print(listed([1.0, 0.5]))
    1,\\ 0.5
    """
    return r",\ ".join(x if isinstance(x, str) else f"{x:g}" for x in numbers)


def matrix(array: np.ndarray) -> str:
    """A matrix as a formula in the notebook.

    >>> print(matrix(np.array([[1.0, 2.0], [0.5, 3.0]])))
    \\begin{pmatrix} 1 & 2 \\\\ 0.5 & 3 \\end{pmatrix}
    """
    rows = r" \\ ".join(" & ".join(f"{x:g}" for x in row) for row in array)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def plain(array: np.ndarray) -> str:
    """Numbers as they are typed.

    >>> plain(np.array([[1.0, 2.0], [0.5, 3.0]]))
    '[[1, 2], [0.5, 3]]'
    """
    if array.ndim == 0:
        return f"{array.item():g}"
    return f"[{', '.join(plain(part) for part in array)}]"
