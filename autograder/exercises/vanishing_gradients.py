"""Sheet 2, exercise 6: what is left of a gradient after five layers, estimated and then measured.

The estimates are numbers that the student fills in, each marked against what follows from the student's own earlier
ones. The measurement is code: the error signals of a real network with five layers, for three activations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from autograder.exercise import Challenge, Exercise, Judge, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.exercises.shared import draw_point, network_for, wrong_slopes
from autograder.marking import slips
from autograder.marking.by_hand import LEFT, Slip, Step, chain, work_out_all
from autograder.marking.compare import as_numbers, compare
from autograder.marking.judges import nothing_new, remembered, values
from autograder.truth import Network, derivative, derivative_from_output, many_digits

DEPTH = 5
LAYERS = tuple(f"layer{layer}" for layer in range(DEPTH, 0, -1))
"""The entries of the student's list, from the output back to the input."""

ACTIVATIONS = ("sigmoid", "tanh", "relu")
SIZES = (3, 5, 4, 6, 5, 2)
"""Units of the hidden challenges, the inputs first: no weight matrix is square."""


# What is asked ------------------------------------------------------------------------------------------------------


def sigmoid_estimate(student, given):
    """The numbers of parts (a) and (b); None where one is not there."""
    found = {name: getattr(student, name, None) for name in ("max_slope", "at_input", "layers_needed", "weight_needed")}
    bounds = getattr(student, "sigmoid_bounds", None)
    if isinstance(bounds, np.ndarray):
        bounds = bounds.tolist()
    if bounds is None or bounds is Ellipsis:
        bounds = [None] * 5
    elif not isinstance(bounds, (list, tuple)) or len(bounds) != 5:
        bounds = [ValueError("sigmoid_bounds must be a list of five numbers, layer 5 first")] * 5
    for index, layer in enumerate((5, 4, 3, 2, 1)):
        found["layer" + str(layer)] = bounds[index]
    return found


def relu_estimate(student, given):
    """The numbers of part (d); None where one is not there."""
    return {name: getattr(student, name, None) for name in ("mean_factor", "relu_mean", "rms_factor", "relu_rms")}


def signals(student, given):
    """The error signals of all five layers for each activation, from a forward pass that is made here."""
    functions = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
    }
    found = {}
    for name, function in functions.items():
        weights, Z, A = [given["W" + str(layer)].copy() for layer in range(1, 6)], [], []
        below = given["X"]
        for layer in range(1, 6):
            Z.append(given["W" + str(layer)] @ below + given["b" + str(layer)])
            A.append(function(Z[-1]))
            below = A[-1]
        try:
            returned = student.error_signals(weights, Z, A, given["dA5"].copy(), name)
        except NotImplementedError:
            raise
        except Exception as error:
            returned = error
        if isinstance(returned, Exception):
            found[name] = [returned] * 5
        elif isinstance(returned, (list, tuple, np.ndarray)) and len(returned) == 5:
            found[name] = list(returned)
        else:
            found[name] = [ValueError("error_signals must return a list of five arrays, dZ1 first")] * 5
    return found


def norms(student, given):
    """The norms of a few arrays of different shapes."""
    return {"norms": student.signal_norms([given[name].copy() for name in sorted(given)])}


_CHAIN = {f"W{layer}": np.array([[w]]) for layer, w in enumerate((1.0, 0.5, 2.0, 1.0, 0.5), 1)}
_CHAIN |= {f"b{layer}": np.array([[b]]) for layer, b in enumerate((0.5, -0.5, 0.0, 0.5, 1.0), 1)}
_CHAIN |= {"X": np.array([[1.0]]), "dA5": np.array([[1.0]])}


def _alive(point: Values) -> bool:
    """Whether in every ReLU layer some units are active and some are not: silent layers would hide all mistakes."""
    below = point["X"]
    for layer in range(1, DEPTH + 1):
        below = np.maximum(point[f"W{layer}"] @ below + point[f"b{layer}"], 0)
        if not 0.3 < np.mean(below > 0) < 0.8:
            return False
    return True


def _signal_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for _ in range(3):
        point = draw_point(rng, SIZES, ACTIVATIONS, "mse", 7)
        while not _alive(point):
            point = draw_point(rng, SIZES, ACTIVATIONS, "mse", 7)
        points.append(point)
    square = draw_point(rng, (4,) * 6, ACTIVATIONS, "mse", 3)  # here a missing transpose shows in values
    return [Challenge(_CHAIN, shown=True), *(Challenge({"dA5": p.pop("Y"), **p}) for p in (*points, square))]


def _norm_challenges(rng: np.random.Generator) -> list[Challenge]:
    shapes = ((3, 4), (2, 5), (4, 2), (1, 6), (5, 3))
    drawn = [{f"dZ{i}": rng.normal(size=shape) * 10.0**-i for i, shape in enumerate(shapes, 1)} for _ in range(3)]
    small = {f"dZ{i}": np.array([[3.0, -4.0]]) / 10**i for i in range(1, 6)}
    return [Challenge(small, shown=True), *(Challenge(point) for point in drawn)]


SIGMOID = Probe(sigmoid_estimate, lambda rng: [Challenge({}, shown=True)])
RELU = Probe(relu_estimate, lambda rng: [Challenge({}, shown=True)])
SIGNALS = Probe(signals, _signal_challenges)
NORMS = Probe(norms, _norm_challenges)


# The estimates, step by step: what follows from what, and the known slips ---------------------------------------------


@cache
def start() -> dict[str, Any]:
    """What the sheet gives, and the slopes, which sympy derives: the sigmoid's largest one, and ReLU's below zero."""
    slope: sp.Expr = derivative_from_output("sigmoid")
    (a,) = slope.free_symbols
    relu = derivative("relu")
    (z,) = relu.free_symbols
    given = {"start": 1.0, "weight": 1.0, "threshold": 1e-6, "share": 0.5, "depth": DEPTH, "k": np.arange(DEPTH)}
    return given | {"steepest": float(sp.maximum(slope, a, sp.Interval(0, 1))), "leak": float(relu.subs(z, -1))}


def _layer(layer: int) -> Step:
    above = f"layer{layer + 1}"
    return Step(f"layer{layer}", 1, f"{above} * weight * max_slope", "One weight and one slope.", (
        Slip("factor-applied-once", above, "Every layer multiplies what the layer above has left. This is that."),
        Slip("subtracted-not-multiplied", f"{above} - max_slope"),
    ), label=f"bound at layer {layer}")  # fmt: skip


def _sizes(kind: str, words: str) -> Step:
    return Step(f"relu_{kind}", 1, f"start * {kind}_factor**(k + 1)", "One factor per layer.", (
        Slip("first-step-skipped", f"start * {kind}_factor**k",
             "The size 1 belongs to a5. The first entry comes after one layer already."),
        Slip("listed-backwards", f"start * {kind}_factor**(depth - k)"),
    ), label=f"{words}, layer 5 to 1")  # fmt: skip


NEEDED = "floor(log(threshold / start) / log(weight * max_slope))"
MEAN, RMS = "share + (1 - share) * leak", "sqrt(share + (1 - share) * leak**2)"
OF_BOTH = (Slip("factor-of-active-units", "1"), Slip("sigmoid-slope", "1 / 4"))

SIGMOID_STEPS = {
    "sigmoid_layers": (
        Step("max_slope", 1, "steepest", "The slope is largest where the sigmoid is one half.", (
            Slip("value-for-slope", "1", "1 is where the sigmoid ends. How steep is it at most?"),
            Slip("value-for-slope", "1 / 2", "That is its height at z = 0. How steep is it there?"),
        ), label="steepest slope of the sigmoid"),
        Step("layer5", 1, "start * max_slope", "From the output to z of the last layer there is one slope.", (
            Slip("first-step-skipped", "start"),
        ), label="bound at layer 5"),
        *(_layer(layer) for layer in (4, 3, 2, 1)),
    ),
    "sigmoid_input": (
        Step("at_input", 1, "layer1 * weight", "From layer 1 to the input there is one more weight.", (
            Slip("one-slope-too-many", "layer1 * weight * max_slope"),
            Slip("one-layer-short", "layer2", "That is what reaches z2. Two steps are left."),
            Slip("factor-asked-the-other-way", "1 / layer1"),
        ), label="bound at the input"),
        Step("layers_needed", 1, f"{NEEDED} + 1", "The first whole number for which the bound is below.", (
            Slip("one-layer-short", NEEDED, "With so many layers the bound is still a little above one millionth."),
        ), label="layers until one millionth"),
        Step("weight_needed", 1, "1 / max_slope", "Weight times slope must make 1.", (
            Slip("slope-for-weight", "max_slope"),
            Slip("weight-one", "1", "With weights of size 1 it shrinks, as in (a)."),
        ), label="weight that keeps the bound level"),
    ),
}  # fmt: skip

RELU_STEPS = {
    "relu_layers": (
        Step("mean_factor", 1, MEAN, "The average of the slopes.", (Slip("rms-for-mean", RMS), *OF_BOTH),
             label="factor of the mean magnitude"),
        _sizes("mean", "mean magnitude"),
        Step("rms_factor", 1, RMS, "Square the slopes first, then average, then take the root.",
             (Slip("mean-for-rms", MEAN), *OF_BOTH), label="factor of the root-mean-square"),
        _sizes("rms", "root-mean-square"),
    ),
}  # fmt: skip


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """The exact numbers of parts (a), (b) and (d)."""
    parts = {**SIGMOID_STEPS, **RELU_STEPS}
    return work_out_all((step for steps in parts.values() for step in steps), start())


def turned(judge: Judge) -> Judge:
    """The same judge; where the list of bounds as a whole stands the other way round, its first entry is charged."""
    bounds = [Line(layer, 0) for layer in LAYERS]

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        (reply,) = replies
        verdicts = dict(judge(lines, replies))
        own = [reply.values.get(layer) for layer in LAYERS]
        other = [replace(reply, values={**reply.values, **dict(zip(LAYERS, reversed(own)))})]
        if _all_right(judge(bounds, replies)) or not _all_right(judge(bounds, other)):
            return verdicts
        for name, verdict in judge(lines, other).items():
            verdicts[name] = max(verdicts[name], verdict, key=lambda one: one.share)
        if LAYERS[0] in verdicts:
            verdicts[LAYERS[0]] = Verdict.named("listed-backwards")
        return verdicts

    return judged


def _all_right(verdicts: Mapping[str, Verdict]) -> bool:
    return all(verdict.share == 1 for verdict in verdicts.values())


# The error signals of a real network ----------------------------------------------------------------------------------


def _network(given: Values, activation: str) -> Network:
    return network_for(given, (activation,) * DEPTH, "mse")


@remembered
def signal_truth(given: Values) -> dict[str, np.ndarray]:
    """Exact forward values and error signals, as ``sigmoid.dZ1`` and so on: dA5 is given, whatever the loss was."""
    return {
        f"{activation}.{name}": value
        for activation in ACTIVATIONS
        for name, value in _network(given, activation)
        .evaluate({**given, "Y": np.zeros_like(given["dA5"])}, {"dA5": given["dA5"]})
        .items()
    }


def follow_signals(given: Values, activation: str, own: Sequence[object]) -> list[np.ndarray]:
    """dZ1 to dZ5 of one activation, each from the student's own signal of the layer above.

    From a signal of almost nothing only almost nothing would follow, so such a signal is not used.
    """
    arrays = {f"dZ{layer}": as_numbers(value) for layer, value in enumerate(own, 1)}
    numbers = {name: value for name, value in arrays.items() if not isinstance(value, str) and value.ndim == 2}
    least = {name: LEFT * np.max(np.abs(signal_truth(given)[f"{activation}.{name}"])) for name in numbers}
    known = {
        name: value
        for name, value in numbers.items()
        if np.all(np.isfinite(value)) and np.max(np.abs(value), initial=0) > least[name]
    }
    point = {**given, "Y": np.zeros_like(given["dA5"])}
    results = _network(given, activation).evaluate(point, {**known, "dA5": given["dA5"]}, exact=False)
    return [results[f"dZ{layer}"] for layer in range(1, DEPTH + 1)]


@remembered
def norm_truth(given: Values) -> dict[str, np.ndarray]:
    """The square root of the sum of squares, in 50 digits."""
    with many_digits():
        return {"norms": np.array([float(mpmath.norm(list(map(float, given[n].ravel())))) for n in sorted(given)])}


def _signals(reply: Reply, activation: str) -> Sequence[Any]:
    """The student's five error signals, dZ1 first; five times nothing where no list of five was returned."""
    found = reply.values.get(activation)
    found = list(found) if isinstance(found, np.ndarray) and found.ndim else found
    return found if isinstance(found, list) and len(found) == DEPTH else [None] * DEPTH


def _named(reply: Reply, activation: str, layers: Sequence[int]) -> set[str]:
    """The mistakes that give the student's own signals of these layers, each from the student's own signal above."""
    exact, own = signal_truth(reply.given), [as_numbers(value) for value in _signals(reply, activation)]

    def gives(slope: Callable[..., Any], turn: Callable[..., Any]) -> bool:
        for layer in layers:
            z, a = exact[f"{activation}.Z{layer}"], exact[f"{activation}.A{layer}"]
            try:
                up = reply.given["dA5"] if layer == DEPTH else turn(reply.given[f"W{layer + 1}"]) @ own[layer]
                if not slips.gives(own[layer - 1], up * slope(z, a)):
                    return False
            except (TypeError, ValueError):
                return False
        return True

    wrong: set[tuple[str, Callable[..., Any], Callable[..., Any]]] = {
        (mistake, slope, np.transpose) for mistake, slope in wrong_slopes(activation)
    }
    if layers != (DEPTH,):
        slopes: dict[str, Callable[..., Any]] = {
            "sigmoid": lambda z, a: a * (1 - a),
            "tanh": lambda z, a: 1 - a**2,
            "relu": lambda z, a: z > 0,
        }
        right = slopes[activation]
        wrong.add(("weights-not-transposed", right, np.asarray))
        wrong.add(("divided-by-m-twice", lambda z, a: right(z, a) / z.shape[1], np.transpose))
    return {mistake for mistake, slope, turn in wrong if gives(slope, turn)}


BELOW = tuple(range(DEPTH - 1, 0, -1))


def _without_transpose(replies: Sequence[Reply]) -> Sequence[Reply]:
    """The replies at square weights alone, if W in the place of its transpose is why the code raises at others."""
    raised = [any(isinstance(as_numbers(v), str) for a in ACTIVATIONS for v in _signals(r, a)) for r in replies]
    readable = [reply for reply, failed in zip(replies, raised) if not failed]
    if all(reply.shown for reply in readable) or len(readable) == len(replies):
        return replies  # one unit in each layer shows no transpose
    alike = all("weights-not-transposed" in _named(reply, a, BELOW) for reply in readable for a in ACTIVATIONS)
    return readable if alike else replies


def judge_signals(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """The first step back (``last``), then the steps to layers 4 to 1 for each activation, given the own layer above.

    A mistake that is made in every step is charged once, in the first line where it shows.
    """
    replies = _without_transpose(replies)
    if _listed_backwards(replies):
        turned = [replace(reply, values={a: reply.values[a][::-1] for a in ACTIVATIONS}) for reply in replies]
        first, *_ = lines
        verdicts = dict(judge_signals(lines, turned))
        told = Verdict.named(
            "listed-backwards",
            title="Your list begins with dZ5.",
            hint="The signals are found from dZ5 to dZ1. In which order are they asked for?",
        )
        return {**verdicts, first.name: told}
    verdicts = {}
    charged: set[str] = set()
    for line in lines:
        asked = ACTIVATIONS if line.name == "last" else (line.name,)
        layers = (DEPTH,) if line.name == "last" else BELOW
        wrong = next((found for a in asked for r in replies if (found := _first_wrong(r, a, layers))), None)
        if wrong is None:
            exact = all(_is_exact(r, a, layers) for a in asked for r in replies)
            verdicts[line.name] = Verdict(
                "correct", 1.0, own=not exact, message="" if exact else "Right, given your signal of the layer above."
            )
            continue
        failing = [a for a in asked if any(_first_wrong(reply, a, layers) for reply in replies)]
        slips = set.intersection(*(_named(reply, a, layers) for a in failing for reply in replies))
        if len(slips) == 1:
            (mistake,) = slips
            verdicts[line.name] = nothing_new(mistake) if mistake in charged else Verdict.named(mistake)
            charged.add(mistake)
        else:
            verdicts[line.name] = Verdict("wrong", message=wrong)
    return verdicts


def _listed_backwards(replies: Sequence[Reply]) -> bool:
    """Whether every list holds, from its end to its beginning, arrays in the shapes of dZ1 to dZ5."""
    due = [[(len(r.given[f"W{n}"]), r.given["X"].shape[1]) for n in range(1, DEPTH + 1)] for r in replies]
    if all(shapes == shapes[::-1] for shapes in due):
        return False
    return all(
        [getattr(as_numbers(value), "shape", None) for value in _signals(reply, activation)][::-1] == shapes
        for reply, shapes in zip(replies, due)
        for activation in ACTIVATIONS
    )


def _is_exact(reply: Reply, activation: str, layers: Sequence[int]) -> bool:
    exact, own = signal_truth(reply.given), _signals(reply, activation)
    return all(compare(own[layer - 1], exact[f"{activation}.dZ{layer}"]).equal for layer in layers)


def _first_wrong(reply: Reply, activation: str, layers: Sequence[int]) -> str:
    """What is wrong at the layer nearest to the output, or nothing."""
    own = _signals(reply, activation)
    follows: list[np.ndarray] | None = None
    for layer in layers:
        name, got = f"{activation}: dZ{layer}", own[layer - 1]
        expected = signal_truth(reply.given)[f"{activation}.dZ{layer}"]
        found = compare(got, expected)
        if found.equal and found.shape == "same":
            continue
        if found.problem:
            return f"{name}: {found.problem}."
        array = np.asarray(got)
        if array.shape != expected.shape:
            letters = f"({expected.shape[0]}, {expected.shape[1]})"
            return f"{name} must have one row per unit of layer {layer}: {letters} is needed, you have {array.shape}."
        if not np.all(np.isfinite(array)):
            return f"{name} holds numbers that are not finite (NaN or infinity)."
        follows = follows if follows is not None else follow_signals(reply.given, activation, own)
        if not compare(got, follows[layer - 1]).equal:
            return f"{name} is not what follows from the signal of the layer above."
    return ""


NORM_SLIPS = tuple(
    slips.Slip(mistake, "norms", lambda v, wrong=wrong: [wrong(v[f"dZ{i}"]) for i in range(1, DEPTH + 1)])
    for mistake, wrong in {
        "square-root-missing": lambda g: np.sum(g**2),
        "mean-for-sum": lambda g: np.sqrt(np.mean(g**2)),
        "absolute-values-for-squares": lambda g: np.sum(abs(g)),
        "largest-entry-for-norm": lambda g: np.max(abs(g)),
        "spectral-norm": lambda g: np.linalg.norm(g, 2),
    }.items()
)


# The questions ------------------------------------------------------------------------------------------------------

BY_SIGMOID = turned(chain(SIGMOID_STEPS, truth, lambda given: start()))
BY_RELU = chain(RELU_STEPS, truth, lambda given: start())


def _estimate(id: str, title: str, steps: Mapping[str, Sequence[Step]], probe: Probe, judge: Judge) -> Question:
    return Question(id, title, tuple(step.line for step in steps[id]), probe, judge)


EXERCISE = Exercise(
    name="vanishing_gradients",
    sheet="by_hand",
    title="Where gradients vanish",
    minutes=60,
    difficulty=3,
    questions=(
        _estimate("sigmoid_layers", "(a) The sigmoid, layer by layer", SIGMOID_STEPS, SIGMOID, BY_SIGMOID),
        _estimate("sigmoid_input", "(b) What reaches the input", SIGMOID_STEPS, SIGMOID, BY_SIGMOID),
        _estimate("relu_layers", "(d) ReLU with half of its units active", RELU_STEPS, RELU, BY_RELU),
        Question(
            "true_signals",
            "(e) The error signals of a real network",
            (
                Line("last", 2, "the first step, dZ5"),
                Line("sigmoid", 1, "dZ4 to dZ1 with sigmoid"),
                Line("tanh", 1, "dZ4 to dZ1 with tanh"),
                Line("relu", 1, "dZ4 to dZ1 with ReLU"),
            ),
            SIGNALS,
            judge_signals,
        ),
        Question(
            "true_norms",
            "(e) Their norms",
            (Line("norms", 1, "norms of five arrays"),),
            NORMS,
            values(norm_truth, explain=slips.explain_slips(NORM_SLIPS)),
        ),
    ),
    written=(Written("remedies", "(c) Three remedies", 6),),
    parts={
        "a": ("sigmoid_layers",),
        "b": ("sigmoid_input",),
        "c": ("remedies",),
        "d": ("relu_layers",),
        "e": ("true_signals", "true_norms"),
    },
)
