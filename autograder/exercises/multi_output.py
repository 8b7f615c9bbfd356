"""Sheet 4: three air pollutants from four weather readings.

(a) Forward pass, (b) loss and (c) backward pass of a network with several linear outputs; (d) outputs of different
scale and importance: standardisation, and a weight for each output in the loss; (e) one whole training step.

A slip of (b) or (c) that is made again in (d) costs once: the student's own unweighted code, asked with targets that
are moved so that its error is the weighted one, says what would follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mpmath
import numpy as np

from autograder.exercise import Challenge, Exercise, Probe, Question, Values, Written, lines
from autograder.exercises.networks import (
    PARAMETERS,
    SQUARED_ERROR,
    UPDATE_SLIPS,
    WEIGHTED_ERROR,
    NetworkTask,
    moved_alike,
)
from autograder.exercises.reports import OURS, Network
from autograder.exercises.shared import SMALL, gradient_challenges, sigmoid_kept
from autograder.marking.compare import compare
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import many_digits

ACTIVATIONS = ("tanh", "linear")
GRADIENT_NAMES = ("dW2", "db2", "dW1", "db1")

SHOWN = SMALL | {
    "W2": np.array([[1.0, -2.0], [0.5, 1.0]]),
    "b2": np.array([[0.5], [0.0]]),
    "Y": np.array([[0.5, -1.0], [1.0, 0.5]]),
    "output_weights": np.array([[1.0], [3.0]]),
}
"""Two outputs and two examples, which feedback may show."""


def weighted_points(rng: np.random.Generator) -> list[Challenge]:
    """One shown and three hidden points, each with weights for its outputs."""
    points = [Challenge(SHOWN, shown=True)]
    for challenge in gradient_challenges(rng, ACTIVATIONS, "weighted-mse", hidden=8, n_in=4, n_out=3):
        if not challenge.shown:
            points.append(Challenge({**challenge.given, "output_weights": rng.permuted([[0.5], [1.7], [2.6]], axis=0)}))
    return points


def plain_points(rng: np.random.Generator) -> list[Challenge]:
    """The same without those weights."""
    return [
        Challenge({name: value for name, value in challenge.given.items() if name != "output_weights"}, challenge.shown)
        for challenge in weighted_points(rng)
    ]


AIR = NetworkTask(
    "AirNetwork", ACTIVATIONS, "mse", losses=SQUARED_ERROR, drawn=plain_points, slips=sigmoid_kept(*ACTIVATIONS)
)


# (d) Standardisation ------------------------------------------------------------------------------------------------


def scaling(student, given):
    """Mean and deviation of one table; another table standardised with given ones, and a third one put back."""

    def attempt(call):
        try:
            return call()
        except NotImplementedError:
            return None

    fitted = attempt(lambda: student.fit_scaler(given["Y"].copy()))
    if fitted is not None and (not isinstance(fitted, (tuple, list)) or len(fitted) != 2):
        raise ValueError("fit_scaler must return two arrays: mean, std")
    mean, std = fitted if fitted is not None else (None, None)
    standardised = attempt(lambda: student.standardise(given["Y_other"].copy(), given["centre"], given["width"]))
    restored = attempt(lambda: student.unstandardise(given["S"].copy(), given["centre"], given["width"]))
    if fitted is standardised is restored is None:
        student.fit_scaler(given["Y"].copy())  # the first that is not written says so itself
    return {"mean": mean, "std": std, "standardised": standardised, "restored": restored}


SHOWN_SCALES = {
    "Y": np.array([[10.0, 20.0, 30.0, 20.0], [1.0, 1.0, 5.0, 1.0]]),
    "Y_other": np.array([[15.0, 25.0], [3.0, 0.0]]),
    "S": np.array([[1.0, -1.0], [0.5, 2.0]]),
    "centre": np.array([[20.0], [2.0]]),
    "width": np.array([[5.0], [0.5]]),
}


def _scaling_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge(SHOWN_SCALES, shown=True)]
    for outputs, examples in ((3, 7), (4, 6), (3, 5)):
        centre, width = rng.uniform(5, 60, (outputs, 1)), rng.uniform(1.5, 20, (outputs, 1))
        Y = centre + width * rng.uniform(-1.5, 1.5, (outputs, examples))
        Y_other = centre + width * rng.uniform(-1.5, 1.5, (outputs, 4 + examples))
        S = rng.uniform(0.3, 2, (outputs, examples)) * rng.choice([-1.0, 1.0], (outputs, examples))
        points.append(Challenge({"Y": Y, "Y_other": Y_other, "S": S, "centre": centre, "width": width}))
    return points


@remembered
def scaling_truth(given: Values) -> dict[str, np.ndarray]:
    """Mean and population deviation of every row at 50 digits, and the two ways through a given scale."""
    with many_digits():
        rows = [[mpmath.mpf(float(y)) for y in row] for row in given["Y"]]
        mean = [mpmath.fsum(row) / len(row) for row in rows]
        squares = [[(y - centre) ** 2 for y in row] for row, centre in zip(rows, mean)]
        std = [mpmath.sqrt(mpmath.fsum(row) / len(row)) for row in squares]
        return {
            "mean": np.array([[float(centre)] for centre in mean]),
            "std": np.array([[float(width)] for width in std]),
            "standardised": (given["Y_other"] - given["centre"]) / given["width"],
            "restored": given["S"] * given["width"] + given["centre"],
        }


def _standardised(Y: np.ndarray) -> np.ndarray:
    return (Y - Y.mean(axis=1, keepdims=True)) / Y.std(axis=1, keepdims=True)


SCALING_SLIPS = (
    Slip("divided-by-m-minus-1", "std", lambda v: v.Y.std(axis=1, ddof=1, keepdims=True)),
    Slip("variance-for-deviation", "std", lambda v: v.Y.var(axis=1, keepdims=True)),
    Slip("scale-per-example", "mean", lambda v: v.Y.mean(axis=0)),
    Slip("scale-per-example", "mean", lambda v: v.Y.mean(axis=0, keepdims=True)),
    Slip("scale-per-example", "std", lambda v: v.Y.std(axis=0)),
    Slip("scale-per-example", "std", lambda v: v.Y.std(axis=0, keepdims=True)),
    Slip("one-scale-for-all", "mean", lambda v: v.Y.mean()),
    Slip("one-scale-for-all", "std", lambda v: v.Y.std()),
    Slip("refitted-scaler", "standardised", lambda v: _standardised(v.Y_other)),
    Slip("mean-not-subtracted", "standardised", "Y_other / width"),
    Slip("not-divided-by-deviation", "standardised", "Y_other - centre"),
    Slip("order-of-scaling", "restored", "(S + centre) * width"),
    Slip("scaled-again", "restored", "(S - centre) / width"),
)


# (d) A weight for every output --------------------------------------------------------------------------------------


def weighted(student, given):
    """Loss and gradients with output weights, and before what the unweighted code gives for errors of that size."""
    import contextlib

    sizes = given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0]
    weights, names = given["output_weights"], ("dW2", "db2", "dW1", "db1")
    with contextlib.suppress(Exception):  # without the unweighted code there is nothing to follow from
        plain, found = student.AirNetwork(*sizes), {}
        for name in ("W1", "b1", "W2", "b2"):
            setattr(plain, name, given[name].copy())
        plain.forward_pass(given["X"])
        error = plain.A2 - given["Y"]
        for kind, Y in (("plain_", given["Y"]), ("moved_", plain.A2 - weights * error)):
            plain.backward_pass(given["X"], Y)
            found |= {kind + name: np.copy(getattr(plain, name)) for name in names}
        found["plain_loss"] = plain.compute_loss(given["Y"])
        found["moved_loss"] = plain.compute_loss(plain.A2 - np.sqrt(weights) * error)
        yield found
    net = student.WeightedAirNetwork(*sizes, weights.copy())
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    yield {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
    try:
        yield {"loss": net.compute_loss(given["Y"])}
    finally:
        try:
            net.backward_pass(given["X"], given["Y"])
        finally:
            yield {name: getattr(net, name, None) for name in names}


class WeightedTask(NetworkTask):
    """What also follows from the student's own unweighted code.

    It counts only where it reacts to the targets at all: what is constant follows from nothing.
    """

    def follow(self, given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        """From own activations, an own loss, or the own unweighted code."""
        readings = list(super().follow(given, own))
        carried = dict(readings[0])
        for name in ("loss", *GRADIENT_NAMES):
            moved, plain = own.get(f"moved_{name}"), own.get(f"plain_{name}")
            if moved is not None and plain is not None and not compare(moved, plain).equal:
                carried[name] = moved
        return [*readings, carried]


WEIGHTED = WeightedTask("WeightedAirNetwork", ACTIVATIONS, "weighted-mse", losses=WEIGHTED_ERROR)


# (e) One step -------------------------------------------------------------------------------------------------------


def step(student, given, *, ours):
    """The parameters of a network of ours after ``train_step``, and what that returns."""
    scope = {"np": np}
    exec(ours, scope)
    net = scope["Network"](given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0], rng=0)
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    yield {"returned": student.train_step(net, given["X"], given["Y"], float(given["learning_rate"]))}
    yield {name + "_new": getattr(net, name, None) for name in ("W2", "b2", "W1", "b1")}


def _at(given: Values) -> Network:
    """Our network at the parameters of a challenge, after a forward pass."""
    net = Network(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0], rng=0)
    for name in PARAMETERS:
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    return net


def _steps(rng: np.random.Generator) -> list[Challenge]:
    """Points with a learning rate; the gradients of our network there, and its losses, are for the judge."""
    points = []
    for challenge, rate in zip(plain_points(rng), (0.3, 0.5, 0.2, 0.4)):
        given = {**challenge.given, "learning_rate": np.array(rate)}
        net = _at(given)
        kept: dict[str, Any] = {"loss": np.array(net.compute_loss(given["Y"]))}
        net.backward_pass(given["X"], given["Y"])
        kept |= {f"d{name}": getattr(net, f"d{name}") for name in PARAMETERS}
        net.update_parameters(rate)
        net.forward_pass(given["X"])
        points.append(Challenge(given, kept=kept | {"loss_after": np.array(net.compute_loss(given["Y"]))}))
    return points


def stepped(given: Values) -> dict[str, np.ndarray]:
    """theta - learning_rate * dtheta for the gradients of our network, and its loss before."""
    new = {f"{name}_new": given[name] - given["learning_rate"] * given[f"d{name}"] for name in PARAMETERS}
    return new | {"returned": given["loss"]}


def _second_pass(given: Values) -> dict[str, np.ndarray]:
    """The step of the hidden layer with gradients that are taken again after the output layer has moved."""
    net: Any = _at(given)
    rate = float(given["learning_rate"])
    net.backward_pass(given["X"], given["Y"])
    net.W2, net.b2 = net.W2 - rate * net.dW2, net.b2 - rate * net.db2
    net.backward_pass(given["X"], given["Y"])
    return {"W1_new": net.W1 - rate * net.dW1, "b1_new": net.b1 - rate * net.db1}


def follow_step(given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
    """A wrong move that is made for all parameters is charged once; so is a step made twice, or a second pass."""
    exact = stepped(given)
    readings = [{**exact, **wrong} for wrong in moved_alike(given, own, "W2_new")]
    twice = {f"{name}_new": 2 * exact[f"{name}_new"] - given[name] for name in PARAMETERS}
    for first, wrong in (("W2_new", twice), ("W1_new", _second_pass(given))):
        if compare(own.get(first), wrong[first]).equal:
            readings.append({**exact, **wrong, first: exact[first]})
    return readings


STEP_SLIPS = (
    *UPDATE_SLIPS,
    *(Slip("step-made-twice", f"{name}_new", f"{name} - 2 * learning_rate * d{name}") for name in PARAMETERS),
    Slip("w2-updated-before-hidden-error", "W1_new", lambda v: _second_pass(v.given)["W1_new"]),
    Slip("loss-after-the-update", "returned", "loss_after"),
)


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="multi_output",
    sheet="design",
    title="Three pollutants at once",
    minutes=60,
    difficulty=3,
    questions=(
        AIR.forward("forward_outputs", "(a) The forward pass", Z1=1, A1=1, Z2=1, A2=0.5, returned=0.5),
        AIR.loss_value("loss_of_outputs", "(b) A loss for several outputs", loss=2),
        AIR.gradients("backward_outputs", "(c) The backward pass", dW2=2, db2=1, dW1=2, db1=1),
        Question(
            "scaling_outputs",
            "(d) Standardisation",
            lines(
                mean=(0.5, "mean of fit_scaler"),
                std=(1, "std of fit_scaler"),
                standardised=(1, "standardise"),
                restored=(0.5, "unstandardise"),
            ),
            Probe(scaling, _scaling_challenges),
            values(scaling_truth, explain=explain_slips(SCALING_SLIPS)),
        ),
        Question(
            "weighted_outputs",
            "(d) A weight for every output",
            lines(loss=(1, "weighted loss"), dW2=1, db2=0.5, dW1=1, db1=0.5),
            Probe(weighted, weighted_points),
            WEIGHTED.judge,
        ),
        Question(
            "step_outputs",
            "(e) One training step",
            lines(
                W2_new=(0.5, "W2 after the step"),
                b2_new=(0.25, "b2 after the step"),
                W1_new=(0.5, "W1 after the step"),
                b1_new=(0.25, "b1 after the step"),
                returned=(0.5, "the loss that train_step returns"),
            ),
            Probe(step, _steps, {"ours": OURS}),
            values(stepped, follow=follow_step, explain=explain_slips(STEP_SLIPS)),
        ),
    ),
    written=(Written("outputs_words", "(d) Scale and importance", 4),),
    parts={
        "a": ("forward_outputs",),
        "b": ("loss_of_outputs",),
        "c": ("backward_outputs",),
        "d": ("scaling_outputs", "weighted_outputs", "outputs_words"),
        "e": ("step_outputs",),
    },
)
