"""Sheet 4, exercise 14: an activation of one's own, f(x) = x tanh x.

(a) The derivative, as a sympy expression or a Python function; any equivalent form is right. (b) A layer that uses f:
forward and backward. (c) Properties of f and f' as a record. (d) Comparison with ReLU and sigmoid, for a person.

Nothing symbolic of the student's crosses the border: an expression is evaluated beside the student, by sympy there, and
comes back as decimal strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from autograder.exercise import RIGHT, Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.exercises.shared import of_order_one
from autograder.marking.compare import HAND, as_numbers, compare
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import derivative, many_digits
from autograder.truth.functions import xtanhx

SHOWN_POINTS = np.array([-2.0, -1.0, 0.5, 1.0, 2.0])
"""Where a wrong derivative is told by a counterexample. f' is known to everybody who has a calculator for f."""

SHOWN_LAYER = {
    "X": np.array([[1.0, -1.0], [0.5, 2.0]]),
    "W": np.array([[1.0, -1.0], [0.5, 0.5]]),
    "b": np.array([[0.5], [-1.0]]),
}


# What is asked ------------------------------------------------------------------------------------------------------


def derivative_values(student, given):
    """The derivative at some points: decimal strings from an expression, numbers from a function."""
    import sympy

    answer, points = student.f_prime, [float(x) for x in given["x"]]
    if isinstance(answer, sympy.Lambda):
        answer = answer.expr
    if isinstance(answer, sympy.Basic):
        answer = answer.doit()
        symbols = sorted(answer.free_symbols, key=str)
        if len(symbols) > 1:
            return {"problem": "it has more than one symbol: " + ", ".join(str(s) for s in symbols)[:100]}
        found = []
        for x in points:
            at_x = answer.subs({symbol: sympy.Float(x, 40) for symbol in symbols}).evalf(30)
            real, imaginary = at_x.as_real_imag()
            if not (real.is_number and imaginary.is_number):
                return {"problem": "it cannot be evaluated to a number"}
            if abs(imaginary) > 1e-12:
                return {"problem": "it has complex values"}
            found.append(str(real.evalf(30)))
        return {"f_prime": found}
    if not callable(answer):
        return {"problem": "it is neither a sympy expression nor a function of x"}
    found = []
    for x in points:
        value = answer(x)
        if value is None:
            return {"problem": "your function returns None: is there a return in it?"}
        found.append(float(value) if isinstance(value, sympy.Basic) else np.asarray(value).reshape(()))
    return {"f_prime": np.array(found)}


def layer_forward(student, given):
    """Z and A of a layer."""
    returned = student.layer_forward(given["X"], given["W"], given["b"])
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise ValueError("layer_forward must return two arrays: Z, A")
    return {"Z": returned[0], "A": returned[1]}


def layer_backward(student, given):
    """dZ, dW, db and dX of a layer, given the gradient of the loss with respect to its activations."""
    returned = student.layer_backward(given["dA"], given["Z"], given["X"], given["W"])
    if not isinstance(returned, (tuple, list)) or len(returned) != 4:
        raise ValueError("layer_backward must return four arrays: dZ, dW, db, dX")
    return {"dZ": returned[0], "dW": returned[1], "db": returned[2], "dX": returned[3]}


def recorded_properties(student, given):
    """The record of properties, with every number as a float."""
    record = student.properties
    if not isinstance(record, dict):
        raise ValueError("properties must be a dictionary")

    def plain(value):
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim):
            return [plain(entry) for entry in value]
        try:
            return float(value)
        except TypeError:
            return str(value)[:100]

    return {str(name)[:100]: plain(value) for name, value in record.items()}


def _points(rng: np.random.Generator) -> list[Challenge]:
    hidden = [np.concatenate([-rng.uniform(0.2, 3.5, 4), rng.uniform(0.2, 3.5, 4)]) for _ in range(2)]
    return [Challenge({"x": SHOWN_POINTS}, shown=True), *(Challenge({"x": x}) for x in hidden)]


def _layers(rng: np.random.Generator) -> list[Challenge]:
    """One shown layer and three hidden ones; all dimensions differ, all entries are of order one and of both signs."""

    points = [Challenge(SHOWN_LAYER, shown=True)]
    for n, h, m in ((3, 4, 6), (3, 5, 7), (2, 4, 5)):
        shapes = {"X": (n, m), "W": (h, n), "b": (h, 1)}
        points.append(Challenge({name: of_order_one(rng, *shape) for name, shape in shapes.items()}))
    return points


def _layers_backward(rng: np.random.Generator) -> list[Challenge]:
    """As for the forward pass, with a gradient from above and with Z from a real forward pass."""
    points = []
    for challenge in _layers(rng):
        layer = challenge.given
        Z = layer["W"] @ layer["X"] + layer["b"]
        upstream = of_order_one(rng, *Z.shape)
        if challenge.shown:
            upstream = np.array([[1.0, -0.5], [2.0, 0.5]])
        points.append(Challenge({**layer, "Z": Z, "dA": upstream}, shown=challenge.shown).keeping("b"))
    return points


DERIVATIVE = Probe(derivative_values, _points)
FORWARD = Probe(layer_forward, _layers)
BACKWARD = Probe(layer_backward, _layers_backward)
PROPERTIES = Probe(recorded_properties, lambda rng: [Challenge({}, shown=True)])


# What is true -------------------------------------------------------------------------------------------------------

_Z = sp.Symbol("z", real=True)


@cache
def _at_50_digits(expression: sp.Expr) -> Callable[..., Any]:
    """The expression in z as a function of mpmath numbers."""
    return sp.lambdify([_Z], expression, modules="mpmath")


def _entrywise(expression: sp.Expr, array: np.ndarray) -> np.ndarray:
    with many_digits():
        function = _at_50_digits(expression)
        return np.vectorize(lambda z: float(function(mpmath.mpf(float(z)))), otypes=[float])(array)


@remembered
def true_derivative(given: Values) -> dict[str, np.ndarray]:
    """f'(x), differentiated by sympy."""
    return {"f_prime": _entrywise(derivative("xtanhx"), given["x"])}


@cache
def _unit(inputs: int) -> dict[str, Any]:
    """The pre-activation of one unit at one example, and its derivatives by sympy, as functions of (w, x, b)."""
    w, x = sp.symbols(f"w:{inputs}", real=True), sp.symbols(f"x:{inputs}", real=True)
    b = sp.Symbol("b", real=True)
    z = sum((wj * xj for wj, xj in zip(w, x)), b)
    slopes = {"W": [sp.diff(z, wj) for wj in w], "b": [sp.diff(z, b)], "X": [sp.diff(z, xj) for xj in x]}
    return {name: sp.lambdify([w, x, b], expressions, modules="numpy") for name, expressions in slopes.items()}


def _layer_gradients(given: Values, dZ: np.ndarray) -> dict[str, np.ndarray]:
    """The gradients of a layer from the error signal: sums over units and examples of dZ times slopes of z."""
    X, W = given["X"], given["W"]
    unit, b = _unit(len(X)), np.zeros(len(W))  # z is linear in b, so its slopes do not depend on it
    found = {"dW": np.zeros(W.shape), "db": np.zeros((len(W), 1)), "dX": np.zeros(X.shape)}
    for i in range(W.shape[0]):
        for k in range(X.shape[1]):
            at = (W[i], X[:, k], b[i])
            found["dW"][i] += dZ[i, k] * np.array(unit["W"](*at))
            found["db"][i] += dZ[i, k] * np.array(unit["b"](*at))
            found["dX"][:, k] += dZ[i, k] * np.array(unit["X"](*at))
    return found


@remembered
def true_forward(given: Values) -> dict[str, np.ndarray]:
    """Z and A of the layer."""
    Z = given["W"] @ given["X"] + given["b"]
    return {"Z": Z, "A": _entrywise(xtanhx(_Z), Z)}


def follow_forward(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """A from the student's own Z."""
    return [{"Z": true_forward(given)["Z"], "A": _entrywise(xtanhx(_Z), own["Z"])}] if "Z" in own else []


@remembered
def true_backward(given: Values) -> dict[str, np.ndarray]:
    """The gradients of a loss whose derivative with respect to A is dA."""
    dZ = given["dA"] * _entrywise(derivative("xtanhx"), given["Z"])
    return {"dZ": dZ, **_layer_gradients(given, dZ)}


def follow_backward(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The other gradients from the student's own dZ."""
    exact = true_backward(given)
    if own.get("dZ", np.empty(0)).shape != exact["dZ"].shape:
        return []
    return [{"dZ": exact["dZ"], **_layer_gradients(given, own["dZ"])}]


@cache
def true_properties() -> dict[str, Any]:
    """Range, parity, monotone intervals, limits of the slope and its maximum, from sympy.

    For p > 0 sympy proves f'(p) > 0, so f increases on the right; f is even, so it decreases on the left, its smallest
    value is f(0), and it reaches everything up to its limit. The largest slope is where f'' = 0, found to 30 digits.
    Raises ValueError should sympy not be able to prove it.
    """
    f, slope = xtanhx(_Z), derivative("xtanhx")
    p = sp.Symbol("p", positive=True)
    even = sp.simplify(f.subs(_Z, -_Z) - f) == 0
    rises = sp.simplify(slope.subs(_Z, p).rewrite(sp.cosh)).is_positive
    if not (even and rises):
        raise ValueError("sympy did not prove that x tanh x is even and increases for x > 0")
    with many_digits():
        largest_at = sp.nsolve(sp.diff(slope, _Z), _Z, 1, prec=30)
    return {
        "range": [float(f.subs(_Z, 0)), float(sp.limit(f, _Z, sp.oo))],
        "parity": "even",
        "decreasing_on": [-np.inf, 0.0],
        "increasing_on": [0.0, np.inf],
        "slope_at_zero": float(slope.subs(_Z, 0)),
        "slope_at_minus_infinity": float(sp.limit(slope, _Z, -sp.oo)),
        "slope_at_plus_infinity": float(sp.limit(slope, _Z, sp.oo)),
        "largest_slope_at": float(largest_at),
        "largest_slope": float(slope.subs(_Z, largest_at)),
    }


# Which mistakes are known -------------------------------------------------------------------------------------------


def _slope_formulas() -> dict[str, tuple[Any, ...]]:
    """Wrong derivatives of x tanh x by the id of the mistake, as functions of z."""

    def t(z: np.ndarray) -> np.ndarray:
        return np.tanh(z)

    return {
        "product-rule-first-half-only": (lambda z: t(z),),
        "product-rule-second-half-only": (lambda z: z * (1 - t(z) ** 2),),
        "product-rule-factor-missing": (lambda z: t(z) + 1 - t(z) ** 2, lambda z: 1 + z * (1 - t(z) ** 2)),
        "product-rule-multiplied": (lambda z: t(z) * z * (1 - t(z) ** 2),),
        "product-rule-minus": (lambda z: t(z) - z * (1 - t(z) ** 2),),
        "tanh-derivative-with-xtanhx": (lambda z: 1 - t(z) ** 2,),
        "relu-derivative-with-xtanhx": (lambda z: (z > 0).astype(float),),
        "square-missing": (lambda z: t(z) + z * (1 - t(z)), lambda z: t(z) + z / np.cosh(z)),
        "derivative-without-brackets": (lambda z: t(z) + z - t(z) ** 2,),
        "sign-inside-derivative": (lambda z: t(z) + z * (1 + t(z) ** 2),),
        "activation-for-derivative": (lambda z: z * t(z),),
        "tanh-squared-from-activation": (lambda z: t(z) + z * (1 - (z * t(z)) ** 2),),
        "second-derivative": (lambda z: 2 * (1 - t(z) ** 2) * (1 - z * t(z)),),
    }


_OF_A_FORMULA = {
    "derivative-without-brackets": "Multiplication comes before subtraction. What is x multiplied with in your formula?"
}
"""Hints where those of the catalogue speak of a hidden error."""

SLOPES = tuple(
    Slip(mistake, ("f_prime",), lambda v, s=slope: s(v.x), hint=_OF_A_FORMULA.get(mistake, ""))
    for mistake, slopes in _slope_formulas().items()
    for slope in slopes
)


FORWARD_SLIPS = (
    Slip("bias-forgotten", "Z", "W @ X"),
    Slip("tanh-for-xtanhx", "A", "tanh(Z)"),
    Slip("tanh-squared-for-xtanhx", "A", "tanh(Z)**2"),
)

_TWICE = "dA is already the derivative of the mean loss. Where does your code divide a second time?"

LAYER = (
    *(
        Slip(mistake, "dZ", lambda v, s=slope: v.dA * s(v.Z))
        for mistake, slopes in _slope_formulas().items()
        for slope in slopes
    ),
    Slip("activation-derivative-missing", "dZ", "dA"),
    Slip("derivative-without-upstream-error", "dZ", "tanh(Z) + Z * (1 - tanh(Z)**2)"),
    Slip("derivative-at-activation", "dZ", "dA * (tanh(Z * tanh(Z)) + Z * tanh(Z) / cosh(Z * tanh(Z))**2)"),
    Slip("averaged-instead-of-summed", "dW", "dZ @ X.T / m", hint=_TWICE),
    Slip("averaged-instead-of-summed", "db", "sum(dZ, axis=1, keepdims=1) / m", hint=_TWICE),
    Slip("result-transposed", "dW", "X @ dZ.T"),
    Slip("bias-not-summed-over-batch", "db", "dZ"),
    Slip("bias-summed-over-everything", "db", "sum(dZ)"),
    Slip("bias-summed-over-units", "db", "sum(dZ, axis=0)"),
    Slip("bias-summed-over-units", "db", "sum(dZ, axis=0, keepdims=1)"),
    Slip("upstream-used-past-the-activation", "dW", "dA @ X.T"),
    Slip("upstream-used-past-the-activation", "db", "sum(dA, axis=1, keepdims=1)"),
    Slip("upstream-used-past-the-activation", "dX", "W.T @ dA"),
    Slip("weights-missing-in-hidden-error", "dX", "ones_like(W).T @ dZ"),
)

_TRY = "Put in a few numbers: what are f(2) and f(-2), f(0.1) and f(-0.1)?"
_DRAW = "Look at the picture of f and of its slope, or measure the slope between two close points."

PROPERTY_HINTS = {
    "range": "Can every number of your range be reached, and is f(-2) in it?",
    "parity": "Compare f(-x) with f(x) and with -f(x).",
    "decreasing_on": _TRY,
    "increasing_on": _TRY,
    "slope_at_zero": _DRAW,
    "slope_at_minus_infinity": "Which of the two terms of f' is left far out on the left, and what is its sign there?",
    "slope_at_plus_infinity": "Which of the two terms of f' is left far out on the right?",
    "largest_slope_at": "Where the slope is largest, its own derivative is zero. Four significant figures are needed.",
    "largest_slope": "Put the place that you found into f'. Four significant figures are needed.",
}

PROPERTY_MISTAKES = (
    ("range", [-np.inf, np.inf], "range-without-symmetry", "Is there an x for which f(x) is negative?"),
    ("range", [-1.0, 1.0], "range-of-tanh", "This is the range of tanh. What does the factor x change?"),
    ("range", [0.0, 1.0], "range-of-tanh", "tanh stays below 1. Does x tanh x as well? Try x = 3."),
    ("parity", "odd", "parity-of-one-factor", "tanh is odd, and so is x. What is the product of two odd functions?"),
    ("increasing_on", [-np.inf, np.inf], "taken-for-monotone", _TRY),
    ("decreasing_on", "nowhere", "taken-for-monotone", _TRY),
    ("slope_at_zero", 1.0, "slope-of-tanh", "This is the slope of tanh at zero. f is a product."),
    ("slope_at_plus_infinity", 0.0, "slope-of-tanh", "tanh becomes flat far out. Does x tanh x?"),
    ("slope_at_minus_infinity", 0.0, "slope-of-tanh", "tanh becomes flat far out. Does x tanh x?"),
    ("slope_at_minus_infinity", 1.0, "sign-on-the-left", "f is even: how do the slopes at x and at -x compare?"),
    ("largest_slope", 1.0, "largest-slope-at-the-end", "The slope tends to 1: does it come from below or above?"),
    ("largest_slope_at", np.inf, "largest-slope-at-the-end", "The slope tends to 1. What is it at x = 2?"),
)


# How it is judged ---------------------------------------------------------------------------------------------------

DECIMAL = re.compile(r"[-+]?\d{1,40}(\.\d{0,60})?([eE][-+]?\d{1,4})?")

_BY_VALUE = values(true_derivative, explain=explain_slips(SLOPES), by_content=False)  # a formula is asked for


def by_derivative(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks the derivative by its values; a wrong one is told by a point where it is not the slope of f."""
    problem = next((str(reply.values["problem"]) for reply in replies if "problem" in reply.values), "")
    if problem:
        return {line.name: Verdict("wrong", message=f"`f_prime`: {problem}.") for line in lines}
    numbers = [replace(reply, values={"f_prime": _floats(reply.values.get("f_prime"))}) for reply in replies]
    verdicts = dict(_BY_VALUE(lines, numbers))
    for name, verdict in verdicts.items():
        if verdict.status != "correct":
            if not verdict.mistakes and _nearly(numbers):
                verdict = replace(
                    verdict,
                    mistakes=("slope-between-points",),
                    message="Your values are close to those of the derivative, and not equal to them.",
                    hint="A slope that is measured between two points is only near it. Derive a formula.",
                )
            else:
                verdict = replace(verdict, message=f"{verdict.message} {_counterexample(numbers)}".strip())
            verdicts[name] = replace(verdict, expected=None, got=None, difference=None)
    return verdicts


def _floats(found: Any) -> np.ndarray:
    """Numbers, or decimal strings as sympy prints them; what is neither becomes NaN."""
    texts = [str(text) for text in found] if isinstance(found, list) else []
    if not texts:
        return np.full(1, np.nan) if isinstance(numbers := as_numbers(found), str) else numbers
    return np.array([float(text) if DECIMAL.fullmatch(text) else np.nan for text in texts])


def _nearly(replies: Sequence[Reply]) -> bool:
    """Whether every value is right to about three figures: no example with a pocket calculator would show it wrong."""
    return all(
        compare(reply.values["f_prime"], true_derivative(reply.given)["f_prime"], rtol=HAND).equal for reply in replies
    )


def _counterexample(replies: Sequence[Reply]) -> str:
    for reply in (reply for reply in replies if reply.shown):
        mine, right = np.asarray(reply.values["f_prime"], dtype=float), true_derivative(reply.given)["f_prime"]
        if mine.shape != right.shape:
            continue
        wrong = [i for i in range(len(right)) if not compare(mine[i], right[i]).equal]
        if wrong:
            i = max(wrong, key=lambda i: reply.given["x"][i] == 1.0)
            x, h = float(reply.given["x"][i]), 0.001
            change = float(mpmath.mpf(x + h) * mpmath.tanh(x + h) - mpmath.mpf(x - h) * mpmath.tanh(x - h))
            return (
                f"At x = {x:g} yours gives {mine[i]:.4g}. But between {x - h:g} and {x + h:g} f changes by "
                f"{change:.6f}, which is a slope of {change / (2 * h):.4g}."
            )
    return "It agrees with the slope of f at the usual points, but not everywhere: try larger and smaller x."


def by_property(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks the record line by line; the largest slope may follow from the student's own place."""
    (reply,) = replies
    truth, found = true_properties(), {}
    for line in lines:
        got, expected = reply.values.get(line.name), truth[line.name]
        if got is None:
            found[line.name] = Verdict("missing", message=f"`{line.name}` is not in your record, or still None.")
        elif _same(got, expected):
            found[line.name] = RIGHT
        elif line.name == "largest_slope" and _follows(got, reply.values.get("largest_slope_at")):
            found[line.name] = Verdict("correct", share=1.0, own=True, message="Right, given your own place.")
        else:
            found[line.name] = _wrong_property(line.name, got, expected)
    return found


def _same(got: Any, expected: Any) -> bool:
    if isinstance(expected, str):
        return isinstance(got, str) and got.strip().lower() == expected
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == 2 and all(_same(g, e) for g, e in zip(got, expected))
    number = _number(got)
    if number is None or not np.isfinite(expected) or not np.isfinite(number):
        return number == expected
    return compare(number, np.array(expected), figures=4).equal if expected else abs(number) < 5e-4


def _number(value: Any) -> float | None:
    """The value as a number; an infinity may be spelt out."""
    if isinstance(value, str):
        spelt = value.strip().lower().lstrip("+")
        return {"inf": np.inf, "infinity": np.inf, "oo": np.inf, "-inf": -np.inf, "-oo": -np.inf}.get(spelt)
    array = as_numbers(value)
    return float(array.item()) if isinstance(array, np.ndarray) and array.size == 1 else None


def _follows(got: Any, place: Any) -> bool:
    number = _number(place)
    if number is None or not np.isfinite(number):
        return False
    there = float(_entrywise(derivative("xtanhx"), np.array(number)))
    return there != 0 and _same(got, there)  # at zero it has been asked before


def _wrong_property(name: str, got: Any, expected: Any) -> Verdict:
    nowhere = isinstance(got, str) and got == "nowhere"
    if isinstance(expected, list) and not (isinstance(got, list) and len(got) == 2) and not nowhere:
        return Verdict("wrong", message=f"`{name}` must be a list of two numbers, the left end and the right end.")
    if not isinstance(expected, list | str) and _number(got) is None:
        return Verdict("wrong", message=f"`{name}` must be one number.")
    for line, value, mistake, hint in PROPERTY_MISTAKES:
        if line == name and _same(got, value):
            return Verdict("wrong", mistakes=(mistake,), message=f"`{name}` is not right.", hint=hint)
    return Verdict("wrong", message=f"`{name}` is not right.", hint=PROPERTY_HINTS[name])


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="custom_activation",
    sheet="design",
    title="An activation of your own: x tanh x",
    minutes=60,
    difficulty=3,
    questions=(
        Question("derivative_of_f", "(a) The derivative", (Line("f_prime", 4, "f'"),), DERIVATIVE, by_derivative),
        Question(
            "layer_forward",
            "(b) The forward pass of a layer",
            (Line("Z", 1, "Z"), Line("A", 2, "A")),
            FORWARD,
            values(true_forward, follow=follow_forward, explain=explain_slips(FORWARD_SLIPS)),
        ),
        Question(
            "layer_backward",
            "(b) The backward pass of a layer",
            (Line("dZ", 2, "dZ"), Line("dW", 2, "dW"), Line("db", 1, "db"), Line("dX", 1, "dX")),
            BACKWARD,
            values(true_backward, follow=follow_backward, explain=explain_slips(LAYER)),
        ),
        Question(
            "properties_of_f",
            "(c) Properties of f and of its slope",
            (
                Line("range", 1, "range of f"),
                Line("parity", 1, "parity of f"),
                Line("decreasing_on", 0.5, "where f decreases"),
                Line("increasing_on", 0.5, "where f increases"),
                Line("slope_at_zero", 0.5, "f'(0)"),
                Line("slope_at_minus_infinity", 0.5, "limit of f' on the left"),
                Line("slope_at_plus_infinity", 0.5, "limit of f' on the right"),
                Line("largest_slope_at", 1, "where f' is largest"),
                Line("largest_slope", 0.5, "the largest slope"),
            ),
            PROPERTIES,
            by_property,
        ),
    ),
    written=(Written("activation_words", "(d) Comparison with ReLU and sigmoid", 6),),
    parts={
        "a": ("derivative_of_f",),
        "b": ("layer_forward", "layer_backward"),
        "c": ("properties_of_f",),
        "d": ("activation_words",),
    },
)
