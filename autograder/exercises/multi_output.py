"""Sheet 4, exercise 15: three air pollutants from four weather readings.

(a) Forward pass, (b) loss and (c) backward pass of a network with several linear outputs; (d) outputs of different
scale and importance: standardisation, and a weight for each output in the loss; (e) one whole training step.

A slip of (b) or (c) that is made again in (d) costs once: the student's own unweighted code, asked with targets that
are moved so that its error is the weighted one, says what would follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mpmath
import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Values, Written
from autograder.exercises.shared import (
    SMALL,
    follow_network,
    gradient_challenges,
    keeping_parameters,
    network_for,
    returning,
    sigmoid_kept,
    squared_error_slips,
)
from autograder.marking.compare import compare
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips, first_of
from autograder.truth import Network, many_digits

ACTIVATIONS = ("tanh", "linear")
GRADIENT_NAMES = ("dW2", "db2", "dW1", "db1")

SHOWN = SMALL | {
    "W2": np.array([[1.0, -2.0], [0.5, 1.0]]),
    "b2": np.array([[0.5], [0.0]]),
    "Y": np.array([[0.5, -1.0], [1.0, 0.5]]),
    "output_weights": np.array([[1.0], [3.0]]),
}
"""Two outputs and two examples, which feedback may show."""


def network(given: Values, loss: str) -> Network:
    """The symbolic network for the shapes of a challenge."""
    return network_for(given, ACTIVATIONS, loss)


# What is asked ------------------------------------------------------------------------------------------------------


def forward(student, given):
    """Pre-activations and activations of both layers."""
    net = student.AirNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name])
    returned = net.forward_pass(given["X"])
    found = {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
    found["returned"] = returned
    return found


def loss(student, given):
    """The loss after a forward pass."""
    net = student.AirNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    found = {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
    found["loss"] = net.compute_loss(given["Y"])
    return found


def gradients(student, given):
    """Activations and all four gradients."""
    net = student.AirNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    net.backward_pass(given["X"], given["Y"])
    names = ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1")
    found = {name: getattr(net, name, None) for name in names}
    return found | {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


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


def weighted(student, given):
    """Loss and gradients with output weights, and what the unweighted code gives for errors of that size."""
    sizes = (given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    weights = given["output_weights"]
    net = student.WeightedAirNetwork(*sizes, weights.copy())
    plain = student.AirNetwork(*sizes)
    for one in (net, plain):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(one, name, given[name].copy())
    net.forward_pass(given["X"])
    found = {name: np.copy(getattr(net, name)) for name in ("Z1", "A1", "Z2", "A2") if hasattr(net, name)}
    found["loss"] = net.compute_loss(given["Y"])
    net.backward_pass(given["X"], given["Y"])
    for name in ("dW2", "db2", "dW1", "db1"):
        found[name] = getattr(net, name, None)
    try:
        plain.forward_pass(given["X"])
        error = plain.A2 - given["Y"]
        targets = {"plain": given["Y"], "moved": plain.A2 - weights * error}
        for kind, Y in targets.items():
            plain.backward_pass(given["X"], Y)
            found.update({kind + "_" + name: np.copy(getattr(plain, name)) for name in ("dW2", "db2", "dW1", "db1")})
        found["plain_loss"] = plain.compute_loss(given["Y"])
        found["moved_loss"] = plain.compute_loss(plain.A2 - np.sqrt(weights) * error)
    except Exception:
        pass  # without the unweighted code there is nothing to follow from
    return found


def step(student, given):
    """Parameters after one training step, and what it returns; gradients and loss that belong to the old ones."""
    sizes = (given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    net = student.WeightedAirNetwork(*sizes, given["output_weights"].copy())
    other = student.WeightedAirNetwork(*sizes, given["output_weights"].copy())
    for one in (net, other):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(one, name, given[name].copy())
    other.forward_pass(given["X"])
    own_loss = other.compute_loss(given["Y"])
    other.backward_pass(given["X"], given["Y"])
    names = ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1")
    found = {name: np.copy(getattr(other, name)) for name in names if hasattr(other, name)}
    found["own_loss"] = own_loss
    found["returned"] = student.train_step(net, given["X"], given["Y"], float(given["learning_rate"]))
    for name in ("W2", "b2", "W1", "b1"):
        value = getattr(net, name, None)
        single = getattr(found.get("d" + name), "dtype", None) == np.float32
        # a step made of single-precision gradients is exact to single precision only, whatever its dtype
        found[name + "_new"] = np.asarray(value, np.float32) if single and value is not None else value
    try:
        net.forward_pass(given["X"])
        found["own_loss_after"] = net.compute_loss(given["Y"])
    except Exception:
        pass  # only needed to recognise a loss that is taken too late
    return found


def _challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge(SHOWN, shown=True)]
    for challenge in gradient_challenges(rng, ACTIVATIONS, "weighted-mse", hidden=8, n_in=4, n_out=3):
        if not challenge.shown:
            points.append(Challenge({**challenge.given, "output_weights": rng.permuted([[0.5], [1.7], [2.6]], axis=0)}))
    return points


def _step_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [Challenge({**c.given, "learning_rate": np.array(0.3)}, shown=c.shown) for c in _challenges(rng)]


def _scaling_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = {
        "Y": np.array([[10.0, 20.0, 30.0, 20.0], [1.0, 1.0, 5.0, 1.0]]),
        "Y_other": np.array([[15.0, 25.0], [3.0, 0.0]]),
        "S": np.array([[1.0, -1.0], [0.5, 2.0]]),
        "centre": np.array([[20.0], [2.0]]),
        "width": np.array([[5.0], [0.5]]),
    }
    points = [Challenge(shown, shown=True)]
    for outputs, examples in ((3, 7), (4, 6), (3, 5)):
        centre, width = rng.uniform(5, 60, (outputs, 1)), rng.uniform(1.5, 20, (outputs, 1))
        points.append(
            Challenge(
                {
                    "Y": centre + width * rng.uniform(-1.5, 1.5, (outputs, examples)),
                    "Y_other": centre + width * rng.uniform(-1.5, 1.5, (outputs, 4 + examples)),
                    "S": rng.uniform(0.3, 2, (outputs, examples)) * rng.choice([-1.0, 1.0], (outputs, examples)),
                    "centre": centre,
                    "width": width,
                }
            )
        )
    return points


FORWARD = Probe(forward, lambda rng: [challenge.keeping("Y", "output_weights") for challenge in _challenges(rng)])
LOSS_VALUE = Probe(loss, lambda rng: [challenge.keeping("output_weights") for challenge in _challenges(rng)])
GRADIENTS = Probe(gradients, lambda rng: [challenge.keeping("output_weights") for challenge in _challenges(rng)])
SCALING = Probe(scaling, _scaling_challenges)
WEIGHTED = Probe(weighted, _challenges)
STEP = Probe(step, _step_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def plain_truth(given: Values) -> dict[str, np.ndarray]:
    """The network with the unweighted loss."""
    return returning(network(given, "mse").evaluate(given))


def follow_plain(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own activations."""
    return [returning(results, own) for results in follow_network(network(given, "mse"), given, own)]


@remembered
def weighted_truth(given: Values) -> dict[str, np.ndarray]:
    """The network with the weighted loss."""
    return network(given, "weighted-mse").evaluate(given)


def follow_weighted(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """From the student's own activations, or from the student's own unweighted code.

    The unweighted code counts only where it reacts to the targets at all: what is constant follows from nothing.
    """
    readings = list(follow_network(network(given, "weighted-mse"), given, own))
    carried = dict(readings[0])
    for name in ("loss", *GRADIENT_NAMES):
        moved, plain = own.get(f"moved_{name}"), own.get(f"plain_{name}")
        if moved is not None and plain is not None and not compare(moved, plain).equal:
            carried[name] = moved
    return [*readings, carried]


def follow_step(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """From the student's own gradients and loss at the old parameters; a whole step made twice is charged once."""
    known = {name: value for name, value in own.items() if name[0] in "ZAd"}
    once = network(given, "weighted-mse").evaluate(given, known, exact=False)
    readings = [once | {"returned": own.get("own_loss", once["loss"])}]
    twice = {f"{name}_new": 2 * once[f"{name}_new"] - given[name] for name in ("W2", "b2", "W1", "b1")}
    if compare(own.get("W2_new"), twice["W2_new"]).equal:
        readings.append(readings[0] | {name: value for name, value in twice.items() if name != "W2_new"})
    return readings


@remembered
def step_truth(given: Values) -> dict[str, np.ndarray]:
    """The parameters after a step of the weighted network, and the loss before it."""
    results = weighted_truth(given)
    return {**results, "returned": results["loss"]}


@remembered
def scaling_truth(given: Values) -> dict[str, np.ndarray]:
    """Mean and population deviation of every row at 50 digits, and the two ways through a given scale."""
    mean, std = [], []
    with many_digits():
        for row in given["Y"]:
            entries = [mpmath.mpf(float(y)) for y in row]
            centre = mpmath.fsum(entries) / len(entries)
            mean.append(float(centre))
            std.append(float(mpmath.sqrt(mpmath.fsum((y - centre) ** 2 for y in entries) / len(entries))))
    return {
        "mean": np.array(mean)[:, None],
        "std": np.array(std)[:, None],
        "standardised": (given["Y_other"] - given["centre"]) / given["width"],
        "restored": given["S"] * given["width"] + given["centre"],
    }


# Which mistakes are known -------------------------------------------------------------------------------------------

_EACH = "Each output has its own mean and its own deviation: over which axis do you take them?"

SCALING_SLIPS = (
    Slip(
        "divided-by-m-minus-1",
        ("std",),
        lambda v: v.Y.std(axis=1, ddof=1, keepdims=True),
        "You divide by m - 1.",
        "This course takes the plain mean of the squared deviations.",
    ),
    Slip(
        "variance-for-deviation",
        ("std",),
        lambda v: v.Y.var(axis=1, keepdims=True),
        "This is the variance.",
        "What is missing has the unit of the output again, and not its square.",
    ),
    Slip("scale-per-example", ("mean",), lambda v: v.Y.mean(axis=0), "", _EACH),
    Slip("scale-per-example", ("mean",), lambda v: v.Y.mean(axis=0, keepdims=True), "", _EACH),
    Slip("scale-per-example", ("std",), lambda v: v.Y.std(axis=0), "", _EACH),
    Slip("scale-per-example", ("std",), lambda v: v.Y.std(axis=0, keepdims=True), "", _EACH),
    Slip("one-scale-for-all", ("mean",), lambda v: v.Y.mean(), "You take one mean over all outputs.", _EACH),
    Slip("one-scale-for-all", ("std",), lambda v: v.Y.std(), "You take one deviation over all outputs.", _EACH),
    Slip(
        "refitted-scaler",
        ("standardised",),
        lambda v: (v.Y_other - v.Y_other.mean(axis=1, keepdims=True)) / v.Y_other.std(axis=1, keepdims=True),
        "You take the mean and the deviation of the new table itself.",
        "The scale belongs to the training data. Which two arrays are handed to your function?",
    ),
    Slip(
        "mean-not-subtracted",
        ("standardised",),
        lambda v: v.Y_other / v.width,
        "The mean is not subtracted.",
        "Around which number should standardised outputs lie?",
    ),
    Slip(
        "not-divided-by-deviation",
        ("standardised",),
        lambda v: v.Y_other - v.centre,
        "The deviation is not divided out.",
        "How wide should standardised outputs be?",
    ),
    Slip(
        "order-of-scaling",
        ("restored",),
        lambda v: (v.S + v.centre) * v.width,
        "The two steps are taken in the wrong order.",
        "Undo the last step of standardise first.",
    ),
    Slip(
        "scaled-again",
        ("restored",),
        lambda v: (v.S - v.centre) / v.width,
        "You standardise once more.",
        "This function leads back to micrograms per cubic metre.",
    ),
)

PLAIN_SPEC = Spec(hidden=("tanh",), output="linear", loss="mse")
WEIGHTED_SPEC = Spec(hidden=("tanh",), output="linear", loss="weighted-mse")
STEP_SPEC = Spec(hidden=("tanh",), output="linear", loss="weighted-mse", result="update")

WEIGHTED_LOSS_SLIPS = (
    Slip(
        "output-weights-missing",
        ("loss",),
        lambda v: np.sum((v.A2 - v.Y) ** 2) / v.Y.shape[1],
        hint="Look at the loss as it is stated: what stands in front of the square?",
    ),
    Slip(
        "output-weights-squared",
        ("loss",),
        lambda v: np.sum((v.output_weights * (v.A2 - v.Y)) ** 2) / v.Y.shape[1],
        hint="What is squared in the loss, and what is not?",
    ),
    Slip(
        "output-weights-normalised",
        ("loss",),
        lambda v: np.sum(v.output_weights * (v.A2 - v.Y) ** 2) / v.Y.shape[1] / np.sum(v.output_weights),
        hint="The weights stand in the loss as they are.",
    ),
)

BY_PLAIN = values(
    plain_truth,
    follow=follow_plain,
    explain=first_of(
        explain_gradients(PLAIN_SPEC),
        explain_slips((*sigmoid_kept(*ACTIVATIONS), *squared_error_slips())),
    ),
)
BY_WEIGHTED = values(
    weighted_truth,
    follow=follow_weighted,
    explain=first_of(
        explain_gradients(WEIGHTED_SPEC),
        explain_slips((*WEIGHTED_LOSS_SLIPS, *squared_error_slips(lambda v: v.output_weights))),
    ),
)
BY_SCALING = values(scaling_truth, explain=explain_slips(SCALING_SLIPS))
STEP_SLIPS = (
    *(
        Slip(
            "step-made-twice",
            (f"{name}_new",),
            lambda v, name=name: v.given[name] - 2 * v.learning_rate * v[f"d{name}"],
            "The step is made twice.",
            "Count in how many places your code moves this parameter.",
        )
        for name in ("W2", "b2", "W1", "b1")
    ),
    Slip(
        "loss-after-the-update",
        ("returned",),
        lambda v: v.own_loss_after if v.own_loss_after != v.own_loss else None,
        "This is the loss after the step.",
        "The loss from before the step is asked for. When do you compute it?",
    ),
)
BY_STEP = values(
    step_truth, follow=follow_step, explain=first_of(explain_slips(STEP_SLIPS), explain_gradients(STEP_SPEC))
)


# The questions ------------------------------------------------------------------------------------------------------


def _gradient_lines(points: Mapping[str, float]) -> tuple[Line, ...]:
    return tuple(Line(name, share, name) for name, share in points.items())


EXERCISE = Exercise(
    name="multi_output",
    sheet="design",
    title="Three pollutants at once",
    minutes=60,
    difficulty=3,
    questions=(
        Question(
            "forward_outputs",
            "(a) The forward pass",
            (
                Line("Z1", 1, "Z1, hidden pre-activations"),
                Line("A1", 1, "A1, hidden activations"),
                Line("Z2", 1, "Z2, output pre-activations"),
                Line("A2", 0.5, "A2, outputs"),
                Line("returned", 0.5, "the value that forward_pass returns"),
            ),
            FORWARD,
            BY_PLAIN,
        ),
        Question("loss_of_outputs", "(b) A loss for several outputs", (Line("loss", 2, "loss"),), LOSS_VALUE, BY_PLAIN),
        Question(
            "backward_outputs",
            "(c) The backward pass",
            _gradient_lines({"dW2": 2, "db2": 1, "dW1": 2, "db1": 1}),
            GRADIENTS,
            keeping_parameters(BY_PLAIN),
        ),
        Question(
            "scaling_outputs",
            "(d) Standardisation",
            (
                Line("mean", 0.5, "mean of fit_scaler"),
                Line("std", 1, "std of fit_scaler"),
                Line("standardised", 1, "standardise"),
                Line("restored", 0.5, "unstandardise"),
            ),
            SCALING,
            BY_SCALING,
        ),
        Question(
            "weighted_outputs",
            "(d) A weight for every output",
            (Line("loss", 1, "weighted loss"), *_gradient_lines({"dW2": 1, "db2": 0.5, "dW1": 1, "db1": 0.5})),
            WEIGHTED,
            BY_WEIGHTED,
        ),
        Question(
            "step_outputs",
            "(e) One training step",
            (
                *(
                    Line(f"{name}_new", points, f"{name} after the step")
                    for name, points in {"W2": 0.5, "b2": 0.25, "W1": 0.5, "b1": 0.25}.items()
                ),
                Line("returned", 0.5, "the loss that train_step returns"),
            ),
            STEP,
            BY_STEP,
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
