"""Sheet 1, exercise 3: the backward pass and the update of the baseline network.

The forward pass, the loss and the loop are given in the notebook. The student writes ``backward_pass`` and
``update_parameters``, and a function that trains on the moons and reports what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Values, Written
from autograder.exercises.shared import (
    REPORT_SLIPS,
    draw_point,
    follow_network,
    follow_report,
    gradient_challenges,
    keeping_parameters,
    moons,
    network_for,
    report_on_moons,
)
from autograder.marking.compare import compare
from autograder.marking.explain import explain_gradients
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import Network

ACTIVATIONS, LOSS = ("sigmoid", "sigmoid"), "bce"
PARAMETERS = ("W1", "b1", "W2", "b2")


def network(given: Values) -> Network:
    """The symbolic network for the shapes of a challenge."""
    return network_for(given, ACTIVATIONS, LOSS)


# What is asked ------------------------------------------------------------------------------------------------------


def output_layer(student, given):
    """Activations and gradients; an error after the gradients of the output layer does not lose those."""
    net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    try:
        net.backward_pass(given["X"], given["Y"])
    except Exception:
        if getattr(net, "dW2", None) is None and getattr(net, "db2", None) is None:
            raise
    return {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2", "dW2", "db2")}


def all_gradients(student, given):
    """Activations and all four gradients."""
    net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    net.backward_pass(given["X"], given["Y"])
    names = ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1")
    found = {name: getattr(net, name, None) for name in names}
    return found | {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


def update(student, given):
    """The parameters after one update with gradients that are given."""
    net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
        setattr(net, "d" + name, given["d" + name].copy())
    net.update_parameters(float(given["learning_rate"]))
    return {name + "_new": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


def training(student, given):
    """What ``train_on_moons`` reports, and what the student's own class gives when it is trained directly."""
    epochs, rate, seed = int(given["epochs"]), float(given["learning_rate"]), int(given["seed"])
    reported = student.train_on_moons(student.SimpleNeuralNetwork, epochs, rate, seed)
    if not isinstance(reported, (tuple, list, np.ndarray)) or len(reported) != 3:
        raise ValueError("train_on_moons must return three numbers: final loss, training and test accuracy")
    X, Y, X_test, Y_test = given["X"], given["Y"], given["X_test"], given["Y_test"]
    net = student.SimpleNeuralNetwork(2, 4, 1, rng=seed)
    losses = net.train(X, Y, epochs, rate)
    train_accuracy = float(np.mean((net.forward_pass(X) > 0.5) == (Y > 0.5)))
    after = net.compute_loss(Y)
    test_accuracy = float(np.mean((net.forward_pass(X_test) > 0.5) == (Y_test > 0.5)))
    return {
        "final_loss": reported[0],
        "train_accuracy": reported[1],
        "test_accuracy": reported[2],
        "own_first": float(losses[0]),
        "own_last": float(losses[-1]),
        "own_after": float(after),
        "own_train": train_accuracy,
        "own_test": test_accuracy,
    }


def _update_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for sizes, rate in (((3, 4, 2), 0.3), ((2, 5, 3), 0.7), ((4, 3, 2), 1.6)):
        point = {name: draw_point(rng, sizes, ACTIVATIONS, LOSS, 1)[name] for name in PARAMETERS}
        other = draw_point(rng, sizes, ACTIVATIONS, LOSS, 1)
        points.append(
            Challenge(
                point | {f"d{name}": other[name] for name in PARAMETERS} | {"learning_rate": np.array(rate)}
            )
        )
    return points


def _training_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(
            moons() | {"epochs": np.array(epochs), "learning_rate": np.array(rate), "seed": rng.integers(1, 10_000)}
        )
        for epochs, rate in ((6, 0.5), (90, 2.0), (150, 2.0))
    ]


OUTPUT = Probe(output_layer, lambda rng: gradient_challenges(rng, ACTIVATIONS, LOSS))
GRADIENTS = Probe(all_gradients, lambda rng: gradient_challenges(rng, ACTIVATIONS, LOSS))
UPDATE = Probe(update, _update_challenges)
TRAINING = Probe(training, _training_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """Exact activations and gradients."""
    return network(given).evaluate(given)


def follow(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the activations that the student's network holds."""
    return follow_network(network(given), given, own)


@remembered
def updated(given: Values) -> dict[str, np.ndarray]:
    """theta - learning_rate * dtheta, with the gradients that are given."""
    net = network(given)
    data = {"X": np.zeros((net.sizes[0], 1)), "Y": np.zeros((net.sizes[-1], 1))}
    return net.evaluate(data | given, {f"d{name}": given[f"d{name}"] for name in PARAMETERS})


@remembered
def trained(given: Values) -> dict[str, np.ndarray]:
    """The course's own initial weights, moved by the derived gradients, epoch by epoch."""
    return report_on_moons(given, ACTIVATIONS[0])


def follow_training(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The report of the student's own network, or with the loss after the last update."""
    return follow_report(trained(given), own)


# Which mistakes are known -------------------------------------------------------------------------------------------

UPDATES: Mapping[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "sign-flipped": lambda theta, gradient, rate: theta + rate * gradient,
    "learning-rate-missing": lambda theta, gradient, rate: theta - gradient,
    "learning-rate-squared": lambda theta, gradient, rate: theta - rate**2 * gradient,
    "parameter-never-updated": lambda theta, gradient, rate: theta,
    "parameter-assigned-not-updated": lambda theta, gradient, rate: -rate * gradient,
    "gradient-kept-as-parameter": lambda theta, gradient, rate: rate * gradient,
}
"""Wrong updates of one parameter."""

WORDS = {
    "gradient-kept-as-parameter": (
        "The parameter is replaced by learning_rate * gradient.",
        "Check whether your line changes the old parameter, or throws it away.",
    )
}

UPDATE_SLIPS = tuple(
    Slip(
        mistake,
        (f"{name}_new",),
        lambda v, f=formula, n=name: f(v[n], v[f"d{n}"], float(v.learning_rate)),
        *WORDS.get(mistake, ()),
    )
    for name in PARAMETERS
    for mistake, formula in UPDATES.items()
)


def follow_update(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The other parameters moved like W1 is, when that is a known wrong move: charged once.

    A parameter that is not moved at all is charged for each: nothing has been written for it.
    """
    exact, rate = updated(given), float(given["learning_rate"])
    readings = []
    for mistake, formula in UPDATES.items():
        moved = {f"{name}_new": formula(given[name], given[f"d{name}"], rate) for name in PARAMETERS}
        if mistake != "parameter-never-updated" and compare(own.get("W1_new"), moved["W1_new"]).equal:
            readings.append(exact | {name: value for name, value in moved.items() if name != "W1_new"})
    return readings


# The questions ------------------------------------------------------------------------------------------------------

SPEC = Spec(hidden=("sigmoid",), output="sigmoid", loss="bce")
BY_NETWORK = values(truth, follow=follow, explain=explain_gradients(SPEC))

EXERCISE = Exercise(
    name="simple_network",
    sheet="foundations",
    title="A network with one hidden layer",
    minutes=60,
    difficulty=3,
    questions=(
        Question(
            "output_gradients",
            "Gradients of the output layer",
            (Line("dW2", 3, "dW2"), Line("db2", 1, "db2")),
            OUTPUT,
            BY_NETWORK,
        ),
        Question(
            "hidden_gradients",
            "Gradients of the hidden layer",
            (Line("dW1", 5, "dW1"), Line("db1", 2, "db1")),
            GRADIENTS,
            keeping_parameters(BY_NETWORK),
        ),
        Question(
            "update_step",
            "The update",
            (
                Line("W1_new", 2, "W1 after the update"),
                Line("b1_new", 1, "b1 after the update"),
                Line("W2_new", 1, "W2 after the update"),
                Line("b2_new", 1, "b2 after the update"),
            ),
            UPDATE,
            values(updated, follow=follow_update, explain=explain_slips(UPDATE_SLIPS)),
        ),
        Question(
            "training_report",
            "Training on the moons",
            (
                Line("final_loss", 1, "final loss"),
                Line("train_accuracy", 1, "training accuracy"),
                Line("test_accuracy", 1, "test accuracy"),
            ),
            TRAINING,
            values(trained, follow=follow_training, explain=explain_slips(REPORT_SLIPS)),
        ),
    ),
    written=(Written("two_trainings", "Two trainings of the same network", 6),),
    parts={
        "backward_pass": ("output_gradients", "hidden_gradients"),
        "update_parameters": ("update_step",),
        "moons": ("training_report",),
        "loss and boundary": ("two_trainings",),
    },
)
