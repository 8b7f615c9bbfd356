"""How slopes and checkers of gradients are judged, and the mistakes that are known in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import RIGHT, Line, Reply, Values, Verdict
from autograder.exercises.planted_gradients import exact_slope
from autograder.marking.compare import as_numbers
from autograder.marking.judges import left_open, remembered, values
from autograder.mistakes import known

FIGURES = 6
"""So many figures of a slope are asked for."""

NAMES = ("small", "whole", "large")
"""The lines of the slopes."""

LARGE = 1e6
"""Beside an input above this a step for ordinary ones is rounded away."""

# Slopes ---------------------------------------------------------------------------------------------------------------


def true_slopes(given: Values) -> dict[str, np.ndarray]:
    """The first derivatives by every input, by differences at fifty digits."""
    return {name: _derivatives(given[name][0], 1) for name in NAMES}


def _derivatives(one: Values, order: int) -> np.ndarray:
    table = dict(zip(("bent", "w", "b", "out"), one["forward"]))
    return _remembered({**table, "x": one["x"], "order": order})


@remembered
def _remembered(given: Values) -> np.ndarray:
    table, x = [given[name] for name in ("bent", "w", "b", "out")], given["x"]
    return np.reshape([float(exact_slope(table, x, k, order=int(given["order"]))) for k in range(x.size)], x.shape)


def explain_slopes(replies: Sequence[Reply]) -> dict[str, Verdict]:
    """What the error of a slope shows: a factor, or the derivative and the power of the step that it goes by."""
    return {name: Verdict.named(id) for name in NAMES if (id := _reason(name, replies))}


def _reason(name: str, replies: Sequence[Reply]) -> str:
    got, derivatives, sizes = [], [], []
    for reply in replies:
        value, one = as_numbers(reply.values.get(name)), reply.given[name][0]
        if isinstance(value, str) or value.shape != one["x"].shape:
            return ""
        got.append(np.ravel(value).astype(float))
        derivatives.append([np.ravel(_derivatives(one, order)) for order in (1, 2, 3)])
        sizes.append(np.maximum(np.abs(np.ravel(one["x"])), 1))
    g, size = np.concatenate(got), np.concatenate(sizes)
    exact, second, third = (np.concatenate(part) for part in zip(*derivatives))
    factors = {2.0: "difference-over-one-step", 0.5: "difference-over-two-steps", -1.0: "sign-flipped"}
    for factor, id in factors.items():
        if np.allclose(g, factor * exact, rtol=1e-4, atol=0):
            return id
    if not np.any(g) or (name == "whole" and np.max(np.abs(g)) > 1e3 * np.max(np.abs(exact))):
        return "step-lost-in-whole-numbers" if name == "whole" else ""
    if any(reply.values.get("small_moved") is True for reply in replies):
        return "argument-changed-in-place"
    if not np.all(np.isfinite(g)):
        return "difference-step-too-small"
    error = g / exact - 1
    for width in (np.ones(size.shape), size):
        if _goes_by(error, second * width / 2 / exact):
            return "difference-one-sided"
        if _goes_by(error, third * width**2 / 6 / exact):
            return "difference-step-too-large"
    return "difference-step-too-small" if _is_rounding(error, size) else ""


def _is_rounding(error: np.ndarray, size: np.ndarray) -> bool:
    """Whether an error is what rounding leaves: at large inputs and nowhere else, or small and of either sign."""
    large, sizes = size > LARGE, np.abs(error)
    if np.any(large) and np.max(sizes[~large], initial=0.0) < 1e-4 < np.max(sizes[large]):
        return True
    return bool(np.quantile(sizes, 0.8) < 0.3 and np.any(error > 0) and np.any(error < 0))


def _goes_by(error: np.ndarray, term: np.ndarray) -> bool:
    """Whether an error is a constant times the next term of the series, where that one matters."""
    matters = np.abs(term) > 1e-2 * np.max(np.abs(term))
    ratio = error[matters] / term[matters]
    return bool(np.std(ratio) < 0.1 * abs(np.mean(ratio)))


_BY_VALUE = values(true_slopes, explain=explain_slopes)


def by_slopes(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """Marks the slopes; half of the first line for right ones that leave x moved."""
    verdicts = dict(_BY_VALUE(lines, replies))
    if verdicts["small"].share == 1 and any(reply.values.get("small_moved") is True for reply in replies):
        verdicts["small"] = Verdict.named("argument-changed-in-place", share=0.5)
    return verdicts


# Checkers -------------------------------------------------------------------------------------------------------------

MISSED = {
    "hidden": "checker-hides-small-entries",
    "tiny": "checker-tolerance-absolute",
    "kinks": "checker-excuses-kinks",
}
"""Why wrong ones pass, line by line."""

HIDDEN = {
    "checker-upstream-with-equal-entries": {"reversed", "neighbours"},
    "checker-upstream-with-zeros": {"first lost", "last lost", "neighbours"},
    "checker-upstream-sums-to-zero": {"centred"},
    "checker-upstream-of-ones": {"turned", "reversed", "neighbours", "averaged"},
}
"""What an upstream gradient hides by what is special about it; the first that fits is told."""

REFUSED = {"tiny": "checker-refuses-zeros", "large": "checker-refuses-large-inputs", "kinks": "checker-refuses-kinks"}
"""Why right ones are refused."""


def by_verdicts(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """A line is right when the right ones are spared and the wrong ones caught; half of it if half of these are."""
    said = {line.name: [_answers(reply, line.name) for reply in replies] for line in lines}
    every = {one for answers in said.values() for part in answers if not isinstance(part, str) for one in part}
    constant = "" if len(every) != 1 else "checker-never-objects" if every == {True} else "checker-always-objects"
    return {name: _verdict(name, answers, replies, constant) for name, answers in said.items()}


def _answers(reply: Reply, name: str) -> list[bool] | str:
    """True or False for each function, or what is wrong with it."""
    got = reply.values.get(name)
    if left_open(got):
        return ""
    array = as_numbers(got)
    if isinstance(array, str):
        return f"What comes back cannot be used: {array}."
    if array.shape != (len(reply.given["key"][name]),) or not np.all((array == 0) | (array == 1)):
        return "What comes back must be True or False."
    return [bool(one) for one in array]


def _verdict(name: str, said: Sequence[Any], replies: Sequence[Reply], constant: str) -> Verdict:
    for one in said:
        if isinstance(one, str):
            return Verdict("wrong" if one else "missing", message=one)
    keys = [reply.given["key"][name] for reply in replies]
    pairs = [(kind, passed) for key, part in zip(keys, said) for kind, passed in zip(key, part)]
    wrong, right = [pair for pair in pairs if pair[0]], [pair for pair in pairs if not pair[0]]
    missed = [kind for kind, passed in wrong if passed]
    refused = sum(not passed for _, passed in right)
    if not missed and not refused:
        return RIGHT
    share = 0.5 if not refused and 2 * len(missed) <= len(wrong) else 0.0
    told = f"{len(missed)} of {len(wrong)} wrong ones pass, {refused} of {len(right)} right ones are refused"
    id = constant or _named(name, {*missed}, refused)
    if not id:
        return Verdict("wrong", share=share, message=f"{told}.")
    return Verdict.named(id, title=f"{known(id)[0].title}: {told}", share=share)


def _named(name: str, missed: set[str], refused: int) -> str:
    if missed and refused:
        return ""
    if name == "form" and missed:
        told = {frozenset({"NaN"}): "checker-passes-nan"}.get(frozenset(missed), "checker-passes-another-shape")
        return told if told.endswith("nan") or "NaN" not in missed else ""
    if name == "ordinary" and missed == {"sign"}:
        return "checker-blind-to-the-sign"
    if name == "upstream":
        return next((id for id, hidden in HIDDEN.items() if missed and missed <= hidden), "")
    table: Mapping[str, str] = MISSED if missed else REFUSED
    return table.get(name, "")
