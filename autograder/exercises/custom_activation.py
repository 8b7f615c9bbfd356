"""Sheet 4: an activation of one's own, f(x) = x tanh x.

(a) The derivative, as a sympy expression or a Python function; any equivalent form is right. (b) A layer that uses f:
forward and backward. (c) Properties of f and f' as a record. (d) Comparison with ReLU and sigmoid, for a person.

Nothing symbolic of the student's crosses the border: an expression is evaluated beside the student, by sympy there, and
comes back as decimal strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import (
    Challenge,
    Exercise,
    Line,
    Probe,
    Question,
    Reply,
    Values,
    Verdict,
    Written,
    lines,
)
from autograder.exercises.function_properties import PROPERTIES, RECORD, by_property
from autograder.exercises.networks import exchanged
from autograder.exercises.shared import at_each, calling, layer_gradients, of_order_one
from autograder.exercises.stated import Fact, stated
from autograder.marking.compare import HAND, as_numbers, compare
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import derivative
from autograder.truth.functions import far_out

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
FORWARD = calling("layer_forward", "X W b", "Z A", _layers)
BACKWARD = calling("layer_backward", "dA Z X W", "dZ dW db dX", _layers_backward)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def true_derivative(given: Values) -> dict[str, np.ndarray]:
    """f'(x), differentiated by sympy."""
    return {"f_prime": at_each("xtanhx", given["x"])[1]}


@remembered
def true_forward(given: Values) -> dict[str, np.ndarray]:
    """Z and A of the layer."""
    Z = given["W"] @ given["X"] + given["b"]
    return {"Z": Z, "A": at_each("xtanhx", Z)[0]}


def follow_forward(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """A from the student's own Z."""
    return [{"Z": true_forward(given)["Z"], "A": at_each("xtanhx", own["Z"])[0]}] if "Z" in own else []


@remembered
def true_backward(given: Values) -> dict[str, np.ndarray]:
    """The gradients of a loss whose derivative with respect to A is dA."""
    dZ = given["dA"] * at_each("xtanhx", given["Z"])[1]
    return {"dZ": dZ, **layer_gradients(given["X"], given["W"], dZ)}


def follow_backward(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The other gradients from the student's own dZ."""
    exact = true_backward(given)
    if own.get("dZ", np.empty(0)).shape != exact["dZ"].shape:
        return []
    return [{"dZ": exact["dZ"], **layer_gradients(given["X"], given["W"], own["dZ"])}]


# Which mistakes are known -------------------------------------------------------------------------------------------


WRONG_SLOPES = (
    ("product-rule-first-half-only", "tanh({z})"),
    ("product-rule-second-half-only", "{z} * (1 - tanh({z})**2)"),
    ("product-rule-factor-missing", "tanh({z}) + 1 - tanh({z})**2"),
    ("product-rule-factor-missing", "1 + {z} * (1 - tanh({z})**2)"),
    ("product-rule-multiplied", "tanh({z}) * {z} * (1 - tanh({z})**2)"),
    ("product-rule-minus", "tanh({z}) - {z} * (1 - tanh({z})**2)"),
    ("tanh-derivative-with-xtanhx", "1 - tanh({z})**2"),
    ("relu-derivative-with-xtanhx", "{z} > 0"),
    ("square-missing", "tanh({z}) + {z} * (1 - tanh({z}))"),
    ("square-missing", "tanh({z}) + {z} / cosh({z})"),
    ("derivative-without-brackets", "tanh({z}) + {z} - tanh({z})**2"),
    ("sign-inside-derivative", "tanh({z}) + {z} * (1 + tanh({z})**2)"),
    ("activation-for-derivative", "{z} * tanh({z})"),
    ("tanh-squared-from-activation", "tanh({z}) + {z} * (1 - ({z} * tanh({z}))**2)"),
    ("second-derivative", "2 * (1 - tanh({z})**2) * (1 - {z} * tanh({z}))"),
)
"""Wrong derivatives of f, asked for as a formula in x and as a step back through Z."""

_OF_A_FORMULA = {
    "derivative-without-brackets": "Multiplication comes before subtraction. What is x multiplied with in your formula?"
}
"""Hints where those of the catalogue speak of a hidden error."""

SLOPES = tuple(
    Slip(mistake, "f_prime", formula.format(z="x"), hint=_OF_A_FORMULA.get(mistake, ""))
    for mistake, formula in WRONG_SLOPES
)

FORWARD_SLIPS = (
    Slip("bias-forgotten", "Z", "W @ X"),
    Slip("tanh-for-xtanhx", "A", "tanh(Z)"),
    Slip("tanh-squared-for-xtanhx", "A", "tanh(Z)**2"),
    *exchanged("Z", "A", "W @ X + b", "{0} * tanh({0})"),
)

_TWICE = "dA is already the derivative of the mean loss. Where does your code divide a second time?"

LAYER = (
    *(Slip(mistake, "dZ", f"dA * ({formula.format(z='Z')})") for mistake, formula in WRONG_SLOPES),
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
                close = "Your values are close to those of the derivative, and not equal to them."
                told = Verdict.named("slope-between-points", title=close)
                verdict = replace(verdict, mistakes=told.mistakes, message=told.message, hint=told.hint)
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
            (change,) = np.diff(at_each("xtanhx", np.array([x - h, x + h]))[0])
            return (
                f"At x = {x:g} yours gives {mine[i]:.4g}. But between {x - h:g} and {x + h:g} f changes by "
                f"{change:.6f}, which is a slope of {change / (2 * h):.4g}."
            )
    return "It agrees with the slope of f at the usual points, but not everywhere: try larger and smaller x."


# The questions ------------------------------------------------------------------------------------------------------


def _slopes(activation: str, *places: float) -> tuple[float, ...]:
    """The slopes at some places, from sympy; at an infinite one the limit."""
    slope = derivative(activation)
    (z,) = slope.free_symbols
    return tuple(float(far_out(slope, int(np.sign(x))) if np.isinf(x) else slope.subs(z, x)) for x in places)


OTHER_SLOPES = {
    "relu_slopes": Fact(
        1,
        "the slopes of ReLU",
        lambda: _slopes("relu", -1, 1),
        "On each side ReLU is a straight line. Which?",
    ),
    "sigmoid_slopes": Fact(
        1,
        "the slopes of the sigmoid",
        lambda: _slopes("sigmoid", -np.inf, 0, np.inf),
        "Where is the sigmoid flat, and how steep is it where it is one half?",
    ),
}

EXERCISE = Exercise(
    name="custom_activation",
    sheet="design",
    title="An activation of your own: x tanh x",
    minutes=60,
    difficulty=3,
    questions=(
        Question("derivative_of_f", "(a) The derivative", lines(f_prime=(4, "f'")), DERIVATIVE, by_derivative),
        Question(
            "layer_forward",
            "(b) The forward pass of a layer",
            lines(Z=1, A=2),
            FORWARD,
            values(true_forward, follow=follow_forward, explain=explain_slips(FORWARD_SLIPS)),
        ),
        Question(
            "layer_backward",
            "(b) The backward pass of a layer",
            lines(dZ=2, dW=2, db=1, dX=1),
            BACKWARD,
            values(true_backward, follow=follow_backward, explain=explain_slips(LAYER)),
        ),
        Question(
            "properties_of_f",
            "(c) Properties of f and of its slope",
            lines(**{name: (one.points, one.label) for name, one in PROPERTIES.items()}),
            RECORD,
            by_property,
        ),
        stated("other_slopes", "(d) The slopes of ReLU and sigmoid", OTHER_SLOPES),
    ),
    written=(Written("activation_words", "(d) Comparison with ReLU and sigmoid", 4),),
    parts={
        "a": ("derivative_of_f",),
        "b": ("layer_forward", "layer_backward"),
        "c": ("properties_of_f",),
        "d": ("other_slopes", "activation_words"),
    },
)
