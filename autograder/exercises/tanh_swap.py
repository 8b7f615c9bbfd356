"""Sheet 3, exercise 10: tanh in the hidden layer of the baseline network.

The student writes ``TanhNetwork(SimpleNeuralNetwork)`` with its own forward and backward pass, and a function that
trains a network on the moons and reports what came out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Values, Written
from autograder.exercises.shared import (
    REPORT_SLIPS,
    follow_network,
    follow_report,
    gradient_challenges,
    keeping_parameters,
    moons,
    network_for,
    report_on_moons,
    returning,
)
from autograder.marking.explain import explain_gradients
from autograder.marking.judges import remembered, values
from autograder.marking.slips import explain_slips
from autograder.truth import Network

ACTIVATIONS, LOSS = ("tanh", "sigmoid"), "bce"


def network(given: Values) -> Network:
    """The symbolic network for the shapes of a challenge."""
    return network_for(given, ACTIVATIONS, LOSS)


# What is asked ------------------------------------------------------------------------------------------------------


def forward(student, given):
    """Activations of both layers."""
    net = student.TanhNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name])
    returned = net.forward_pass(given["X"])
    found = {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
    found["returned"] = returned
    return found


def output_layer(student, given):
    """Activations and gradients; an error after the gradients of the output layer does not lose those."""
    net = student.TanhNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    try:
        net.backward_pass(given["X"], given["Y"])
    except Exception:
        if getattr(net, "dW2", None) is None and getattr(net, "db2", None) is None:
            raise
    return {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2", "dW2", "db2")}


def gradients(student, given):
    """Activations and all four gradients."""
    net = student.TanhNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    net.backward_pass(given["X"], given["Y"])
    names = ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1")
    found = {name: getattr(net, name, None) for name in names}
    return found | {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


def training(student, given):
    """What ``train_on_moons`` reports, and what the student's own class gives when it is trained step by step."""
    epochs, rate, seed = int(given["epochs"]), float(given["learning_rate"]), int(given["seed"])
    reported = student.train_on_moons(student.TanhNetwork, epochs, rate, seed)
    if not isinstance(reported, (tuple, list, np.ndarray)) or len(reported) != 3:
        raise ValueError("train_on_moons must return three numbers: final loss, training and test accuracy")
    X, Y, X_test, Y_test = given["X"], given["Y"], given["X_test"], given["Y_test"]
    net = student.TanhNetwork(2, 4, 1, rng=seed)
    losses = net.train(X, Y, epochs, rate)
    train_accuracy = float(np.mean((net.forward_pass(X) > 0.5) == (Y > 0.5)))
    net.forward_pass(X)
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


def _training_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(
            moons() | {"epochs": np.array(epochs), "learning_rate": np.array(0.5), "seed": rng.integers(1, 10_000)}
        )
        for epochs in (40, 50, 60)  # long enough that the network no longer gives every example the same label
    ]


FORWARD = Probe(forward, lambda rng: gradient_challenges(rng, ACTIVATIONS, LOSS))
OUTPUT = Probe(output_layer, lambda rng: gradient_challenges(rng, ACTIVATIONS, LOSS))
GRADIENTS = Probe(gradients, lambda rng: gradient_challenges(rng, ACTIVATIONS, LOSS))
TRAINING = Probe(training, _training_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """Exact activations and gradients; ``forward_pass`` returns the output activations."""
    return returning(network(given).evaluate(given))


def follow(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own activations."""
    return [returning(results, own) for results in follow_network(network(given), given, own)]


@remembered
def trained(given: Values) -> dict[str, np.ndarray]:
    """The course's own initial weights, moved by the derived gradients, epoch by epoch."""
    return report_on_moons(given, ACTIVATIONS[0])


def follow_training(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The report of the student's own network, or with the loss after the last update."""
    return follow_report(trained(given), own)


# The questions ------------------------------------------------------------------------------------------------------

SPEC = Spec(hidden=("tanh",), output="sigmoid", loss="bce")
BY_NETWORK = values(truth, follow=follow, explain=explain_gradients(SPEC))

EXERCISE = Exercise(
    name="tanh_swap",
    sheet="training",
    title="tanh in the hidden layer",
    minutes=45,
    difficulty=2,
    questions=(
        Question(
            "forward_tanh",
            "The forward pass with tanh",
            (
                Line("Z1", 1, "Z1, hidden pre-activations"),
                Line("A1", 1, "A1, hidden activations"),
                Line("Z2", 1, "Z2, output pre-activations"),
                Line("A2", 1, "A2, outputs"),
                Line("returned", 1, "the value that forward_pass returns"),
            ),
            FORWARD,
            BY_NETWORK,
        ),
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
            (Line("dW1", 5, "dW1"), Line("db1", 3, "db1")),
            GRADIENTS,
            keeping_parameters(BY_NETWORK),
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
    limits={"question_cpu_seconds": 2.0},
    written=(Written("comparison", "What changed, with numbers", 5),),
    parts={
        "network": ("forward_tanh", "output_gradients", "hidden_gradients"),
        "moons": ("training_report",),
        "comparison": ("comparison",),
    },
)
