"""Known wrong formulas: a slip is named when it, and no other one, gives the answer at every challenge.

Gradients of whole networks are explained by ``autograder.diagnosis``, which searches combinations of mistakes. Where
one value is one formula (a loss, an update, an error signal, a number worked out by hand) the known slips are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from autograder.exercise import Reply, Values, Verdict
from autograder.marking.compare import HAND, as_numbers, compare
from autograder.marking.judges import Explain, usable
from autograder.mistakes import known
from autograder.tolerance import tolerance


@dataclass(frozen=True)
class At:
    """What is known at one challenge, by name, as attributes or by subscript.

    A student's own value stands before an input of the same name. ``given`` holds the inputs alone. A value that
    neither has raises AttributeError or KeyError.
    """

    given: Values
    own: Values

    def __getitem__(self, name: str) -> Any:
        """The value of this name."""
        return self.own[name] if name in self.own else self.given[name]

    def __getattr__(self, name: str) -> Any:
        """The value of this name."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


Formula = Callable[[At], Any] | str
"""What a slip makes of the inputs and of the student's own values: a function, or the text of an expression in them.

Text may use the functions of :data:`FUNCTIONS` and ``m``, the number of examples."""

FUNCTIONS = {
    name: getattr(np, name)
    for name in ("cosh", "diff", "exp", "floor", "log", "logaddexp", "maximum", "mean", "ones_like", "sign",
                 "sqrt", "std", "sum", "tanh", "var", "where")
} | {"sigma": lambda z: 1 / (1 + np.exp(-z)), "abs": lambda x: np.where(np.real(x) < 0, -x, x)}  # fmt: skip


class _Names(dict[str, Any]):
    """The names of an expression: those of a challenge before the functions."""

    def __init__(self, at: At) -> None:
        self._at = at

    def __getitem__(self, name: str) -> Any:
        if name in self._at.own or name in self._at.given:
            return self._at[name]
        return self._at["X"].shape[1] if name == "m" else FUNCTIONS[name]


compiled = lru_cache(maxsize=1024)(partial(compile, filename="<formula>", mode="eval"))
"""The code of a formula that is text."""


def worked_out(formula: Formula, at: At) -> Any:
    """The value of a formula at a challenge. Raises AttributeError, KeyError or NameError where a value is missing."""
    return eval(compiled(formula), {"__builtins__": {}}, _Names(at)) if isinstance(formula, str) else formula(at)


def slope(formula: str, at: At, name: str) -> np.ndarray:
    """The derivative of a number with respect to every entry of one of its values, to full accuracy.

    A step along the imaginary axis needs no difference (Squire and Trapp 1998). Raises TypeError for a function that
    takes no complex numbers.
    """
    point = np.asarray(at[name], dtype=complex)
    found = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        point[index] += 1e-30j
        found[index] = np.imag(worked_out(formula, At(at.given, {**at.own, name: point}))) / 1e-30
        point[index] -= 1e-30j
    return found


@dataclass(frozen=True)
class Slip:
    """One known way to get a line wrong: its id, the lines it may show in, what it gives and the words for it.

    Title and hint are those of the catalogue of mistakes where they are empty; an id that it does not know raises
    UnknownMistake. A value worked out by hand must agree within the tolerance for that, or to ``figures`` significant
    figures.
    """

    id: str
    lines: tuple[str, ...] | str
    formula: Formula
    title: str = ""
    hint: str = ""
    figures: int | None = None

    def __post_init__(self) -> None:
        """Lines may be written as one text, with spaces between them. Raises UnknownMistake."""
        known(self.id)
        if isinstance(self.lines, str):
            object.__setattr__(self, "lines", tuple(self.lines.split()))


def explain_slips(
    slips: Sequence[Slip],
    *,
    by_hand: bool = False,
    names: Mapping[str, str] | None = None,
    shape: Callable[[str], tuple[int, ...]] | None = None,
) -> Explain:
    """An explanation of wrong lines by known slips.

    A slip is named when its formula gives every entry of the answer to the proof of :mod:`autograder.tolerance`;
    ``by_hand`` compares at the precision of a calculation by hand instead. ``names`` maps a line to
    the name under which formulas know its value, where that is another one, and ``shape`` gives the shape of a name:
    by hand a column may be written as a list. A formula explains nothing where a value that it needs is not there or
    does not fit.
    """
    lines = tuple(dict.fromkeys(line for slip in slips for line in slip.lines))

    def at(reply: Reply) -> At:
        own = {}
        for line, value in usable(reply.values).items():
            name = (names or {}).get(line, line)
            if shape is None:
                own[name] = value.astype(float)
            elif value.size == np.prod(shape(name)):
                own[name] = value.astype(float).reshape(shape(name))
        return At(reply.given, own)

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        points, found = [at(reply) for reply in replies], {}
        for line in lines:
            answers = [reply.values.get(line) for reply in replies]
            matches = [
                slip
                for slip in slips
                if line in slip.lines
                and all(
                    gives(got, value_of(slip.formula, point), by_hand=by_hand, figures=slip.figures)
                    for got, point in zip(answers, points)
                )
            ]
            if len({slip.id for slip in matches}) == 1:
                found[line] = Verdict.named(matches[0].id, title=matches[0].title, hint=matches[0].hint)
        return found

    return explain


def gives(got: object, predicted: Any, *, by_hand: bool = False, figures: int | None = None) -> bool:
    """Whether an answer is what a formula predicts; nothing is predicted by None or by what is not finite."""
    array = as_numbers(got)
    if isinstance(array, str) or predicted is None:
        return False
    predicted = np.asarray(predicted, dtype=float)
    if not predicted.size or not np.all(np.isfinite(predicted)):
        return False
    rtol = HAND if by_hand else tolerance(array).proof
    return rtol is not None and compare(array, predicted, rtol=rtol, figures=figures).equal


def value_of(formula: Formula, at: At) -> Any:
    """The value of a formula; None where it needs one that is missing or has another shape."""
    try:
        with np.errstate(all="ignore"):
            return worked_out(formula, at)
    except (AttributeError, KeyError, NameError, IndexError, ValueError):
        return None


def first_of(*explanations: Explain) -> Explain:
    """The explanations one after another: what an earlier one explains is not asked again."""

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        found: dict[str, Verdict] = {}
        for explanation in explanations:
            found = {**explanation(replies), **found}
        return found

    return explain
