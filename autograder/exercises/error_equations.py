"""Two hidden layers, (b): the equations of the error signals and of a weight gradient, each asked alone.

Shapes come first, in the letters of the sheet, then values at random upstream signals and non-square sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from autograder.exercise import Challenge, Judge, Line, Probe, Reply, Values, Verdict
from autograder.exercises.letter_shapes import shapes_first
from autograder.exercises.shared import draw_point, layer_gradients, network_for, wrong_slopes
from autograder.marking.compare import as_numbers, compare
from autograder.marking.judges import Explain, remembered, values
from autograder.marking.slips import At, Slip, explain_slips, gives
from autograder.truth import Network

ACTIVATIONS, LOSS = ("tanh", "sigmoid", "sigmoid"), "bce"

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


def equations(student, given, *, asked):
    """What equations give, each for its arguments; an error stands in the place of a value."""
    for name, arguments in asked:
        function = getattr(student, "equation_" + name)
        try:
            value = function(*(given[argument] for argument in arguments))
        except NotImplementedError:
            raise
        except Exception as error:
            value = error
        yield {name: value}


def draw_points(rng: np.random.Generator) -> list[dict[str, np.ndarray]]:
    """No two of n, h1, h2, o and m are equal, so that every shape can be told; but at the last one.

    At square weights a missing transpose does not raise, and shows in the values.
    """
    sizes = ((3, 5, 4, 2), (2, 4, 6, 3), (4, 3, 5, 2), (4, 4, 4, 4))
    return [draw_point(rng, size, ACTIVATIONS, LOSS, m) for size, m in zip(sizes, (7, 5, 6, 3))]


ARGUMENTS = {
    "dZ3": ("A3", "Y"),
    "dZ2": ("W3", "dZ3", "A2"),
    "dZ1": ("W2", "dZ2", "A1"),
    "dW1": ("dZ1", "X"),
}
"""What each equation is worked out from."""


def _equations(called: str, *asked: str) -> Probe:
    """Activations from a real forward pass, and error signals drawn at random: each equation stands alone."""
    names = {name for one in asked for name in ARGUMENTS[one]}

    def draw(rng: np.random.Generator) -> list[Challenge]:
        challenges = []
        for point, shown in [(SMALL, True), *((point, False) for point in draw_points(rng))]:
            known = {**point, **network(point).evaluate(point, only=("A1", "A2", "A3"))}
            for layer in (1, 2, 3):
                shape = known[f"A{layer}"].shape
                signs = rng.choice([-1.0, 1.0], shape)
                known[f"dZ{layer}"] = signs * (np.ones(shape) if shown else rng.uniform(0.3, 1.3, shape))
            challenges.append(Challenge({name: known[name] for name in names}, shown=shown))
        return challenges

    return Probe(equations, draw, {"asked": tuple((one, ARGUMENTS[one]) for one in asked)}, called)


SIGNAL_3 = _equations("signal_3", "dZ3")
SIGNAL_2 = _equations("signal_2", "dZ2")
SIGNAL_1 = _equations("signal_1", "dZ1")
WEIGHTS_1 = _equations("weights_1", "dW1", "dZ3")  # and the student's dZ3, where 1/m was put


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """Exact activations and gradients of the whole network."""
    return network(given).evaluate(given)


@remembered
def signal_3_truth(given: Values) -> dict[str, np.ndarray]:
    """Derivative of the mean loss with respect to Z3: sympy's, for outputs given as A3 = sigmoid(Z3)."""
    outputs, m = given["A3"].shape
    # a layer of its own in which every output sees one input: Z = x, and A = sigmoid(Z) is the given A3
    Z = _before(given["A3"], "sigmoid")
    single = Network((outputs, outputs), ("sigmoid",), LOSS)
    point = {"X": Z, "Y": given["Y"], "W1": np.eye(outputs), "b1": np.zeros((outputs, 1))}
    found = single.evaluate(point, only=("dZ1",))
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
    return net.evaluate(point, {"dZ2": signal}, only=("dZ1",))["dZ1"]


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
    """dW1 for a given dZ1 that holds the 1/m."""
    weights = np.zeros((given["dZ1"].shape[0], given["X"].shape[0]))
    return {"dW1": layer_gradients(given["X"], weights, given["dZ1"])["dW"]}


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


def _hidden_slips(line: str, weights: str, above: str, below: str, activation: str) -> Explain:
    slope = {"sigmoid": f"{below} * (1 - {below})", "tanh": f"(1 - {below}**2)"}[activation]
    unbracketed = {"sigmoid": f"* {below} * 1 - {below}", "tanh": f"* 1 - {below}**2"}[activation]
    back = f"({weights}.T @ {above})"
    whole = {
        "weights-not-transposed": f"({weights} @ {above}) * {slope}",
        "derivative-without-upstream-error": slope,
        "derivative-without-brackets": f"{back} {unbracketed}",
        "weights-missing-in-hidden-error": f"sum({above}, axis=0, keepdims=True) * {slope}",
        "divided-by-m-twice": f"{back} * {slope} / {below}.shape[1]",
    }

    def of_slope(v: At, wrong: Callable[..., np.ndarray]) -> np.ndarray:
        return v[weights].T @ v[above] * wrong(_before(v[below], activation), v[below])

    explain = explain_slips(
        [Slip(mistake, line, formula) for mistake, formula in whole.items()]
        + [Slip(mistake, line, partial(of_slope, wrong=wrong)) for mistake, wrong in wrong_slopes(activation)]
    )

    def where_it_runs(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        """W in the place of its transpose raises where W is not square: what is left says what it is."""
        whole = [reply for reply in replies if not isinstance(as_numbers(reply.values.get(line)), str)]
        return explain(whole) if whole else {}

    return where_it_runs


EXPLAIN_2 = _hidden_slips("dZ2", "W3", "dZ3", "A2", "sigmoid")
EXPLAIN_1 = _hidden_slips("dZ1", "W2", "dZ2", "A1", "tanh")

SIGNAL_3_SLIPS = tuple(
    Slip(mistake, "dZ3", f"{formula}{mean}")
    for mistake, formula in {
        "extra-output-derivative": "(A3 - Y) * A3 * (1 - A3)",
        "output-derivative-not-applied": "(A3 - Y) / (A3 * (1 - A3))",
        "sign-flipped": "(Y - A3)",
        "factor-2-extra": "2 * (A3 - Y)",
        "absolute-error": "abs(A3 - Y)",
        "half-of-the-cross-entropy": "Y * (A3 - 1)",
    }.items()
    for mean in ("", " / Y.shape[1]")
)

WEIGHTS_1_SLIPS = (Slip("result-transposed", "dW1", "(dZ1 @ X.T).T"), Slip("sign-flipped", "dW1", "-dZ1 @ X.T"))


# Judges -------------------------------------------------------------------------------------------------------------


def _explain_signal_3(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """A slip of the formula, or the mean over the outputs, which is two: as the gradients of (c) say it."""
    averaged = [r.given["A3"].shape[1] / r.given["A3"].shape[0] * signal_3_truth(r.given)["dZ3"] for r in replies]
    if all(gives(reply.values.get("dZ3"), array) for reply, array in zip(replies, averaged)):
        return {"dZ3": Verdict.named("missing-1-over-m", "mean-over-outputs")}
    return explain_slips(SIGNAL_3_SLIPS)(replies)


def judge_signal_3(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """dZ3 with 1/m, or without it: then the weight gradients have to take the mean."""
    judge = values(signal_3_truth, follow=follow_signal_3, explain=_explain_signal_3)
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


def _explain_weights_1(replies: Sequence[Reply], wanted: Mapping[int, tuple[np.ndarray, ...]]) -> Mapping[str, Verdict]:
    """1/m in both places or in none, or one of the slips of the formula."""
    for mistake, power in (("missing-1-over-m", 1), ("divided-by-m-twice", -1)):
        predicted = [wanted[id(reply.given)][0] * reply.given["X"].shape[1] ** power for reply in replies]
        if all(gives(reply.values.get("dW1"), array) for reply, array in zip(replies, predicted)):
            return {"dW1": Verdict.named(mistake)}
    return explain_slips(WEIGHTS_1_SLIPS)(replies)


JUDGES: Mapping[str, Judge] = {
    "dZ3": judge_signal_3,
    "dZ2": shapes_first("dZ2", values(signal_2_truth, explain=EXPLAIN_2)),
    "dZ1": shapes_first("dZ1", values(signal_1_truth, explain=EXPLAIN_1)),
    "dW1": judge_weights_1,
}
"""Who marks what each equation gives."""
