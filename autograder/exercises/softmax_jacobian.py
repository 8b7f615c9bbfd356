"""Sheet 5: softmax, whose derivative is a matrix that nobody builds.

Three units by hand; softmax and log-sum-exp without overflow; the Jacobian of one example; its product with what
arrives, without the matrix; and the cross-entropy, with which it collapses to p - y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mpmath
import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written, lines
from autograder.exercises.shared import calling, keeping_inputs, of_order_one
from autograder.exercises.softmax_by_hand import JUDGE, PERSONAL, PROBE, STEPS
from autograder.exercises.softmax_mistakes import BACKWARD, FORWARD, JACOBIAN, LOSS, explain_overflow, shares
from autograder.marking.judges import remembered, values
from autograder.marking.slips import At, explain_slips, first_of, slope
from autograder.truth import many_digits

SHARES = "exp({0}) / sum(exp({0}), axis=0)"
"""Softmax of columns of ordinary size, as a formula."""


# What is asked of the functions ---------------------------------------------------------------------------------------


def both_sizes(student, given):
    """softmax and log_sum_exp of units of ordinary and of enormous size."""
    Z, large = given["Z"].copy(), given["Z_large"].copy()
    try:
        yield {"P": student.softmax(given["Z"]), "P_large": student.softmax(given["Z_large"])}
    finally:
        yield {"lse": student.log_sum_exp(Z), "lse_large": student.log_sum_exp(large)}


def product_and_memory(student, given):
    """softmax_backward, and how many bytes it has taken at most."""
    import tracemalloc

    tracemalloc.start()
    dZ = student.softmax_backward(given["dP"], given["P"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"dZ": dZ, "peak": peak}


def class_losses(student, given):
    """The loss, also of enormous units, and its gradient, beside the student's own softmax and log_sum_exp."""
    import contextlib

    Z, large, Y = given["Z"], given["Z_large"], given["Y"]
    for name, called, units in (("P", "softmax", Z), ("lse", "log_sum_exp", Z), ("lse_large", "log_sum_exp", large)):
        with contextlib.suppress(Exception):  # it is marked where it is asked
            yield {name: getattr(student, called)(units.copy())}
    try:
        yield {"loss": student.cross_entropy(Z.copy(), Y.copy())}
        yield {"loss_large": student.cross_entropy(large.copy(), Y.copy())}
    finally:
        yield {"dZ": student.cross_entropy_gradient(Z, Y)}


def _classes(rng: np.random.Generator) -> list[Challenge]:
    """Units of ordinary size; in columns around 1000 and -1000; and with a right class that has no share left."""
    Z = np.array([[1.0, 0.0], [-1.0, 2.0], [0.5, 0.0]])
    points = [Challenge({"Z": Z, "Z_large": Z + [[1000, -1000]], "Y": np.eye(3)[:, [0, 2]]}, shown=True)]
    for n, m in ((4, 6), (5, 7), (3, 8)):
        Z, classes = 1.5 * of_order_one(rng, n, m), rng.integers(0, n, m)
        large = Z + np.resize([1000.0, -1000.0, 0.0], m)
        large[:, -1] += 1500 * (np.arange(n) != classes[-1])
        points.append(Challenge({"Z": Z, "Z_large": large, "Y": np.eye(n)[:, classes]}))
    return points


def _units(rng: np.random.Generator) -> list[Challenge]:
    return [Challenge({"Z": one.given["Z"], "Z_large": one.given["Z_large"]}, one.shown) for one in _classes(rng)]


def _shares(rng: np.random.Generator) -> list[Challenge]:
    examples = [np.array([0.5, 1.0, 0.0]), *(of_order_one(rng, n) for n in (4, 5, 3))]
    return [Challenge({"p": shares(z[:, None])[:, 0], "z": z}, n == 0).keeping("z") for n, z in enumerate(examples)]


def _upstream(rng: np.random.Generator) -> list[Challenge]:
    Z = np.array([[1.0, 0.0], [-1.0, 2.0], [0.5, 0.0]])
    points = [Challenge({"Z": Z, "P": shares(Z), "dP": np.array([[1.0, 0.5], [0.0, -1.0], [2.0, 1.0]])}, True)]
    for n, m in ((4, 6), (5, 7), (MANY, 3)):
        Z = of_order_one(rng, n, m)
        points.append(Challenge({"Z": Z, "P": shares(Z), "dP": of_order_one(rng, n, m)}))
    return [point.keeping("Z") for point in points]


MANY = 400
"""So many units tell by their memory whether a matrix was built."""


# What is true ---------------------------------------------------------------------------------------------------------


@remembered
def true_softmax(given: Values) -> dict[str, np.ndarray]:
    """Shares and the logarithm of the sum, with fifty digits and exponents without end."""
    found = {}
    with many_digits():
        for name in ("", "_large"):
            E = np.vectorize(lambda z: mpmath.exp(mpmath.mpf(float(z))), otypes=[object])(given[f"Z{name}"])
            total = E.sum(axis=0, keepdims=True)
            found[f"P{name}"] = (E / total).astype(float)
            found[f"lse{name}"] = np.vectorize(mpmath.log, otypes=[object])(total).astype(float)
    return found


@remembered
def true_jacobian(given: Values) -> dict[str, np.ndarray]:
    """The slopes of each share, to full accuracy."""
    rows = np.eye(len(given["z"]))
    return {
        "J": np.array([slope(f"sum(row * {SHARES.format('z')})", At({**given, "row": row}, {}), "z") for row in rows])
    }


@remembered
def true_product(given: Values) -> dict[str, np.ndarray]:
    """The slopes of a loss whose derivative by the shares is dP."""
    return {"dZ": slope(f"sum(dP * {SHARES.format('Z')})", At(given, {}), "Z")}


@remembered
def true_loss(given: Values) -> dict[str, np.ndarray]:
    """The mean cross-entropy and its slopes."""
    exact, Y, m = true_softmax({"Z": given["Z"], "Z_large": given["Z_large"]}), given["Y"], given["Z"].shape[1]
    loss = f"-sum(Y * log({SHARES.format('Z')})) / {m}"
    found = _losses(exact, given)
    return {**found, "dZ": slope(loss, At({"Z": given["Z"], "Y": Y}, {}), "Z")}


def _losses(sums: Values, given: Values) -> dict[str, np.ndarray]:
    right = {name: np.sum(given["Y"] * given[f"Z{name}"], axis=0, keepdims=True) for name in ("", "_large")}
    return {f"loss{name}": np.asarray(np.mean(sums[f"lse{name}"] - right[name])) for name in right}


def follow_loss(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """Loss and gradient from the student's own log_sum_exp and softmax; the loss from either."""
    exact, Z, Y = true_loss(given), given["Z"], given["Y"]
    sums = true_softmax({"Z": Z, "Z_large": given["Z_large"]})
    sums = sums | {name: own[name] for name in ("lse", "lse_large") if name in own and own[name].size == Z.shape[1]}
    P = own["P"] if "P" in own and own["P"].shape == Z.shape else sums["P"]
    flat = {name: np.reshape(value, (1, -1)) if name.startswith("lse") else value for name, value in sums.items()}
    first = {**exact, **_losses(flat, given), "dZ": (P - Y) / Z.shape[1]}
    with np.errstate(all="ignore"):
        return [first, {**first, "loss": np.asarray(-np.sum(Y * np.log(P)) / Z.shape[1])}]


# How it is judged -----------------------------------------------------------------------------------------------------

_BY_VALUE = values(true_product, explain=explain_slips(BACKWARD))


def by_product(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks the product; right values by way of the matrix, which many units show by the memory, earn half."""
    verdicts = dict(_BY_VALUE(lines, replies))
    for reply in replies:
        peak, n = reply.values.get("peak"), len(reply.given["Z"])
        if n == MANY and verdicts["dZ"].share == 1 and not (isinstance(peak, int) and peak < n * n * 2):
            verdicts["dZ"] = Verdict.named("softmax-jacobian-built", share=0.5)
    return verdicts


EXERCISE = Exercise(
    name="softmax_jacobian",
    sheet="beyond",
    title="Softmax and its Jacobian",
    minutes=60,
    difficulty=4,
    questions=(
        Question(
            "three_units",
            "(a) Three units by hand",
            tuple(step.line for step in STEPS["three_units"]),
            PROBE,
            JUDGE,
        ),
        Question(
            "softmax_values",
            "(b) Softmax that does not overflow",
            lines(
                P=2,
                lse=(1, "log_sum_exp"),
                P_large=(1, "P for large units"),
                lse_large=(1, "log_sum_exp for large units"),
            ),
            Probe(both_sizes, _units),
            keeping_inputs(values(true_softmax, explain=first_of(explain_overflow, explain_slips(FORWARD)))),
        ),
        Question(
            "jacobian_matrix",
            "(c) The whole Jacobian",
            lines(J=3),
            calling("softmax_jacobian", "p", "J", _shares),
            values(true_jacobian, explain=explain_slips(JACOBIAN)),
        ),
        Question(
            "backward_product",
            "(d) The same without the matrix",
            lines(dZ=4),
            Probe(product_and_memory, _upstream),
            by_product,
        ),
        Question(
            "cross_entropy_values",
            "(e) With the cross-entropy",
            lines(loss=2, loss_large=(1, "loss for large units"), dZ=2),
            Probe(class_losses, _classes),
            values(true_loss, follow=follow_loss, explain=first_of(explain_overflow, explain_slips(LOSS))),
        ),
    ),
    written=(Written("collapse_words", "(f) Why it collapses", 3),),
    parts={
        "a": ("three_units",),
        "b": ("softmax_values",),
        "c": ("jacobian_matrix",),
        "d": ("backward_product",),
        "e": ("cross_entropy_values",),
        "f": ("collapse_words",),
    },
    personal=PERSONAL,
)
