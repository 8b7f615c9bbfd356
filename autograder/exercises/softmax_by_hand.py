"""Softmax of three units by hand: what follows from what, the exact values, and the known slips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from autograder.exercise import Personal, Values
from autograder.exercises.own_numbers import Draw, Part, coincidences, listed, other_numbers, plain
from autograder.exercises.shared import filled_in
from autograder.marking.by_hand import Slip, Step, chain
from autograder.marking.judges import remembered
from autograder.truth.functions import softmax

GIVEN = {"e": np.array([2.0, 1.0, 1.0]), "y": np.array([0.0, 1.0, 0.0])}
"""The numbers on the sheet. They are not secret, so feedback may show what was expected."""

_PASSED = "Between dp and dz lies softmax. Which matrix does the chain rule put there?"

STEPS = {
    "three_units": (
        Step("p", 1, "e / sum(e)", "Each exponential, divided by the sum of all.", (
            Slip("softmax-not-normalised", "e + 0 * y"),
            Slip("mean-for-sum", "e / mean(e)"),
            Slip("softmax-without-exponentials", "log(e) / sum(log(e))"),
        )),
        Step("J", 2, "p.reshape(3, 1) * (I - p)", "p_i (1 - p_i) on the diagonal, -p_i p_j elsewhere.", (
            Slip("softmax-jacobian-diagonal-only", "I * (p - p**2)"),
            Slip("softmax-jacobian-diagonal-missing", "-p.reshape(3, 1) * p"),
            Slip("softmax-jacobian-sign", "p.reshape(3, 1) * (I + p) - 2 * I * p**2"),
            Slip("softmax-jacobian-sign", "p.reshape(3, 1) * (I + p)"),
            Slip("sign-flipped", "p.reshape(3, 1) * (p - I)"),
        )),
        Step("dp", 1, "-y / p", "The derivative of -log p is -1/p, for the right class alone.", (
            Slip("sign-flipped", "y / p"),
            Slip("target-missing", "-1 / p"),
            Slip("value-for-derivative", "-y * log(p)"),
            Slip("collapsed-too-early", "p - y"),
        )),
        Step("dz", 1, "J.T @ dp", "The sum over the three shares: a product with the Jacobian.", (
            Slip("softmax-derivative-missing", "dp + 0 * y", _PASSED),
            Slip("softmax-jacobian-diagonal-only", "sum(I * J, axis=0) * dp"),
            Slip("sign-flipped", "-J.T @ dp"),
            Slip("sign-flipped", "y - p"),
        ), also=("J @ dp",)),
    ),
}  # fmt: skip


def start(given: Values) -> dict[str, Any]:
    """The numbers of the sheet under the names of the formulas."""
    return {**given, "I": np.eye(3)}


@remembered
def truth_by_hand(given: Values) -> dict[str, np.ndarray]:
    """The exact values, differentiated by sympy: none of the formulas above is used."""
    z, s = sp.symbols("z:3"), sp.symbols("p:3")
    at = {unit: sp.log(sp.nsimplify(float(e))) for unit, e in zip(z, given["e"])}
    p = sp.Matrix(softmax(z))
    loss = -sum(int(y) * sp.log(share) for y, share in zip(given["y"], s))
    found = {
        "p": list(p),
        "J": p.jacobian(z).tolist(),
        "dp": [loss.diff(share).subs(dict(zip(s, p))) for share in s],
        "dz": [loss.subs(dict(zip(s, p))).diff(unit) for unit in z],
    }
    return {
        name: np.vectorize(lambda formula: float(sp.N(formula.subs(at), 30)))(np.array(value, dtype=object))
        for name, value in found.items()
    }


# Numbers for one student -------------------------------------------------------------------------------------------

ORDINALS = ("first", "second", "third")


def draw(random: Callable[[], float]) -> dict[str, np.ndarray]:
    """Other small exponentials, at which every known mistake shows. ``random`` gives numbers from 0 to 1."""
    drawn = Draw(random)
    while True:
        e = np.array([float(drawn.one((1, 2, 3, 4, 5, 6))) for _ in range(3)])
        given = {"e": e, "y": np.eye(3)[drawn.one(range(3))]}
        other = np.ptp(e) > 0 and in_words(given) != in_words(GIVEN)
        if other and not any(coincidences(STEPS["three_units"], start(given))):
            return given


def in_words(given: Values) -> str:
    """The numbers as one line of text.

    >>> in_words(GIVEN)
    'the exponentials [2, 1, 1], y = [0, 1, 0]'
    """
    return f"the exponentials {plain(given['e'])}, y = {plain(given['y'])}"


def texts(given: Values) -> Sequence[tuple[str, str]]:
    """Every place where the notebook states a number: the cell and the text. Each stands there exactly once."""
    units = (rf"\log {e:g}" if e != 1 else "0" for e in given["e"])
    ordinal = ORDINALS[int(np.argmax(given["y"]))]
    y = ", ".join(f"{y:g}" for y in given["y"])
    return (
        ("part_a", f"z = ({listed(units)})"),
        ("part_a", f"e^z = ({listed(given['e'])})."),
        ("part_a", f"The right class is the {ordinal} one, $y = ({y})$"),
    )


PROBE = filled_in([step.name for step in STEPS["three_units"]], GIVEN)
JUDGE = chain(STEPS, truth_by_hand, start)
PERSONAL = Personal(
    GIVEN, draw, texts, ("part_a", "## (a) Three units by hand\n"), in_words, truth_by_hand, JUDGE,
    partial(other_numbers, JUDGE, (Part(("p", "dp", "dz"), STEPS["three_units"]),), start, in_words),
)  # fmt: skip
