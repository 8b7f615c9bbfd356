"""Known wrong formulas, compared exactly and at every challenge: losses, scalings, updates, single layers.

Gradients of whole networks are explained by ``autograder.diagnosis``, which searches combinations of mistakes. Where
one value is one formula, the known mistakes are simply listed. A mistake is named only when it gives the student's
number at every challenge and no other known one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.diagnosis import MISTAKES
from autograder.exercise import Reply, Verdict
from autograder.marking.compare import as_numbers, compare, tolerance
from autograder.marking.judges import Explain, usable
from autograder.marking.slips import Own

PROOF = {"float64": 1e-9}
"""Relative tolerance at which a formula is taken to be what the student computed; other dtypes at that of marking."""


@dataclass(frozen=True)
class Formula:
    """One known way to get a line wrong.

    ``value`` computes it from the inputs and the student's own values, which are attributes of its argument. ``title``
    and ``hint`` are those of the catalogue of mistakes unless they are given here.
    """

    id: str
    lines: tuple[str, ...]
    value: Callable[[Own], Any]
    title: str = ""
    hint: str = ""


def explain_formulas(formulas: Sequence[Formula]) -> Explain:
    """An explanation of wrong lines by known wrong formulas."""

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        known = [Own(**{**usable(reply.given), **usable(reply.values)}) for reply in replies]
        found = {}
        for line in dict.fromkeys(line for formula in formulas for line in formula.lines):
            matches = [
                formula
                for formula in formulas
                if line in formula.lines
                and all(_matches(formula, own, reply.values.get(line)) for own, reply in zip(known, replies))
            ]
            if len({formula.id for formula in matches}) == 1:
                found[line] = _verdict(matches[0])
        return found

    return explain


def first_of(*explanations: Explain) -> Explain:
    """The explanations one after another: what an earlier one explains is not asked again."""

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        found: dict[str, Verdict] = {}
        for explanation in explanations:
            found = {**explanation(replies), **found}
        return found

    return explain


def _matches(formula: Formula, own: Own, got: Any) -> bool:
    array = as_numbers(got)
    if isinstance(array, str) or not array.size:
        return False
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(formula.value(own), dtype=float)
    except (AttributeError, ValueError, IndexError):  # an earlier value is missing or has another shape
        return False
    rtol = PROOF.get(array.dtype.name, tolerance(array))
    return bool(value.size and np.all(np.isfinite(value))) and compare(array, value, rtol=rtol).equal


def _verdict(formula: Formula) -> Verdict:
    known = MISTAKES.get(formula.id)
    title = formula.title or (f"{known.title}." if known else "")
    return Verdict("wrong", mistakes=(formula.id,), message=title, hint=formula.hint or (known.hint if known else ""))


def squared_error_formulas(weight: Callable[[Own], Any]) -> tuple[Formula, ...]:
    """Known wrong values of the line ``loss``, the mean over the examples of sum_k w_k (a_k - y_k)^2."""

    def mean(v: Own, squared: np.ndarray) -> float:
        return np.sum(squared) / v.Y.shape[1]

    def error(v: Own) -> np.ndarray:
        return v.A2 - v.Y

    return (
        Formula(
            "half-in-loss",
            ("loss",),
            lambda v: mean(v, weight(v) * error(v) ** 2) / 2,
            "There is a factor 1/2 in your loss.",
            "This course's squared error has none: its derivative carries a 2.",
        ),
        Formula(
            "loss-mean-over-outputs",
            ("loss",),
            lambda v: np.mean(weight(v) * error(v) ** 2),
            "Your loss is also averaged over the outputs.",
            "Sum over the outputs, and take the mean over the examples only.",
        ),
        Formula(
            "loss-summed-over-examples",
            ("loss",),
            lambda v: np.sum(weight(v) * error(v) ** 2),
            "Your loss is the sum over the examples.",
            "The loss is a mean: by how many examples do you divide?",
        ),
        Formula(
            "root-of-loss",
            ("loss",),
            lambda v: np.sqrt(mean(v, weight(v) * error(v) ** 2)),
            "You took the square root.",
            "The loss is the mean squared error itself.",
        ),
        Formula(
            "absolute-error-in-loss",
            ("loss",),
            lambda v: mean(v, weight(v) * np.abs(error(v))),
            "Your loss adds absolute errors.",
            "What happens to an error of 2 in the squared error?",
        ),
        Formula(
            "not-squared",
            ("loss",),
            lambda v: mean(v, weight(v) * error(v)),
            "The error is not squared: positive and negative ones cancel.",
            "Look at the loss as it is stated.",
        ),
        Formula(
            "cross-entropy-kept",
            ("loss",),
            lambda v: np.sum(v.Y * np.logaddexp(0, -v.Z2) + (1 - v.Y) * np.logaddexp(0, v.Z2)) / v.Y.shape[1],
            "This is still the cross-entropy of the baseline.",
            "Does your class have its own compute_loss?",
        ),
    )


def forward_formulas(hidden: str = "tanh") -> tuple[Formula, ...]:
    """Known wrong activations of a network with a linear output: what is left of the baseline's sigmoids."""
    kept = "The sigmoid of the baseline is still there."
    hint = "Which activation does the task give to this layer?"
    at_hidden = Formula("sigmoid-kept", ("A1",), lambda v: 1 / (1 + np.exp(-v.Z1)), kept, hint)
    return (
        *((at_hidden,) if hidden != "sigmoid" else ()),
        Formula(
            "sigmoid-kept",
            ("A2",),
            lambda v: 1 / (1 + np.exp(-v.Z2)),
            kept,
            "Which numbers must the outputs of a regression be able to reach?",
        ),
    )
