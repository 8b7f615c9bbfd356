"""Sheet 1: ReLU, its derivative, and the error signal of a hidden ReLU layer.

The student writes ``relu``, ``relu_derivative`` and ``hidden_error``, and explains why the derivative is a mask. At
zero any slope in [0, 1] is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written, lines
from autograder.exercises.shared import at_each, calling, keeping_inputs, wrong_slopes
from autograder.marking.compare import as_numbers
from autograder.marking.freedom import choosing
from autograder.marking.judges import remembered, values
from autograder.marking.slips import At, Slip, explain_slips
from autograder.truth import Network

SMALL = {
    "Z1": np.array([[1.0, -1.0], [2.0, 3.0]]),
    "W2": np.array([[2.0, -1.0]]),
    "dZ2": np.array([[0.5, -1.0]]),
}
"""The worked example of the notebook; feedback may show it."""


# What is asked ------------------------------------------------------------------------------------------------------


def error_signal(student, given):
    """The error signal of the hidden layer, and the student's own slopes at the same pre-activations."""
    try:
        slope = student.relu_derivative(given["Z1"].copy())
    except Exception:
        slope = None
    return {"slope": slope, "dZ1": student.hidden_error(given["W2"], given["dZ2"], given["Z1"])}


def _of_both_signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Entries of magnitude 0.3 to 1.6, at least one of each sign in every row."""
    signs = rng.choice([-1.0, 1.0], shape)
    signs[..., 0], signs[..., 1] = 1.0, -1.0
    return rng.uniform(0.3, 1.6, shape) * signs


def _function_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge({"Z": np.array([[-2.0, 0.5], [3.0, 0.0]])}, shown=True),
        Challenge({"Z": _of_both_signs(rng, 3, 5)}),
        Challenge({"Z": np.append(_of_both_signs(rng, 7), [1000.0, -1000.0, 0.0])}),
        Challenge({"Z": _of_both_signs(rng, 4, 2)}),
    ]


def _signal_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge(SMALL, shown=True)]
    for h, o, m in ((4, 3, 6), (5, 2, 7), (6, 3, 5)):
        point = {"Z1": _of_both_signs(rng, h, m), "W2": _of_both_signs(rng, o, h), "dZ2": _of_both_signs(rng, o, m)}
        points.append(Challenge(point))
    at_zero = {name: np.round(4 * value) / 4 for name, value in points[1].given.items()}
    at_zero["Z1"][0, 0] = at_zero["Z1"][2, 3] = 0.0
    return [*points, Challenge(at_zero)]


FUNCTION = calling("relu", "Z", "relu", _function_challenges, called="function_values")
SLOPES = calling("relu_derivative", "Z", "slope", _function_challenges, called="slopes")
SIGNAL = Probe(error_signal, _signal_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def function_truth(given: Values) -> dict[str, np.ndarray]:
    """max(0, z)."""
    return {"relu": at_each("relu", given["Z"])[0]}


@remembered
def slope_truth(given: Values) -> dict[str, np.ndarray]:
    """The derivative of max(0, z), at zero the student's choice."""
    Z = given["Z"]
    return {"slope": np.where(Z == 0, given["at_zero"], at_each("relu", np.where(Z == 0, 1.0, Z))[1])}


def slope_choice(given: Values, own: Values) -> dict[str, np.ndarray]:
    """The slopes at zero that the student chose, each in [0, 1]."""
    slope = own.get("slope")
    chosen = slope if slope is not None and slope.shape == given["Z"].shape else np.zeros(given["Z"].shape)
    return {"at_zero": np.clip(chosen.astype(float), 0.0, 1.0)}


def _signal(given: Values, Z1: np.ndarray) -> np.ndarray:
    """dZ1 of a network whose own Z1 and dZ2 are these, away from zero."""
    (o, h), m = given["W2"].shape, Z1.shape[1]
    network = Network((1, h, o), ("relu", "linear"), "mse")
    rest = {"X": np.zeros((1, m)), "Y": np.zeros((o, m)), "W1": np.zeros((h, 1)), "b1": np.zeros((h, 1))}
    point = rest | {"W2": given["W2"], "b2": np.zeros((o, 1))}
    return network.evaluate(point, {"Z1": Z1, "dZ2": given["dZ2"]}, exact=False)["dZ1"]


def _sides(given: Values) -> tuple[np.ndarray, np.ndarray]:
    """dZ1 with the left and with the right slope at zero."""
    Z1 = np.asarray(given["Z1"])
    return _signal(given, np.where(Z1 == 0, -1.0, Z1)), _signal(given, np.where(Z1 == 0, 1.0, Z1))


@remembered
def signal_truth(given: Values) -> dict[str, np.ndarray]:
    """The error signal of the hidden layer; at zero between its values with the left and the right slope."""
    left, right = _sides(given)
    return {"dZ1": left + given["at_zero"] * (right - left)}


def signal_choice(given: Values, own: Values) -> dict[str, np.ndarray]:
    """The slopes at zero that the student's error signal uses, each in [0, 1]."""
    left, right = _sides(given)
    got = own.get("dZ1")
    if got is None or got.shape != left.shape:
        return {"at_zero": np.zeros(left.shape)}
    span = np.where(right == left, 1.0, right - left)
    return {"at_zero": np.where(right == left, 0.0, np.clip((got - left) / span, 0.0, 1.0))}


def follow_signal(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own slopes, unless they are all zero: then nothing would be left to mark."""
    slope = own.get("slope")
    if slope is None or slope.shape != given["Z1"].shape or not np.any(slope):
        return ()
    return [{"dZ1": _signal(given, np.ones(slope.shape)) * slope}]


# Which mistakes are known -------------------------------------------------------------------------------------------


FUNCTION_SLIPS = (
    Slip("activation-forgotten", "relu", "Z"),
    Slip("relu-derivative-for-relu", "relu", "Z > 0"),
    Slip("absolute-value", "relu", "abs(Z)"),
    Slip("minimum-for-maximum", "relu", "where(Z < 0, Z, 0)"),
    *(Slip("leaky-relu", "relu", f"where(Z > 0, Z, {slope} * Z)") for slope in (0.01, 0.1, 0.2)),
    Slip("integers-from-vectorize", "relu", "where(Z.flat[0] <= 0, floor(maximum(Z, 0)), maximum(Z, 0))"),
)


SLOPE_SLIPS = tuple(
    # at zero, where the student may choose, a slip says nothing
    Slip(mistake, "slope", lambda v, s=slope: np.where(v.Z == 0, v.slope, s(v.Z, np.maximum(v.Z, 0))))
    for mistake, slope in wrong_slopes("relu")
    if mistake != "activation-derivative-missing"
)


def _signal_slip(mistake: str, formula: Callable[[np.ndarray, At], np.ndarray]) -> Slip:
    """A slip in the error signal: a formula of W2^T dZ2 and of what is known; at zero it says nothing."""
    return Slip(mistake, "dZ1", lambda v: np.where(v.Z1 == 0, v.dZ1, formula(v.W2.T @ v.dZ2, v)))


SIGNAL_SLIPS = (
    *(
        _signal_slip(mistake, lambda back, v, s=slope: back * s(v.Z1, np.maximum(v.Z1, 0)))
        for mistake, slope in wrong_slopes("relu")
        if mistake != "relu-derivative-returns-z"  # here it is relu that is called, and not a wrong derivative
    ),
    _signal_slip("activation-for-derivative", lambda back, v: back * np.maximum(v.Z1, 0)),
    _signal_slip("relu-mask-from-upstream", lambda back, v: np.maximum(back, 0)),
    _signal_slip("derivative-without-upstream-error", lambda back, v: v.Z1 > 0),
    _signal_slip("weights-missing-in-hidden-error", lambda back, v: v.dZ2.sum(axis=0, keepdims=True) * (v.Z1 > 0)),
    _signal_slip("divided-by-m-twice", lambda back, v: back * (v.Z1 > 0) / v.Z1.shape[1]),
)


BY_SIGNAL = choosing(signal_choice, values(signal_truth, follow=follow_signal, explain=explain_slips(SIGNAL_SLIPS)))


def judge_signal(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """dZ1. Where it is not finite at zero because the student's own slope is not, that was charged before."""
    return BY_SIGNAL(lines, [replace(reply, values=_without_gaps(reply)) for reply in replies])


def _without_gaps(reply: Reply) -> Values:
    Z1, slope, dZ1 = reply.given["Z1"], as_numbers(reply.values.get("slope")), as_numbers(reply.values.get("dZ1"))
    if isinstance(slope, str) or isinstance(dZ1, str) or not slope.shape == dZ1.shape == Z1.shape:
        return reply.values
    gaps = (Z1 == 0) & ~np.isfinite(slope)
    return {**reply.values, "slope": np.where(gaps, 0, slope), "dZ1": np.where(gaps & ~np.isfinite(dZ1), 0, dZ1)}


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="relu_derivative",
    sheet="foundations",
    title="ReLU and its derivative",
    minutes=30,
    difficulty=1,
    questions=(
        Question(
            "relu_values",
            "ReLU",
            lines(relu=(3, "relu(Z)")),
            FUNCTION,
            keeping_inputs(values(function_truth, explain=explain_slips(FUNCTION_SLIPS))),
        ),
        Question(
            "relu_slopes",
            "The derivative of ReLU",
            lines(slope=(5, "relu_derivative(Z)")),
            SLOPES,
            keeping_inputs(choosing(slope_choice, values(slope_truth, explain=explain_slips(SLOPE_SLIPS)))),
        ),
        Question(
            "hidden_signal",
            "The error signal of a hidden ReLU layer",
            lines(dZ1=(6, "dZ1, the error signal of the hidden layer")),
            SIGNAL,
            judge_signal,
        ),
    ),
    written=(Written("why_a_mask", "How the derivative simplifies the hidden gradient", 6),),
    parts={
        "relu": ("relu_values",),
        "relu_derivative": ("relu_slopes",),
        "hidden_error": ("hidden_signal",),
        "explanation": ("why_a_mask",),
    },
)
