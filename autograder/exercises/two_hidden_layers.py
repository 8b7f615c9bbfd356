"""Sheet 2, exercise 8: backpropagation through two hidden layers.

The equations are handed in as functions of one matrix expression each. Each is asked alone, with a random upstream
signal, at non-square sizes: shapes first, in letters, then values. Then the code that computes all six gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import (
    RIGHT,
    Challenge,
    Exercise,
    Judge,
    Line,
    Probe,
    Question,
    Reply,
    Values,
    Verdict,
    Written,
)
from autograder.exercises.shared import draw_point, follow_network, keeping_parameters, network_for, wrong_slopes
from autograder.marking.compare import as_numbers, compare
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import remembered, usable, values
from autograder.marking.slips import At, Slip, explain_slips, gives
from autograder.truth import Network

ACTIVATIONS, LOSS = ("tanh", "sigmoid", "sigmoid"), "bce"

SHAPES = {
    "dZ3": ("o", "m"),
    "dZ2": ("h2", "m"),
    "dZ1": ("h1", "m"),
    "dW3": ("o", "h2"),
    "dW2": ("h2", "h1"),
    "dW1": ("h1", "n"),
}
"""Shapes in the letters of the sheet."""

SMALL = {
    "X": np.array([[1.0, -1.0], [0.5, 2.0]]),
    "Y": np.array([[1.0, 0.0]]),
    "W1": np.array([[1.0, -1.0], [0.5, 0.5], [-1.0, 0.0]]),
    "b1": np.array([[0.5], [-1.0], [0.0]]),
    "W2": np.array([[1.0, -2.0, 0.5], [0.0, 1.0, -1.0]]),
    "b2": np.array([[0.5], [0.0]]),
    "W3": np.array([[1.0, -2.0]]),
    "b3": np.array([[0.5]]),
}
"""A network of 2-3-2-1 with two examples that feedback may show."""


def network(given: Values) -> Network:
    """The symbolic network for the shapes of a challenge."""
    return network_for(given, ACTIVATIONS, LOSS)


# What is asked ------------------------------------------------------------------------------------------------------


def shape_table(student, given):
    """The table of shapes, each as the text "rows,columns"."""
    table = getattr(student, "shapes", None)
    if not isinstance(table, dict):
        return {}
    found = {}
    for name in ("dZ3", "dZ2", "dZ1", "dW3", "dW2", "dW1"):
        entry = table.get(name)
        if isinstance(entry, np.ndarray):
            entry = entry.tolist()
        if isinstance(entry, (tuple, list)) and len(entry) == 2 and all(isinstance(part, str) for part in entry):
            found[name] = entry[0].strip()[:20] + "," + entry[1].strip()[:20]
        elif entry is not None and entry is not Ellipsis and entry != (Ellipsis, Ellipsis):
            found[name] = "?"
    return found


def signal_3(student, given):
    """The error signal of the output layer."""
    return {"dZ3": student.equation_dZ3(given["A3"], given["Y"])}


def signal_2(student, given):
    """The error signal of the second hidden layer, from a given one of the output layer."""
    return {"dZ2": student.equation_dZ2(given["W3"], given["dZ3"], given["A2"])}


def signal_1(student, given):
    """The error signal of the first hidden layer, from a given one of the second."""
    return {"dZ1": student.equation_dZ1(given["W2"], given["dZ2"], given["A1"])}


def weights_1(student, given):
    """The gradient of W1 from a given error signal, and the student's dZ3, which shows where 1/m was put."""
    found = {"dW1": student.equation_dW1(given["dZ1"], given["X"])}
    try:
        found["dZ3"] = student.equation_dZ3(given["A3"], given["Y"])
    except Exception:
        found["dZ3"] = None
    return found


def gradients(student, given):
    """Activations and all six gradients; what is there before an error counts."""
    sizes = [given["X"].shape[0]] + [given["W" + str(layer)].shape[0] for layer in (1, 2, 3)]
    net = student.TwoHiddenNetwork(*sizes)
    for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
        setattr(net, name, given[name].copy())
    try:
        net.forward_pass(given["X"])
    finally:
        yield {kind + str(layer): getattr(net, kind + str(layer), None) for layer in (1, 2, 3) for kind in "ZA"}
    try:
        net.backward_pass(given["X"], given["Y"])
    finally:
        yield {name: getattr(net, name, None) for name in ("dW3", "db3", "dW2", "db2", "dW1", "db1")}
    yield {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2", "W3", "b3")}


def _points(rng: np.random.Generator) -> list[dict[str, np.ndarray]]:
    """No two of n, h1, h2, o and m are equal, so that every shape can be told."""
    sizes = ((3, 5, 4, 2), (2, 4, 6, 3), (4, 3, 5, 2))
    return [draw_point(rng, size, ACTIVATIONS, LOSS, m) for size, m in zip(sizes, (7, 5, 6))]


def _network_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [Challenge(SMALL, shown=True), *(Challenge(point) for point in _points(rng))]


def _equation_challenges(*names: str) -> Callable[[np.random.Generator], list[Challenge]]:
    """Activations from a real forward pass, and error signals drawn at random: each equation stands alone."""

    def draw(rng: np.random.Generator) -> list[Challenge]:
        challenges = []
        for point, shown in [(SMALL, True), *((point, False) for point in _points(rng))]:
            forward = network(point).evaluate(point)
            known = dict(point) | {name: forward[name] for name in ("A1", "A2", "A3")}
            for layer in (1, 2, 3):
                shape = forward[f"Z{layer}"].shape
                signs = rng.choice([-1.0, 1.0], shape)
                known[f"dZ{layer}"] = signs * (np.ones(shape) if shown else rng.uniform(0.3, 1.3, shape))
            challenges.append(Challenge({name: known[name] for name in names}, shown=shown))
        return challenges

    return draw


SHAPE_TABLE = Probe(shape_table, lambda rng: [Challenge({}, shown=True)])
SIGNAL_3 = Probe(signal_3, _equation_challenges("A3", "Y"))
SIGNAL_2 = Probe(signal_2, _equation_challenges("W3", "dZ3", "A2"))
SIGNAL_1 = Probe(signal_1, _equation_challenges("W2", "dZ2", "A1"))
WEIGHTS_1 = Probe(weights_1, _equation_challenges("dZ1", "X", "A3", "Y"))
GRADIENTS = Probe(gradients, _network_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """Exact activations and gradients of the whole network."""
    return network(given).evaluate(given)


def follow(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own activations."""
    return follow_network(network(given), given, own)


@remembered
def signal_3_truth(given: Values) -> dict[str, np.ndarray]:
    """Derivative of the mean loss with respect to Z3: sympy's, for outputs given as A3 = sigmoid(Z3)."""
    outputs, m = given["A3"].shape
    # a layer of its own in which every output sees one input: Z = x, and A = sigmoid(Z) is the given A3
    Z = _before(given["A3"], "sigmoid")
    single = Network((outputs, outputs), ("sigmoid",), LOSS)
    found = single.evaluate({"X": Z, "Y": given["Y"], "W1": np.eye(outputs), "b1": np.zeros((outputs, 1))})
    return {"dZ3": found["dZ1"] / m}


def follow_signal_3(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """1/m may be kept for the weight gradients instead."""
    return [{"dZ3": signal_3_truth(given)["dZ3"] * given["A3"].shape[1]}]


def _before(A: np.ndarray, activation: str) -> np.ndarray:
    """The pre-activations that belong to these activations of tanh or sigmoid."""
    return np.arctanh(A) if activation == "tanh" else np.log(A / (1 - A))


def _step_back(given: Values, weights: str, above: str, below: str, activation: str) -> np.ndarray:
    """dZ of a hidden layer by sympy, in a network of two layers whose output error is given.

    The hidden layer gets its A by its own activation, from pre-activations that are inputs; the second is linear.
    """
    W, A, signal = given[weights], given[below], given[above]
    hidden, outputs = A.shape[0], W.shape[0]
    net = Network((hidden, hidden, outputs), (activation, "linear"), "mse")
    point = {"X": _before(A, activation), "Y": np.zeros_like(signal), "W1": np.eye(hidden), "b1": np.zeros((hidden, 1))}
    point |= {"W2": W, "b2": np.zeros((outputs, 1))}
    return net.evaluate(point, {"dZ2": signal})["dZ1"]


@remembered
def signal_2_truth(given: Values) -> dict[str, np.ndarray]:
    """dZ2 for a given dZ3."""
    return {"dZ2": _step_back(given, "W3", "dZ3", "A2", "sigmoid")}


@remembered
def signal_1_truth(given: Values) -> dict[str, np.ndarray]:
    """dZ1 for a given dZ2."""
    return {"dZ1": _step_back(given, "W2", "dZ2", "A1", "tanh")}


@remembered
def weights_1_truth(given: Values) -> dict[str, np.ndarray]:
    """dW1 for a given dZ1 that holds the 1/m: sympy's mean over the examples, times m."""
    signal, X = given["dZ1"], given["X"]
    net = Network((X.shape[0], signal.shape[0]), ("linear",), "mse")
    point = {"X": X, "Y": np.zeros_like(signal), "W1": np.zeros((signal.shape[0], X.shape[0])),
             "b1": np.zeros((signal.shape[0], 1))}
    return {"dW1": net.evaluate(point, {"dZ1": signal})["dW1"] * X.shape[1]}


def weights_1_wanted(replies: Sequence[Reply]) -> list[tuple[np.ndarray, ...]]:
    """The right dW1 beside the student's own dZ3: as it is where dZ3 has the 1/m, with 1/m where dZ3 lacks it.

    A dZ3 that is wrong for another reason is charged there, and says nothing about the place of 1/m: both are right.
    """
    examples = [reply.given["X"].shape[1] for reply in replies]
    found = [weights_1_truth(reply.given)["dW1"] for reply in replies]
    exact = [signal_3_truth({"A3": reply.given["A3"], "Y": reply.given["Y"]})["dZ3"] for reply in replies]
    own = [reply.values.get("dZ3") for reply in replies]
    if all(compare(got, right).equal for got, right in zip(own, exact)):
        return [(array,) for array in found]
    if all(compare(got, m * right).equal for got, right, m in zip(own, exact, examples)):
        return [(array / m,) for array, m in zip(found, examples)]
    return [(array, array / m) for array, m in zip(found, examples)]


# Which mistakes are known -------------------------------------------------------------------------------------------


def _hidden_slips(line: str, weights: str, above: str, below: str, activation: str) -> tuple[Slip, ...]:
    def back(v: At) -> np.ndarray:
        return v[weights].T @ v[above]

    def slope(a: np.ndarray) -> np.ndarray:
        return a * (1 - a) if activation == "sigmoid" else 1 - a**2

    def without_brackets(v: At) -> np.ndarray:
        return back(v) * v[below] * 1 - v[below] if activation == "sigmoid" else back(v) * 1 - v[below] ** 2

    whole = {
        "derivative-without-upstream-error": lambda v: slope(v[below]),
        "derivative-without-brackets": without_brackets,
        "weights-missing-in-hidden-error": lambda v: np.sum(v[above], axis=0, keepdims=True) * slope(v[below]),
        "divided-by-m-twice": lambda v: back(v) * slope(v[below]) / v[below].shape[1],
    }
    return (
        *(Slip(mistake, (line,), formula) for mistake, formula in whole.items()),
        *(
            Slip(mistake, (line,), lambda v, s=wrong: back(v) * s(_before(v[below], activation), v[below]))
            for mistake, wrong in wrong_slopes(activation)
        ),
    )


SIGNAL_3_SLIPS = tuple(
    Slip(mistake, ("dZ3",), formula)
    for mistake, make in {
        "extra-output-derivative": lambda v: (v.A3 - v.Y) * v.A3 * (1 - v.A3),
        "output-derivative-not-applied": lambda v: (v.A3 - v.Y) / (v.A3 * (1 - v.A3)),
        "sign-flipped": lambda v: v.Y - v.A3,
        "factor-2-extra": lambda v: 2 * (v.A3 - v.Y),
        "absolute-error": lambda v: np.abs(v.A3 - v.Y),
        "half-of-the-cross-entropy": lambda v: v.Y * (v.A3 - 1),
    }.items()
    for formula in (make, lambda v, make=make: make(v) / v.Y.shape[1])
)

SIGNAL_2_SLIPS = _hidden_slips("dZ2", "W3", "dZ3", "A2", "sigmoid")
SIGNAL_1_SLIPS = _hidden_slips("dZ1", "W2", "dZ2", "A1", "tanh")

WEIGHTS_1_SLIPS = (
    Slip("result-transposed", ("dW1",), lambda v: (v.dZ1 @ v.X.T).T),
    Slip("sign-flipped", ("dW1",), lambda v: -v.dZ1 @ v.X.T),
)


def _letters(given: Values) -> dict[int, str]:
    """The letter of each size of a challenge; sizes that stand for two letters have none."""
    found: dict[int, set[str]] = {}
    known = {"X": "nm", "Y": "om", "A1": ("h1", "m"), "A2": ("h2", "m"), "A3": "om"}
    known |= {"dZ1": ("h1", "m"), "dZ2": ("h2", "m"), "dZ3": "om", "W2": ("h2", "h1"), "W3": ("o", "h2")}
    for name, letters in known.items():
        for size, letter in zip(given[name].shape if name in given else (), letters):
            found.setdefault(size, set()).add(letter)
    return {size: letters.pop() for size, letters in found.items() if len(letters) == 1}


def _written(shape: Sequence[int], letters: Mapping[int, str]) -> str:
    return f"({', '.join(letters.get(size, str(size)) for size in shape)}{',' if len(shape) == 1 else ''})"


def shapes_first(name: str, judge: Judge) -> Judge:
    """The same judge, but a wrong shape is said in the letters of the sheet, and nothing about values."""

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        for reply in replies:
            got, letters = as_numbers(reply.values.get(name)), _letters(reply.given)
            if reply.shown or isinstance(got, str) or verdicts[name].share == 1.0:
                continue  # the small example is too small to tell its sizes apart
            sizes = {letter: size for size, letter in letters.items()}
            if got.shape != tuple(sizes[letter] for letter in SHAPES[name]):
                told = f"({', '.join(SHAPES[name])}) is needed, you have {_written(got.shape, letters)}."
                hint = "Which product, and which transpose, leads from the shapes that you have to this one?"
                verdicts[name] = replace(
                    verdicts[name], message=f"`{name}`: {told}", hint=hint, mistakes=("other-shape",), fingerprint=""
                )
                break
        return verdicts

    return judged


SPEC = Spec(hidden=("tanh", "sigmoid"), output="sigmoid", loss=LOSS)
BY_NETWORK = values(truth, follow=follow, explain=explain_gradients(SPEC))


# Judges -------------------------------------------------------------------------------------------------------------


def judge_shapes(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """Each entry of the table is the pair of letters, in order."""
    (reply,) = replies
    verdicts = {}
    for line in lines:
        got = reply.values.get(line.name)
        got = got if got is None or isinstance(got, str) else "?"
        if got is None:
            verdicts[line.name] = Verdict(
                "missing", message=f'`{line.name}` is not filled in yet: give a pair of letters such as `("h1", "m")`.'
            )
        elif got == ",".join(SHAPES[line.name]):
            verdicts[line.name] = RIGHT
        elif got == ",".join(reversed(SHAPES[line.name])):
            verdicts[line.name] = Verdict(
                "wrong",
                mistakes=("result-transposed",),
                message="Rows and columns are exchanged.",
                hint="In this course the examples are columns, and a weight matrix has one row per unit.",
            )
        elif got == "?":
            verdicts[line.name] = Verdict(
                "wrong", message='A shape is a pair of letters, such as ("n", "m"): two texts in brackets.'
            )
        else:
            what = "pre-activation" if line.name[1] == "Z" else "weight matrix"
            verdicts[line.name] = Verdict(
                "wrong",
                message=f"`{line.name}` does not have this shape.",
                hint=f"A gradient has the shape of the {what} it belongs to.",
            )
    return verdicts


def judge_signal_3(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """dZ3 with 1/m, or without it: then the weight gradients have to take the mean."""
    judge = values(signal_3_truth, follow=follow_signal_3, explain=explain_slips(SIGNAL_3_SLIPS))
    return {
        name: replace(verdict, message="Right, if dW1 takes the mean over the examples.") if verdict.own else verdict
        for name, verdict in shapes_first("dZ3", judge)(lines, replies).items()
    }


def judge_weights_1(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """dW1 with 1/m in exactly one of two places: in the student's own dZ3, or here."""
    wanted = {id(reply.given): arrays for reply, arrays in zip(replies, weights_1_wanted(replies))}
    plain = values(
        lambda given: {"dW1": wanted[id(given)][0]},
        follow=lambda given, own: [{"dW1": right} for right in wanted[id(given)][1:]],
        explain=lambda replies: _explain_weights_1(replies, wanted),
    )
    return shapes_first("dW1", plain)(lines, replies)


def _explain_weights_1(
    replies: Sequence[Reply], wanted: Mapping[int, tuple[np.ndarray, ...]]
) -> Mapping[str, Verdict]:
    """1/m in both places or in none, or one of the slips of the formula."""
    for mistake, power in (("missing-1-over-m", 1), ("divided-by-m-twice", -1)):
        predicted = [wanted[id(reply.given)][0] * reply.given["X"].shape[1] ** power for reply in replies]
        if all(gives(reply.values.get("dW1"), array) for reply, array in zip(replies, predicted)):
            return {"dW1": Verdict.named(mistake)}
    return explain_slips(WEIGHTS_1_SLIPS)(replies)


def judge_gradients(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """All six gradients. Weights that the backward pass has changed before using them are charged once."""
    verdicts = dict(BY_NETWORK(lines, replies))
    moved = [_with_own_weights(reply) for reply in replies]
    changed = any(one is not two for one, two in zip(moved, replies))
    if changed and any(verdict.share < 1 for verdict in verdicts.values()):
        charged = False
        for name, verdict in BY_NETWORK(lines, moved).items():
            if verdicts[name].share == 1.0 or verdict.share < 1.0:
                continue
            if charged:
                verdicts[name] = verdict
            else:
                early = "w3" if name in ("dW2", "db2") else "w2"
                known = Verdict.named(f"{early}-updated-before-hidden-error")
                verdicts[name] = replace(
                    verdicts[name], mistakes=known.mistakes, message=known.message, hint=known.hint, fingerprint=""
                )
                charged = True
    return verdicts


def _with_own_weights(reply: Reply) -> Reply:
    """The reply as if its challenge had been asked at the weights that the student's backward pass left behind."""
    own = usable(reply.values)
    changed = {
        name: own[f"{name}_after"]
        for name in ("W2", "W3")
        if f"{name}_after" in own
        and own[f"{name}_after"].shape == reply.given[name].shape
        and not np.array_equal(own[f"{name}_after"], reply.given[name])
    }
    return Reply({**reply.given, **changed}, reply.values) if changed else reply


# The questions ------------------------------------------------------------------------------------------------------


EXERCISE = Exercise(
    name="two_hidden_layers",
    sheet="by_hand",
    title="Two hidden layers",
    minutes=75,
    difficulty=4,
    questions=(
        Question(
            "shape_table",
            "(a) Shapes first",
            tuple(Line(name, 0.5, f"shape of {name}") for name in SHAPES),
            SHAPE_TABLE,
            judge_shapes,
        ),
        Question(
            "signal_3",
            "(b) The error signal of the output layer",
            (Line("dZ3", 1, "dZ3"),),
            SIGNAL_3,
            judge_signal_3,
        ),
        Question(
            "signal_2",
            "(b) The error signal of the second hidden layer",
            (Line("dZ2", 2, "dZ2"),),
            SIGNAL_2,
            shapes_first("dZ2", values(signal_2_truth, explain=explain_slips(SIGNAL_2_SLIPS))),
        ),
        Question(
            "signal_1",
            "(b) The error signal of the first hidden layer",
            (Line("dZ1", 2, "dZ1"),),
            SIGNAL_1,
            shapes_first("dZ1", values(signal_1_truth, explain=explain_slips(SIGNAL_1_SLIPS))),
        ),
        Question("weights_1", "(b) The gradient of W1", (Line("dW1", 2, "dW1"),), WEIGHTS_1, judge_weights_1),
        Question(
            "six_gradients",
            "(c) All six gradients",
            (
                Line("dW3", 1, "dW3"),
                Line("db3", 1, "db3"),
                Line("dW2", 2, "dW2"),
                Line("db2", 1, "db2"),
                Line("dW1", 2, "dW1"),
                Line("db1", 1, "db1"),
            ),
            GRADIENTS,
            keeping_parameters(judge_gradients),
        ),
    ),
    written=(Written("error_signal", "(d) How the error signal reaches the first layer", 7),),
    parts={
        "a": ("shape_table",),
        "b": ("signal_3", "signal_2", "signal_1", "weights_1"),
        "c": ("six_gradients",),
        "d": ("error_signal",),
    },
)
