"""Sheet 1: linear regression, logistic regression, the linear SVM, and one loop that fits them all.

The student writes three gradients and gradient descent. The gradients are marked against sympy, with any subgradient
right at the kink of the hinge loss; the loop is asked with a gradient of our own, so that nothing depends on theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import mpmath
import numpy as np
import sympy as sp

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written, lines
from autograder.exercises.descent_loop import BY_DESCENT, DESCENT
from autograder.exercises.shared import keeping_inputs, of_order_one
from autograder.exercises.stated import Fact, stated
from autograder.marking.compare import as_numbers, compare
from autograder.marking.freedom import choosing
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import Explain, remembered, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import derivative, many_digits
from autograder.truth.functions import sigmoid
from autograder.truth.programs import function

# What is asked ------------------------------------------------------------------------------------------------------


def gradient(student, given, *, of):
    """The gradient of one model, by the name of the student's function."""
    dw, db = getattr(student, of)(given["w"], float(given["b"]), given["X"], given["y"])
    return {"dw": dw, "db": np.reshape(db, ()) if np.size(db) == 1 else db}


SMALL = {"w": np.array([[1.0, -2.0]]), "b": np.array(0.5), "X": np.array([[1.0, 2.0], [1.0, -1.0]])}
"""Two inputs and two examples, small enough to be checked with a pencil; feedback may show it."""


def _points(rng: np.random.Generator, labels: Sequence[float] | None) -> list[dict[str, np.ndarray]]:
    """Three hidden points: no two equal sizes, nothing near zero, both labels present."""
    points = []
    for n, m in ((3, 6), (4, 7), (2, 5)):
        y = of_order_one(rng, 1, m) if labels is None else rng.permutation(np.resize(labels, m))[None, :]
        points.append({"w": of_order_one(rng, 1, n), "b": of_order_one(rng), "X": of_order_one(rng, n, m), "y": y})
    return points


def _regression_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = Challenge(SMALL | {"y": np.array([[0.5, 2.0]])}, shown=True)
    return [shown, *map(Challenge, _points(rng, None))]


def _classification_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = Challenge(SMALL | {"y": np.array([[1.0, 0.0]])}, shown=True)
    return [shown, *map(Challenge, _points(rng, (0.0, 1.0)))]


def _margin_challenges(rng: np.random.Generator) -> list[Challenge]:
    """Points away from the kink, with examples on both sides of the margin and of the line, and one point on it."""
    points: list[dict[str, np.ndarray]] = []
    while len(points) < 3:
        point = _points(rng, (-1.0, 1.0))[len(points)]
        margins = point["y"] * (point["w"] @ point["X"] - point["b"])
        clear = np.abs(margins[..., None] - [-1.0, 0.0, 1.0]).min() > 0.05
        regions = (margins < 0, (margins > 0) & (margins < 1), margins > 1)
        if clear and all(region.any() for region in regions):
            points.append(point)
    on_margin = {
        "w": np.array([[1.0, -0.5]]),
        "b": np.array(0.25),
        "X": np.array([[1.5, 0.5, -1.0, 2.5, 0.75], [0.5, -1.0, 1.5, -0.5, 2.0]]),
        "y": np.array([[1.0, -1.0, -1.0, 1.0, 1.0]]),
    }
    shown = Challenge(SMALL | {"y": np.array([[-1.0, -1.0]])}, shown=True)
    return [shown, *map(Challenge, points), Challenge(on_margin)]


REGRESSION = Probe(gradient, _regression_challenges, {"of": "linear_gradient"}, "regression")
CLASSIFICATION = Probe(gradient, _classification_challenges, {"of": "logistic_gradient"}, "classification")
MARGIN = Probe(gradient, _margin_challenges, {"of": "hinge_gradient"}, "margin")
# What is true -------------------------------------------------------------------------------------------------------
# Score and loss of one example as sympy expressions. The loss is a function of u: the score itself, and for the hinge
# loss the margin's shortfall 1 - y s, so that its only kink is where u = 0.

_U, _Y, _B = sp.symbols("u y b", real=True)


def _model(name: str, n: int) -> tuple[list[sp.Symbol], list[sp.Symbol], sp.Expr, sp.Expr]:
    """Weights, inputs, u as an expression of both, and dL/du as an expression of u and y."""
    w, x = sp.symbols(f"w:{n}", real=True), sp.symbols(f"x:{n}", real=True)
    product = sum(wj * xj for wj, xj in zip(w, x, strict=True))
    if name == "hinge":
        return w, x, 1 - _Y * (product - _B), derivative("relu").subs(sp.Symbol("z", real=True), _U)
    losses = {
        "linear": (_Y - _U) ** 2,
        "logistic": -(_Y * sp.log(sigmoid(_U)) + (1 - _Y) * sp.log(1 - sigmoid(_U))),
    }
    return w, x, product + _B, sp.diff(losses[name], _U)


Other = Callable[[Values], Mapping[str, np.ndarray]]


def _exact(name: str) -> Other:
    """The gradient of the mean loss of a model; an example at a kink counts with ``given["at_kink"]``."""

    @remembered
    def truth(given: Values) -> dict[str, np.ndarray]:
        n, m = given["X"].shape
        w, x, u, slope = _model(name, n)
        arguments = [*w, _B, *x, _Y]
        parts = [function(arguments, one, exact=True) for one in (u, *(sp.diff(u, each) for each in (*w, _B)))]
        slope_at = function([_U, _Y], slope, exact=True)
        with many_digits():
            total = [mpmath.mpf(0)] * (n + 1)
            for k in range(m):
                numbers = [*given["w"][0], given["b"], *given["X"][:, k], given["y"][0, k]]
                exactly = [mpmath.mpf(float(number)) for number in numbers]
                at, *inner = (part(*exactly) for part in parts)
                if name == "hinge" and at == 0:
                    outer = mpmath.mpf(float(given["at_kink"]))
                else:
                    outer = slope_at(at, mpmath.mpf(float(given["y"][0, k])))
                total = [entry + outer * step for entry, step in zip(total, inner, strict=True)]
            gradient = np.array([float(entry / m) for entry in total])
        return {"dw": gradient[None, :n], "db": gradient[n]}

    return truth


linear_truth, logistic_truth, hinge_truth = _exact("linear"), _exact("logistic"), _exact("hinge")


def on_the_margin(given: Values) -> np.ndarray:
    """Which examples lie exactly on the margin."""
    return given["y"] * (given["w"] @ given["X"] - given["b"]) == 1


def kink_choice(given: Values, own: Values) -> dict[str, np.ndarray]:
    """The share in [0, 1] with which the student counts the example on the margin, read from dw, else from db."""
    if not np.any(on_the_margin(given)):
        return {"at_kink": np.array(0.0)}
    choices = []
    for name in ("dw", "db"):
        if name in own and np.size(own[name]) == (given["w"].size if name == "dw" else 1):
            share, exactly = _counted(given, name, own[name], within=(0.0, 1.0))
            if exactly:
                return {"at_kink": share}
            choices.append(share)
    return {"at_kink": choices[0] if choices else np.array(0.0)}


def _counted(
    given: Values, name: str, got: np.ndarray, within: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[np.ndarray, bool]:
    """How often an answer counts the examples on the margin, and whether nothing else is wrong with it."""
    without, whole = (np.ravel(hinge_truth({**given, "at_kink": np.array(n)})[name]) for n in (0.0, 1.0))
    offset, span = np.ravel(got) - without, whole - without
    share = np.clip(offset @ span / (span @ span), *within)
    close = 1e-3 if np.asarray(got).dtype == np.float32 else 1e-7
    return share, bool(np.allclose(offset, share * span, rtol=0, atol=close))


# Which mistakes are known -------------------------------------------------------------------------------------------


def _as_network(sign: float, replies: Sequence[Reply], nudge: float = 0.0) -> list[Reply]:
    """The replies in the words of a network without hidden layer; ``sign`` is that of b in the score.

    ``nudge`` moves the bias by so little that nothing changes but the side on which the one example on the margin is:
    inside (positive) or outside (negative).
    """
    adapted = []
    for reply in replies:
        given, bias = reply.given, sign * reply.given["b"]
        if nudge:
            bias = bias - nudge * np.sum(given["y"], where=on_the_margin(given))
        network = {"X": given["X"], "Y": given["y"], "W1": given["w"], "b1": np.reshape(bias, (1, 1))}
        values = {"dW1": reply.values.get("dw"), "db1": _times(sign, reply.values.get("db"))}
        adapted.append(replace(reply, given=network, values=values))
    return adapted


def _times(sign: float, db: object) -> object:
    number = as_numbers(db)
    return np.reshape(sign * number, (1, 1)) if not isinstance(number, str) and number.size == 1 else db


def explain_model(spec: Spec, known: Sequence[Slip], *, sign: float = 1.0) -> Explain:
    """What the diagnosis of networks says about a model that is one unit, and the mistakes that only it has."""
    network, single = explain_gradients(spec, nudged=spec.loss == "hinge"), explain_slips(known)
    lines = {"dW1": "dw", "db1": "db"}

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        runs = []
        for nudge in _nudges(replies) if spec.loss == "hinge" else (0.0,):
            found = network(_as_network(sign, replies, nudge))
            runs.append({lines[name]: verdict for name, verdict in found.items()})
        best = max(runs, key=_how_much_is_explained, default={})
        named = {name: verdict for name, verdict in single(replies).items() if name not in best or not best[name].share}
        return best | named

    return explain


def _how_much_is_explained(run: Mapping[str, Verdict]) -> tuple[float, int]:
    return sum(verdict.share for verdict in run.values()), sum(bool(verdict.mistakes) for verdict in run.values())


def _nudges(replies: Sequence[Reply]) -> Sequence[float]:
    """On which side of the margin an example at the kink is counted: as in dw, where that is right; else either."""
    sides = {1e-12, -1e-12}
    for reply in replies:
        if np.any(on_the_margin(reply.given)) and compare(reply.values.get("dw"), hinge_truth(reply.given)["dw"]).equal:
            sides &= {{0.0: -1e-12, 1.0: 1e-12}.get(round(float(reply.given["at_kink"]), 6), 0.0)}
    return sorted(sides)


# The same models with one slip in the score or in the mean: dw is charged, and db follows.


def _without_bias(truth: Other) -> Other:
    return lambda given: truth({**given, "b": np.array(0.0)})


def _bias_turned(truth: Other) -> Other:
    return lambda given: truth({**given, "b": -given["b"]})


def _mean_over_those_inside(given: Values) -> Mapping[str, np.ndarray]:
    inside = np.count_nonzero(given["y"] * (given["w"] @ given["X"] - given["b"]) < 1 - 1e-12)
    inside += np.count_nonzero(on_the_margin(given)) * (given["at_kink"] > 0.5)
    return {name: value * given["y"].size / max(1, inside) for name, value in hinge_truth(given).items()}


def _slips(truth: Other) -> dict[str, Other]:
    """Slips of one model by id, and the gradient that they give."""
    slips = {"bias-forgotten": _without_bias(truth), "bias-sign-in-score": _bias_turned(truth)}
    return slips | ({"mean-over-those-inside": _mean_over_those_inside} if truth is hinge_truth else {})


def known_slips(truth: Other) -> tuple[Slip, ...]:
    """The slips of a model, to be named at dw."""
    return tuple(Slip(slip, "dw", lambda v, o=other: o(v.given)["dw"]) for slip, other in _slips(truth).items())


def follow_slips(truth: Other) -> Callable[[Values, Values], Sequence[Mapping[str, np.ndarray]]]:
    """db as it follows from a slip that has been charged at dw.

    Where the sign of b in the score is wrong, db may be the derivative of the given score or of the student's own.
    """

    def follow(given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        exact, follows = truth(given), []
        for mistake, other in _slips(truth).items():
            wrong = other(given)
            if compare(own.get("dw"), wrong["dw"]).equal:
                signs = (1, -1) if mistake == "bias-sign-in-score" else (1,)
                follows += [{**exact, "db": sign * wrong["db"]} for sign in signs]
        if truth is hinge_truth and "dw" in own and own["dw"].shape == exact["dw"].shape:
            # an example on the margin that counts more than once, say, is charged at dw
            share, exactly = _counted(given, "dw", own["dw"]) if np.any(on_the_margin(given)) else (np.array(0.0), True)
            follows += [{**exact, "db": truth({**given, "at_kink": share})["db"]}] if exactly else []
        return follows

    return follow


HINGE_SLIPS = (*known_slips(hinge_truth), Slip("hinge-bias-sign", "db", lambda v: -hinge_truth(v.given)["db"]))


# The questions ------------------------------------------------------------------------------------------------------


def _gradient_lines(dw: float, db: float) -> tuple[Line, ...]:
    return lines(dw=(dw, "dw, the gradient of the weights"), db=(db, "db, the gradient of the bias"))


IN_COMMON = {
    "feeds_last_unit": Fact(
        1, "what feeds the last unit", lambda: "A1", "What is multiplied by W2, before or after the hidden activation?"
    ),
    "last_activation": Fact(
        1,
        "the activation of the last unit",
        lambda: ("identity", "sigmoid", "identity", "sigmoid"),
        "Two of the four losses see the score itself.",
    ),
    "error_signal": Fact(
        1,
        "the error signals",
        lambda: ("2 (s - y)", "a - y", "-y if y s < 1, else 0", "a - y"),
        "It stands in your three functions, before the product with X.",
    ),
    "who_adds": Fact(
        1,
        "which examples add to the gradient",
        lambda: ("all", "all", "y s < 1", "all"),
        "For which examples is the error signal exactly zero?",
    ),
}

EXERCISE = Exercise(
    name="linear_models",
    sheet="foundations",
    title="Three linear models",
    minutes=60,
    difficulty=2,
    questions=(
        Question(
            "linear_regression",
            "Linear regression",
            _gradient_lines(4, 2),
            REGRESSION,
            values(
                linear_truth,
                follow=follow_slips(linear_truth),
                explain=explain_model(Spec((), "linear", "mse"), known_slips(linear_truth)),
            ),
        ),
        Question(
            "logistic_regression",
            "Logistic regression",
            _gradient_lines(4, 2),
            CLASSIFICATION,
            values(
                logistic_truth,
                follow=follow_slips(logistic_truth),
                explain=explain_model(Spec((), "sigmoid", "bce"), known_slips(logistic_truth)),
            ),
        ),
        Question(
            "linear_svm",
            "The linear support vector machine",
            _gradient_lines(4, 3),
            MARGIN,
            choosing(
                kink_choice,
                values(
                    hinge_truth,
                    follow=follow_slips(hinge_truth),
                    explain=explain_model(Spec((), "linear", "hinge"), HINGE_SLIPS, sign=-1.0),
                ),
            ),
        ),
        Question(
            "descent_steps",
            "Gradient descent",
            lines(one_step=(3, "w and b after one step"), all_steps=(2, "w and b after several steps")),
            DESCENT,
            keeping_inputs(BY_DESCENT),
        ),
        stated("in_common", "What the models have in common", IN_COMMON),
    ),
    written=(Written("what_is_common", "What backpropagation generalises", 2),),
    parts={
        "linear regression": ("linear_regression",),
        "logistic regression": ("logistic_regression",),
        "linear SVM": ("linear_svm",),
        "gradient descent": ("descent_steps",),
        "comparison table": ("in_common", "what_is_common"),
    },
)
