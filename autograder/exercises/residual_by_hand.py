"""Three residual blocks by hand: what follows from what, the exact values, and the known slips."""

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

GIVEN = {"w": np.array([0.5, -0.2, 0.4])}
"""The slopes of the three branches on the sheet. They are not secret, so feedback may show what was expected."""

STEPS = {
    "three_blocks": (
        Step("plain", 1, "a * b * c", "Without identity paths the three slopes are multiplied.", (
            Slip("sum-for-product", "a + b + c"),
            Slip("residual-identity-once", "1 + a * b * c"),
        )),
        Step("slopes", 1, "1 + w", "The input reaches the sum by two paths, with the slopes 1 and w.", (
            Slip("residual-path-missing", "w"),
            Slip("residual-branch-missing", "1 + 0 * w"),
            Slip("residual-halved", "(1 + w) / 2"),
            Slip("residual-path-twice", "2 + w"),
        )),
        Step("residual", 1, "slopes[0] * slopes[1] * slopes[2]", "One block after the other: a product.", (
            Slip("sum-for-product", "slopes[0] + slopes[1] + slopes[2]"),
            Slip("residual-identity-once", "1 + plain"),
        )),
        Step("paths", 1, "[1, a + b + c, a * b + a * c + b * c, a * b * c]",
             "Every path is a product of the branches that it goes through; paths with as many branches are added.", (
            Slip("paths-counted", "[1, 3, 3, 1]"),
            Slip("paths-averaged", "[1, (a + b + c) / 3, (a * b + a * c + b * c) / 3, a * b * c]"),
            Slip("path-without-branches", "[0, a + b + c, a * b + a * c + b * c, a * b * c]"),
        ), also=("[1, a + b + c, a * b + a * c + b * c, plain]",)),
    ),
}  # fmt: skip


def start(given: Values) -> dict[str, Any]:
    """The numbers of the sheet under the names of the formulas."""
    return {**given, **dict(zip("abc", given["w"]))}


@remembered
def truth_by_hand(given: Values) -> dict[str, np.ndarray]:
    """The exact values, by sympy: derivatives of the blocks, and the powers of t in a branch of size t."""
    x, t = sp.symbols("x t")
    numbers = [sp.nsimplify(float(w)) for w in given["w"]]
    plain = residual = x
    slopes = []
    for w in numbers:
        plain, residual = w * plain, residual + t * w * residual
        slopes.append((x + w * x).diff(x))
    by_size = sp.Poly(sp.expand(residual.diff(x)), t)
    found = {
        "plain": plain.diff(x),
        "slopes": slopes,
        "residual": by_size.eval(1),
        "paths": [by_size.coeff_monomial(t**k) for k in range(4)],
    }
    return {name: np.array(value, dtype=float) for name, value in found.items()}


# Numbers for one student -------------------------------------------------------------------------------------------


def draw(random: Callable[[], float]) -> dict[str, np.ndarray]:
    """Other slopes in tenths, at which every known mistake shows. ``random`` gives numbers from 0 to 1."""
    drawn = Draw(random)
    while True:
        w = np.array(drawn.apart(3, (tenths for tenths in range(-9, 10) if tenths))) / 10
        other = sorted(w) != sorted(GIVEN["w"]) and len({*np.abs(w)}) == 3 and abs(w.sum()) > 0.05
        if other and not any(coincidences(STEPS["three_blocks"], start({"w": w}))):
            return {"w": w}


def in_words(given: Values) -> str:
    """The numbers as one line of text.

    >>> in_words(GIVEN)
    'w = [0.5, -0.2, 0.4]'
    """
    return f"w = {plain(given['w'])}"


def texts(given: Values) -> Sequence[tuple[str, str]]:
    """The place where the notebook states the numbers: the cell and the text."""
    return (("part_a", f"$$w = ({listed(given['w'])}).$$"),)


PROBE = filled_in([step.name for step in STEPS["three_blocks"]], GIVEN)
JUDGE = chain(STEPS, truth_by_hand, start)
PERSONAL = Personal(
    GIVEN, draw, texts, ("part_a", "## (a) Three blocks by hand\n"), in_words, truth_by_hand, JUDGE,
    partial(other_numbers, JUDGE, (Part(("slopes", "residual"), STEPS["three_blocks"]),), start, in_words),
)  # fmt: skip
