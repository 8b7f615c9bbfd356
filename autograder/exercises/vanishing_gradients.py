"""Sheet 2, exercise 6: what is left of a gradient after five layers, estimated and then measured.

The estimates are numbers that the student fills in, each marked against what follows from the student's own earlier
ones. The measurement is code: the error signals of a real network with five layers, for three activations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import mpmath
import numpy as np
import sympy as sp

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.exercises.shared import draw_point, network_for, wrong_slopes
from autograder.marking.compare import HAND, as_numbers, compare
from autograder.marking.judges import remembered, values
from autograder.marking.slips import At, Slip, explain_slips, gives
from autograder.mistakes import MISTAKES
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
        returned = student.error_signals(weights, Z, A, given["dA5"].copy(), name)
        if not isinstance(returned, (list, tuple, np.ndarray)) or len(returned) != 5:
            raise ValueError("error_signals must return a list of five arrays, dZ1 first")
        found[name] = list(returned)
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
    points = [Challenge(_CHAIN, shown=True)]
    for _ in range(3):
        point = draw_point(rng, SIZES, ACTIVATIONS, "mse", 7)
        while not _alive(point):
            point = draw_point(rng, SIZES, ACTIVATIONS, "mse", 7)
        point["dA5"] = point.pop("Y")
        points.append(Challenge(point))
    return points


def _norm_challenges(rng: np.random.Generator) -> list[Challenge]:
    shapes = ((3, 4), (2, 5), (4, 2), (1, 6), (5, 3))
    drawn = [{f"dZ{i}": rng.normal(size=shape) * 10.0**-i for i, shape in enumerate(shapes, 1)} for _ in range(3)]
    small = {f"dZ{i}": np.array([[3.0, -4.0]]) / 10**i for i in range(1, 6)}
    return [Challenge(small, shown=True), *(Challenge(point) for point in drawn)]


SIGMOID = Probe(sigmoid_estimate, lambda rng: [Challenge({}, shown=True)])
RELU = Probe(relu_estimate, lambda rng: [Challenge({}, shown=True)])
SIGNALS = Probe(signals, _signal_challenges)
NORMS = Probe(norms, _norm_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@cache
def steepest_sigmoid() -> sp.Expr:
    """The largest slope of the sigmoid: the maximum of its derivative, written with a, over 0 < a < 1."""
    slope = derivative_from_output("sigmoid")
    (a,) = slope.free_symbols
    return sp.maximum(slope, a, sp.Interval(0, 1))


def _chain(factor: sp.Expr) -> list[sp.Expr]:
    """What is left of 1 after one factor, two factors, ..."""
    return [factor**step for step in range(1, DEPTH + 1)]


def _sigmoid_numbers(slope: sp.Expr) -> dict[str, sp.Expr]:
    bounds = _chain(slope)
    return {
        "max_slope": slope,
        **dict(zip(LAYERS, bounds)),
        "at_input": bounds[-1],
        "layers_needed": sp.floor(sp.log(10**6) / sp.log(1 / slope)) + 1,
        "weight_needed": 1 / slope,
    }


def _as_floats(numbers: Mapping[str, object]) -> dict[str, np.ndarray]:
    return {
        name: np.array([float(x) for x in value] if isinstance(value, list) else float(value))
        for name, value in numbers.items()
    }


def sigmoid_truth(given: Values) -> dict[str, np.ndarray]:
    """The exact numbers of parts (a) and (b)."""
    return _as_floats(_sigmoid_numbers(steepest_sigmoid()))


def follow_sigmoid(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """Each number from the student's own one before it, where that one shrinks: from 0 only 0 would follow."""
    own = {name: float(value.reshape(())) for name, value in own.items() if value.size == 1}
    shrinking = {name: sp.Float(value) for name, value in own.items() if 0 < value < 1}
    slope = shrinking.get("max_slope", steepest_sigmoid())
    numbers = _sigmoid_numbers(slope)
    before = sp.Integer(1)
    for layer in LAYERS:
        numbers[layer] = before * slope
        before = shrinking.get(layer, numbers[layer])
        if layer == LAYERS[0] and own.get(layer) == 1:  # the first step was skipped; what follows still shrinks
            before = sp.Integer(1)
    readings = [_as_floats(numbers | {"max_slope": steepest_sigmoid(), "at_input": before})]
    turned = {layer: slope**step for layer, step in zip(LAYERS, range(DEPTH, 0, -1))}
    if LAYERS[0] in own and np.isclose(own[LAYERS[0]], float(turned[LAYERS[0]]), rtol=HAND):
        # the whole list stands the other way round: the first entry is charged, the others follow
        readings.append(readings[0] | _as_floats({layer: turned[layer] for layer in LAYERS[1:]}))
    return readings


@cache
def _relu_factors() -> tuple[sp.Expr, sp.Expr]:
    """Mean and root-mean-square of ReLU's slope when z is equally often positive and negative."""
    slope = derivative("relu")
    (z,) = slope.free_symbols
    slopes = [slope.subs(z, 1), slope.subs(z, -1)]
    return sum(slopes) / sp.Integer(2), sp.sqrt(sum(s**2 for s in slopes) / sp.Integer(2))


def relu_truth(given: Values) -> dict[str, np.ndarray]:
    """The exact numbers of part (d)."""
    mean, rms = _relu_factors()
    return _as_floats({"mean_factor": mean, "relu_mean": _chain(mean), "rms_factor": rms, "relu_rms": _chain(rms)})


def follow_relu(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The lists from the student's own factors."""
    numbers = relu_truth(given)
    for factor, name in (("mean_factor", "relu_mean"), ("rms_factor", "relu_rms")):
        if factor in own and own[factor].size == 1 and 0 < own[factor] < 1:
            numbers[name] = np.array([float(x) for x in _chain(sp.Float(float(own[factor].reshape(()))))])
    return [numbers]


def _network(given: Values, activation: str) -> Network:
    return network_for(given, (activation,) * DEPTH, "mse")


@remembered
def signal_truth(given: Values) -> dict[str, np.ndarray]:
    """Exact forward values and error signals, as ``sigmoid.dZ1`` and so on: dA5 is given, whatever the loss was."""
    return {
        f"{activation}.{name}": value
        for activation in ACTIVATIONS
        for name, value in _network(given, activation)
        .evaluate(given | {"Y": np.zeros_like(given["dA5"])}, {"dA5": given["dA5"]})
        .items()
    }


def follow_signals(given: Values, activation: str, own: Sequence[object]) -> list[np.ndarray]:
    """dZ1 to dZ5 of one activation, each from the student's own signal of the layer above.

    From a signal of zeros only zeros would follow, whatever the code does, so such a signal is not used.
    """
    arrays = {f"dZ{layer}": as_numbers(value) for layer, value in enumerate(own, 1)}
    numbers = {name: value for name, value in arrays.items() if not isinstance(value, str) and value.ndim == 2}
    known = {name: value for name, value in numbers.items() if np.all(np.isfinite(value)) and np.any(value)}
    start = {"dA5": given["dA5"]}
    results = _network(given, activation).evaluate(
        given | {"Y": np.zeros_like(given["dA5"])}, known | start, exact=False
    )
    return [results[f"dZ{layer}"] for layer in range(1, DEPTH + 1)]


@remembered
def norm_truth(given: Values) -> dict[str, np.ndarray]:
    """The square root of the sum of squares, in 50 digits."""
    with many_digits():
        return {"norms": np.array([float(mpmath.norm(list(map(float, given[n].ravel())))) for n in sorted(given)])}


# Which mistakes are known -------------------------------------------------------------------------------------------

_BACKWARDS = "Layer 5 comes first in the list: that is the layer nearest to the output."
_POWERS = "Every layer multiplies what the layer above has left. Your factor is applied only once."
_FIRST_STEP = "The magnitude 1 belongs to a5. To get to z5 you go through the first activation already."

SIGMOID_SLIPS = (
    Slip("value-for-slope", ("max_slope",), lambda v: 1, hint="1 is where the sigmoid ends. How steep is it at most?"),
    Slip("value-for-slope", ("max_slope",), lambda v: 0.5, hint="That is its height at z = 0. How steep is it there?"),
    Slip("first-step-skipped", ("layer5",), lambda v: 1, hint=_FIRST_STEP),
    Slip("listed-backwards", ("layer5",), lambda v: v.max_slope**5, hint=_BACKWARDS),
    *(
        Slip("factor-applied-once", (layer,), lambda v, n=layer: v[f"layer{int(n[-1]) + 1}"])
        for layer in LAYERS[1:]
    ),
    *(
        Slip(
            "subtracted-not-multiplied",
            (layer,),
            lambda v, n=layer: v[f"layer{int(n[-1]) + 1}"] - v.max_slope,
        )
        for layer in LAYERS[1:]
    ),
    Slip(
        "one-slope-too-many",
        ("at_input",),
        lambda v: v.layer1 * v.max_slope,
    ),
    Slip("one-layer-short", ("at_input",), lambda v: v.layer2, hint="That is what reaches z2. Two steps are left."),
    Slip(
        "factor-asked-the-other-way",
        ("at_input",),
        lambda v: 1 / v.layer1,
    ),
    Slip(
        "one-layer-short",
        ("layers_needed",),
        lambda v: np.floor(np.log(1e6) / np.log(1 / v.max_slope)),
        hint="With so many layers the bound is still a little above one millionth.",
    ),
    Slip("slope-for-weight", ("weight_needed",), lambda v: v.max_slope),
    Slip("weight-one", ("weight_needed",), lambda v: 1, hint="With weights of size 1 it shrinks, as in (a)."),
)

RELU_SLIPS = (
    Slip(
        "mean-for-rms",
        ("rms_factor",),
        lambda v: 0.5,
    ),
    Slip(
        "rms-for-mean",
        ("mean_factor",),
        lambda v: np.sqrt(0.5),
    ),
    Slip(
        "factor-of-active-units",
        ("mean_factor", "rms_factor"),
        lambda v: 1,
    ),
    Slip(
        "sigmoid-slope",
        ("mean_factor", "rms_factor"),
        lambda v: 0.25,
    ),
    *(
        Slip(
            "first-step-skipped",
            (f"relu_{kind}",),
            lambda v, kind=kind: v[f"{kind}_factor"] ** np.arange(DEPTH),
            hint="The size 1 belongs to a5. The first entry comes after one layer already.",
        )
        for kind in ("mean", "rms")
    ),
    *(
        Slip(
            "listed-backwards",
            (f"relu_{kind}",),
            lambda v, kind=kind: v[f"{kind}_factor"] ** np.arange(DEPTH, 0, -1),
            hint=_BACKWARDS,
        )
        for kind in ("mean", "rms")
    ),
)


def _named(reply: Reply, activation: str, layers: Sequence[int]) -> set[str]:
    """The mistakes that give the student's own signals of these layers, each from the student's own signal above."""
    exact, own = signal_truth(reply.given), reply.values[activation]
    found = set()
    for mistake, slope in wrong_slopes(activation):
        fits = True
        for layer in layers:
            z, a = exact[f"{activation}.Z{layer}"], exact[f"{activation}.A{layer}"]
            try:
                up = reply.given["dA5"] if layer == DEPTH else reply.given[f"W{layer + 1}"].T @ np.asarray(own[layer])
                fits = fits and gives(own[layer - 1], up * slope(z, a))
            except (TypeError, ValueError):
                fits = False
        if fits:
            found.add(mistake)
    return found


def judge_signals(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """The first step back (``last``), then the steps to layers 4 to 1 for each activation, given the own layer above.

    A mistake that is made in every step is charged once, in the first line where it shows.
    """
    if _listed_backwards(replies):
        turned = [replace(reply, values={a: reply.values[a][::-1] for a in ACTIVATIONS}) for reply in replies]
        first, *_ = lines
        verdicts = judge_signals(lines, turned)
        told = Verdict.named(
            "listed-backwards",
            title="Your list begins with dZ5.",
            hint="The signals are found from dZ5 to dZ1. In which order are they asked for?",
        )
        return verdicts | {first.name: told}
    verdicts: dict[str, Verdict] = {}
    charged: set[str] = set()
    for line in lines:
        asked = ACTIVATIONS if line.name == "last" else (line.name,)
        layers = (DEPTH,) if line.name == "last" else tuple(range(DEPTH - 1, 0, -1))
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
            if mistake in charged:
                told = f"Nothing new here: {MISTAKES[mistake].title}."
                verdicts[line.name] = Verdict("correct", 1.0, own=True, message=told)
            else:
                charged.add(mistake)
                verdicts[line.name] = Verdict.named(mistake)
        else:
            verdicts[line.name] = Verdict("wrong", message=wrong)
    return verdicts


def _listed_backwards(replies: Sequence[Reply]) -> bool:
    """Whether every list holds, from its end to its beginning, arrays in the shapes of dZ1 to dZ5."""
    return all(
        [np.shape(value) for value in reply.values[activation]][::-1]
        == [(len(reply.given[f"W{layer}"]), reply.given["X"].shape[1]) for layer in range(1, DEPTH + 1)]
        for reply in replies
        for activation in ACTIVATIONS
    )


def _is_exact(reply: Reply, activation: str, layers: Sequence[int]) -> bool:
    exact, own = signal_truth(reply.given), reply.values[activation]
    return all(compare(own[layer - 1], exact[f"{activation}.dZ{layer}"]).equal for layer in layers)


def _first_wrong(reply: Reply, activation: str, layers: Sequence[int]) -> str:
    """What is wrong at the layer nearest to the output, or nothing."""
    own = reply.values[activation]
    follows: list[np.ndarray] | None = None
    for layer in layers:
        name, got = f"{activation}: dZ{layer}", own[layer - 1]
        expected = signal_truth(reply.given)[f"{activation}.dZ{layer}"]
        found = compare(got, expected)
        if found.equal and found.shape == "same":
            continue
        if found.problem:
            return f"{name}: {found.problem}."
        array = as_numbers(got)
        if array.shape != expected.shape:
            letters = f"({expected.shape[0]}, {expected.shape[1]})"
            return f"{name} must have one row per unit of layer {layer}: {letters} is needed, you have {array.shape}."
        if not np.all(np.isfinite(array)):
            return f"{name} holds numbers that are not finite (NaN or infinity)."
        follows = follows if follows is not None else follow_signals(reply.given, activation, own)
        if not compare(got, follows[layer - 1]).equal:
            return f"{name} is not what follows from the signal of the layer above."
    return ""


NORM_SLIPS = (
    Slip("square-root-missing", ("norms",), lambda v: _each(v, lambda g: np.sum(g**2))),
    Slip(
        "mean-for-sum",
        ("norms",),
        lambda v: _each(v, lambda g: np.sqrt(np.mean(g**2))),
    ),
    Slip("absolute-values-for-squares", ("norms",), lambda v: _each(v, lambda g: np.sum(abs(g)))),
    Slip("largest-entry-for-norm", ("norms",), lambda v: _each(v, lambda g: np.max(abs(g)))),
    Slip(
        "spectral-norm",
        ("norms",),
        lambda v: _each(v, lambda g: np.linalg.norm(g, 2)),
    ),
)


def _each(v: At, function: Callable[[np.ndarray], float]) -> list[float]:
    return [function(v[f"dZ{i}"]) for i in range(1, DEPTH + 1)]


# The questions ------------------------------------------------------------------------------------------------------

BY_SIGMOID = values(
    sigmoid_truth, follow=follow_sigmoid, explain=explain_slips(SIGMOID_SLIPS, by_hand=True), by_hand=True
)
BY_RELU = values(relu_truth, follow=follow_relu, explain=explain_slips(RELU_SLIPS, by_hand=True), by_hand=True)

EXERCISE = Exercise(
    name="vanishing_gradients",
    sheet="by_hand",
    title="Where gradients vanish",
    minutes=60,
    difficulty=3,
    questions=(
        Question(
            "sigmoid_layers",
            "(a) The sigmoid, layer by layer",
            (
                Line("max_slope", 1, "steepest slope of the sigmoid"),
                *(Line(layer, 1, f"bound at layer {layer[-1]}") for layer in LAYERS),
            ),
            SIGMOID,
            BY_SIGMOID,
        ),
        Question(
            "sigmoid_input",
            "(b) What reaches the input",
            (
                Line("at_input", 1, "bound at the input"),
                Line("layers_needed", 1, "layers until one millionth"),
                Line("weight_needed", 1, "weight that keeps the bound level"),
            ),
            SIGMOID,
            BY_SIGMOID,
        ),
        Question(
            "relu_layers",
            "(d) ReLU with half of its units active",
            (
                Line("mean_factor", 1, "factor of the mean magnitude"),
                Line("relu_mean", 1, "mean magnitude, layer 5 to 1"),
                Line("rms_factor", 1, "factor of the root-mean-square"),
                Line("relu_rms", 1, "root-mean-square, layer 5 to 1"),
            ),
            RELU,
            BY_RELU,
        ),
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
            values(norm_truth, explain=explain_slips(NORM_SLIPS)),
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
