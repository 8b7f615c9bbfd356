"""Sheet 2: one network, one example, every number by hand.

Two inputs, two hidden units, one output, sigmoid everywhere, squared error of one example. The student fills in
every intermediate value; each is marked against what follows from the student's own earlier ones, so a slip in
the first line does not spoil the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Personal, Question, Values
from autograder.exercises.own_numbers import Draw, Part, coincidences, listed, matrix, other_numbers, plain
from autograder.exercises.shared import filled_in
from autograder.marking.by_hand import Slip, Step, chain
from autograder.marking.judges import remembered
from autograder.truth import Network

NETWORK = Network((2, 2, 1), ("sigmoid", "sigmoid"), "mse")

GIVEN = {
    "X": np.array([[1.0], [2.0]]),
    "Y": np.array([[0.8]]),
    "W1": np.array([[0.5, 0.3], [0.2, 0.8]]),
    "b1": np.array([[0.1], [0.4]]),
    "W2": np.array([[0.9, 0.7]]),
    "b2": np.array([[0.2]]),
    "learning_rate": np.array(0.1),
}
"""The numbers on the sheet. They are not secret, so feedback may show what was expected."""


# The calculation, step by step: what follows from what, and the known slips. `practice.py` has its steps from here.  -


UPHILL = "You moved up the gradient. In which direction does the loss fall?"
OLD = "To four figures this is the old value. What is subtracted, and how much of it?"
TWO = "It is a product of two factors. Which of them do you have?"
HALF = "Half of the sigmoid's derivative is missing."


def _update(name: str, points: float) -> Step:
    return Step(f"{name}_new", points, f"{name} - alpha * d{name}", "One step against the gradient.", (
        Slip("sign-flipped", f"{name} + alpha * d{name}", UPHILL),
        Slip("learning-rate-missing", f"{name} - d{name}", "The whole gradient was subtracted. How long is a step?"),
        Slip("step-too-small", f"{name} - alpha / 10 * d{name}", figures=7),
        Slip("parameter-never-updated", name, OLD, figures=7),
    ), figures=4, label=f"new {name}")  # fmt: skip


STEPS = {
    "forward_values": (
        Step("z1", 2, "W1 @ x + b1", "Each hidden unit adds its weighted inputs and its bias.", (
            Slip("bias-forgotten", "W1 @ x"),
            Slip("w1-transposed", "W1.T @ x + b1"),
            Slip("inputs-exchanged", "W1 @ x[::-1] + b1"),
        )),
        Step("a1", 2, "sigma(z1)", "The sigmoid of each.", (
            Slip("activation-forgotten", "z1"),
            Slip("tanh-for-sigmoid", "tanh(z1)"),
            Slip("sigmoid-sign", "sigma(-z1)"),
        )),
        Step("z2", 2, "W2 @ a1 + b2", "The output unit sees the hidden activations.", (
            Slip("bias-forgotten", "W2 @ a1"),
            Slip("inputs-for-activations", "W2 @ x + b2"),
            Slip("pre-activations-for-activations", "W2 @ z1 + b2"),
        )),
        Step("a2", 2, "sigma(z2)", "The sigmoid once more.", (
            Slip("activation-forgotten", "z2"),
            Slip("tanh-for-sigmoid", "tanh(z2)"),
            Slip("sigmoid-sign", "sigma(-z2)"),
        )),
    ),
    "loss_value": (
        Step("loss", 2, "(a2 - y)**2", "The squared error of the one example, with no factor 1/2.", (
            Slip("half-in-loss", "(a2 - y)**2 / 2"),
            Slip("cross-entropy-in-loss", "-(y * log(a2) + (1 - y) * log(1 - a2))"),
            Slip("not-squared", "a2 - y"),
            Slip("not-squared", "y - a2"),
        )),
    ),
    "gradient_values": (
        Step("dz2", 2, "2 * (a2 - y) * a2 * (1 - a2)", "The slope of the loss, times the slope of the sigmoid.", (
            Slip("factor-2-lost", "(a2 - y) * a2 * (1 - a2)"),
            Slip("output-derivative-missing", "2 * (a2 - y)",
                 "This is the derivative with respect to a2. One more step of the chain rule leads to z2."),
            Slip("cross-entropy-error", "a2 - y"),
            Slip("output-derivative-with-z", "2 * (a2 - y) * z2 * (1 - z2)"),
            Slip("half-of-the-derivative", "2 * (a2 - y) * a2", TWO, HALF),
            Slip("half-of-the-derivative", "2 * (a2 - y) * (1 - a2)", TWO, HALF),
            Slip("sign-flipped", "2 * (y - a2) * a2 * (1 - a2)",
                 "If a2 grows while it is above the target, does the loss grow or fall?"),
        ), also=("2 * (a2 - y) * sigma(z2) * (1 - sigma(z2))",)),
        Step("dW2", 2, "dz2 @ a1.T", "A weight gets the error signal times what it has seen.", (
            Slip("wrong-layer-activation", "dz2 @ x.T"),
            Slip("z-for-a-in-gradient", "dz2 @ z1.T"),
        )),
        Step("db2", 1, "dz2", "A bias sees the input 1."),
        Step("dz1", 2, "(W2.T @ dz2) * a1 * (1 - a1)", "Back through the weights, then through each sigmoid's slope.", (
            Slip("activation-derivative-missing", "W2.T @ dz2"),
            Slip("pre-activation-in-derivative", "(W2.T @ dz2) * z1 * (1 - z1)"),
            Slip("output-derivative-in-hidden-layer", "(W2.T @ dz2) * a2 * (1 - a2)",
                 "You used the derivative of the output unit. Each hidden unit has its own."),
            Slip("weights-exchanged", "(W2.T[::-1] @ dz2) * a1 * (1 - a1)"),
            Slip("gradient-used-for-weights", "(dW2.T @ dz2) * a1 * (1 - a1)",
                 "The error goes back through W2 itself. Two names look alike here."),
            Slip("weights-missing-in-hidden-error", "dz2 * a1 * (1 - a1)"),
        ), also=("(W2.T @ dz2) * sigma(z1) * (1 - sigma(z1))",)),
        Step("dW1", 2, "dz1 @ x.T", "Row i belongs to hidden unit i, as in W1.", (
            Slip("wrong-layer-activation", "dz1 @ a1.T"),
            Slip("result-transposed", "(dz1 @ x.T).T"),
        )),
        Step("db1", 1, "dz1", "A bias sees the input 1."),
    ),
    "updated_values": (_update("W2", 1), _update("b2", 1), _update("W1", 2), _update("b1", 1)),
}  # fmt: skip
"""The steps of every question."""

ALL = tuple(step for steps in STEPS.values() for step in steps)


PROBE = filled_in((step.name for step in ALL), GIVEN)


def start(given: Values) -> dict[str, Any]:
    """The numbers of the sheet under the names of the formulas."""
    return {**given, "x": given["X"], "y": given["Y"], "alpha": given["learning_rate"]}


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """The exact values by the sheet's names, derived by sympy: none of the formulas above is used."""
    results = NETWORK.evaluate(given)
    return {step.name: results[step.name.replace("z", "Z").replace("a", "A")] for step in ALL}


# Numbers for one student -------------------------------------------------------------------------------------------


def draw(random: Callable[[], float]) -> dict[str, np.ndarray]:
    """Other numbers of the same difficulty. ``random`` gives numbers from 0 to 1, 1 excluded."""

    drawn = Draw(random)

    def tenths(count: int, low: int, high: int) -> np.ndarray:
        return np.array(drawn.apart(count, range(low, high + 1))) / 10

    while True:
        given = {
            "X": np.array(drawn.one(((1.0, 2.0), (2.0, 1.0), (1.0, 3.0), (3.0, 1.0), (2.0, 3.0), (3.0, 2.0))))[:, None],
            "Y": np.array([[drawn.one((0.6, 0.7, 0.8))]]),
            "W1": tenths(4, 1, 9).reshape(2, 2),
            "b1": tenths(2, 1, 5)[:, None],
            "W2": tenths(2, 3, 9)[None, :],
            "b2": tenths(1, 1, 5)[:, None],
            "learning_rate": GIVEN["learning_rate"],
        }
        if fits(given):
            return given


def fits(given: Values) -> bool:
    """Whether numbers are as difficult as those of the sheet, and show every known mistake.

    Weighted sums from 0.7 to 2.8, so that no sigmoid is flat; an output 0.015 to 0.1 above the target; and no known
    wrong formula gives a right value, nor what another one gives. What a class has been given follows from this.
    """
    z1 = given["W1"] @ given["X"] + given["b1"]
    a1 = 1 / (1 + np.exp(-z1))
    z2 = (given["W2"] @ a1 + given["b2"]).item()
    error = 1 / (1 + np.exp(-z2)) - given["Y"].item()
    if not (np.all((z1 > 0.65) & (z1 < 2.85)) and np.ptp(z1) > 0.15 and z2 < 2.85 and 0.015 < error < 0.1):
        return False
    tolerated = {frozenset(("wrong-layer-activation", "z-for-a-in-gradient"))}
    found = (pair for _, pair in coincidences(ALL, start(given)) if "step-too-small" not in pair)
    return not set(found) - tolerated


def in_words(given: Values) -> str:
    """The numbers as one line of text.

    >>> in_words(GIVEN)
    'x = [1, 2], W1 = [[0.5, 0.3], [0.2, 0.8]], b1 = [0.1, 0.4], W2 = [0.9, 0.7], b2 = 0.2, y = 0.8'
    """

    named = {"x": given["X"].ravel(), "W1": given["W1"], "b1": given["b1"].ravel(), "W2": given["W2"].ravel()}
    named |= {"b2": given["b2"].reshape(()), "y": given["Y"].reshape(())}
    return ", ".join(f"{name} = {plain(value)}" for name, value in named.items())


def texts(given: Values) -> Sequence[tuple[str, str]]:
    """Every place where the notebook states a number: the cell and the text. Each stands there exactly once."""
    (x1, x2), (w11, w12, w21, w22) = given["X"].ravel(), given["W1"].ravel()
    (b11, b12), (w1, w2), b2, y = given["b1"].ravel(), given["W2"].ravel(), given["b2"].item(), given["Y"].item()
    return (
        ("task", f"$x = ({listed((x1, x2))})$ |"),
        ("task", f"$W_1 = {matrix(given['W1'])}$"),
        ("task", f"$b_1 = ({listed((b11, b12))})$ |"),
        ("task", f"$W_2 = ({listed((w1, w2))})$ |"),
        ("task", f"$b_2 = {b2:g}$ |"),
        ("task", f"$y = {y:g}$ |"),
        ("picture", f'place = {{"x1 = {x1:g}": (0, 1), "x2 = {x2:g}": (0, 0)'),
        ("picture", f'("x1 = {x1:g}", "unit 1", "{w11:g}"'),
        ("picture", f'("x2 = {x2:g}", "unit 1", "{w12:g}"'),
        ("picture", f'("x1 = {x1:g}", "unit 2", "{w21:g}"'),
        ("picture", f'("x2 = {x2:g}", "unit 2", "{w22:g}"'),
        ("picture", f'("unit 1", "output", "{w1:g}"'),
        ("picture", f'("unit 2", "output", "{w2:g}"'),
        ("picture", f'{{"bias {b11:g}": (1, 1.42), "bias {b12:g}": (1, -0.42), "bias {b2:g}": (2, 0.92)}}'),
        ("check_text", f"must be closer to {y:g} than"),
    )


# The questions ------------------------------------------------------------------------------------------------------

JUDGE = chain(STEPS, truth, start)
TITLES = {
    "forward_values": "(a) The forward pass",
    "loss_value": "(b) The loss",
    "gradient_values": "(c) The gradients",
    "updated_values": "(d) One step of gradient descent",
}

EXERCISE = Exercise(
    name="worked_calculation",
    sheet="by_hand",
    title="A network by hand",
    minutes=45,
    difficulty=2,
    questions=tuple(
        Question(id, title, tuple(step.line for step in STEPS[id]), PROBE, JUDGE) for id, title in TITLES.items()
    ),
    parts={letter: (id,) for letter, id in zip("abcd", TITLES)},
    personal=Personal(
        GIVEN, draw, texts, ("task", "## The network\n"), in_words, truth, JUDGE,
        partial(other_numbers, JUDGE, (Part(("z1", "z2", "loss"), ALL),), start, in_words),
    ),
)  # fmt: skip
