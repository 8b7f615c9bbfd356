"""Sheet 2, exercise 5: one network, one example, every number by hand.

Two inputs, two hidden units, one output, sigmoid everywhere, squared error of one example. The student fills in
every intermediate value; each is marked against what follows from the student's own earlier ones, so a slip in
the first line does not spoil the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import Challenge, Exercise, Judge, Line, Probe, Question, Reply, Values, Verdict
from autograder.marking.compare import HAND, compare
from autograder.marking.judges import remembered, values
from autograder.marking.slips import At, Slip, explain_slips
from autograder.truth import Network, Reading

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

NAMES = {
    "z1": "Z1",
    "a1": "A1",
    "z2": "Z2",
    "a2": "A2",
    "loss": "loss",
    "dz2": "dZ2",
    "dW2": "dW2",
    "db2": "db2",
    "dz1": "dZ1",
    "dW1": "dW1",
    "db1": "db1",
    "W2_new": "W2_new",
    "b2_new": "b2_new",
    "W1_new": "W1_new",
    "b1_new": "b1_new",
}
"""What the student calls a value, and what the network calls it."""


# What is asked ------------------------------------------------------------------------------------------------------


def filled_in(student, given):
    """Everything the student typed in; None where a value is not there."""
    forward = ["z1", "a1", "z2", "a2", "loss"]
    backward = ["dz2", "dW2", "db2", "dz1", "dW1", "db1"]
    updated = ["W2_new", "b2_new", "W1_new", "b1_new"]
    return {name: getattr(student, name, None) for name in forward + backward + updated}


def _probe(given: Values) -> Probe:
    return Probe(filled_in, lambda rng: [Challenge(given, shown=True)])


PROBE = _probe(GIVEN)


# What is true -------------------------------------------------------------------------------------------------------


def _students_names(results: Values) -> dict[str, np.ndarray]:
    return {mine: results[theirs] for mine, theirs in NAMES.items()}


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """The exact values."""
    return _students_names(NETWORK.evaluate(given))


def follow(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own values: a'(z) may be taken at z or written with a."""
    named = {}
    for mine, theirs in NAMES.items():
        if mine in own and own[mine].size == truth(given)[mine].size:
            named[theirs] = own[mine].reshape(np.atleast_2d(truth(given)[mine]).shape)
    return [
        _students_names(NETWORK.evaluate(given, named, reading=reading, exact=False))
        for reading in (Reading.FROM_ACTIVATION, Reading.FROM_PRE_ACTIVATION)
    ]


# Which mistakes are known -------------------------------------------------------------------------------------------
# Each formula gets the numbers of the sheet and the student's own earlier values under the network's names.

SLIPS = (
    Slip(
        "bias-forgotten",
        ("z1",),
        lambda v: v.W1 @ v.X,
    ),
    Slip(
        "bias-forgotten",
        ("z2",),
        lambda v: v.W2 @ v.A1,
    ),
    Slip(
        "w1-transposed",
        ("z1",),
        lambda v: v.W1.T @ v.X + v.b1,
    ),
    Slip(
        "inputs-exchanged",
        ("z1",),
        lambda v: v.W1 @ v.X[::-1] + v.b1,
    ),
    Slip(
        "inputs-for-activations",
        ("z2",),
        lambda v: v.W2 @ v.X + v.b2,
    ),
    Slip(
        "pre-activations-for-activations",
        ("z2",),
        lambda v: v.W2 @ v.Z1 + v.b2,
    ),
    Slip("activation-forgotten", ("a1",), lambda v: v.Z1),
    Slip("activation-forgotten", ("a2",), lambda v: v.Z2),
    Slip(
        "tanh-for-sigmoid",
        ("a1",),
        lambda v: np.tanh(v.Z1),
    ),
    Slip(
        "tanh-for-sigmoid",
        ("a2",),
        lambda v: np.tanh(v.Z2),
    ),
    Slip(
        "sigmoid-sign",
        ("a1",),
        lambda v: 1 / (1 + np.exp(v.Z1)),
    ),
    Slip(
        "sigmoid-sign",
        ("a2",),
        lambda v: 1 / (1 + np.exp(v.Z2)),
    ),
    Slip(
        "half-in-loss",
        ("loss",),
        lambda v: (v.A2 - v.Y) ** 2 / 2,
    ),
    Slip(
        "cross-entropy-in-loss",
        ("loss",),
        lambda v: -(v.Y * np.log(v.A2) + (1 - v.Y) * np.log(1 - v.A2)),
    ),
    Slip("not-squared", ("loss",), lambda v: v.A2 - v.Y),
    Slip("not-squared", ("loss",), lambda v: v.Y - v.A2),
    Slip(
        "factor-2-lost",
        ("dz2",),
        lambda v: (v.A2 - v.Y) * v.A2 * (1 - v.A2),
    ),
    Slip(
        "output-derivative-missing",
        ("dz2",),
        lambda v: 2 * (v.A2 - v.Y),
        hint="This is the derivative with respect to a2. One more step of the chain rule leads to z2.",
    ),
    Slip(
        "cross-entropy-error",
        ("dz2",),
        lambda v: v.A2 - v.Y,
    ),
    Slip(
        "output-derivative-with-z",
        ("dz2",),
        lambda v: 2 * (v.A2 - v.Y) * v.Z2 * (1 - v.Z2),
    ),
    *(
        Slip(
            "half-of-the-derivative",
            ("dz2",),
            lambda v, half=half: 2 * (v.A2 - v.Y) * half(v.A2),
            title="Half of the sigmoid's derivative is missing.",
            hint="It is a product of two factors. Which of them do you have?",
        )
        for half in (lambda a: a, lambda a: 1 - a)
    ),
    Slip(
        "sign-flipped",
        ("dz2",),
        lambda v: 2 * (v.Y - v.A2) * v.A2 * (1 - v.A2),
        hint="If a2 grows while it is above the target, does the loss grow or fall?",
    ),
    Slip("wrong-layer-activation", ("dW2",), lambda v: v.dZ2 * v.X.T),
    Slip(
        "z-for-a-in-gradient",
        ("dW2",),
        lambda v: v.dZ2 * v.Z1.T,
    ),
    Slip(
        "activation-derivative-missing",
        ("dz1",),
        lambda v: v.W2.T @ v.dZ2,
    ),
    Slip(
        "pre-activation-in-derivative",
        ("dz1",),
        lambda v: (v.W2.T @ v.dZ2) * v.Z1 * (1 - v.Z1),
    ),
    Slip(
        "output-derivative-in-hidden-layer",
        ("dz1",),
        lambda v: (v.W2.T @ v.dZ2) * v.A2 * (1 - v.A2),
        hint="You used the derivative of the output unit. Each hidden unit has its own.",
    ),
    Slip(
        "weights-exchanged",
        ("dz1",),
        lambda v: (v.W2.T[::-1] @ v.dZ2) * v.A1 * (1 - v.A1),
    ),
    Slip(
        "gradient-used-for-weights",
        ("dz1",),
        lambda v: (v.dW2.T @ v.dZ2) * v.A1 * (1 - v.A1),
        hint="The error goes back through W2 itself. Two names look alike here.",
    ),
    Slip(
        "weights-missing-in-hidden-error",
        ("dz1",),
        lambda v: np.ones((2, 1)) * v.dZ2 * v.A1 * (1 - v.A1),
    ),
    Slip("wrong-layer-activation", ("dW1",), lambda v: v.dZ1 @ v.A1.T),
    Slip("result-transposed", ("dW1",), lambda v: (v.dZ1 @ v.X.T).T),
    *(
        Slip(
            "sign-flipped",
            (f"{name}_new",),
            lambda v, n=name: v[n] + v.learning_rate * v[f"d{n}"],
            hint="You moved up the gradient. In which direction does the loss fall?",
            figures=4,
        )
        for name in ("W1", "b1", "W2", "b2")
    ),
    *(
        Slip(
            "learning-rate-missing",
            (f"{name}_new",),
            lambda v, n=name: v[n] - v[f"d{n}"],
            hint="The whole gradient was subtracted. How large is one step?",
            figures=4,
        )
        for name in ("W1", "b1", "W2", "b2")
    ),
    *(
        Slip(
            "parameter-never-updated",
            (f"{name}_new",),
            lambda v, n=name: v[n],
            hint="This is the old value: nothing was subtracted.",
            figures=7,  # a step that is too small is another mistake
        )
        for name in ("W1", "b1", "W2", "b2")
    ),
)


# Numbers for one student -------------------------------------------------------------------------------------------


def draw(random: Callable[[], float]) -> dict[str, np.ndarray]:
    """Other numbers of the same difficulty. ``random`` gives numbers from 0 to 1, 1 excluded."""

    def one(options: Sequence[float]) -> float:
        return options[int(random() * len(options))]

    def tenths(count: int, low: int, high: int) -> np.ndarray:
        left = list(range(low, high + 1))
        return np.array([left.pop(int(random() * len(left))) / 10 for _ in range(count)])

    while True:
        given = {
            "X": np.array(one(((1.0, 2.0), (2.0, 1.0), (1.0, 3.0), (3.0, 1.0), (2.0, 3.0), (3.0, 2.0))))[:, None],
            "Y": np.array([[one((0.6, 0.7, 0.8))]]),
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
    wrong formula gives a right value, nor what another one gives.
    """
    z1 = given["W1"] @ given["X"] + given["b1"]
    a1 = 1 / (1 + np.exp(-z1))
    z2 = (given["W2"] @ a1 + given["b2"]).item()
    error = 1 / (1 + np.exp(-z2)) - given["Y"].item()
    if not (np.all((z1 > 0.65) & (z1 < 2.85)) and np.ptp(z1) > 0.15 and z2 < 2.85 and 0.015 < error < 0.1):
        return False
    values = NETWORK.evaluate(given, exact=False)
    known, mine = At(given, values), _students_names(values)
    for name in NAMES:
        at = {"rtol": HAND, "figures": 4 if name.endswith("_new") else None}
        wrong = [(slip.id, slip.formula(known)) for slip in SLIPS if name in slip.lines]
        right = [("", mine[name])]
        if any(
            one != other and compare(got, expected, **at).equal
            for one, expected in wrong + right
            for other, got in wrong
        ):
            return False
    return True


def other_numbers(judge: Judge, others: Callable[[], Iterable[Values]]) -> Judge:
    """A judge that also sees when values are right ones for other numbers: those earn nothing.

    ``others`` gives the numbers of the sheet and of the other students.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        if all(verdict.status == "correct" and not verdict.own for verdict in verdicts.values()):
            return verdicts
        theirs = _whose(judge, replies[0], others())
        if theirs is None:
            return verdicts
        for name, verdict in judge(lines, [Reply(theirs, replies[0].values)]).items():
            if verdict.status == "correct" and (verdicts[name].status != "correct" or verdicts[name].own):
                verdicts[name] = Verdict(
                    "wrong",
                    mistakes=("numbers-of-another",),
                    message="This is right for other numbers than yours.",
                    hint=f"Your own numbers are {in_words(replies[0].given)}.",
                )
        return verdicts

    return judged


def _whose(judge: Judge, reply: Reply, others: Iterable[Values]) -> Values | None:
    """The numbers that were used in place of the student's own, when z1, z2 and the loss all say so."""
    asked = [Line(name, 0) for name in ("z1", "z2", "loss") if reply.values.get(name) is not None]
    z1 = reply.values.get("z1")
    if len(asked) < 2 or compare(z1, _first_sum(reply.given), rtol=HAND).equal:
        return None
    for given in others:
        if compare(z1, _first_sum(given), rtol=HAND).equal:
            verdicts = judge(asked, [Reply(given, reply.values)])
            if all(verdict.status == "correct" for verdict in verdicts.values()):
                return given
    return None


def _first_sum(given: Values) -> np.ndarray:
    return (given["W1"] @ given["X"] + given["b1"]).ravel()


def in_words(given: Values) -> str:
    """The numbers as one line of text.

    >>> in_words(GIVEN)
    'x = [1, 2], W1 = [[0.5, 0.3], [0.2, 0.8]], b1 = [0.1, 0.4], W2 = [0.9, 0.7], b2 = 0.2, y = 0.8'
    """

    def text(array: np.ndarray) -> str:
        return f"[{', '.join(f'{x:g}' for x in array.ravel())}]" if array.size > 1 else f"{array.item():g}"

    W1 = f"[{', '.join(text(row) for row in given['W1'])}]"
    named = {"x": given["X"], "b1": given["b1"], "W2": given["W2"], "b2": given["b2"], "y": given["Y"]}
    said = {name: text(value) for name, value in named.items()} | {"W1": W1}
    return ", ".join(f"{name} = {said[name]}" for name in ("x", "W1", "b1", "W2", "b2", "y"))


def with_numbers(given: Values, others: Callable[[], Iterable[Values]], rewritten: Callable[[Any], Any]) -> Exercise:
    """The exercise with the numbers of one student."""
    probe, judge = _probe(given), other_numbers(JUDGE, others)
    questions = tuple(replace(question, probe=probe, judge=judge) for question in EXERCISE.questions)
    return replace(EXERCISE, questions=questions, rewritten=rewritten)


# The questions ------------------------------------------------------------------------------------------------------

EXPLAIN = explain_slips(SLIPS, by_hand=True, names=NAMES, shape=NETWORK.shape)
JUDGE = values(truth, follow=follow, explain=EXPLAIN, by_hand=True)


def _question(question_id: str, title: str, *lines: Line) -> Question:
    return Question(question_id, title, lines, PROBE, JUDGE)


EXERCISE = Exercise(
    name="worked_calculation",
    sheet="by_hand",
    title="A network by hand",
    minutes=45,
    difficulty=2,
    questions=(
        _question(
            "forward_values",
            "(a) The forward pass",
            Line("z1", 2, "z1"),
            Line("a1", 2, "a1"),
            Line("z2", 2, "z2"),
            Line("a2", 2, "a2"),
        ),
        _question("loss_value", "(b) The loss", Line("loss", 2, "loss")),
        _question(
            "gradient_values",
            "(c) The gradients",
            Line("dz2", 2, "dz2"),
            Line("dW2", 2, "dW2"),
            Line("db2", 1, "db2"),
            Line("dz1", 2, "dz1"),
            Line("dW1", 2, "dW1"),
            Line("db1", 1, "db1"),
        ),
        _question(
            "updated_values",
            "(d) One step of gradient descent",
            Line("W2_new", 1, "new W2", figures=4),
            Line("b2_new", 1, "new b2", figures=4),
            Line("W1_new", 2, "new W1", figures=4),
            Line("b1_new", 1, "new b1", figures=4),
        ),
    ),
    parts={
        "a": ("forward_values",),
        "b": ("loss_value",),
        "c": ("gradient_values",),
        "d": ("updated_values",),
    },
)
