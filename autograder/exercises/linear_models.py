"""Sheet 1, exercise 1: linear regression, logistic regression, the linear SVM, and one loop that fits them all.

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
from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.exercises.shared import keeping_inputs, of_order_one
from autograder.marking.compare import as_numbers, compare
from autograder.marking.freedom import choosing
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import Explain, remembered, usable, values
from autograder.marking.slips import Slip, explain_slips, first_of
from autograder.truth import derivative, many_digits
from autograder.truth.functions import sigmoid

# What is asked ------------------------------------------------------------------------------------------------------


def gradient(student, given, *, of):
    """The gradient of one model, by the name of the student's function."""
    dw, db = getattr(student, of)(given["w"], float(given["b"]), given["X"], given["y"])
    return {"dw": dw, "db": np.reshape(db, ()) if np.size(db) == 1 else db}


def descent(student, given):
    """w and b, side by side, after one step and after several, with a gradient that is made up here."""

    def gradient(w, b, X, y):
        pull = np.mean(y * X, axis=1)[None, :]
        dw = w @ given["A"] + b * given["c"] - pull
        db = w @ given["c"].T + given["d"] * b - np.mean(y)
        return dw, float(db.item())

    found = {}
    for name, steps in (("one_step", 1), ("all_steps", int(given["steps"]))):
        # the array itself comes last: what is done to it then does not spoil another answer, and it is told
        start = given["w"].copy() if steps == 1 else given["w"], float(given["b"])
        end = student.gradient_descent(gradient, *start, given["X"], given["y"], float(given["learning_rate"]), steps)
        w, b = end
        if np.shape(w) != given["w"].shape or np.size(b) != 1:
            raise ValueError(
                f"gradient_descent must return w of shape {given['w'].shape} and b, one number; "
                f"yours have the shapes {np.shape(w)} and {np.shape(b)}"
            )
        found[name] = np.append(np.ravel(w), np.ravel(b))
    return found


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


def _descent_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for n, m, steps, rate in ((2, 4, 3, 0.3), (3, 5, 4, 0.2), (4, 6, 6, 0.4)):
        half = of_order_one(rng, n, n)
        points.append(
            Challenge(
                {
                    "A": half @ half.T / n,
                    "c": of_order_one(rng, 1, n),
                    "d": np.array(1.5),
                    "w": of_order_one(rng, 1, n),
                    "b": of_order_one(rng),
                    "X": of_order_one(rng, n, m),
                    "y": of_order_one(rng, 1, m),
                    "learning_rate": np.array(rate),
                    "steps": np.array(steps),
                }
            )
        )
    return points


REGRESSION = Probe(gradient, _regression_challenges, {"of": "linear_gradient"}, "regression")
CLASSIFICATION = Probe(gradient, _classification_challenges, {"of": "logistic_gradient"}, "classification")
MARGIN = Probe(gradient, _margin_challenges, {"of": "hinge_gradient"}, "margin")
DESCENT = Probe(descent, _descent_challenges)


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
        parts = sp.lambdify(arguments, [u, *(sp.diff(u, parameter) for parameter in (*w, _B))], "mpmath")
        slope_at = sp.lambdify([_U, _Y], slope, "mpmath")
        with many_digits():
            total = [mpmath.mpf(0)] * (n + 1)
            for k in range(m):
                numbers = [*given["w"][0], given["b"], *given["X"][:, k], given["y"][0, k]]
                at, *inner = parts(*(mpmath.mpf(float(number)) for number in numbers))
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


# A step of gradient descent, right and wrong, with the made-up gradient of the probe.

State = tuple[np.ndarray, float]
Gradient = Callable[[np.ndarray, float], State]
Step = Callable[[Gradient, np.ndarray, float, float], State]


def _gradient(given: Values) -> Gradient:
    pull, middle = np.mean(given["y"] * given["X"], axis=1)[None, :], np.mean(given["y"])

    def gradient(w: np.ndarray, b: float) -> State:
        return w @ given["A"] + b * given["c"] - pull, float((w @ given["c"].T).item() + given["d"] * b - middle)

    return gradient


def _right_step(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    dw, db = gradient(w, b)
    return w - rate * dw, b - rate * db


def _ascent(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    dw, db = gradient(w, b)
    return w + rate * dw, b + rate * db


def _whole_gradient(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    return _right_step(gradient, w, b, 1.0)


def _w_first(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    w = w - rate * gradient(w, b)[0]
    return w, b - rate * gradient(w, b)[1]


def _w_only(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    return w - rate * gradient(w, b)[0], b


def _assigned(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    dw, db = gradient(w, b)
    return -rate * dw, -rate * db


def walk(given: Values, step: Step, steps: int) -> np.ndarray:
    """w and b, side by side, after so many steps."""
    w, b = given["w"], float(given["b"])
    for _ in range(steps):
        w, b = step(_gradient(given), w, b, float(given["learning_rate"]))
    return np.append(w, b)


def _gradient_once(given: Values) -> np.ndarray:
    """All steps made along the gradient at the start."""
    first = walk(given, _right_step, 1) - walk(given, _right_step, 0)
    return walk(given, _right_step, 0) + int(given["steps"]) * first


def descent_truth(given: Values) -> dict[str, np.ndarray]:
    """After one step and after all."""
    return {"one_step": walk(given, _right_step, 1), "all_steps": walk(given, _right_step, int(given["steps"]))}


# Which mistakes are known -------------------------------------------------------------------------------------------

STEPS: Mapping[str, Step] = {
    "sign-flipped": _ascent,
    "learning-rate-missing": _whole_gradient,
    "w-updated-before-b": _w_first,
    "parameter-never-updated": _w_only,
    "parameter-assigned-not-updated": _assigned,
}
"""Wrong steps by the id of the mistake."""


def own_rate(given: Values, own: Values) -> float | None:
    """The learning rate of the student's first step, when that is a step along the gradient at all."""
    first = own.get("one_step")
    start = np.append(given["w"], given["b"])
    if first is None or first.shape != start.shape:
        return None
    slope = np.append(*_gradient(given)(given["w"], float(given["b"])))
    rate = -float((first - start) @ slope / (slope @ slope))
    return rate if rate and np.allclose(first, start - rate * slope, rtol=1e-9, atol=1e-12) else None


def follow_descent(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """All steps made like the student's own first one, when it is a known wrong step or has a rate of its own."""
    first, exact = own.get("one_step"), descent_truth(given)
    if first is None or first.shape != exact["one_step"].shape:
        return ()
    rate, steps = own_rate(given, own), int(given["steps"])
    likely = [walk(given, step, steps) for step in STEPS.values() if np.allclose(first, walk(given, step, 1))]
    if rate is not None:
        likely.append(walk({**given, "learning_rate": rate}, _right_step, steps))
    return [exact | {"all_steps": after} for after in likely]


def explain_rate(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """A learning rate that stays the same, whatever is asked for."""
    found = [own_rate(reply.given, usable(reply.values)) for reply in replies]
    rates = [rate for rate in found if rate is not None]
    if len(rates) < len(found) or not np.allclose(rates, rates[0], rtol=1e-9):
        return {}
    title = f"The learning rate is {rates[0]:g}, whatever is asked for."
    return {"one_step": Verdict.named("argument-ignored", title=title)}


DESCENT_SLIPS = (
    *(Slip(mistake, "one_step", lambda v, s=step: walk(v.given, s, 1)) for mistake, step in STEPS.items()),
    Slip("one-step-too-few", "one_step", lambda v: walk(v.given, _right_step, 0)),
    Slip("one-step-too-many", "one_step", lambda v: walk(v.given, _right_step, 2)),
    Slip("one-step-too-few", "all_steps", lambda v: walk(v.given, _right_step, int(v.steps) - 1)),
    Slip("one-step-too-many", "all_steps", lambda v: walk(v.given, _right_step, int(v.steps) + 1)),
    Slip("only-one-step", "all_steps", lambda v: walk(v.given, _right_step, 1)),
    Slip("gradient-computed-once", "all_steps", lambda v: _gradient_once(v.given)),
)


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
    return Line("dw", dw, "dw, the gradient of the weights"), Line("db", db, "db, the gradient of the bias")


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
            (Line("one_step", 3, "w and b after one step"), Line("all_steps", 2, "w and b after several steps")),
            DESCENT,
            keeping_inputs(
                values(
                    descent_truth, follow=follow_descent, explain=first_of(explain_slips(DESCENT_SLIPS), explain_rate)
                )
            ),
        ),
    ),
    written=(Written("what_is_common", "What backpropagation generalises", 6),),
    parts={
        "linear regression": ("linear_regression",),
        "logistic regression": ("logistic_regression",),
        "linear SVM": ("linear_svm",),
        "gradient descent": ("descent_steps",),
        "comparison table": ("what_is_common",),
    },
)
